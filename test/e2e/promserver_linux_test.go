// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/test/queries"
)

// promTimeout is how long Prometheus may take for each step of a test.
const promTimeout = 30 * time.Second

// A promServer is a running Prometheus, of the machine's package.
type promServer struct {
	queries.Server
	ns     *netns.NS
	config string // path of its configuration
	cmd    *exec.Cmd
	log    logBuffer
	exited chan struct{}
}

// startPrometheus starts a Prometheus inside ns with a data directory and the text of a configuration, and waits until it is
// ready. It kills Prometheus at the end of the test.
func startPrometheus(t *testing.T, ns *netns.NS, data, config string, args ...string) *promServer {
	t.Helper()
	const address = "127.0.0.1:9090"
	p := &promServer{ns: ns, config: filepath.Join(t.TempDir(), "prometheus.yml"), exited: make(chan struct{})}
	p.Server = queries.Server{
		URL: "http://" + address,
		Client: &http.Client{Timeout: promTimeout, Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
				err = ns.Do(func() error {
					conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", address)
					return err
				})
				return conn, err
			},
		}},
	}
	must(t, os.WriteFile(p.config, []byte(config), 0o600))
	p.cmd = exec.Command(kerneltest.Require(t, "prometheus"), append([]string{
		"--config.file=" + p.config, "--storage.tsdb.path=" + data, "--storage.tsdb.retention.time=30d",
		"--web.listen-address=" + address, "--web.enable-lifecycle", "--log.level=warn",
	}, args...)...)
	p.cmd.Stderr = &p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := ns.Start(p.cmd); err != nil {
		t.Fatalf("failed to start Prometheus: %v", err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // stop checks the exit status
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // or it has ended already
		<-p.exited
		p.Client.CloseIdleConnections()
		if t.Failed() {
			t.Logf("log of Prometheus:\n%s", strings.Join(p.log.lines(""), ""))
		}
	})
	kerneltest.Eventually(t, promTimeout, func() error { return p.request(t.Context(), http.MethodGet, "/-/ready") })
	return p
}

// stop ends Prometheus with SIGTERM, so that it writes its data to disk.
func (p *promServer) stop(t *testing.T) {
	t.Helper()
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.exited:
	case <-time.After(promTimeout):
		t.Fatalf("Prometheus has not ended after %v", promTimeout)
	}
	if state := p.cmd.ProcessState; !state.Success() {
		t.Fatalf("Prometheus ended with %v", state)
	}
}

// configure replaces the configuration.
func (p *promServer) configure(t *testing.T, config string) {
	t.Helper()
	must(t,
		os.WriteFile(p.config, []byte(config), 0o600),
		p.request(t.Context(), http.MethodPost, "/-/reload"),
	)
}

// request makes a request and returns an error unless the status is 200.
func (p *promServer) request(ctx context.Context, method, path string) error {
	req, err := http.NewRequestWithContext(ctx, method, p.URL+path, http.NoBody)
	if err != nil {
		return err
	}
	res, err := p.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, res.Status)
	}
	return nil
}

// sumBy evaluates expr, a sum by one label, and returns its result by the value of that label.
func (p *promServer) sumBy(ctx context.Context, label, expr string) (map[string]uint64, error) {
	var data struct {
		Result []struct {
			Metric map[string]string
			Value  [2]json.RawMessage // time and value
		}
	}
	if err := p.Get(ctx, "/api/v1/query?"+url.Values{"query": {expr}}.Encode(), &data); err != nil {
		return nil, err
	}
	sums := make(map[string]uint64)
	for _, r := range data.Result {
		text, err := strconv.Unquote(string(r.Value[1]))
		if err != nil {
			return nil, err
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if value < 0 || math.IsNaN(value) {
			return nil, fmt.Errorf("%s: %v of %v", expr, value, r.Metric)
		}
		sums[r.Metric[label]] = uint64(value)
	}
	return sums, nil
}

// An alert is a pending or firing alert.
type alert struct {
	State       string
	Labels      map[string]string
	Annotations map[string]string
}

// firing returns the firing alerts.
func (p *promServer) firing(ctx context.Context) ([]alert, error) {
	var data struct{ Alerts []alert }
	if err := p.Get(ctx, "/api/v1/alerts", &data); err != nil {
		return nil, err
	}
	var firing []alert
	for _, a := range data.Alerts {
		if a.State == "firing" {
			firing = append(firing, a)
		}
	}
	return firing, nil
}

// rulesWith writes the project's recording rules and alerts to temporary files, with interval in place of each interval and
// each "for". It returns the paths.
func rulesWith(t *testing.T, interval time.Duration) (recording, alerts string) {
	t.Helper()
	dir := t.TempDir()
	durations := regexp.MustCompile(`(?m)^( +(?:interval|for): )\d+[ms]$`)
	write := func(name string) string {
		content, err := os.ReadFile("../../deploy/prometheus/" + name)
		must(t, err)
		if !durations.Match(content) {
			t.Fatalf("%s has no interval", name)
		}
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, durations.ReplaceAll(content, fmt.Appendf(nil, "${1}%.0fs", interval.Seconds())), 0o600))
		return path
	}
	return write("nflog_exporter.rules.yml"), write("nflog_exporter.alerts.yml")
}
