// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// TestIntegrationResources measures what the chart's resources have to hold. go test -v shows it:
//
//   - idle: bound, nothing logged
//   - usual: 272 label sets, as many as a k3s node with 110 pods and 30 policies has, but each with a histogram
//   - full: 2201 of them, what the default limit comes to
//   - scraped: those, by 40 clients at a time, as many as are served by default
//   - CPU: of 25 packets a second, which is what that k3s node logs at most, and of a scrape every 15 seconds
func TestIntegrationResources(t *testing.T) {
	const (
		usual, full = 272, 2201
		clients     = 40
		interval    = 15
	)
	ns := newNode(t)
	p := startPod(t, ns, nodeIPv4, render(t, "", "--set=podMonitor.enabled=true"), nil)
	p.waitFor(t, p.container().ReadinessProbe)
	idle := p.memory(t)
	l := &load{pod: p}
	l.grow(t, usual)
	cpu := l.cpuOfPackets(t, 25) + l.cpuOfScrape(t)/interval
	usualMemory := p.memory(t)
	l.grow(t, full)
	fullMemory, cpuFull := p.memory(t), cpu+l.cpuOfScrape(t)/interval
	for range 5 {
		l.scrape(t, clients)
	}
	peak := p.peak(t)

	t.Logf("memory: idle %v, usual %v, full %v, scraped %v at most", &idle, &usualMemory, &fullMemory, &peak)
	t.Logf("CPU in a second: usual %v, full %v", cpu.Round(time.Microsecond), cpuFull.Round(time.Microsecond))
	requests, limits := p.container().Resources.Requests, p.container().Resources.Limits
	for _, c := range []struct {
		what       string
		used, have resource.Quantity
	}{
		{"CPU", *resource.NewScaledQuantity(cpuFull.Nanoseconds(), resource.Nano), requests[corev1.ResourceCPU]},
		{"usual memory", usualMemory, requests[corev1.ResourceMemory]},
		{"twice the memory at most", *resource.NewQuantity(2*peak.Value(), resource.BinarySI), limits[corev1.ResourceMemory]},
	} {
		if c.used.Cmp(c.have) > 0 {
			t.Errorf("%s: %v is more than the %v that the chart gives", c.what, &c.used, &c.have)
		}
	}
}

// A load is what an exporter has to do.
type load struct {
	*pod
	rules     *nftrules.Ruleset
	chain     *nftrules.ChainRules
	labelSets int
}

// firstPort is where packets go that the first rule logs.
const firstPort = 1000

// port returns where packets go that a rule logs.
func (l *load) port(rule int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(l.ip), uint16(firstPort+rule))
}

// grow makes so many label sets, each with a rule and a prefix of its own.
func (l *load) grow(t *testing.T, labelSets int) {
	t.Helper()
	if l.rules == nil {
		l.rules = nftrules.New(l.ns)
		l.chain = l.rules.Chain(nftrules.Chain{Hook: nftrules.Output})
	}
	for l.labelSets < labelSets {
		first, next := l.labelSets, min(l.labelSets+100, labelSets) // more at a time would be too long a message
		for i := first; i < next; i++ {
			prefix := fmt.Sprintf("DROP by policy namespace-%d/policy-%d", i/10, i)
			l.chain.Log(group, prefix, nftrules.UDPPort(l.port(i).Port()), nftrules.Drop())
		}
		must(t, l.rules.Apply())
		for i := first; i < next; i++ {
			must(t, traffic.UDP(l.ns, l.port(i), 1, 100))
		}
		l.labelSets = next
	}
	l.waitForSeries(t, regexp.MustCompile(fmt.Sprintf(`(?m)^nflog_label_sets\{group="100"\} %d$`, labelSets)))
}

// cpuOfPackets returns how much CPU so many packets a second take in a second.
func (l *load) cpuOfPackets(t *testing.T, rate int) time.Duration {
	t.Helper()
	const seconds = 5
	before := l.cpu(t)
	_, err := traffic.Flood(t.Context(), l.ns, l.port(0), seconds*rate, 100, rate)
	must(t, err)
	return (l.cpu(t) - before) / seconds
}

// cpuOfScrape returns how much CPU a scrape takes.
func (l *load) cpuOfScrape(t *testing.T) time.Duration {
	t.Helper()
	const scrapes = 10
	before := l.cpu(t)
	for range scrapes {
		l.scrape(t, 1)
	}
	return (l.cpu(t) - before) / scrapes
}

// scrape lets so many clients scrape at a time.
func (l *load) scrape(t *testing.T, clients int) {
	t.Helper()
	var scrapes errgroup.Group
	for range clients {
		scrapes.Go(func() error {
			_, err := l.pod.scrape(t)
			return err
		})
	}
	must(t, scrapes.Wait())
}

// memory returns how much the exporter has in memory.
func (p *pod) memory(t *testing.T) resource.Quantity { return p.status(t, "VmRSS") }

// peak returns how much it had at most.
func (p *pod) peak(t *testing.T) resource.Quantity { return p.status(t, "VmHWM") }

func (p *pod) status(t *testing.T, field string) resource.Quantity {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	must(t, err)
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), field+":"); ok {
			q, err := resource.ParseQuantity(strings.TrimSpace(strings.TrimSuffix(value, " kB")) + "Ki")
			must(t, err)
			return q
		}
	}
	t.Fatalf("the kernel does not tell %s", field)
	return resource.Quantity{}
}

// cpu returns how much CPU the exporter's threads have used.
func (p *pod) cpu(t *testing.T) (sum time.Duration) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	must(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		must(t, err)
		onCPU, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		must(t, err)
		sum += time.Duration(onCPU)
	}
	return sum
}
