// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestListening(t *testing.T) {
	inUse, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inUse.Close()
	free := inUse.Addr().(*net.TCPAddr).AddrPort()
	other := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), free.Port())
	if got := portHolder(net.TCPAddrFromAddrPort(other)); got != "" {
		t.Errorf("%v: unexpected holder %s", other, got)
	}
	all := netip.AddrPortFrom(netip.IPv6Unspecified(), free.Port())
	if got := portHolder(net.TCPAddrFromAddrPort(all)); got == "" {
		t.Errorf("%v: no holder", all)
	}
}

// TestTableAddress checks addresses of /proc/net/tcp6, which a socket of the test has there.
func TestTableAddress(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6: ", err)
	}
	defer l.Close()
	if got := portHolder(l.Addr().(*net.TCPAddr)); !strings.Contains(got, "(PID ") {
		t.Errorf("unexpected holder %q", got)
	}
	for _, bad := range []string{"", "x", "0100", "010000"} {
		if a := tableAddress(bad); a.Is4() || a.Is6() {
			t.Errorf("%q: unexpected address %v", bad, a)
		}
	}
}
