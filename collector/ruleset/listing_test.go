// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ruleset

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Rules as Linux 6.18 dumps them on amd64, from struct nfgenmsg's end on.
var (
	// tcp dport 22 counter limit rate 10/minute log prefix "fw ssh " group 100 comment "who tries ssh", by nft in table inet filter
	dumpedNFT = "0b00010066696c74657200000a000200696e7075740000000c0003000000000000000002" +
		"4801040024000100090001006d6574610000000014000200080002000000001008000100000000012c00010008000100636d70002000020008000100" +
		"0000000108000200000000000c0003000500010006000000340001000c0001007061796c6f6164002400020008000100000000010800020000000002" +
		"080003000000000208000400000000022c00010008000100636d700020000200080001000000000108000200000000000c0003000600010000160000" +
		"2c0001000c000100636f756e746572001c0002000c00010000000000000000000c0002000000000000000000440001000a0001006c696d6974000000" +
		"340002000c000100000000000000000a0c000200000000000000003c08000300000000050800040000000000080005000000000024000100080001006c6f6700" +
		"180002000c0002006677207373682000060001000064000014000700000e77686f20747269657320737368" + "00"

	// iptables-nft -A INPUT -m comment --comment web -j NFLOG --nflog-group 101 --nflog-prefix "ipt " --nflog-threshold 3
	dumpedIPTables = "0b00010066696c74657200000a000200494e5055540000000c0003000000000000000002" +
		"880104002c0101000a0001006d617463680000001c0102000c000100636f6d6d656e740008000200000000000401030077656200" + zeros(252) +
		"2c0001000c000100636f756e746572001c0002000c00010000000000000000000c00020000000000000000002c000100080001006c6f670020000200" +
		"09000200697074200000000006000100006500000600040000030000"

	// ebtables-nft -A FORWARD --nflog-group 102 --nflog-prefix "eb " -j CONTINUE
	dumpedEBTables = "0b00010066696c74657200000c000200464f5257415244000c0003000000000000000002" +
		"ac0004007c0001000b00010074617267657400006c0002000a0001006e666c6f67000000080002000000000054000300000000006600010000000000" +
		"65622000" + zeros(64) + "2c0001000c000100636f756e746572001c0002000c00010000000000000000000c0002000000000000000000"
)

// zeros returns that many bytes.
func zeros(n int) string { return strings.Repeat("00", n) }

// skipBigEndian skips a test of messages that a little-endian machine has dumped.
func skipBigEndian(t *testing.T) {
	t.Helper()
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the messages are of a little-endian machine")
	}
}

