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

// problem describes a problem that groups share.
func (s *Status) problem(code string, groups []*Group) *Problem {
	p := &Problem{Code: code, Level: Warning}
	for _, g := range groups {
		p.Groups = append(p.Groups, g.Name)
	}
	subject, first := Names(p.Groups), groups[0]
	one := len(groups) == 1
	verb := func(singular, plural string) string {
		if one {
			return singular
		}
		return plural
	}
	switch code {
	case NotRead:
		p.Level = Bad
		why, cure, _ := strings.Cut(first.Reason, ". ")
		p.short = sentence(why)
		if !one {
			why = strings.Replace(why, "it is held", "they are held", 1)
		}
		p.Text = fmt.Sprintf("%s %s not read: %s.", subject, verb("is", "are"), why)
		if cure != "" {
			p.Cure = sentence(cure) + " "
		}
		p.Cure += "The exporter tries again every few seconds."
	case Lost:
		p.Level = Bad
		lost, last := uint64(0), first.LastLost
		for _, g := range groups {
			lost += g.LostLately
			if g.LastLost != nil && (last == nil || g.LastLost.After(*last)) {
				last = g.LastLost
			}
		}
		what := fmt.Sprintf("lost %s in the last %d minutes, the last%s.", plural(lost, "packet"), collector.LatelyMinutes, s.ago(last))
		p.Text, p.short = subject+" "+what, capital(what)
		p.Cure = s.lossCure(first)
	case Dropped:
		p.Level = Bad
		p.short = fmt.Sprintf("The socket dropped datagrams%s. How many packets these were shows with the next one.", s.ago(first.LastDrop))
		p.Text = fmt.Sprintf("%s %s packets: %s", subject, verb("loses", "lose"), lower(p.short))
		p.Cure = s.lossCure(first)
	case LimitReached:
		overflow := uint64(0)
		for _, g := range groups {
			overflow += g.Overflow
		}
		p.Text = fmt.Sprintf("%s %s reached the limit of %s: %s %s counted under __overflow__.", subject, verb("has", "have"),
			plural(uint64(first.LabelSetsLimit), "label set"), plural(overflow, "packet"), be(overflow))
		p.short = fmt.Sprintf("The limit of %s is reached: %s %s counted under __overflow__.",
			plural(uint64(first.LabelSetsLimit), "label set"), plural(overflow, "packet"), be(overflow))
		p.Cure = "Choose fewer labels with --collector.labels, fold interfaces with --collector.interface-pattern or prefixes with prefix rules, " +
			"or raise --collector.max-label-sets. Totals stay true."
	case BufferFull:
		p.short = fmt.Sprintf("The socket's buffer is %d %% full.", first.fill())
		p.Text = fmt.Sprintf("%s %s losing packets: the socket's buffer is %d %% full.", subject, verb("is close to", "are close to"), first.fill())
		p.Cure = "Give the exporter more CPU, raise --nflog.socket-buffer, or log less."
	case NoRule:
		p.Text = fmt.Sprintf("No rule of nf_tables logs to %s, and no packet has come.", orNames(p.Groups))
		p.short = "No rule of nf_tables logs here, and no packet has come."
		p.Cure = ruleExample(first.Group)
	case NothingLogged:
		p.Level = Hint
		p.Text = fmt.Sprintf("%s %s logged nothing yet. Does a rule log to %s?", subject, verb("has", "have"), verb("it", "them"))
		p.short = "No packet yet. Does a rule log to this group?"
		p.Cure = ruleExample(first.Group)
	case Batching:
		p.Level = Hint
		of := ""
		if first.PacketsPerDatagram != nil {
			of = fmt.Sprintf(" of %.1f packets", *first.PacketsPerDatagram)
		}
		p.Text = fmt.Sprintf("%s %s in small batches%s, which costs the host more than it has to.", subject, verb("comes", "come"), of)
		p.short = fmt.Sprintf("Packets come in small batches%s, which costs the host more than it has to.", of)
		p.Cure = s.batchingCure(first)
	}
	return p
}

func ruleExample(group uint16) string {
	return fmt.Sprintf("A rule logs with log prefix \"fw drop \" group %d (nft), or -j NFLOG --nflog-group %d --nflog-prefix \"fw drop \" (iptables).", group, group)
}

// lossCure says why a group lost packets, and what helps.
func (s *Status) lossCure(g *Group) string {
	switch {
	case s.since(g.LastDrop, lately+time.Minute):
		return fmt.Sprintf("The socket's buffer was full: raise --nflog.socket-buffer (now %s), give the exporter more CPU, or log less.", Bytes(uint64(g.SocketBuffer)/2))
	case g.DecodeErrors > 0:
		return "Their messages could not be decoded: please report this, with the kernel's version."
	default:
		return "The socket's buffer was not full: the host was short of memory, or packets were logged while the group was bound anew."
	}
}

// batchingCure names the rules that make batches small.
func (s *Status) batchingCure(g *Group) string {
	if set := g.lately.Config.QueueThreshold; set > 0 && set <= 10 {
		return fmt.Sprintf("Raise --nflog.queue-threshold (now %d).", set)
	}
	if rules, ok := s.rules(g.NetNS); ok {
		i := slices.IndexFunc(rules.Rules, func(r *Rule) bool { return r.Group == g.Group && r.Threshold > 0 && r.Threshold <= 10 })
		if i >= 0 {
			r := rules.Rules[i]
			return fmt.Sprintf("Rule %q in %s %s %s has queue-threshold %d: leave it out.", r.Prefix, r.Family, r.Table, r.Chain, r.Threshold)
		}
	}
	return "Leave queue-threshold (nft) and --nflog-threshold (iptables) out of the rules."
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
