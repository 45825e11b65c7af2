// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"html/template"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nflog-exporter/nflog_exporter/internal/config"
	"github.com/nflog-exporter/nflog_exporter/internal/status"
)

// What the page shows at most. All of it is in the JSON.
const (
	maxOthers    = 8   // problems beside the worst
	maxCards     = 9   // groups as cards, the others as rows
	maxPrefixes  = 100 // rows
	maxRules     = 200 // rows
	maxSubjects  = 3   // values in a cell
	curveHeight  = 30
	hourOfCurve  = 60 // steps
	shortOfCurve = 36
)

// A view is what the template shows.
type view struct {
	*status.Status
	TelemetryPath, StatusPath, ReadyPath, HealthyPath, Docs string

	TopPath      string            // of top sources, empty if nobody asks for them
	Others       []*status.Problem // beside the verdict's
	MoreOthers   int
	Cards, Rows  []*status.Group
	Silent       []status.Name // groups without any packet, where a row each would be too many
	Prefixes     []*status.Prefix
	MorePrefixes int
	Unread       []*status.Rule
	Changed      []status.Setting // settings that are not the default
}

func newView(s *status.Status, telemetryPath string) *view {
	v := &view{
		Status: s, TelemetryPath: telemetryPath, StatusPath: config.StatusPath, ReadyPath: readyPath, HealthyPath: healthyPath, Docs: docs,
	}
	for _, p := range s.Problems {
		if p.Text != s.Verdict.Text {
			v.Others = append(v.Others, p)
		}
	}
	if len(v.Others) > maxOthers {
		v.MoreOthers = len(v.Others) - maxOthers
		v.Others = v.Others[:maxOthers]
	}
	v.Cards, v.Rows, v.Silent = split(s.Groups)
	v.Prefixes = s.Prefixes[:min(len(s.Prefixes), maxPrefixes)]
	v.MorePrefixes = len(s.Prefixes) - len(v.Prefixes)
	for _, r := range s.Rulesets {
		for _, rule := range r.Rules {
			if rule.Unread {
				v.Unread = append(v.Unread, rule)
			}
		}
	}
	for _, setting := range s.Settings {
		if !setting.Default {
			v.Changed = append(v.Changed, setting)
		}
	}
	return v
}

// split returns the groups that get a card each, those that get a row, and those that are only named: all get cards if they are few,
// else those in trouble.
func split(groups []*status.Group) (cards, rows []*status.Group, silent []status.Name) {
	if len(groups) <= maxCards {
		return groups, nil, nil
	}
	for _, g := range groups {
		switch inTrouble := g.Level == status.Bad || g.Level == status.Warning; {
		case inTrouble && len(cards) < maxCards:
			cards = append(cards, g)
		case !inTrouble && g.State == "bound" && g.Packets == 0:
			silent = append(silent, g.Name)
		default:
			rows = append(rows, g)
		}
	}
	return cards, rows, silent
}

func pageFuncs() template.FuncMap {
	return template.FuncMap{
		"number":   status.Number,
		"count":    func(n int) string { return status.Number(uint64(n)) },
		"rate":     status.Rate,
		"ago":      status.Ago,
		"duration": status.Duration,
		"bytes":    func(n uint32) string { return status.Bytes(uint64(n)) },
		"half":     func(n uint32) uint32 { return n / 2 },
		"percent":  func(f float64) string { return strconv.Itoa(int(f*100 + 0.5)) },
		"ratio":    ratio,
		"date":     func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") },
		"machine":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"sub":      func(a, b time.Time) time.Duration { return a.Sub(b) },
		"some":     some,
		"code":     codeWords,
		"curve":    newCurve,
		"title":    title,
		"list":     list,
		"path":     path,
		"deref":    func(n int) int { return n },
		"rows":     func(rules []*status.Rule) []*status.Rule { return rules[:min(len(rules), maxRules)] },
		"more":     func(rules []*status.Rule) int { return max(0, len(rules)-maxRules) },
	}
}

// ratio returns a share of a hundred, to draw it. What is not nothing is seen.
func ratio(part, whole any) int {
	p, w := float(part), float(whole)
	if p <= 0 || w <= 0 {
		return 0
	}
	return int(min(100, max(1, p*100/w)))
}

