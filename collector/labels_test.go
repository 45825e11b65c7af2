// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestFamilyName(t *testing.T) {
	tests := []struct {
		family uint8
		want   string
	}{
		{family: 0, want: "0"},
		{family: 1, want: "1"},
		{family: 2, want: "ip"},
		{family: 3, want: "arp"},
		{family: 5, want: "netdev"},
		{family: 7, want: "bridge"},
		{family: 10, want: "ip6"},
		{family: 255, want: "255"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, familyName(tt.family)); diff != "" {
				t.Errorf("unexpected name (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHookName(t *testing.T) {
	tests := []struct {
		name   string
		family uint8
		want   []string // by hook
	}{
		{
			name:   "ip",
			family: familyIPv4,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "ingress", "6"},
		},
		{
			name:   "ip6",
			family: familyIPv6,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "ingress", "6"},
		},
		{
			name:   "bridge",
			family: familyBridge,
			want:   []string{"prerouting", "input", "forward", "output", "postrouting", "5", "6"},
		},
		{
			name:   "arp",
			family: familyARP,
			want:   []string{"input", "output", "forward", "3"},
		},
		{
			name:   "netdev",
			family: familyNetdev,
			want:   []string{"ingress", "egress", "2"},
		},
		{
			name:   "unknown family",
			family: 99,
			want:   []string{"0", "1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for hook := range tt.want {
				got = append(got, hookName(tt.family, uint8(hook)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected names (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff("255", hookName(tt.family, 255)); diff != "" {
				t.Errorf("unexpected name of hook 255 (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPrefixLabel(t *testing.T) {
	tests := []struct {
		name string
		raw  string
		want string
	}{
		{name: "none", raw: "", want: ""},
		{name: "plain", raw: "fw wan drop", want: "fw wan drop"},
		{name: "trailing space", raw: "drop: ", want: "drop:"},
		{name: "all white space at the end", raw: "drop \t\n\v\f\r", want: "drop"},
		{name: "leading space stays", raw: "  drop", want: "  drop"},
		{name: "white space alone", raw: " \t ", want: ""},
		{name: "other white space stays", raw: "drop\u00a0", want: "drop\u00a0"},
		{name: "UTF-8", raw: "größe ✓ 𝄞", want: "größe ✓ 𝄞"},
		{name: "replacement character", raw: "a\ufffdb", want: "a\ufffdb"},
		{name: "quotes and newline", raw: "a\"b\nc", want: "a\"b\nc"},
		{name: "backslash", raw: `a\b`, want: `a\\b`},
		{name: "backslash at the end", raw: `a\`, want: `a\\`},
		{name: "not UTF-8", raw: "bad\xff\xfe\xc3end", want: `bad\xff\xfe\xc3end`},
		{name: "what it is escaped to", raw: `bad\xff`, want: `bad\\xff`},
		{name: "first digit", raw: "\x80\x8f", want: `\x80\x8f`},
		{name: "truncated character", raw: "gr\xc3", want: `gr\xc3`},
		{name: "truncated before space", raw: "\xe2\x9c ", want: `\xe2\x9c`},
		{name: "surrogate", raw: "\xed\xa0\x80", want: `\xed\xa0\x80`},
		{name: "overlong", raw: "\xc0\xaf", want: `\xc0\xaf`},
		{name: "mixed", raw: "ü\\\xffü", want: `ü\\\xffü`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, prefixLabel(tt.raw)); diff != "" {
				t.Errorf("unexpected label (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzPrefixLabel checks that the label is one that Prometheus takes, and that the prefix can be
// got back from it: no two prefixes share a label.
func FuzzPrefixLabel(f *testing.F) {
	for _, raw := range []string{"", "drop: ", `a\b`, `bad\xff`, "bad\xff\xfe", "ü\\\xff\ufffd", "\xed\xa0\x80"} {
		f.Add([]byte(raw))
	}
	escape := regexp.MustCompile(`\\\\|\\x[0-9a-f]{2}`)
	f.Fuzz(func(t *testing.T, raw []byte) {
		label := prefixLabel(string(raw))
		if !utf8.ValidString(label) {
			t.Fatalf("label %q of %q is not UTF-8", label, raw)
		}
		got := escape.ReplaceAllStringFunc(label, func(s string) string {
			if s == `\\` {
				return `\`
			}
			b, err := strconv.ParseUint(s[2:], 16, 8)
			if err != nil {
				t.Fatalf("parse %q: %v", s, err)
			}
			return string([]byte{byte(b)})
		})
		if want := bytes.TrimRight(raw, " \t\n\v\f\r"); got != string(want) {
			t.Fatalf("label %q of %q stands for %q", label, raw, got)
		}
	})
}

func TestProtocolString(t *testing.T) {
	tests := []struct {
		protocol protocol
		want     string
	}{
		{protocol: 0, want: "hopopt"},
		{protocol: 1, want: "icmp"},
		{protocol: 4, want: "ipv4"},
		{protocol: 6, want: "tcp"},
		{protocol: 17, want: "udp"},
		{protocol: 47, want: "gre"},
		{protocol: 50, want: "esp"},
		{protocol: 58, want: "icmpv6"},
		{protocol: 59, want: "59"},
		{protocol: 61, want: "61"},
		{protocol: 89, want: "ospfigp"},
		{protocol: 124, want: "isis-over-ipv4"},
		{protocol: 132, want: "sctp"},
		{protocol: 135, want: "mobility-header"},
		{protocol: 147, want: "bit-emu"},
		{protocol: 148, want: "148"},
		{protocol: 253, want: "253"},
		{protocol: 255, want: "255"},
		{protocol: 256, want: "256"},
		{protocol: protocolARP, want: "arp"},
		{protocol: protocolEtherType | 0x88cc, want: "0x88cc"},
		{protocol: protocolEtherType | 0x0842, want: "0x0842"},
		{protocol: protocolEtherType, want: "0x0000"},
		{protocol: protocolEtherType | 0xffff, want: "0xffff"},
		{protocol: protocolUnknown, want: "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.protocol.String()); diff != "" {
				t.Errorf("unexpected name (-want +got):\n%s", diff)
			}
		})
	}
}

// TestProtocolNames checks that each protocol has a label of its own, in lower case.
func TestProtocolNames(t *testing.T) {
	all := []protocol{protocolARP, protocolUnknown}
	for p := range protocol(256) {
		all = append(all, p)
	}
	seen := make(map[string]protocol)
	for _, p := range all {
		name := p.String()
		if other, ok := seen[name]; ok {
			t.Errorf("%d and %d are both called %q", other, p, name)
		}
		seen[name] = p
		if strings.ToLower(name) != name || strings.ContainsAny(name, " ()") {
			t.Errorf("%d is called %q", p, name)
		}
	}
}
