// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// renameLag is how long packets may still be counted under the old name of an
// interface: the queue timeout, for which they may wait in the kernel, and a second.
const renameLag = 1500 * time.Millisecond

// TestIntegrationRename renames an interface while packets arrive on it.
func TestIntegrationRename(t *testing.T) {
	sender, receiver := pair(t)
	rs := nftrules.New(receiver)
	rule := rs.Chain(nftrules.Chain{Hook: nftrules.Input}).Log(group, "", nftrules.UDPPort(discard))
	must(t, rs.Apply())
	e := start(t, receiver)

	under := func(name string) labels {
		return labels{Group: "100", Family: "ip", Hook: "input", In: name, Protocol: "udp"}
	}
	// awaitMore waits until more than that many packets are counted under a name,
	// and returns the counts.
	awaitMore := func(timeout time.Duration, name string, than uint64) (sets map[labels]counts) {
		e.eventually(t, timeout, func(s scrape) (err error) {
			if sets, err = s.labelSets(); err != nil {
				return err
			}
			if n := sets[under(name)].Packets; n <= than {
				return fmt.Errorf("%d packets were counted under %s, want more than %d", n, name, than)
			}
			return nil
		})
		return sets
	}

	stop := floodAt(t, sender, routerL4, 1000)
	awaitMore(bookTimeout, "eth0", 0)
	must(t, receiver.Rename("eth0", "wan0"))
	first := awaitMore(renameLag, "wan0", 0)
	last := awaitMore(bookTimeout, "wan0", first[under("wan0")].Packets+500)
	if got, want := last[under("eth0")], first[under("eth0")]; got != want {
		t.Errorf("%+v were counted under the old name, and %+v later", want, got)
	}
	stop()

	e.eventually(t, bookTimeout, func(s scrape) error {
		sets, err := s.labelSets()
		if err != nil {
			return err
		}
		packets, bytes, err := rule.Count()
		if err != nil {
			return err
		}
		before, after := sets[under("eth0")], sets[under("wan0")]
		if len(sets) != 2 || before.Packets+after.Packets != packets || before.Bytes+after.Bytes != bytes {
			return fmt.Errorf("%d packets of %d bytes were logged, but counted as %v", packets, bytes, sets)
		}
		return s.expect(0, "nflog_lost_packets_total")
	})
}

// TestIntegrationDelete deletes interfaces while packets from them wait in the
// kernel: one that is older than the exporter, and one that is newer.
func TestIntegrationDelete(t *testing.T) {
	t.Parallel()
	sender, receiver := pair(t)
	rs := nftrules.New(receiver)
	input := rs.Chain(nftrules.Chain{Hook: nftrules.Input})
	var b book
	for _, name := range []string{"eth0", "veth1234"} {
		b.log(
			input,
			labels{Prefix: "by " + name, Family: "ip", Hook: "input", In: name, Protocol: "udp"},
			nftrules.UDPPort(discard), nftrules.InInterface(name),
		)
	}
	must(t, rs.Apply())
	e := start(t, receiver, "--nflog.queue-timeout=2s")
	awaitWaiting := func(packets uint64) {
		t.Helper()
		kerneltest.Eventually(t, time.Second, func() error {
			if got := e.kernelGroup(t).Batched; got != packets {
				return fmt.Errorf("%d packets wait in the kernel, want %d", got, packets)
			}
			return nil
		})
	}

	must(t, traffic.UDP(sender, toPort(routerL4), 3, 10))
	awaitWaiting(3)
	must(t, receiver.Delete("eth0"))
	must(t,
		netns.Veth(sender, "eth1", ends(right4), receiver, "veth1234", ends(routerR4)),
		traffic.UDP(sender, toPort(routerR4), 4, 10),
	)
	awaitWaiting(7)
	must(t, receiver.Delete("veth1234"))
	awaitWaiting(7)
	b.check(t, e)
}
