// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/procnet"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

const (
	group    = 5
	patience = 20 * time.Second

	// asProgram is an environment variable that makes the test binary nflogdump.
	asProgram = "NFLOGDUMP_TEST_PROGRAM"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	kerneltest.Main(m)
}

// A dump is nflogdump, running in a network namespace.
type dump struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

// start starts nflogdump, and waits until it reads the group or has ended.
func start(t *testing.T, ns *netns.NS, args ...string) *dump {
	t.Helper()
	d := &dump{cmd: exec.Command("/proc/self/exe", append(args, fmt.Sprint(group))...)}
	d.cmd.Env = append(os.Environ(), asProgram+"=1")
	d.cmd.Stdout, d.cmd.Stderr = &d.stdout, &d.stderr
	must(t, ns.Start(d.cmd))
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	kerneltest.Eventually(t, patience, func() error {
		g, err := procnet.ReadGroup(ns, group)
		if err == nil && !g.Bound {
			err = errors.New("nobody reads the group")
		}
		return err
	})
	return d
}

// stop ends nflogdump by a signal, and returns what it has printed.
func (d *dump) stop(t *testing.T) string {
	t.Helper()
	must(t, d.cmd.Process.Signal(syscall.SIGINT))
	return d.wait(t)
}

// wait waits until nflogdump has ended without an error, and returns what it has printed.
func (d *dump) wait(t *testing.T) string {
	t.Helper()
	if err := d.cmd.Wait(); err != nil {
		t.Fatalf("nflogdump fails: %v: %s", err, d.stderr.String())
	}
	return d.stdout.String()
}

// must fails the test if there is an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A host is connected to a bridge. Its rules log UDP packets, and ARP, in each family.
type host struct {
	left, middle *netns.NS
	frames       [][]byte // from the left
	rules        []*nftrules.Rule
}

var (
	leftAddress  = netip.MustParsePrefix("10.0.1.2/24")
	rightAddress = netip.MustParsePrefix("10.0.1.3/24")
	bridge       = netip.MustParsePrefix("10.0.1.1/24")
)

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{left: kerneltest.NS(t), middle: kerneltest.NS(t)}
	right := kerneltest.NS(t)
	must(t, netns.Veth(h.left, "eth0", []netip.Prefix{leftAddress}, h.middle, "left", nil))
	must(t, netns.Veth(right, "eth0", []netip.Prefix{rightAddress}, h.middle, "right", nil))
	must(t, netns.Bridge(h.middle, "br0", "left", "right"))
	must(t, h.middle.AddAddresses("br0", bridge))

	rs := nftrules.New(h.middle)
	log := func(chain nftrules.Chain, prefix string, parts ...nftrules.Part) {
		h.rules = append(h.rules, rs.Chain(chain).Log(group, prefix, parts...))
	}
	udp := nftrules.UDPPort(9)
	log(nftrules.Chain{Family: nftrules.IPv4, Hook: nftrules.Output}, "four out", udp)
	log(nftrules.Chain{Family: nftrules.IPv6, Hook: nftrules.Input}, "six in", udp, nftrules.Drop())
	log(nftrules.Chain{Family: nftrules.Bridge, Hook: nftrules.Forward}, "bridge forward", udp)
	log(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Input}, "arp in")
	log(nftrules.Chain{Family: nftrules.ARP, Hook: nftrules.Output}, "arp out")
	log(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "left"}, "netdev in", udp)
	log(nftrules.Chain{Family: nftrules.Netdev, Hook: nftrules.Egress, Device: "right"}, "netdev out", udp, nftrules.Drop())
	must(t, rs.Apply())

	mac := func(ns *netns.NS, name string) net.HardwareAddr {
		device, err := ns.Interface(name)
		must(t, err)
		return device.HardwareAddr
	}
	source, destination := netip.AddrPortFrom(leftAddress.Addr(), 1024), netip.AddrPortFrom(rightAddress.Addr(), 9)
	ip := traffic.IPv4{
		Src: source.Addr(), Dst: destination.Addr(), Protocol: traffic.ProtocolUDP,
		Payload: traffic.UDPDatagram(source, destination, []byte("payload")),
	}
	h.frames = [][]byte{
		traffic.Ethernet(mac(right, "eth0"), mac(h.left, "eth0"), traffic.EtherTypeIPv4, ip.Bytes()),
		traffic.Ethernet(mac(h.middle, "br0"), mac(h.left, "eth0"), traffic.EtherTypeARP,
			traffic.ARPRequest(mac(h.left, "eth0"), leftAddress.Addr(), bridge.Addr())),
	}
	return h
}

