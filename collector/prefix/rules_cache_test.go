// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

import (
	"fmt"
	"sync"
	"testing"
)

// TestRulesCacheBound applies rules to more prefixes than the cache holds.
func TestRulesCacheBound(t *testing.T) {
	r := mustRules(t, Rule{Match: `p(?P<number>\d+)`})
	for round := range 2 {
		for i := range 3 * maxKnownPrefixes / 2 {
			number := fmt.Sprint(i)
			_, values := r.Apply("p" + number)
			if values[0] != number {
				t.Fatalf("round %d: prefix p%s has the label %q", round, number, values[0])
			}
			if len(r.known) > maxKnownPrefixes {
				t.Fatalf("round %d: %d prefixes are known", round, len(r.known))
			}
		}
	}
}

func TestRulesConcurrent(t *testing.T) {
	r := mustRules(t, Rule{Match: `p(?P<number>\d+)`})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				number := fmt.Sprint(i % 100)
				if _, values := r.Apply("p" + number); values[0] != number {
					t.Errorf("prefix p%s has the label %q", number, values[0])
				}
			}
		})
	}
	wg.Wait()
}
