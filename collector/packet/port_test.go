// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package packet

import "testing"

func TestPortClass(t *testing.T) {
	named := NewPortSet([]uint16{0, 63, 64, 443, 8080, 65535})
	for port, want := range map[uint16]string{
		0: "0", 63: "63", 64: "64", 443: "443", 8080: "8080", 65535: "65535",

		1: "well-known", 62: "well-known", 65: "well-known", 1023: "well-known",
		1024: "registered", 8081: "registered", 49151: "registered",
		49152: "dynamic", 65534: "dynamic",
	} {
		if got := named.Class(port).String(); got != want {
			t.Errorf("port %d is %q, want %q", port, got, want)
		}
	}
	if got := NewPortSet(nil).Class(443).String(); got != "well-known" {
		t.Errorf("port 443 is %q, want well-known if no port is named", got)
	}
}
