// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/nflog"
	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// TestIntegrationFirewall loads the README's firewall, and checks that it can be loaded again, lets IPv6 with neighbour discovery work,
// accepts what it should, and logs the rest.
func TestIntegrationFirewall(t *testing.T) {
	nft, ip := kerneltest.Require(t, "nft"), kerneltest.Require(t, "ip")
	host, client := kerneltest.NS(t), kerneltest.NS(t)
	// These links do neighbour discovery, since Veth gives them no IPv6 address.
	if err := netns.Veth(host, "eth0", nil, client, "eth0", nil); err != nil {
		t.Fatal(err)
	}
	run(t, host, "", ip, "address", "add", "2001:db8::1/64", "dev", "eth0", "nodad")
	run(t, client, "", ip, "address", "add", "2001:db8::2/64", "dev", "eth0", "nodad")
	for range 2 {
		run(t, host, firewall(t), nft, "-f", "-")
	}

	r, err := nflog.OpenReader(100, nflog.ReaderConfig{NetNS: host.FD(), QueueTimeout: nflog.TimeoutUnit})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	address := netip.MustParseAddr("2001:db8::1")
	if err := traffic.TCP(client, host, netip.AddrPortFrom(address, 22), 1, 100); err != nil {
		t.Errorf("an accepted connection fails: %v", err)
	}
	if err := traffic.UDP(client, netip.AddrPortFrom(address, 9), 1, 100); err != nil {
		t.Error(err)
	}

	want := map[string]bool{"fw input accept ssh ": true, "fw input drop ": true}
	if err := r.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for len(want) > 0 {
		batch, err := r.Receive()
		if err != nil {
			t.Fatalf("not logged: %v: %v", want, err)
		}
		for p := range batch.Packets() {
			delete(want, p.Origin().Prefix)
		}
	}
}

// firewall returns the README's block of nft.
func firewall(t *testing.T) string {
	t.Helper()
	block := regexp.MustCompile("(?s)\n```nft\n(.*?)```\n").FindStringSubmatch(read(t, os.DirFS(".."), "README.md"))
	if block == nil {
		t.Fatal("README.md has no block of nft")
	}
	return block[1]
}

// run runs a program in a namespace.
func run(t *testing.T, ns *netns.NS, stdin string, command ...string) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	var output bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &output, &output
	err := ns.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		t.Fatal(fmt.Errorf("%v: %w: %s", cmd.Args, err, output.Bytes()))
	}
}
