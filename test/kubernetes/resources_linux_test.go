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

// TestIntegrationResources measures memory and CPU time, and compares them with the chart's requests and limits. go test -v prints
// them:
//
//   - idle: memory with the group bound and nothing logged
//   - usual: memory with 272 label sets, as on a k3s node with 110 pods and 30 policies, but each with a histogram
//   - full: memory with 2201 label sets, the most with the default limit
//   - scraped: peak memory when 40 clients, the default limit of requests, scrape the full exporter
//   - CPU: time for 25 packets a second, the most that this k3s node logs, and a scrape every 15 seconds
func TestIntegrationResources(t *testing.T) {
	const (
		usual, full = 272, 2201
		clients     = 40
		interval    = 15
	)
	ns := newNode(t)
	p := startPod(t, ns, nodeIPv4, render(t, "", "--set=podMonitor.enabled=true"), nil)
	p.awaitProbe(t, p.container().ReadinessProbe)
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

	t.Logf("memory: idle %v, usual %v, full %v, scraped %v", &idle, &usualMemory, &fullMemory, &peak)
	t.Logf("CPU time per second: usual %v, full %v", cpu.Round(time.Microsecond), cpuFull.Round(time.Microsecond))
	requests, limits := p.container().Resources.Requests, p.container().Resources.Limits
	for _, c := range []struct {
		what       string
		used, have resource.Quantity
	}{
		{"CPU", *resource.NewScaledQuantity(cpuFull.Nanoseconds(), resource.Nano), requests[corev1.ResourceCPU]},
		{"usual memory", usualMemory, requests[corev1.ResourceMemory]},
		{"twice the peak memory", *resource.NewQuantity(2*peak.Value(), resource.BinarySI), limits[corev1.ResourceMemory]},
	} {
		if c.used.Cmp(c.have) > 0 {
			t.Errorf("%s: %v is more than the %v in the chart", c.what, &c.used, &c.have)
		}
	}
}

// A load makes label sets and packets for an exporter.
type load struct {
	*pod
	rules     *nftrules.Ruleset
	chain     *nftrules.ChainRules
	labelSets int
}

// firstPort is the port of the packets that the first rule logs.
const firstPort = 1000

// port returns the destination of the packets that a rule logs.
func (l *load) port(rule int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(l.ip), uint16(firstPort+rule))
}

// grow adds rules, each with its own prefix, until there are labelSets label sets.
func (l *load) grow(t *testing.T, labelSets int) {
	t.Helper()
	if l.rules == nil {
		l.rules = nftrules.New(l.ns)
		l.chain = l.rules.Chain(nftrules.Chain{Hook: nftrules.Output})
	}
	for l.labelSets < labelSets {
		first, next := l.labelSets, min(l.labelSets+100, labelSets) // more rules exceed the size of a message
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
	l.awaitSeries(t, regexp.MustCompile(fmt.Sprintf(`(?m)^nflog_label_sets\{group="100"\} %d$`, labelSets)))
}

// cpuOfPackets returns the CPU time per second while rate packets a second are logged.
func (l *load) cpuOfPackets(t *testing.T, rate int) time.Duration {
	t.Helper()
	const seconds = 5
	before := l.cpu(t)
	_, err := traffic.Flood(t.Context(), l.ns, l.port(0), seconds*rate, 100, rate)
	must(t, err)
	return (l.cpu(t) - before) / seconds
}

// cpuOfScrape returns the CPU time of a scrape.
func (l *load) cpuOfScrape(t *testing.T) time.Duration {
	t.Helper()
	const scrapes = 10
	before := l.cpu(t)
	for range scrapes {
		l.scrape(t, 1)
	}
	return (l.cpu(t) - before) / scrapes
}

// scrape scrapes with that many clients at the same time.
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

// memory returns the resident memory of the exporter.
func (p *pod) memory(t *testing.T) resource.Quantity { return p.status(t, "VmRSS") }

// peak returns the peak resident memory of the exporter.
func (p *pod) peak(t *testing.T) resource.Quantity { return p.status(t, "VmHWM") }

// status returns a field in kB of the exporter's /proc/PID/status.
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
	t.Fatalf("no %s in the status of the exporter", field)
	return resource.Quantity{}
}

// cpu returns the CPU time of the exporter's threads.
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
