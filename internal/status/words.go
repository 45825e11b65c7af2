// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

// Number returns a number with commas: 39,978.
func Number(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Rate returns a number of events a second, to the digit that matters.
func Rate(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f < 0.05:
		return strconv.FormatFloat(f, 'f', 2, 64)
	case f < 99.95:
		return strconv.FormatFloat(f, 'f', 1, 64)
	default:
		return Number(uint64(f + 0.5))
	}
}

// Bytes returns a size: 16 MiB.
func Bytes(n uint64) string {
	switch {
	case n >= 1<<20:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<20)), ".0") + " MiB"
	case n >= 1<<10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/(1<<10)), ".0") + " KiB"
	default:
		return fmt.Sprintf("%d B", n)
	}
}

// Duration returns a time in one unit: 12 s.
func Duration(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", max(0, int(d.Seconds())))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// Ago returns how long ago a moment was.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	if d < time.Second {
		return "just now"
	}
	return Duration(d) + " ago"
}

// maxNames is how many groups a sentence names.
const maxNames = 4

// Names returns the names of groups, to begin a sentence with.
func Names(groups []Name) string {
	if len(groups) == 1 {
		return capital(groups[0].String())
	}
	return "Groups " + names(groups)
}

// orNames returns the names of groups, inside a sentence.
func orNames(groups []Name) string {
	if len(groups) == 1 {
		return groups[0].String()
	}
	return "groups " + names(groups)
}

func names(groups []Name) string {
	var all []string
	for i, g := range groups {
		if i == maxNames-1 && len(groups) > maxNames {
			all = append(all, fmt.Sprintf("%d more", len(groups)-i))
			break
		}
		all = append(all, strings.TrimPrefix(g.String(), "group "))
	}
	last := len(all) - 1
	return strings.Join(all[:last], ", ") + " and " + all[last]
}

func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

func pluralVerb(n uint64, noun, singular, plural string) string {
	if n == 1 {
		return "1 " + noun + " " + singular
	}
	return Number(n) + " " + noun + "s " + plural
}

func be(n uint64) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func lower(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// sentence makes a sentence of an error or a reason.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	s = capital(s)
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// Line returns a line on a group for /-/ready.
func Line(g collector.GroupState) string {
	s := Name{g.Group, g.NetNS}.String()
	switch {
	case !g.Tried:
		return s + ": not tried yet"
	case g.Bound:
		s += ": bound since " + g.Since.UTC().Format(time.RFC3339)
		if g.Packets == 0 {
			s += ", no packet yet"
		}
	default:
		s += ": not bound: " + g.Reason
	}
	if g.Lost > 0 {
		s += ", lost " + plural(g.Lost, "packet")
	}
	return s
}
