// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// inNamespaces returns a configuration that reads group 100 in these namespaces.
func inNamespaces(names ...string) Config {
	var config Config
	for _, name := range names {
		config.Groups = append(config.Groups, promptGroup(100, name))
	}
	config.Labels = []string{"out_interface"}
	return config
}

// TestIntegrationNamespaceDeleted deletes a namespace and makes another of the same name. Counts are kept.
func TestIntegrationNamespaceDeleted(t *testing.T) {
	t.Parallel()
	blue := newNamed(t)
	blue.create(t)
	config := inNamespaces(blue.path)
	config.Groups[0].QueueTimeout = time.Hour // packets wait in the kernel until the group is unbound
	r := start(t, config)
	r.waitBound(100)
	const total = `nflog_packets_total{group="100",out_interface="lo"}`

	var sent float64
	for life := 1.0; life <= 2; life++ {
		send(t, blue.ns, "127.0.0.1:9", 10)
		sent += 10
		alive := blue.witness(t)
		deleted := time.Now()
		blue.delete(t)
		waitFreed(t, alive)
		t.Logf("freed after %v", time.Since(deleted))
		want := map[string]float64{
			total: sent, `nflog_lost_packets_total{group="100"}`: 0, `nflog_binds_total{group="100"}`: life, `nflog_up{group="100"}`: 0,
			`nflog_receive_errors_total{group="100",reason="other"}`: 0,
		}
		r.wait(want)
		kerneltest.Eventually(t, namespaceTimeout, func() error {
			state := r.c.Groups()[0]
			if samples(t, r.c)[`nflog_bind_failures_total{group="100",reason="namespace"}`] < life || state.Bound || !containsAll(state.Reason, blue.path, "no such file") {
				return fmt.Errorf("the state does not say that the namespace is gone: %+v", state)
			}
			return nil
		})

		created := time.Now()
		blue.create(t)
		kerneltest.Eventually(t, namespaceTimeout, func() error {
			if !r.c.Groups()[0].Bound {
				return errors.New("not bound")
			}
			return nil
		})
		t.Logf("read again after %v", time.Since(created))
		r.wait(map[string]float64{total: sent, `nflog_up{group="100"}`: 1, `nflog_binds_total{group="100"}`: life + 1})
	}
	if lines := r.logs.with("level=info", "Group unbound, socket drained", "its network namespace is gone"); len(lines) != 2 {
		t.Errorf("the log says %d times that the group was unbound: %q", len(lines), r.logs.with(""))
	}
	if lines := r.logs.with("level=error", "can't be bound", blue.path); len(lines) != 2 {
		t.Errorf("%d errors in the log, want one for each time: %q", len(lines), lines)
	}
}

// TestIntegrationNamespaceReplaced deletes a namespace and makes another of the same name at once, several times. Each new
// one is read in time, and each old one is freed.
func TestIntegrationNamespaceReplaced(t *testing.T) {
	t.Parallel()
	blue := newNamed(t)
	blue.create(t)
	r := start(t, inNamespaces(blue.path))
	r.waitBound(100)
	const total = `nflog_packets_total{group="100",out_interface="lo"}`
	for binds := 2.0; binds <= 5; binds++ {
		alive := blue.witness(t)
		blue.delete(t)
		blue.create(t)
		created := time.Now()
		before := samples(t, r.c)[total]
		waitFreed(t, alive)
		kerneltest.Eventually(t, namespaceTimeout-time.Since(created), func() error {
			send(t, blue.ns, "127.0.0.1:9", 1)
			if got := samples(t, r.c); got[total] == before || got[`nflog_binds_total{group="100"}`] != binds {
				return fmt.Errorf("the new namespace is not read: %v packets, %v bindings", got[total], got[`nflog_binds_total{group="100"}`])
			}
			return nil
		})
	}
}