func float(n any) float64 {
	switch n := n.(type) {
	case int:
		return float64(n)
	case uint32:
		return float64(n)
	case float64:
		return n
	default:
		return 0
	}
}

// some joins values, a few of them.
func some(values []string) string {
	if len(values) > maxSubjects {
		values = values[:maxSubjects]
	}
	return strings.Join(values, ", ")
}

// path says where the packets of a prefix come from and go to.
func path(p *status.Prefix) string {
	in, out := some(p.InInterfaces), some(p.OutInterfaces)
	switch {
	case out == "":
		return in
	case in == "":
		return "→ " + out
	default:
		return in + " → " + out
	}
}

func title(n status.Name) string { return status.Names([]status.Name{n}) }

// list lists groups, those of a namespace together.
func list(groups []status.Name) string {
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(int(g.Group)))
		if g.NetNS != "" && (i == len(groups)-1 || groups[i+1].NetNS != g.NetNS) {
			b.WriteString(" in " + g.NetNS)
		}
	}
	return b.String()
}

// A word is a part of a sentence.
type word struct {
	Text string
	Code bool // a flag, or what else is typed
}

// Long reports whether the word may be broken.
func (w word) Long() bool { return strings.Contains(w.Text, " ") }

// flagPattern matches flags, and their values.
var flagPattern = regexp.MustCompile(`--[a-z][a-z.-]*[a-z](=[A-Za-z0-9]+)?|log prefix "[^"]*" group \d+|-j NFLOG --nflog-group \d+ --nflog-prefix "[^"]*"|__overflow__`)

// codeWords tells flags in a sentence from the rest.
func codeWords(s string) []word {
	var words []word
	from := 0
	for _, at := range flagPattern.FindAllStringIndex(s, -1) {
		// Not a hyphen in a word.
		if at[0] > 0 && !strings.ContainsRune(" (", rune(s[at[0]-1])) {
			continue
		}
		words = append(words, word{Text: s[from:at[0]]}, word{s[at[0]:at[1]], true})
		from = at[1]
	}
	return append(words, word{Text: s[from:]})
}

// A curve is drawn in steps of width 1, the newest at the right.
type curve struct {
	Width, Height int
	Area          string // path of the packets
	Lost          string // path of the steps with losses
	Span          string // the time that it shows, in words
	Most          string // packets a second at the top
	Short         bool   // too short to draw
}

func newCurve(c status.Curve) curve {
	d := curve{Width: hourOfCurve, Height: curveHeight, Span: "last hour", Short: len(c.Packets) < 2}
	if step := time.Duration(c.Step) * time.Second; step < time.Minute {
		d.Width = shortOfCurve
		d.Span = "last " + status.Duration(step*time.Duration(max(1, len(c.Packets))))
	} else if len(c.Packets) < hourOfCurve {
		d.Span = "last " + status.Duration(step*time.Duration(len(c.Packets)))
	}
	d.Width = min(d.Width, max(len(c.Packets), 12))
	var most uint32
	for _, n := range c.Packets {
		most = max(most, n)
	}
	if c.Step > 0 {
		d.Most = status.Rate(float64(most) / float64(c.Step))
	}
	area, lost := make([]byte, 0, 8*len(c.Packets)+16), []byte(nil)
	first := d.Width - len(c.Packets)
	area = appendPair(append(area, 'M'), first, curveHeight)
	for _, n := range c.Packets {
		if most > 0 {
			y := curveHeight - float64(n)*(curveHeight-2)/float64(most)
			area = append(strconv.AppendFloat(append(area, 'V'), math.Round(y*10)/10, 'f', -1, 64), "h1"...)
		}
	}
	area = append(area, 'H')
	area = appendPair(append(strconv.AppendInt(area, int64(d.Width), 10), 'L'), d.Width, curveHeight)
	area = append(area, 'Z')
	for i, n := range c.Lost {
		if n > 0 {
			lost = append(appendPair(append(lost, 'M'), first+i, 0), "h1v30h-1z"...)
		}
	}
	d.Area, d.Lost = string(area), string(lost)
	return d
}

func appendPair(b []byte, x, y int) []byte {
	b = append(strconv.AppendInt(b, int64(x), 10), ',')
	return strconv.AppendInt(b, int64(y), 10)
}
