// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// nft runs nft in a namespace.
func nft(t *testing.T, ns *netns.NS, input string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(kerneltest.Require(t, "nft"), args...)
	var out, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &stderr
	if err := ns.Start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("nft %v: %v\n%s", args, err, stderr.String())
	}
	return out.Bytes()
}

// countBySet makes nft sets that count packets to port discard by their addresses before they are routed, and logs these packets.
const countBySet = `
table inet who {
	set source4 { type ipv4_addr; size 65535; flags dynamic; counter; }
	set destination4 { type ipv4_addr; size 65535; flags dynamic; counter; }
	set source6 { type ipv6_addr; size 65535; flags dynamic; counter; }
	set destination6 { type ipv6_addr; size 65535; flags dynamic; counter; }
	chain prerouting {
		type filter hook prerouting priority -300;
		udp dport 9 update @source4 { ip saddr } update @destination4 { ip daddr } log group 100
		udp dport 9 update @source6 { ip6 saddr } update @destination6 { ip6 daddr } log group 100
	}
}
`

// setCounts returns the packets that a set of countBySet has counted.
func setCounts(t *testing.T, ns *netns.NS, set string) map[netip.Addr]uint64 {
	t.Helper()
	var listed struct {
		Nftables []struct {
			Set *struct {
				Elem []struct {
					Elem struct {
						Val     netip.Addr
						Counter struct{ Packets uint64 }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(nft(t, ns, "", "-j", "list", "set", "inet", "who", set), &listed); err != nil {
		t.Fatal(err)
	}
	counts := make(map[netip.Addr]uint64)
	for _, object := range listed.Nftables {
		if object.Set != nil {
			for _, e := range object.Set.Elem {
				counts[e.Elem.Val] = e.Elem.Counter.Packets
			}
		}
	}
	return counts
}

// sendBetween sends a UDP packet to port discard.
func sendBetween(t *testing.T, ns *netns.NS, source, destination netip.Addr) {
	t.Helper()
	udp := traffic.UDPDatagram(netip.AddrPortFrom(source, 1), netip.AddrPortFrom(destination, discard), nil)
	packet := traffic.IPv4{Src: source, Dst: destination, Protocol: traffic.ProtocolUDP, Payload: udp}.Bytes()
	if source.Is6() {
		packet = traffic.IPv6{Src: source, Dst: destination, Protocol: traffic.ProtocolUDP, Payload: udp}.Bytes()
	}
	must(t, traffic.SendIP(ns, packet))
}

// TestIntegrationAddressLabels sends packets from and to 1,000 addresses of each family, and compares the packets by source and
// destination with sets of nft that count: by address, by the networks of a file, and by IANA's classes.
func TestIntegrationAddressLabels(t *testing.T) {
	t.Parallel()
	const byAddress = `
networks:
- {name: all, cidrs: [0.0.0.0/0, '::/0'], by: address, max_addresses: 5000}
`
	const byNetwork = `
networks:
- {name: a, cidrs: [10.1.0.0/17, 'fd00:1::/65', 10.1.200.0/24]}
- {name: b, cidrs: [10.1.0.0/20, 'fd00:1::/112']}
- {name: one, cidrs: [10.1.0.7, 'fd00:1::7']}
`
	networks := map[string]string{
		"10.1.0.0/17": "a", "fd00:1::/65": "a", "10.1.200.0/24": "a", "10.1.0.0/20": "b", "fd00:1::/112": "b", "10.1.0.7/32": "one", "fd00:1::7/128": "one",
	}
	classes := map[string]string{"0.0.0.0/0": "public", "10.0.0.0/8": "private", "198.51.100.0/24": "documentation", "::/0": "reserved", "fd00::/8": "private", "2000::/3": "public"}
	inNetwork := func(networks map[string]string) func(netip.Addr) string {
		return func(a netip.Addr) string {
			name, longest := "other", -1
			for cidr, n := range networks {
				if p := netip.MustParsePrefix(cidr); p.Contains(a) && p.Bits() > longest {
					name, longest = n, p.Bits()
				}
			}
			return name
		}
	}
	for _, tt := range []struct {
		name, file string
		value      func(netip.Addr) string
	}{
		{"by address", byAddress, netip.Addr.String},
		{"by network", byNetwork, inNetwork(networks)},
		{"by class", "groups: []\n", inNetwork(classes)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sender, receiver := pair(t)
			must(t, sender.AddDefaultRoute(routerL4), sender.AddDefaultRoute(routerL6))
			nft(t, receiver, countBySet, "-f", "-")
			file := newConfigFile(t, tt.file)
			e := start(t, receiver, "--config.file="+file.path, "--collector.labels=family,source,destination", "--collector.max-label-sets=20000",
				"--no-collector.packet-size")
			for i := range 1000 {
				source4, destination4 := [4]byte{10, 1}, [4]byte{198, 51, 100, byte(i)}
				source6, destination6 := [16]byte{0xfd, 0, 0, 1}, [16]byte{0x26, 0, 15: byte(i)}
				if i >= 256 {
					destination4 = [4]byte{8, 8, byte(i >> 8), byte(i)}
				}
				for j, b := range [][]byte{source4[:], source6[:]} {
					binary.BigEndian.PutUint16(b[len(b)-2:], uint16(i*(60+j)))
				}
				if i%3 == 0 {
					source6[8] = 0x80 // outside of the first half of its /64
				}
				for range 1 + i%3 {
					sendBetween(t, sender, netip.AddrFrom4(source4), netip.AddrFrom4(destination4))
					sendBetween(t, sender, netip.AddrFrom16(source6), netip.AddrFrom16(destination6))
				}
			}
			want := make(map[string]uint64)
			for _, set := range []string{"source4", "destination4", "source6", "destination6"} {
				counts := setCounts(t, receiver, set)
				if strings.HasPrefix(set, "source") && len(counts) != 1000 {
					t.Errorf("the set %s has %d addresses", set, len(counts))
				}
				for addr, n := range counts {
					family := "ip"
					if addr.Is6() {
						family = "ip6"
					}
					want[family+" "+strings.TrimRight(set, "46")+" "+tt.value(addr)] += n
				}
			}
			e.eventually(t, bookTimeout, func(s scrape) error {
				got := make(map[string]uint64)
				for _, m := range s["nflog_packets_total"].GetMetric() {
					labels := labelMap(m)
					for _, label := range []string{"source", "destination"} {
						got[labels["family"]+" "+label+" "+labels[label]] += uint64(m.GetCounter().GetValue())
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					return fmt.Errorf("unexpected packets by address (-sets of nft +exporter):\n%s", diff)
				}
				return nil
			})
		})
	}
}

// TestIntegrationNetworkOfInterface gives an interface another address. A second later, packets are counted by it.
func TestIntegrationNetworkOfInterface(t *testing.T) {
	t.Parallel()
	sender, receiver := pair(t)
	must(t, sender.AddDefaultRoute(routerL4))
	nft(t, receiver, countBySet, "-f", "-")
	file := newConfigFile(t, "networks:\n- {name: lan, interface: eth0, by: address}\n")
	e := start(t, receiver, "--config.file="+file.path, "--collector.labels=source", "--nflog.queue-timeout=10ms")
	local, added := netip.MustParseAddr("10.0.0.77"), netip.MustParseAddr("172.20.5.6")
	sendBetween(t, sender, local, routerL4)
	sendBetween(t, sender, added, routerL4)
	await := func(values map[string]float64) {
		t.Helper()
		e.eventually(t, bookTimeout, func(s scrape) error {
			for source, n := range values {
				if err := s.expect(n, "nflog_packets_total", "source", source); err != nil {
					return err
				}
			}
			return nil
		})
	}
	await(map[string]float64{"10.0.0.77": 1, "other": 1})
	must(t, receiver.AddAddresses("eth0", netip.MustParsePrefix("172.20.0.1/16")))
	time.Sleep(time.Second) // what is documented
	sendBetween(t, sender, added, routerL4)
	await(map[string]float64{"10.0.0.77": 1, "172.20.5.6": 1, "other": 1})
}

// TestIntegrationReloadCIDRs reloads a list of 100,000 CIDRs while packets are counted. None is lost, and scrapes go on.
func TestIntegrationReloadCIDRs(t *testing.T) {
	t.Parallel()
	sender, receiver := pair(t)
	rs := nftrules.New(receiver)
	rule := rs.Chain(nftrules.Chain{Hook: nftrules.Input}).Log(group, "", nftrules.UDPPort(discard))
	must(t, rs.Apply())
	folder := t.TempDir()
	list := func(first byte) {
		var b bytes.Buffer
		for i := range 100_000 {
			fmt.Fprintf(&b, "%d.%d.%d.%d\n", first, i>>16, i>>8&255, i&255)
		}
		must(t, os.WriteFile(filepath.Join(folder, "list.txt"), b.Bytes(), 0o600))
	}
	list(11)
	path := filepath.Join(folder, "nflog.yml")
	must(t, os.WriteFile(path, []byte("networks:\n- {name: blocked, cidrs_file: list.txt}\n- {name: lan, cidrs: [10.0.0.0/24]}\n"), 0o600))
	e := start(t, receiver, "--config.file="+path, "--collector.labels=source", "--web.enable-lifecycle")
	stop := floodAt(t, sender, routerL4, 20_000)
	for i := range byte(5) {
		list(12 + i)
		e.reload(t, http.StatusOK, "ok\n")
		e.mustScrape(t)
	}
	stop()
	e.eventually(t, bookTimeout, func(s scrape) error {
		packets, _, err := rule.Count()
		if err != nil {
			return err
		}
		if err := s.expect(float64(packets), "nflog_packets_total", "source", "lan"); err != nil {
			return err
		}
		return s.expect(0, "nflog_lost_packets_total")
	})
	must(t, os.WriteFile(filepath.Join(folder, "list.txt"), []byte("11.0.0.0/8\n\n11.0.0.0/7 # too short\n"), 0o600))
	e.reload(t, http.StatusInternalServerError, filepath.Join(folder, "list.txt")+
		":3:1: \"11.0.0.0/7\": must not have bits beyond its length: write 10.0.0.0/7, or 11.0.0.0 for the address alone\n")
}

// TestIntegrationTopSources floods a rule from forged addresses, with two heavy senders among them, and compares what is told of the
// sources with nft sets that count.
func TestIntegrationTopSources(t *testing.T) {
	t.Parallel()
	sender, receiver := pair(t)
	nft(t, receiver, countBySet, "-f", "-")
	e := start(t, receiver, "--collector.top-sources=5", "--nflog.queue-timeout=10ms", "--collector.top-sources-network-length=128")
	var frames [][]byte
	source, target := mac(t, sender, "eth0"), mac(t, receiver, "eth0")
	add := func(from, to netip.Addr) {
		udp := traffic.UDPDatagram(netip.AddrPortFrom(from, 1), netip.AddrPortFrom(to, discard), make([]byte, 20))
		packet, etherType := traffic.IPv4{Src: from, Dst: to, Protocol: traffic.ProtocolUDP, Payload: udp}.Bytes(), uint16(traffic.EtherTypeIPv4)
		if from.Is6() {
			packet, etherType = traffic.IPv6{Src: from, Dst: to, Protocol: traffic.ProtocolUDP, Payload: udp}.Bytes(), traffic.EtherTypeIPv6
		}
		frames = append(frames, traffic.Ethernet(target, source, etherType, packet))
	}
	heavy4, heavy6 := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7")
	for i := range 10_000 {
		add(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), routerL4)
		if i%10 == 0 {
			add(heavy4, routerL4)
		}
		if i%20 == 0 {
			add(heavy6, routerL6)
		}
	}
	must(t, traffic.SendFrames(sender, "eth0", frames...))
	exact, distinct, all := make(map[string]float64), 0.0, 0.0
	for _, set := range []string{"source4", "source6"} {
		for addr, n := range setCounts(t, receiver, set) {
			exact[addr.String()] = float64(n)
			distinct++
			all += float64(n)
		}
	}
	if exact[heavy4.String()] != 1000 || exact[heavy6.String()] != 500 {
		t.Fatalf("the heavy senders sent %v and %v packets", exact[heavy4.String()], exact[heavy6.String()])
	}
	e.eventually(t, bookTimeout, func(s scrape) error {
		if got := s.packets(); got != all {
			return fmt.Errorf("%v packets are counted, want %v", got, all)
		}
		if got := s.value("nflog_sources", "prefix", ""); math.Abs(got/distinct-1) > 0.1 {
			return fmt.Errorf("%v sources are estimated, there were %v", got, distinct)
		}
		series := s["nflog_source_packets_total"].GetMetric()
		if len(series) != 2 {
			return fmt.Errorf("%d sources have series: %v", len(series), series)
		}
		for _, m := range series {
			addr, n := labelMap(m)["source"], m.GetCounter().GetValue()
			if n > exact[addr] || exact[addr]-n > all/100 {
				return fmt.Errorf("%s has %v packets, it sent %v", addr, n, exact[addr])
			}
		}
		return nil
	})

	var top struct {
		Prefixes []struct {
			Packets, DistinctSources, MaxError float64
			Sources                            []struct {
				Address                 string
				Packets, PacketsAtLeast float64
				DestinationPorts        []string
			}
		}
	}
	body, contentType, err := e.get(t.Context(), "/top.json", "")
	must(t, err, json.Unmarshal(body, &top))
	if contentType != "application/json" || len(top.Prefixes) != 1 || len(top.Prefixes[0].Sources) < 2 {
		t.Fatalf("/top.json is %s: %s", contentType, body)
	}
	p := top.Prefixes[0]
	if p.Packets != all || p.MaxError > all/100 || p.Sources[0].Address != heavy4.String() || p.Sources[1].Address != heavy6.String() {
		t.Errorf("unexpected sources: %s", body)
	}
	for _, s := range p.Sources {
		if n := exact[s.Address]; n < s.PacketsAtLeast || n > s.Packets || s.Packets-n > p.MaxError {
			t.Errorf("%s sent %v packets, told are %v to %v", s.Address, n, s.PacketsAtLeast, s.Packets)
		}
	}
	page, contentType, err := e.get(t.Context(), "/top", "")
	must(t, err)
	if !strings.HasPrefix(contentType, "text/html") || !strings.Contains(string(page), heavy6.String()) {
		t.Errorf("/top is %s:\n%s", contentType, page)
	}
}