func dumped(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDumpedRules(t *testing.T) {
	skipBigEndian(t)
	for _, tt := range []struct {
		name   string
		family Family
		dumped string
		want   Rule
	}{
		{
			name: "nft", family: INet, dumped: dumpedNFT,
			want: Rule{
				Family: INet, Table: "filter", Chain: "input", Handle: 2, Comment: "who tries ssh",
				Group: 100, Prefix: "fw ssh ", Limit: "10/minute burst 5", Counted: true,
			},
		},
		{
			name: "iptables", family: IPv4, dumped: dumpedIPTables,
			want: Rule{Family: IPv4, Table: "filter", Chain: "INPUT", Handle: 2, Comment: "web", Group: 101, Prefix: "ipt ", Threshold: 3, Counted: true},
		},
		{
			name: "ebtables", family: Bridge, dumped: dumpedEBTables,
			want: Rule{Family: Bridge, Table: "filter", Chain: "FORWARD", Handle: 2, Group: 102, Prefix: "eb ", Threshold: 1, Counted: true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newListing()
			l.addRule(tt.family, dumped(t, tt.dumped))
			tt.want.Hook = NoHook
			if diff := cmp.Diff([]Rule{tt.want}, l.rules, cmpopts.IgnoreUnexported(Rule{})); diff != "" {
				t.Errorf("unexpected rules (-want +got):\n%s", diff)
			}
		})
	}
}

// attr returns an attribute.
func attr(typ uint16, values ...[]byte) []byte {
	value := slices.Concat(values...)
	b := binary.NativeEndian.AppendUint16(nil, uint16(attributeHeaderLen+len(value)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, value...)
	return append(b, make([]byte, align(len(value))-len(value))...)
}

func u16(v uint16) []byte { return binary.BigEndian.AppendUint16(nil, v) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
func str(s string) []byte { return append([]byte(s), 0) }

// expression returns an expression.
func expression(name string, data ...[]byte) []byte {
	return attr(listElement, attr(expressionName, str(name)), attr(expressionData|attributeNested, data...))
}

func logTo(group uint16, prefix string) []byte {
	return expression("log", attr(logGroup, u16(group)), attr(logPrefix, str(prefix)))
}

func counter(packets uint64) []byte {
	return expression("counter", attr(1, u64(1000)), attr(counterPackets, u64(packets)))
}

func limit(rate, unit uint64, burst, typ, flags uint32) []byte {
	return expression("limit", attr(limitRate, u64(rate)), attr(limitUnit, u64(unit)), attr(limitBurst, u32(burst)), attr(limitType, u32(typ)), attr(limitFlags, u32(flags)))
}

// nflogTarget returns the target of iptables or the watcher of ebtables.
func nflogTarget(name string, snaplen uint32, group, threshold, flags uint16, prefix string) []byte {
	info := binary.NativeEndian.AppendUint32(nil, snaplen)
	for _, v := range []uint16{group, threshold, flags, 0} {
		info = binary.NativeEndian.AppendUint16(info, v)
	}
	info = append(info, prefix...)
	info = append(info, make([]byte, extensionLen-len(info))...)
	return expression("target", attr(extensionName, str(name)), attr(2, u32(0)), attr(extensionInfo, info))
}

func match(name string, info ...byte) []byte {
	return expression("match", attr(extensionName, str(name)), attr(extensionInfo, info))
}

// rule returns a rule of a chain.
func rule(table, chain string, handle uint64, expressions ...[]byte) []byte {
	return slices.Concat(attr(ruleTable, str(table)), attr(ruleChain, str(chain)), attr(ruleHandle, u64(handle)),
		attr(ruleExpressions|attributeNested, expressions...))
}

// TestExpressions checks what the order of expressions means for limits and counters.
func TestExpressions(t *testing.T) {
	compare := expression("cmp", attr(1, u32(1)))
	minute := limit(10, 60, 5, 0, 0)
	for _, tt := range []struct {
		name        string
		expressions [][]byte
		want        []string // group, prefix, limit and counter of each log
	}{
		{"none", nil, nil},
		{"kernel's log", [][]byte{expression("log", attr(logPrefix, str("x")))}, nil},
		{"log", [][]byte{logTo(65535, "a ")}, []string{"65535 a  [] -"}},
		{"no prefix", [][]byte{expression("log", attr(logGroup, u16(0)))}, []string{"0  [] -"}},
		{"prefix without end", [][]byte{expression("log", attr(logGroup, u16(1)), attr(logPrefix, []byte("ab")))}, []string{"1 ab [] -"}},
		{"threshold and snaplen", [][]byte{expression("log", attr(logGroup, u16(1)), attr(logSnaplen, u32(64)), attr(logThreshold, u16(20)))}, []string{"1  [] - 20 64"}},
		{"two logs", [][]byte{logTo(1, "a"), logTo(2, "b")}, []string{"1 a [] -", "2 b [] -"}},
		{"counter", [][]byte{compare, counter(7), logTo(1, "a")}, []string{"1 a [] 7"}},
		{"counter after log", [][]byte{logTo(1, "a"), logTo(2, "b"), counter(7), expression("immediate")}, []string{"1 a [] 7", "2 b [] 7"}},
		{"last counter", [][]byte{counter(9), compare, counter(7), logTo(1, "a"), counter(8)}, []string{"1 a [] 7"}},
		{"condition after counter", [][]byte{counter(7), compare, logTo(1, "a")}, []string{"1 a [] -"}},
		{"condition of xtables after counter", [][]byte{counter(7), match("tcp"), logTo(1, "a")}, []string{"1 a [] -"}},
		{"condition before counter, after log", [][]byte{logTo(1, "a"), expression("lookup"), counter(7)}, []string{"1 a [] -"}},
		{"limit", [][]byte{minute, logTo(1, "a")}, []string{"1 a [10/minute burst 5] -"}},
		{"counter before limit", [][]byte{counter(7), minute, logTo(1, "a")}, []string{"1 a [10/minute burst 5] 7"}},
		{"counter after limit", [][]byte{minute, counter(7), logTo(1, "a")}, []string{"1 a [10/minute burst 5] -"}},
		{"counters before and after limit", [][]byte{counter(9), minute, counter(7), logTo(1, "a")}, []string{"1 a [10/minute burst 5] 9"}},
		{"limit after log", [][]byte{logTo(1, "a"), minute, counter(7)}, []string{"1 a [] -"}},
		{"bytes over", [][]byte{limit(5242880, 1, 0, 1, 1), logTo(1, "a")}, []string{"1 a [over 5242880 bytes/second] -"}},
		{"odd time", [][]byte{limit(1, 7, 2, 1, 0), limit(1, 3600, 0, 0, 0), limit(1, 86400, 0, 0, 0), limit(1, 604800, 0, 0, 0), logTo(1, "a")}, []string{"1 a [1 bytes/7s burst 2 bytes, 1/hour, 1/day, 1/week] -"}},
		{"hashlimit", [][]byte{match("hashlimit"), counter(7), logTo(1, "a")}, []string{"1 a [hashlimit] -"}},
		{"quota", [][]byte{expression("quota"), logTo(1, "a")}, []string{"1 a [quota] -"}},
		{"ct count", [][]byte{expression("connlimit"), logTo(1, "a")}, []string{"1 a [ct count] -"}},
		{"named limit", [][]byte{expression("objref", attr(objectType, u32(objectLimit))), logTo(1, "a")}, []string{"1 a [limit] -"}},
		{"named quota", [][]byte{expression("objref", attr(objectType, u32(objectQuota))), logTo(1, "a")}, []string{"1 a [quota] -"}},
		{"named ct count", [][]byte{expression("objref", attr(objectType, u32(objectConnLimit))), logTo(1, "a")}, []string{"1 a [ct count] -"}},
		{"named counter", [][]byte{expression("objref", attr(objectType, u32(1))), logTo(1, "a")}, []string{"1 a [] -"}},
		{"meter", [][]byte{counter(7), expression("dynset", attr(dynamicSetExpression, nil)), logTo(1, "a")}, []string{"1 a [meter] 7"}},
		{"meters", [][]byte{expression("dynset", attr(dynamicSetExpressions, nil)), logTo(1, "a")}, []string{"1 a [meter] -"}},
		{"set", [][]byte{counter(7), expression("dynset", attr(1, str("x"))), logTo(1, "a")}, []string{"1 a [] 7"}},
		{"sample", [][]byte{counter(7), expression("numgen"), compare, logTo(1, "a")}, []string{"1 a [numgen] 7"}},
		{"sample and condition", [][]byte{counter(7), expression("numgen"), compare, compare, logTo(1, "a")}, []string{"1 a [numgen] -"}},
		{"target", [][]byte{counter(7), nflogTarget("NFLOG", 64, 5, 20, 1, "t ")}, []string{"5 t  [] 7 20 64"}},
		{"target without length", [][]byte{nflogTarget("NFLOG", 64, 5, 0, 0, strings.Repeat("x", 64))}, []string{"5 " + strings.Repeat("x", 64) + " [] -"}},
		{"watcher", [][]byte{nflogTarget("nflog", 64, 6, 1, 1, "w"), counter(7)}, []string{"6 w [] 7 1 0"}},
		{"short target", [][]byte{expression("target", attr(extensionName, str("NFLOG")), attr(extensionInfo, make([]byte, extensionLen-1)))}, nil},
		{"other target", [][]byte{nflogTarget("LOG", 0, 5, 0, 0, "")}, nil},
		{"not an expression", [][]byte{attr(2, logTo(1, "a")), attr(listElement), {5, 0, 1}}, nil},
		{"cut", [][]byte{logTo(1, "a"), logTo(2, "b")[:20]}, []string{"1 a [] -"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newListing()
			l.addRule(INet, rule("t", "c", 1, tt.expressions...))
			var got []string
			for i, r := range l.rules {
				packets := "-"
				if r.Counted {
					packets = fmt.Sprint(l.packets[i])
				}
				text := fmt.Sprintf("%d %s [%s] %s", r.Group, r.Prefix, r.Limit, packets)
				if r.Threshold != 0 || r.Snaplen != 0 {
					text += fmt.Sprintf(" %d %d", r.Threshold, r.Snaplen)
				}
				got = append(got, text)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected logs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestListing checks what tables and chains add to rules.
func TestListing(t *testing.T) {
	table := func(name string, flags uint32, handle uint64) []byte {
		return slices.Concat(attr(tableName, str(name)), attr(tableFlags, u32(flags)), attr(tableHandle, u64(handle)))
	}
	chain := func(table, name string, hook ...uint32) []byte {
		b := slices.Concat(attr(chainTable, str(table)), attr(chainName, str(name)))
		for _, number := range hook {
			b = append(b, attr(chainHook, attr(hookNumber, u32(number)))...)
		}
		return b
	}
	l := newListing()
	l.addTable(INet, table("a", 0, 8))
	l.addTable(IPv4, table("a", 2, 9))
	l.addTable(INet, table("asleep", tableDormant, 10))
	l.addRule(INet, rule("a", "base", 1, logTo(1, "x"), logTo(2, "x")))
	l.addRule(IPv4, rule("a", "base", 1, logTo(1, "x")))
	l.addRule(IPv4, append(rule("a", "__chain42", 2, logTo(1, "x")), attr(ruleUserData, []byte{1, 1, 0, 0, 6}, str("hallo"))...))
	l.addRule(INet, rule("asleep", "base", 1, logTo(1, "x")))
	l.addRule(Netdev, rule("unknown", "other", 1, logTo(1, "x")))
	l.addChain(INet, chain("a", "base", 0))
	l.addChain(IPv4, chain("a", "base", 3))
	l.addChain(IPv4, chain("a", "__chain42"))
	l.addChain(IPv4, chain("a", "without", 1))
	l.finish()

	want := []Rule{
		{Family: INet, Table: "a", Chain: "base", Handle: 1, Group: 1, Prefix: "x", table: 8},
		{Family: INet, Table: "a", Chain: "base", Handle: 1, Group: 2, Prefix: "x", table: 8, number: 1},
		{Family: IPv4, Table: "a", Chain: "base", Hook: 3, Handle: 1, Group: 1, Prefix: "x", table: 9},
		{Family: IPv4, Table: "a", Chain: "__chain42", Hook: NoHook, Handle: 2, Group: 1, Prefix: "x", Comment: "hallo", table: 9},
		{Family: Netdev, Table: "unknown", Chain: "other", Hook: NoHook, Handle: 1, Group: 1, Prefix: "x"},
	}
	if diff := cmp.Diff(want, l.rules, cmp.AllowUnexported(Rule{})); diff != "" {
		t.Errorf("unexpected rules (-want +got):\n%s", diff)
	}
	for chain, want := range map[string]string{"__chain42": "__chain", "__chain": "__chain", "__chain4x": "__chain4x", "input": "input"} {
		if got := (&Rule{Chain: chain}).ChainName(); got != want {
			t.Errorf("unexpected name of chain %s: %s, want %s", chain, got, want)
		}
	}
}

// TestListingFull checks that rules beyond the limit are counted only.
func TestListingFull(t *testing.T) {
	l := newListing()
	b := rule("t", "c", 1, logTo(1, "x"), logTo(2, "x"), logTo(3, "x"))
	for range MaxRules/3 + 2 {
		l.addRule(INet, b)
	}
	if len(l.rules) != MaxRules || cap(l.rules) > 2*MaxRules {
		t.Errorf("%d rules, room for %d, want %d", len(l.rules), cap(l.rules), MaxRules)
	}
	if diff := cmp.Diff(map[uint16]int{1: 1, 2: 2, 3: 2}, l.folded); diff != "" {
		t.Errorf("unexpected folded rules (-want +got):\n%s", diff)
	}
}

func TestUserComment(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		want []byte
	}{
		{"none", nil, nil},
		{"comment", []byte{0, 3, 'a', 'b', 0}, []byte("ab")},
		{"without end", []byte{0, 2, 'a', 'b'}, []byte("ab")},
		{"empty", []byte{0, 0}, []byte{}},
		{"after another", []byte{1, 2, 0, 0, 0, 2, 'a', 0}, []byte("a")},
		{"cut", []byte{0, 3, 'a', 'b'}, nil},
		{"type alone", []byte{0}, nil},
	} {
		if got := userComment(tt.b); !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("%s: unexpected comment %q, want %q", tt.name, got, tt.want)
		}
	}
}

// FuzzListing gives the decoder any bytes: it must neither panic nor keep more than there can be.
func FuzzListing(f *testing.F) {
	for _, text := range []string{dumpedNFT, dumpedIPTables, dumpedEBTables} {
		f.Add(dumped(f, text))
	}
	f.Add(rule("t", "c", 1, counter(1), limit(1, 1, 1, 1, 1), nflogTarget("NFLOG", 1, 2, 3, 1, "x"), match("comment", 'x')))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := newListing()
		l.addTable(INet, b)
		l.addRule(INet, b)
		l.addChain(INet, b)
		l.finish()
		if len(l.rules) != len(l.packets) {
			t.Errorf("%d rules, but %d counters", len(l.rules), len(l.packets))
		}
		for _, r := range l.rules {
			if n := len(r.Table) + len(r.Chain) + len(r.Prefix) + len(r.Comment); n > len(b) {
				t.Errorf("%d bytes of strings from %d", n, len(b))
			}
		}
	})
}

// FuzzMessages gives the walk through a datagram any bytes.
func FuzzMessages(f *testing.F) {
	var r requestBuilder
	r.begin(getRule, flagDump, 1, INet, 7)
	r.addString(ruleTable, "filter")
	r.addUint64(ruleHandle, 3)
	r.begin(configureGroup, 0, 2, 0, 100)
	r.addByte(configCommand, commandUnbind)
	f.Add(r.b)
	f.Fuzz(func(t *testing.T, datagram []byte) {
		for len(datagram) > 0 {
			before := len(datagram)
			m, rest, err := nextMessage(datagram)
			if err != nil {
				return
			}
			if len(rest) >= before || len(m.data) > before-headerLen {
				t.Fatalf("a message of %d bytes and a rest of %d bytes in %d", len(m.data), len(rest), before)
			}
			m.errno()
			if m.hasAttributes() {
				m.family()
				m.generation()
				for range attributes(m.attributes()) {
				}
			}
			datagram = rest
		}
	})
}
