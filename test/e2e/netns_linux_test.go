// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// namespaceTimeout is the time in which the exporter notices that a namespace was deleted or has come back.
const namespaceTimeout = 5 * time.Second

// A namespace is a network namespace mounted at a path. It can be deleted and made again.
type namespace struct {
	path string
	ns   *netns.NS // nil after delete
}

// newNamespace makes a namespace.
func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{path: filepath.Join(t.TempDir(), "blue")}
	n.create(t)
	t.Cleanup(func() {
		if n.ns != nil {
			n.delete(t)
		}
	})
	return n
}

func (n *namespace) create(t *testing.T) {
	t.Helper()
	var err error
	n.ns, err = netns.New()
	must(t, err)
	must(t, n.ns.Mount(n.path))
}

func (n *namespace) delete(t *testing.T) {
	t.Helper()
	if err := errors.Join(n.ns.Close(), netns.Unmount(n.path)); err != nil {
		t.Errorf("failed to delete a namespace: %v", err)
	}
	n.ns = nil
}

// logLoopback logs and drops the UDP packets that a namespace sends to port discard.
func logLoopback(t *testing.T, ns *netns.NS) {
	t.Helper()
	rs := nftrules.New(ns)
	rs.Chain(nftrules.Chain{Hook: nftrules.Output}).Log(group, "udp", nftrules.UDPPort(discard), nftrules.Drop())
	must(t, rs.Apply())
}

// awaitPackets waits until the exporter has counted that many packets in each network namespace.
func (e *exporter) awaitPackets(t *testing.T, want map[string]uint64) {
	t.Helper()
	e.eventually(t, bookTimeout, func(s scrape) error {
		if diff := cmp.Diff(want, s.sumBy("nflog_packets_total", "netns")); diff != "" {
			return fmt.Errorf("unexpected counts by namespace (-want +got):\n%s", diff)
		}
		return nil
	})
}

// TestIntegrationNetNS reads the same group in the exporter's own namespace and in another one, which is deleted and made again.
func TestIntegrationNetNS(t *testing.T) {
	t.Parallel()
	own, blue, witness := kerneltest.NS(t), newNamespace(t), kerneltest.NS(t)
	logLoopback(t, own)
	e := start(t, own, "--nflog.netns="+blue.path, "--nflog.netns=own", "--nflog.queue-timeout=10ms")
	state, err := e.ready(t.Context())
	must(t, err)
	var since [2]string
	if _, err := fmt.Sscanf(state, "group 100 in "+blue.path+": bound since %s no packet yet\ngroup 100: bound since %s no packet yet\n", &since[0], &since[1]); err != nil {
		t.Errorf("unexpected state: %q", state)
	}

	counted := make(map[string]uint64)
	send := func(ns *netns.NS, netns string, packets int) {
		t.Helper()
		must(t, traffic.UDP(ns, toPort(loopback4), packets, 10))
		counted[netns] += uint64(packets)
	}
	for life := 1.0; life <= 2; life++ {
		logLoopback(t, blue.ns)
		send(blue.ns, blue.path, 5)
		send(own, "", 3)
		e.awaitPackets(t, counted)
		samples := e.samples(t)

		// The kernel deletes the witness with its peer, when it removes the namespace.
		must(t, netns.Veth(witness, "witness", []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}, blue.ns, "eth0", nil))
		blue.delete(t)
		kerneltest.Eventually(t, namespaceTimeout, func() error {
			if _, err := witness.Interface("witness"); err == nil {
				return errors.New("the kernel still has the namespace")
			}
			return nil
		})
		send(own, "", 3)
		e.awaitPackets(t, counted)
		s := e.eventually(t, namespaceTimeout, func(s scrape) error {
			if n := s.value("nflog_bind_failures_total", "netns", blue.path, "reason", "namespace"); n < life {
				return fmt.Errorf("%v bind failures with reason namespace", n)
			}
			return nil
		})
		if err := errors.Join(
			s.expect(0, "nflog_up", "netns", blue.path), s.expect(life, "nflog_binds_total", "netns", blue.path),
			s.expect(1, "nflog_up", "netns", ""), s.expect(1, "nflog_binds_total", "netns", ""),
		); err != nil {
			t.Error(err)
		}

		blue.create(t)
		e.eventually(t, namespaceTimeout, func(s scrape) error { return s.expect(1, "nflog_up", "netns", blue.path) })
		checkContinuous(t, samples, e.samples(t))
	}
}

// TestIntegrationNetNSPattern has namespaces that match a pattern come and go while the exporter runs.
func TestIntegrationNetNSPattern(t *testing.T) {
	t.Parallel()
	own, witness, dir := kerneltest.NS(t), kerneltest.NS(t), t.TempDir()
	e := start(t, own, "--nflog.netns="+dir+"/cni-*", "--nflog.queue-timeout=10ms")
	for _, name := range []string{"cni-1", "cni-2"} {
		n := &namespace{path: filepath.Join(dir, name)}
		n.create(t)
		logLoopback(t, n.ns)
		began := time.Now()
		e.eventually(t, namespaceTimeout, func(s scrape) error { return s.expect(1, "nflog_up", "netns", n.path) })
		t.Logf("%s: read after %v", name, time.Since(began))
		must(t, traffic.UDP(n.ns, toPort(loopback4), 7, 10))
		e.awaitPackets(t, map[string]uint64{n.path: 7})

		// The kernel deletes the witness with its peer, when it removes the namespace.
		must(t, netns.Veth(witness, "witness", []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}, n.ns, "eth0", nil))
		n.delete(t)
		kerneltest.Eventually(t, namespaceTimeout, func() error {
			if _, err := witness.Interface("witness"); err == nil {
				return errors.New("the kernel still has the namespace")
			}
			return nil
		})
		e.eventually(t, namespaceTimeout, func(s scrape) error {
			if got := s.sumBy("nflog_up", "netns"); len(got) > 0 {
				return fmt.Errorf("series of a namespace that is gone: %v", got)
			}
			return nil
		})
	}
	state, err := e.ready(t.Context())
	if err != nil {
		t.Errorf("not ready without a namespace: %v: %s", err, state)
	}
}

// TestIntegrationNetNSName reads a namespace that is given by name.
func TestIntegrationNetNSName(t *testing.T) {
	t.Parallel()
	own, blue := kerneltest.NS(t), newNamespace(t)
	logLoopback(t, own)
	logLoopback(t, blue.ns)
	cmd := testBinary(roleNamed)
	cmd.Env = append(cmd.Env, namedVar+"="+blue.path)
	cmd.ExtraFiles = []*os.File{executable(t)}
	e := launch(t, own, cmd)
	e.awaitReady(t)
	must(t, traffic.UDP(own, toPort(loopback4), 3, 10), traffic.UDP(blue.ns, toPort(loopback4), 5, 10))
	e.awaitPackets(t, map[string]uint64{"": 3, "blue": 5})
	e.stop(t)
}
