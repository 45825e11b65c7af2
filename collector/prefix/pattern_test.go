// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import "testing"

func TestNewInterfacePatternErrors(t *testing.T) {
	for _, match := range []string{"(", "a)(b", "*", `\`} {
		if _, err := NewInterfacePattern(match, "x"); err == nil {
			t.Errorf("no error for the expression %q", match)
		}
	}
	if _, err := NewInterfacePattern("veth.*", ""); err == nil {
		t.Error("no error for an empty replacement")
	}
}
