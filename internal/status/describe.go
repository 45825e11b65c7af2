// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

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
