// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// A Level says how bad something is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Hint    Level = "hint"    // could be better
	Warning Level = "warning" // counts are true, but something is not as it should be
	Bad     Level = "bad"     // packets are not counted
)

// A Problem is something that is not as it should be.
type Problem struct {
	Code   string `json:"code"`
	Level  Level  `json:"level"`
	Groups []Name `json:"groups"` // that have it, none if it is the exporter's
	Text   string `json:"text"`   // a sentence
	Cure   string `json:"cure"`   // what helps, in sentences

	short string // the text for who knows the group
}

// Codes of problems, worst first.
const (
	Unhealthy     = "unhealthy"
	NotRead       = "not_read"
	Lost          = "lost"
	Dropped       = "dropped"
	ConfigRefused = "configuration_refused"
	LimitReached  = "label_set_limit"
	RulesUnread   = "rules_unread"
	BufferFull    = "buffer_full"
	NoRule        = "no_rule"
	NothingLogged = "nothing_logged"
	Batching      = "batching"
	RulesUnknown  = "rules_unknown"
	UnmatchedRule = "prefix_rule_unmatched"
)

var codes = []string{
	Unhealthy, NotRead, Lost, Dropped, ConfigRefused, LimitReached, RulesUnread, BufferFull, NoRule, NothingLogged, Batching,
	RulesUnknown, UnmatchedRule,
}

func rank(p *Problem) int { return slices.Index(codes, p.Code) }

// worse orders lists of problems by their first.
func worse(a, b []*Problem) int {
	first := func(p []*Problem) int {
		if len(p) == 0 {
			return len(codes)
		}
		return rank(p[0])
	}
	return cmp.Compare(first(a), first(b))
}

const (
	lately = collector.LatelyMinutes * time.Minute

	// nearlyFull is how full a socket's buffer is a warning, of a hundred.
	nearlyFull = 80

	// A group whose batches have less than fewPackets on average, and come more often than manyBatches a second, wastes CPU.
	fewPackets  = 2
	manyBatches = 20
)

// findProblems finds the problems of all groups, and of the exporter. Groups with the same problem share it.
func (s *Status) findProblems(sick error) {
	shared := make(map[[2]string][]*Group)
	var order [][2]string
	for _, g := range s.Groups {
		g.Problems = append(g.Problems, s.problemsOf(g)...)
		for _, p := range g.Problems {
			key := [2]string{p.Code}
			switch p.Code {
			case NotRead:
				key[1] = g.Reason
			case Lost, Dropped, Batching:
				key[1] = p.Cure
			}
			if len(shared[key]) == 0 {
				order = append(order, key)
			}
			shared[key] = append(shared[key], g)
		}
		g.Level = OK
		if len(g.Problems) > 0 {
			g.Level = g.Problems[0].Level
			g.Words = stateWords[g.Problems[0].Code]
		}
		if g.Level == OK || g.Level == Hint {
			s.Totals.GroupsWell++
		}
	}
	for _, key := range order {
		s.Problems = append(s.Problems, s.problem(key[0], shared[key]))
	}
	if sick != nil {
		s.Problems = append(s.Problems, &Problem{
			Code: Unhealthy, Level: Bad, Groups: []Name{}, Text: sentence(sick.Error()),
			Cure: "Restart the exporter, and report this with its log.",
		})
	}
	if s.Config != nil && !s.Config.Successful {
		s.Problems = append(s.Problems, &Problem{
			Code: ConfigRefused, Level: Warning, Groups: []Name{},
			Text: fmt.Sprintf("The configuration file was refused%s. The one applied %s stays in force.", s.ago(s.Config.Tried), Ago(s.Config.Applied, s.Time)),
			Cure: strings.ReplaceAll(s.Config.Err, "\n", "; ") + ". Correct it and reload.",
		})
	}
	s.findRulesetProblems()
	slices.SortStableFunc(s.Problems, func(a, b *Problem) int { return cmp.Compare(rank(a), rank(b)) })
}

// ago returns how long ago it was, after a blank, or nothing for nil.
func (s *Status) ago(t *time.Time) string {
	if t == nil {
		return ""
	}
	return " " + Ago(*t, s.Time)
}

// stateWords are the states of groups in a few words, by their worst problem.
var stateWords = map[string]string{
	NotRead:       "not read",
	Lost:          "losing packets",
	Dropped:       "losing packets",
	LimitReached:  "read, label sets at their limit",
	BufferFull:    "read, but too slowly",
	NoRule:        "read, but no rule logs here",
	NothingLogged: "read, no packet yet",
	Batching:      "read, in small batches",
}