// send sends a packet that each rule logs once, in the order of sent.
func (h *host) send(t *testing.T) {
	t.Helper()
	must(t, traffic.UDP(h.middle, netip.MustParseAddrPort("127.0.0.1:9"), 1, 7))
	must(t, traffic.UDP(h.middle, netip.MustParseAddrPort("[::1]:9"), 1, 7))
	must(t, traffic.SendFrames(h.left, "eth0", h.frames...))
	kerneltest.Eventually(t, patience, func() error {
		for i, rule := range h.rules {
			if n, _, err := rule.Count(); err != nil || n != 1 {
				return fmt.Errorf("rule %d has logged %d packets, %w", i, n, err)
			}
		}
		return nil
	})
}

// TestIntegrationPcap reads a file with other programs.
func TestIntegrationPcap(t *testing.T) {
	tshark, tcpdump := kerneltest.Require(t, "tshark"), kerneltest.Require(t, "tcpdump")
	h := newHost(t)
	file := filepath.Join(t.TempDir(), "packets.pcap")
	d := start(t, h.middle, "-w", file)
	h.send(t)
	if printed := d.stop(t); printed != "" {
		t.Errorf("unexpected output: %s", printed)
	}
	if diff := cmp.Diff("7 packets received, 7 of them taken, 0 lost\n", d.stderr.String()); diff != "" {
		t.Errorf("unexpected summary (-want +got):\n%s", diff)
	}

	// Columns: family, group, hook, prefix, EtherType, source, destination, port, data, ARP operation, expert messages.
	const payload = "7061796c6f6164"
	want := []string{
		"2|5|3|four out|0x0800|127.0.0.1|127.0.0.1|||9|00000000000000||",
		"10|5|1|six in|0x86dd|||::1|::1|9|00000000000000||",
		"5|5|0|netdev in|0x0800|10.0.1.2|10.0.1.3|||9|" + payload + "||",
		"7|5|2|bridge forward|0x0800|10.0.1.2|10.0.1.3|||9|" + payload + "||",
		"5|5|1|netdev out|0x0800|10.0.1.2|10.0.1.3|||9|" + payload + "||",
		"3|5|0|arp in|0x0806|||||||1|",
		"3|5|1|arp out|0x0806|||||||2|",
	}
	args := []string{"-n", "-r", file, "-T", "fields", "-E", "separator=|"}
	for field := range strings.FieldsSeq("nflog.family nflog.res_id nflog.hook nflog.prefix nflog.protocol " +
		"ip.src ip.dst ipv6.src ipv6.dst udp.dstport data.data arp.opcode _ws.malformed") {
		args = append(args, "-e", field)
	}
	if diff := cmp.Diff(want, outputOf(t, tshark, args...)); diff != "" {
		t.Errorf("unexpected packets of tshark (-want +got):\n%s", diff)
	}

	// Of the link types, tcpdump has no names for other families than ip and ip6.
	want = []string{
		"resource ID 5, family IPv4 (2): 127.0.0.1 > 127.0.0.1.9: UDP, length 7",
		"resource ID 5, family IPv6 (10): ::1 > ::1.9: UDP, length 7",
		"resource ID 5, family Unknown (5)",
		"resource ID 5, family Unknown (7)",
		"resource ID 5, family Unknown (5)",
		"resource ID 5, family Unknown (3)",
		"resource ID 5, family Unknown (3)",
	}
	var got []string
	for _, line := range outputOf(t, tcpdump, "-tenr", file) {
		if !strings.HasPrefix(line, "\t") { // else bytes
			got = append(got, strings.TrimSuffix(tcpdumpNoise.ReplaceAllString(line, "$1$2"), ": "))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected packets of tcpdump (-want +got):\n%s", diff)
	}
}

// tcpdumpNoise matches the version, the length of the message, and the source port.
var tcpdumpNoise = regexp.MustCompile(`^version 0, |, length \d+(: )|\.\d+( > )`)

// outputOf returns the lines that a program prints.
func outputOf(t *testing.T, program string, args ...string) []string {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		if strings.Contains(string(failed.Stderr), "Couldn't change to") {
			t.Skip("tcpdump changes to another user, but this user namespace has only one")
		}
		t.Fatalf("%s fails: %v: %s", program, err, failed.Stderr)
	}
	must(t, err)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// TestIntegrationPrint prints packets.
func TestIntegrationPrint(t *testing.T) {
	h := newHost(t)
	d := start(t, h.middle)
	h.send(t)
	var got []string
	for line := range strings.Lines(d.stop(t)) {
		_, line, _ = strings.Cut(strings.TrimSpace(line), " ") // the time
		got = append(got, printNoise.ReplaceAllString(line, "$1$2"))
	}
	want := []string{
		`ip output "four out" out lo udp 127.0.0.1 > 127.0.0.1:9 length 35`,
		`ip6 input "six in" in lo udp [::1] > [::1]:9 length 55`,
		`netdev ingress "netdev in" in left udp 10.0.1.2 > 10.0.1.3:9 length 35`,
		`bridge forward "bridge forward" in br0 physin left out br0 physout right udp 10.0.1.2 > 10.0.1.3:9 length 35`,
		`netdev egress "netdev out" out right udp 10.0.1.2 > 10.0.1.3:9 length 35`,
		`arp input "arp in" in br0 arp 10.0.1.2 > 10.0.1.1 length 28`,
		`arp output "arp out" out br0 arp 10.0.1.1 > 10.0.1.2 length 28`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unexpected lines (-want +got):\n%s", diff)
	}
}

// printNoise matches the source port of UDP, after an address, and the user, which some packets have.
var printNoise = regexp.MustCompile(`([.:]\d+\]?):\d+( >)| uid \d+`)

// TestIntegrationFilters prints only some packets.
func TestIntegrationFilters(t *testing.T) {
	for _, tt := range []struct {
		args     string
		want     []string // prefixes
		received int
		ends     bool // without a signal
	}{
		{args: "-prefix ^netdev", want: []string{"netdev in", "netdev out"}, received: 7},
		{args: "-hook output", want: []string{"four out", "arp out"}, received: 7},
		{args: "-prefix (out|in)$ -hook input", want: []string{"six in", "arp in"}, received: 7},
		{args: "-hook postrouting", received: 7},
		{args: "-c 3", want: []string{"four out", "six in", "netdev in"}, received: 3, ends: true},
		{args: "-c 2 -prefix out", want: []string{"four out", "netdev out"}, received: 5, ends: true},
	} {
		t.Run(tt.args, func(t *testing.T) {
			h := newHost(t)
			d := start(t, h.middle, strings.Fields(tt.args)...)
			h.send(t)
			end := d.stop
			if tt.ends {
				end = d.wait
			}
			var got []string
			for line := range strings.Lines(end(t)) {
				got = append(got, strings.Split(line, `"`)[1])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("unexpected packets (-want +got):\n%s", diff)
			}
			summary := fmt.Sprintf("%d packets received, %d of them taken, 0 lost\n", tt.received, len(tt.want))
			if diff := cmp.Diff(summary, d.stderr.String()); diff != "" {
				t.Errorf("unexpected summary (-want +got):\n%s", diff)
			}
		})
	}
}

// TestIntegrationHeld starts nflogdump twice. The second one ends at once, and the first one goes on.
func TestIntegrationHeld(t *testing.T) {
	h := newHost(t)
	first := start(t, h.middle)
	second := start(t, h.middle)
	if err := second.cmd.Wait(); err == nil {
		t.Error("two programs read the group")
	}
	want := fmt.Sprintf("nflogdump: bind NFLOG group %d: the group is held by another socket", group)
	if got := second.stderr.String(); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 1 {
		t.Errorf("unexpected error: %s, want %s", got, want)
	}
	h.send(t)
	if got := strings.Count(first.stop(t), "\n"); got != len(h.rules) {
		t.Errorf("unexpected packets: %d, want %d", got, len(h.rules))
	}
}

// TestArguments starts nflogdump with wrong arguments.
func TestArguments(t *testing.T) {
	for args, want := range map[string]string{
		"65536":      `group "65536": not a number from 0 to 65535`,
		"x":          `group "x": not a number from 0 to 65535`,
		"5 -c 1":     `unexpected argument "-c": flags precede the group`,
		"-s 0":       "-s 0: not from 1 to 65531",
		"-prefix (":  "missing closing )",
		"-c x":       `invalid value "x" for flag -c`,
		"-interface": "flag provided but not defined: -interface",
	} {
		t.Run(args, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe", strings.Fields(args)...)
			cmd.Env = append(os.Environ(), asProgram+"=1")
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("unexpected end: %v: %s, want %s", err, out, want)
			}
		})
	}
}
