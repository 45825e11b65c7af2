// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// TestIntegrationSetGroups has namespaces come and go. What stays is read on without a break, and the label netns is there also
// without any namespace.
func TestIntegrationSetGroups(t *testing.T) {
	t.Parallel()
	blue, green := kerneltest.NS(t), kerneltest.NS(t)
	config := inNamespaces()
	config.ChangingNetNS = true
	r := start(t, config)
	set := func(paths ...string) {
		t.Helper()
		var groups []GroupConfig
		for _, path := range paths {
			groups = append(groups, promptGroup(100, path))
		}
		if err := r.c.SetGroups(groups); err != nil {
			t.Fatal(err)
		}
	}
	up := func(path string) string { return fmt.Sprintf(`nflog_up{group="100",netns=%q}`, path) }
	total := func(path string) string {
		return fmt.Sprintf(`nflog_packets_total{group="100",netns=%q,out_interface="lo"}`, path)
	}

	set(blue.Path())
	r.wait(map[string]float64{up(blue.Path()): 1})
	logUDP(t, blue)
	send(t, blue, "127.0.0.1:9", 3)
	r.wait(map[string]float64{total(blue.Path()): 3})

	set(green.Path(), blue.Path())
	r.wait(map[string]float64{up(green.Path()): 1})
	logUDP(t, green)
	send(t, green, "127.0.0.1:9", 5)
	send(t, blue, "127.0.0.1:9", 4)
	r.wait(map[string]float64{
		total(green.Path()): 5, total(blue.Path()): 7,
		fmt.Sprintf(`nflog_binds_total{group="100",netns=%q}`, blue.Path()): 1,
	})

	set(green.Path())
	for name := range samples(t, r.c) {
		if strings.Contains(name, fmt.Sprintf("netns=%q", blue.Path())) {
			t.Errorf("a series of a namespace that is gone: %s", name)
		}
	}
	set()
	set(blue.Path())
	r.wait(map[string]float64{up(blue.Path()): 1})
	if err := r.c.SetGroups([]GroupConfig{promptGroup(1, ""), promptGroup(1, "")}); err == nil {
		t.Error("the same group twice is accepted")
	}
}
