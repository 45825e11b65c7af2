// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/collector/packet"
	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// FuzzExtract checks that the optional labels of any packet have valid values, that a shorter copy of the packet has no other
// values, and that optional are equal if and only if all values are.
func FuzzExtract(f *testing.F) {
	const segment = "4528 0028 0000 4000 4006 0000 0a00 0001 0a00 0002" + nflogtest.TCPTo443 + nflogtest.SYN
	for _, seed := range []struct {
		family     uint8
		hook       uint8
		hwProtocol uint16
		l2         int
		packet     string
	}{
		{2, 1, 0x0800, 0, segment},
		{2, 1, 0x0800, 0, "4600 0020 0000 2000 4011 0000 0a00 0001 0a00 0002 9404 0000" + "0009 1f90 0008 0000"},
		{2, 1, 0x0800, 0, nflogtest.IPv4Header("001c", "01") + "0300 0000 0001 0001"},
		{10, 3, 0x86dd, 0, nflogtest.IPv6Header("0014", "06") + nflogtest.TCPTo443 + nflogtest.SYN},
		{10, 3, 0x86dd, 0, nflogtest.IPv6Header("0018", "2c") + "3c00 0001 0000 0001" + "3a00 0104 0000 0000" + "0100 0000 0000 0000"},
		{10, 3, 0x86dd, 0, nflogtest.IPv6Header("0010", "2c") + "1100 05a8 0000 0001"},
		{7, 1, 0x8100, 14, "0005 0800" + segment},
		{5, 0, 0x88a8, 14, "0005 8100 0006 0800" + segment},
		{5, 1, 0x8100, 18, nflogtest.Ethernet + "8100 0005 0800" + segment},
		{3, 1, 0x0806, 0, nflogtest.Broadcast + "8100 0005 0806" + nflogtest.ARPRequest},
		{7, 1, 0x88cc, 14, "0207 0402"},
	} {
		f.Add(seed.family, seed.hook, seed.hwProtocol, seed.l2, nflogtest.Unhex(seed.packet), uint32(0x1f), uint32(1000), uint32(100), uint32(3), uint16(42), true)
		f.Add(seed.family, seed.hook, seed.hwProtocol, seed.l2, nflogtest.Unhex(seed.packet), uint32(0), uint32(0), uint32(0), uint32(0), uint16(0), false)
	}
	x := newTestExtractor(f, 0xff, LabelNames()...)
	f.Fuzz(func(t *testing.T, family, hook uint8, hwProtocol uint16, l2 int, payload []byte, mark, uid, gid, info uint32, vlan uint16, owner bool) {
		const maxLen = 256
		payload = payload[:min(len(payload), maxLen)]
		message := nflogtest.Message{
			Family: family, Hook: hook, HWProtocol: hwProtocol, Mark: mark, UID: uid, GID: gid, Owner: owner, VLAN: vlan,
			L2Header: append(slices.Clone(payload), make([]byte, maxLen)...)[:uint(l2)%maxLen],
		}
		if info != 0 {
			message.Conntrack, message.CTInfo = conntrack, info-1
		}
		extract := func(b []byte) (o optional, malformed bool) {
			message.Payload = b
			p := onePacket(message)
			h := parsed(p)
			o = x.extract(p, h)
			if again := x.extract(p, h); again != o {
				t.Errorf("the optional values are %+v, then %+v", o, again)
			}
			return o, h.Malformed
		}

		full, malformed := extract(payload)
		fullValues := optionalValues(full)
		checkValues(t, fullValues)
		compare := func(o optional, values map[string]string) {
			if (o == full) != maps.Equal(values, fullValues) {
				t.Errorf("%+v and %+v have the values %v and %v (is a label missing in optionalLabels?)", o, full, values, fullValues)
			}
		}
		for n := range payload {
			short, _ := extract(payload[:n])
			shortValues := optionalValues(short)
			compare(short, shortValues)
			for name, value := range shortValues {
				if want := fullValues[name]; value != "" && value != want && !malformed {
					t.Errorf("%s is %q after %d bytes, %q after %d", name, value, n, want, len(payload))
				}
			}

			other := slices.Clone(payload)
			other[n]++
			o, _ := extract(other)
			compare(o, optionalValues(o))
		}
	})
}

// checkValues checks that the values of optional labels are valid.
func checkValues(t *testing.T, values map[string]string) {
	t.Helper()
	isNumber := func(s string, most uint64) bool {
		n, err := strconv.ParseUint(s, 10, 32)
		return err == nil && n <= most && s == strconv.FormatUint(n, 10)
	}
	tcpKinds, icmpTypes, dscps := []string{""}, []string(nil), []string(nil)
	for i := range 256 {
		tcpKinds = append(tcpKinds, packet.TCPFlags(i).Kind().String())
		icmpTypes = append(icmpTypes, packet.ICMPType(i).String(), packet.ICMPType(i+256).String())
	}
	for i := range 64 {
		dscps = append(dscps, packet.DSCP(i).String())
	}
	for name, value := range values {
		var ok bool
		switch name {
		case "mark":
			n, err := strconv.ParseUint(value, 0, 32)
			ok = err == nil && value == "0x"+strconv.FormatUint(n, 16)
		case "uid", "gid":
			ok = value == "" || isNumber(value, 1<<32-1)
		case "vlan":
			ok = value == "" || isNumber(value, 4095)
		case "tcp_flags":
			ok = slices.Contains(tcpKinds, value)
		case "icmp_type":
			ok = slices.Contains(icmpTypes, value) || value == ""
		case "conntrack_state":
			ok = slices.Contains([]string{"", "new", "established", "related", "untracked", "5", "6"}, value)
		case "dscp":
			ok = slices.Contains(dscps, value) || value == ""
		case "destination_port":
			ok = slices.Contains([]string{"", "well-known", "registered", "dynamic"}, value) || isNumber(value, 65535)
		}
		if !ok {
			t.Errorf("%s is %q", name, value)
		}
	}
}
