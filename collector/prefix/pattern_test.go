// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import "testing"

func TestNewInterfacePatternRefuses(t *testing.T) {
	for _, match := range []string{"(", "a)(b", "*", `\`} {
		if _, err := NewInterfacePattern(match, "x"); err == nil {
			t.Errorf("%q is accepted", match)
		}
	}
	if _, err := NewInterfacePattern("veth.*", ""); err == nil {
		t.Error("an empty replacement is accepted")
	}
}
