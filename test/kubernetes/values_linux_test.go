// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nflog-exporter/nflog_exporter/test/kubernetes/chartvalues"
)

// A change is a value that a user sets, and its effect.
type change struct {
	value string         // path of the value; several changes of one value have different words after a space
	base  string         // other values, in YAML
	set   string         // YAML that sets the value, added to base
	want  func(*objects) // makes the change in the objects
}

// TestValues changes each value of the chart, and checks that the rendered objects have the wanted differences and no others.
func TestValues(t *testing.T) {
	t.Parallel()
	var changed []string
	for _, c := range slices.Concat(objectChanges(), podChanges(t), argumentChanges(), webChanges(), monitoringChanges(t)) {
		path, _, _ := strings.Cut(c.value, " ")
		changed = append(changed, path)
		t.Run(c.value, func(t *testing.T) {
			t.Parallel()
			want, got := render(t, c.base), render(t, c.base+"\n"+c.set)
			c.want(want)
			// The order of arguments does not matter.
			anyOrder := cmpopts.SortSlices(strings.Compare)
			if diff := cmp.Diff(want, got, anyOrder); diff != "" {
				t.Errorf("unexpected difference (-want +got):\n%s", diff)
			}
			checkAccepted(t, got)
		})
	}

	values, err := chartvalues.Read(chart + "/values.yaml")
	must(t, err)
	missing := make(map[string]bool)
	for _, v := range values {
		missing[v.Path] = true
	}
	for _, path := range changed {
		delete(missing, path)
	}
	if len(missing) > 0 {
		t.Errorf("no test changes these values: %v", slices.Sorted(maps.Keys(missing)))
	}
}