// TestIntegrationNamespaces reads the same group in the collector's own namespace and in two others. Interfaces have other
// names in each.
func TestIntegrationNamespaces(t *testing.T) {
	t.Parallel()
	if !inChild(t, unix.CLONE_NEWNET) { // no other test uses its own namespace
		return
	}
	own, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if err := own.SetUp("lo"); err != nil {
		t.Fatal(err)
	}
	blue, green := kerneltest.NS(t), kerneltest.NS(t)
	if err := errors.Join(blue.Rename("lo", "blue0"), green.Rename("lo", "green0")); err != nil {
		t.Fatal(err)
	}
	r := start(t, inNamespaces("", blue.Path(), green.Path()))
	namespaces := []struct {
		ns        *netns.NS
		netns, lo string
		packets   int
	}{
		{ns: own, netns: "", lo: "lo", packets: 3},
		{ns: blue, netns: blue.Path(), lo: "blue0", packets: 5},
		{ns: green, netns: green.Path(), lo: "green0", packets: 7},
	}
	want := make(map[string]float64)
	for _, n := range namespaces {
		want[fmt.Sprintf(`nflog_up{group="100",netns=%q}`, n.netns)] = 1
		want[fmt.Sprintf(`nflog_bind_failures_total{group="100",netns=%q,reason="namespace"}`, n.netns)] = 0
		want[fmt.Sprintf(`nflog_label_sets{group="100",netns=%q}`, n.netns)] = 0
	}
	r.wait(want)
	for _, n := range namespaces {
		rule := logUDP(t, n.ns)
		send(t, n.ns, "127.0.0.1:9", n.packets)
		packets, bytes := ruleCount(t, rule)
		if packets != uint64(n.packets) {
			t.Fatalf("the rule has counted %d packets, want %d", packets, n.packets)
		}
		labels := fmt.Sprintf(`{group="100",netns=%q,out_interface=%q}`, n.netns, n.lo)
		want["nflog_packets_total"+labels] = float64(packets)
		want["nflog_bytes_total"+labels] = float64(bytes)
		want[fmt.Sprintf(`nflog_label_sets{group="100",netns=%q}`, n.netns)] = 1
		want[fmt.Sprintf(`nflog_lost_packets_total{group="100",netns=%q}`, n.netns)] = 0
	}
	r.wait(want)
	for i, n := range namespaces {
		if got := r.c.Groups()[i]; got.NetNS != n.netns || !got.Bound {
			t.Errorf("unexpected state: %+v", got)
		}
	}
	if lines := r.logs.with("Group bound", "netns="+blue.Path()); len(lines) != 1 {
		t.Errorf("the log does not name the namespace once: %q", r.logs.with("Group bound"))
	}
}

// TestIntegrationNamespaceTwice reads a namespace by two names. Binding the group fails for one of them, with the reason.
func TestIntegrationNamespaceTwice(t *testing.T) {
	t.Parallel()
	blue := newNamed(t)
	blue.create(t)
	r := start(t, inNamespaces(blue.path, blue.ns.Path()))
	kerneltest.Eventually(t, patience, func() error {
		states := r.c.Groups()
		if states[0].Bound {
			states[0], states[1] = states[1], states[0]
		}
		if !states[1].Bound || !containsAll(states[0].Reason, "the exporter itself reads it already", "another name of the same network namespace") {
			return fmt.Errorf("unexpected states: %+v", states)
		}
		return nil
	})
}

// TestIntegrationNamespaceAlone checks that metrics have no label netns if only one namespace is read.
func TestIntegrationNamespaceAlone(t *testing.T) {
	t.Parallel()
	blue := kerneltest.NS(t)
	rule := logUDP(t, blue)
	r := start(t, inNamespaces(blue.Path()))
	r.waitBound(100)
	send(t, blue, "127.0.0.1:9", 3)
	packets, _ := ruleCount(t, rule)
	r.wait(map[string]float64{`nflog_packets_total{group="100",out_interface="lo"}`: float64(packets)})
	for name, metrics := range gather(t, r.c) {
		for _, m := range metrics {
			for _, pair := range m.GetLabel() {
				if pair.GetName() == netnsName {
					t.Errorf("%s has the label %s", name, netnsName)
				}
			}
		}
	}
}