// since reports whether something was seen in the last minutes.
func (s *Status) since(t *time.Time, d time.Duration) bool { return t != nil && s.Time.Sub(*t) < d }

// problemsOf returns the problems of a group, worst first.
func (s *Status) problemsOf(g *Group) []*Problem {
	var codes []string
	add := func(code string, is bool) {
		if is {
			codes = append(codes, code)
		}
	}
	bound := g.State == "bound"
	add(NotRead, g.State == "not_bound")
	add(Lost, g.LostLately > 0)
	add(Dropped, g.LostLately == 0 && s.since(g.LastDrop, lately))
	add(LimitReached, g.LabelSets >= g.LabelSetsLimit && s.since(g.LastOverflow, lately))
	add(BufferFull, bound && g.fill() >= nearlyFull && len(codes) == 0)
	add(NoRule, bound && g.Packets == 0 && g.Rules != nil && *g.Rules == 0)
	add(NothingLogged, bound && g.Packets == 0 && g.Rules == nil)
	add(Batching, g.smallBatches())
	var problems []*Problem
	for _, code := range codes {
		problems = append(problems, s.problem(code, []*Group{g}))
	}
	return problems
}

// fill returns how full the socket's buffer is, of a hundred.
func (g *Group) fill() int {
	if g.SocketBuffer == 0 {
		return 0
	}
	return int(uint64(g.SocketQueued) * 100 / uint64(g.SocketBuffer))
}

func (g *Group) smallBatches() bool {
	m := g.lately.Minute
	return g.State == "bound" && m.Packets < fewPackets*m.Datagrams && perSecond(m.Datagrams, g.lately.MinuteTime) > manyBatches
}

// findRulesetProblems finds the problems of rules.
func (s *Status) findRulesetProblems() {
	for _, set := range s.Rulesets {
		in := ""
		if set.NetNS != "" {
			in = " in " + set.NetNS
		}
		if set.Err != "" {
			s.Problems = append(s.Problems, &Problem{
				Code: RulesUnknown, Level: Hint, Groups: []Name{},
				Text: fmt.Sprintf("Which rules log%s is not known: %s", in, sentence(set.Err)), Cure: "All else works without.",
			})
		}
		var unread []Name
		rules := 0
		for _, r := range set.Rules {
			if r.Unread {
				rules++
				if n := (Name{r.Group, set.NetNS}); !slices.Contains(unread, n) {
					unread = append(unread, n)
				}
			}
		}
		if rules > 0 {
			s.Problems = append(s.Problems, &Problem{
				Code: RulesUnread, Level: Warning, Groups: unread,
				Text: fmt.Sprintf("%s to %s, which nobody reads.", pluralVerb(uint64(rules), "rule", "logs", "log"), orNames(unread)),
				Cure: fmt.Sprintf("Read it with --nflog.group=%d, or correct the group in the rule.", unread[0].Group),
			})
		}
	}
	for _, rule := range s.UnusedPrefixRules {
		s.Problems = append(s.Problems, &Problem{
			Code: UnmatchedRule, Level: Hint, Groups: []Name{},
			Text: fmt.Sprintf("The prefix rule %s applies to no firewall rule that logs.", rule),
			Cure: "Correct its expression, or leave it out.",
		})
	}
}

// judge makes the verdict: the worst problem, unless there are hints only.
func (s *Status) judge() {
	if len(s.Problems) > 0 && (s.Problems[0].Level != Hint || s.Totals.Packets == 0) {
		p := s.Problems[0]
		s.Verdict = Verdict{p.Level, p.Text, p.Cure}
		return
	}
	t := s.Totals
	if tried := count(s.Groups, func(g *Group) bool { return g.State != "not_tried" }); tried < t.Groups {
		s.Verdict = Verdict{Hint, "The exporter has just started.", "Groups are being bound."}
		return
	}
	text := fmt.Sprintf("All is well: %s, %s a second, ", pluralVerb(uint64(t.Groups), "group", "is read", "are read"), Rate(t.PacketsPerSecond)+" packets")
	if t.Lost == 0 {
		text += "nothing lost."
	} else {
		text += fmt.Sprintf("nothing lost in the last %d minutes.", collector.LatelyMinutes)
	}
	s.Verdict = Verdict{OK, text, ""}
}

// Short returns the problem for who knows the group.
func (p *Problem) Short() string { return cmp.Or(p.short, p.Text) }
