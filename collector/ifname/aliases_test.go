// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ifname

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestNamesAlias checks that aliases stay as long as names, and that each change of one changes the generation.
func TestNamesAlias(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links := newFakeLinks()
		n := newFakeNames(t, links)
		check := func(step, want string, wantNew bool, change func()) {
			t.Helper()
			before := n.Generation()
			change()
			if got := n.Alias(7); got != want {
				t.Errorf("%s: the alias is %q, want %q", step, got, want)
			}
			if got := n.Generation() != before; got != wantNew {
				t.Errorf("%s: the generation changed: %t, want %t", step, got, wantNew)
			}
		}
		check("unknown", "", false, func() { n.setAlias(7, "wan") })
		links.set(7, "eth0")
		n.refresh(7, "")
		check("first", "wan", true, func() { n.setAlias(7, "wan") })
		check("the same", "wan", false, func() { n.setAlias(7, "wan") })
		check("another", "uplink", true, func() { n.setAlias(7, "uplink") })
		check("renamed", "uplink", true, func() { links.set(7, "eth1"); n.refresh(7, "") })
		check("deleted", "uplink", false, func() { links.set(7, ""); n.refresh(7, "eth1") })
		check("index used again", "", true, func() { links.set(7, "eth1"); n.refresh(7, "") })
		check("set again", "wan", true, func() { n.setAlias(7, "wan") })
		check("none", "", true, func() { n.setAlias(7, "") })
		n.setAlias(7, "wan")
		check("deleted again", "wan", false, func() { links.set(7, ""); n.refresh(7, "eth1") })
		check("forgotten", "", true, func() { time.Sleep(deletedNameLifetime); synctest.Wait() })
		if len(n.aliases) > 0 {
			t.Errorf("aliases of unknown interfaces are kept: %v", n.aliases)
		}
	})
}
