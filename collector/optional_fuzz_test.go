// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/nflogtest"
)

// FuzzExtras checks that all labels of any packet have values that there are, that a shorter copy of it
// tells nothing else, and that extras are equal just where all values are.
func FuzzExtras(f *testing.F) {
	const segment = "4528 0028 0000 4000 4006 0000 0a00 0001 0a00 0002" + tcpTo443 + synFlag
	for _, seed := range []struct {
		family     uint8
		hook       uint8
		hwProtocol uint16
		l2         int
		packet     string
	}{
		{2, 1, 0x0800, 0, segment},
		{2, 1, 0x0800, 0, "4600 0020 0000 2000 4011 0000 0a00 0001 0a00 0002 9404 0000" + "0009 1f90 0008 0000"},
		{2, 1, 0x0800, 0, ipv4("001c", "01") + "0300 0000 0001 0001"},
		{10, 3, 0x86dd, 0, ipv6Header("0014", "06") + tcpTo443 + synFlag},
		{10, 3, 0x86dd, 0, ipv6Header("0018", "2c") + "3c00 0001 0000 0001" + "3a00 0104 0000 0000" + "0100 0000 0000 0000"},
		{10, 3, 0x86dd, 0, ipv6Header("0010", "2c") + "1100 05a8 0000 0001"},
		{7, 1, 0x8100, 14, "0005 0800" + segment},
		{5, 0, 0x88a8, 14, "0005 8100 0006 0800" + segment},
		{5, 1, 0x8100, 18, ethernet + "8100 0005 0800" + segment},
		{3, 1, 0x0806, 0, broadcast + "8100 0005 0806" + arpRequest},
		{7, 1, 0x88cc, 14, "0207 0402"},
	} {
		f.Add(seed.family, seed.hook, seed.hwProtocol, seed.l2, unhex(seed.packet), uint32(0x1f), uint32(1000), uint32(100), uint32(3), uint16(42), true)
		f.Add(seed.family, seed.hook, seed.hwProtocol, seed.l2, unhex(seed.packet), uint32(0), uint32(0), uint32(0), uint32(0), uint16(0), false)
	}
	x := newTestExtractor(f, 0xff, LabelNames()...)
	f.Fuzz(func(t *testing.T, family, hook uint8, hwProtocol uint16, l2 int, packet []byte, mark, uid, gid, info uint32, vlan uint16, owner bool) {
		const enough = 256
		packet = packet[:min(len(packet), enough)]
		message := nflogtest.Message{
			Family: family, Hook: hook, HWProtocol: hwProtocol, Mark: mark, UID: uid, GID: gid, Owner: owner, VLAN: vlan,
			L2Header: append(slices.Clone(packet), make([]byte, enough)...)[:uint(l2)%enough],
		}
		if info != 0 {
			message.Conntrack, message.CTInfo = []byte{8, 0, 3, 0, 0, 0, 0, 0}, info-1
		}
		extract := func(payload []byte) (e extras, bad bool) {
			message.Payload = payload
			p := onePacket(t, message)
			h := packetHeader(p)
			e = x.extract(p, h.protocol)
			if again := x.extract(p, h.protocol); again != e {
				t.Errorf("extras are %+v, then %+v", e, again)
			}
			return e, h.bad
		}

		full, bad := extract(packet)
		fullValues := values(full)
		checkValues(t, fullValues)
		compare := func(e extras, values map[string]string) {
			if (e == full) != maps.Equal(values, fullValues) {
				t.Errorf("extras %+v and %+v have the values %v and %v", e, full, values, fullValues)
			}
		}
		for n := range packet {
			short, _ := extract(packet[:n])
			shortValues := values(short)
			compare(short, shortValues)
			for name, value := range shortValues {
				if want := fullValues[name]; value != "" && value != want && !bad {
					t.Errorf("%s is %q of %d bytes, %q of %d", name, value, n, want, len(packet))
				}
			}

			other := slices.Clone(packet)
			other[n]++
			e, _ := extract(other)
			compare(e, values(e))
		}
	})
}

// checkValues checks that the values of extra labels are of those that they may have.
func checkValues(t *testing.T, values map[string]string) {
	t.Helper()
	isNumber := func(s string, most uint64) bool {
		n, err := strconv.ParseUint(s, 10, 32)
		return err == nil && n <= most && s == strconv.FormatUint(n, 10)
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
			ok = slices.Contains(tcpFlagsNames[:], value)
		case "icmp_type":
			ok = slices.Contains(icmpNames[:], value) || slices.Contains(icmpv6Names[:], value) || isNumber(value, 255)
		case "conntrack_state":
			ok = slices.Contains([]string{"", "new", "established", "related", "untracked", "5", "6"}, value)
		case "dscp":
			ok = value == "" || slices.Contains(dscpNames[:], value) || isNumber(value, 63)
		case "destination_port":
			ok = slices.Contains([]string{"", "well-known", "registered", "dynamic"}, value) || isNumber(value, 65535)
		}
		if !ok {
			t.Errorf("%s is %q", name, value)
		}
	}
}
