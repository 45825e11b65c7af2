// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/nftrules"
	"github.com/nflog-exporter/nflog_exporter/test/traffic"
)

// periodVar is the environment variable that says how long TestIntegrationEverything goes on.
const periodVar = "NFLOG_E2E_PERIOD"

// TestIntegrationEverything has everything at once that comes from outside: senders of all protocols, EtherTypes and forged lengths,
// more packets than the socket holds, hostile clients, reloads that relabel, bind and unbind, a log that nobody reads and whose
// reader goes away. The books balance, a client like Prometheus gets each scrape, and the exporter ends as it should. With the race
// detector, the exporter would exit with another status after a data race.
func TestIntegrationEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	period := 15 * time.Second
	if value := os.Getenv(periodVar); value != "" {
		var err error
		period, err = time.ParseDuration(value)
		must(t, err)
	}
	sender, receiver := pair(t)
	rs := nftrules.New(receiver)
	b := logEverything(t, rs)
	file := newConfigFile(t, "groups: [{group: 100}]\n")
	reader, stderr := smallPipe(t)
	cmd := commandWithStderr(executable(t), stderr, "--config.file="+file.path, "--web.enable-lifecycle",
		"--nflog.socket-buffer=128KiB", "--nflog.queue-timeout=10ms", "--collector.protocols=all", "--collector.max-label-sets=500")
	races := filepath.Join(t.TempDir(), "races")
	cmd.Env = append(cmd.Environ(), "GORACE=log_path="+races)
	e := launch(t, receiver, cmd)
	e.awaitReady(t)

	stopClients := startHostileClients(t, e)
	ctx, cancel := context.WithTimeout(t.Context(), period)
	defer cancel()
	var outside sync.WaitGroup
	frames := framesOfAllKinds(t, sender, receiver)
	outside.Go(func() {
		if err := sendAgainAndAgain(ctx, sender, frames); err != nil {
			t.Error(err)
		}
	})
	// With the race detector, the exporter is slow, and all of this is on one machine: how long a scrape may take is what
	// TestIntegrationHostileClients tests.
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx) },
	}}
	defer client.CloseIdleConnections()
	outside.Go(func() { reloadEverything(ctx, t, e, client, file) })
	scrapes := 0
	for began := time.Now(); ctx.Err() == nil; scrapes++ {
		if err := e.scrapeLikePrometheus(t.Context(), client); err != nil {
			t.Errorf("scrape %d failed: %v", scrapes, err)
		}
		if time.Since(began) > period/2 {
			reader.Close() // again and again, which does nothing
		}
		select {
		case <-e.exited:
			t.Fatalf("the exporter has ended: %v", e.cmd.ProcessState)
		case <-time.After(time.Second):
		}
	}
	outside.Wait()
	stopClients()

	e.eventually(t, bookTimeout, func(s scrape) error { return s.expect(0, "nflog_socket_queued_bytes") })
	must(t, traffic.UDP(sender, toPort(routerL4), 1, 10)) // shows the losses before
	s := b.balanceForgotten(t, e)
	if err := s.expect(1, "nflog_binds_total", "group", "100"); err != nil {
		t.Error(err)
	}
	t.Logf("%d scrapes; %.0f packets counted, %.0f overflowed, %.0f forgotten, %.0f lost; %.0f lines dropped", scrapes, s.packets(),
		s.value("nflog_overflow_packets_total", "group", "100"), s.value("nflog_forgotten_packets_total", "group", "100"),
		s.value("nflog_lost_packets_total", "group", "100"), s.ownValue(droppedLines))
	e.stop(t)
	if reports, err := filepath.Glob(races + ".*"); err != nil || len(reports) > 0 {
		for _, name := range reports {
			text, _ := os.ReadFile(name)
			t.Errorf("data races:\n%s", text)
		}
	}
}

// logEverything makes rules that log all packets which come in by eth0, at two hooks.
func logEverything(t *testing.T, rs *nftrules.Ruleset) (b book) {
	t.Helper()
	for _, chain := range []nftrules.Chain{
		{Family: nftrules.Netdev, Hook: nftrules.Ingress, Device: "eth0"},
		{Hook: nftrules.Prerouting},
	} {
		for prefix, rule := range logAllFrom(t, rs, chain, senderPrefixes()) {
			b.add(rule, labels{Prefix: fmt.Sprintf("%+v %s", chain, prefix)}) // they differ, which is all that balance needs
		}
	}
	return b
}

// balanceForgotten is like balance where label sets are forgotten: those that a reload has left make room for others.
func (b book) balanceForgotten(t *testing.T, e *exporter) scrape {
	t.Helper()
	want, err := b.want()
	must(t, err)
	var logged uint64
	for _, c := range want {
		logged += c.Packets
	}
	return e.eventually(t, bookTimeout, func(s scrape) error {
		counted, lost, forgotten := s.packets(), s.value("nflog_lost_packets_total"), s.value("nflog_forgotten_packets_total")
		if counted+lost+forgotten != float64(logged) {
			return fmt.Errorf("%.0f packets counted, %.0f forgotten and %.0f lost, but %d were logged", counted, forgotten, lost, logged)
		}
		return nil
	})
}

// framesOfAllKinds returns frames of all protocols, many EtherTypes, and forged lengths.
func framesOfAllKinds(t *testing.T, sender, receiver *netns.NS) [][]byte {
	t.Helper()
	src, dst := mac(t, sender, "eth0"), mac(t, receiver, "eth0")
	frames := allProtocolFrames(t, sender, receiver)
	for i := range uint16(2999) {
		frames = append(frames, traffic.Ethernet(dst, src, 0x9100+i, make([]byte, 46)))
	}
	for i := range uint32(100) {
		frames = append(frames, traffic.Ethernet(dst, src, traffic.EtherTypeIPv6, jumbogram(1<<31+i)))
	}
	return frames
}

// sendAgainAndAgain sends some of the frames in random order, and floods in between.
func sendAgainAndAgain(ctx context.Context, from *netns.NS, frames [][]byte) error {
	for ctx.Err() == nil {
		rand.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
		if err := traffic.SendFrames(from, "eth0", frames[:500]...); err != nil {
			return err
		}
		if _, err := traffic.Flood(ctx, from, toPort(routerL4), 1000, 10, 0); err != nil {
			return err
		}
	}
	return nil
}

// reloadEverything reloads by signal and by HTTP, with files that change labels, settings and groups, and a bad one.
func reloadEverything(ctx context.Context, t *testing.T, e *exporter, client *http.Client, file configFile) {
	for i := 0; ctx.Err() == nil; i++ {
		text := fmt.Sprintf("groups: [{group: 100, copy_range: %d}]\n", 64+i%64)
		switch i % 4 {
		case 1:
			text = "groups: [{group: 100}, {group: 101}]\n"
		case 2:
			text += "prefix_rules: [{match: 'rule (?P<number>[0-9]+)', prefix: rule, labels: {action: log}}]\n"
		case 3:
			text = "groups: 7\n"
		}
		if err := file.replace(text); err != nil {
			t.Error(err)
			return
		}
		for range 5 {
			if err := e.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Error(err)
			}
		}
		status, err := post(ctx, client, "http://"+e.address+"/-/reload")
		if ctx.Err() == nil && (err != nil || (status != http.StatusOK) != (i%4 == 3)) {
			t.Errorf("unexpected result of a reload: %d, %v", status, err)
		}
	}
}

// post sends a request without a body and returns the status of the response.
func post(ctx context.Context, client *http.Client, url string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
