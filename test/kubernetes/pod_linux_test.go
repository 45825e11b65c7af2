// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
	"github.com/nflog-exporter/nflog_exporter/tools/filecap"
)

// The addresses that a node can be known by.
const (
	nodeIPv4 = "192.0.2.1"
	nodeIPv6 = "2001:db8::1"
)

// newNode returns the network namespace of a node.
func newNode(t *testing.T) *netns.NS {
	t.Helper()
	ns := kerneltest.NS(t)
	must(t, ns.AddAddresses("lo", netip.MustParsePrefix(nodeIPv4+"/32"), netip.MustParsePrefix(nodeIPv6+"/128")))
	return ns
}

// A pod is the exporter with the arguments, the user and the capabilities of the chart's pods.
type pod struct {
	*objects
	node
	ns  *netns.NS
	cmd *exec.Cmd
	log *bytes.Buffer
}

// startPod runs the exporter on a node until the test ends, with files in the volumes web and config. What a
// container runtime adds that the exporter does not meet, such as seccomp, is left out.
func startPod(t *testing.T, ns *netns.NS, ip string, o *objects, web map[string]string) *pod {
	t.Helper()
	if os.Getuid() != 0 || !ownUser() {
		kerneltest.Skip(t, "takes root, to be another user")
	}
	// A folder that the other user may enter, unlike the test's own.
	dir, err := os.MkdirTemp("", "nflog_exporter")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "nflog_exporter")
	copyProgram(t, path)

	p := &pod{objects: o, node: node{ip: ip, volumes: dir}, ns: ns, log: new(bytes.Buffer)}
	must(t, p.mount(o))
	must(t, p.write("web", web))
	p.cmd = exec.Command(kerneltest.Require(t, "setpriv"), append(append(p.privileges(), path), p.arguments(o)...)...)
	p.cmd.Stderr = p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, ns.Start(p.cmd))
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("log of the exporter:\n%s", p.log)
		}
	})
	return p
}

// ownUser reports whether the process is in a user namespace that has all users.
func ownUser() bool {
	m, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && slices.Equal(strings.Fields(string(m)), []string{"0", "0", "4294967295"})
}

// copyProgram makes a file of the exporter, by another process: what this one has open for writing can't be executed, and
// each process that other tests start meanwhile would have it open for a moment. A copy has no capability, so give it the image's.
func copyProgram(t *testing.T, path string) {
	t.Helper()
	from, err := os.Open(programPath(t))
	must(t, err)
	defer from.Close()
	cp := exec.Command("cp", "/proc/self/fd/3", path)
	cp.ExtraFiles = []*os.File{from}
	must(t, cp.Run())
	must(t, os.Chmod(path, 0o755))
	must(t, filecap.PermitNetAdmin(path))
}

// privileges returns arguments of setpriv for what the security contexts say.
func (p *pod) privileges() []string {
	user, container := p.podTemplate().Spec.SecurityContext, p.container().SecurityContext
	caps := "-all"
	for _, c := range container.Capabilities.Add {
		caps += ",+" + strings.ToLower(string(c))
	}
	all := []string{
		fmt.Sprintf("--reuid=%d", *user.RunAsUser), fmt.Sprintf("--regid=%d", *user.RunAsGroup), "--clear-groups",
		// A runtime has the capabilities permitted when it becomes another user. So has setpriv those that are
		// ambient, which end where it runs a file that has capabilities.
		"--bounding-set=" + caps, "--inh-caps=" + caps, "--ambient-caps=" + caps,
	}
	if !*container.AllowPrivilegeEscalation {
		all = append(all, "--no-new-privs")
	}
	return all
}

// stop ends the exporter as the kubelet does, and checks that it ends by itself in the time that it has.
func (p *pod) stop(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // or it has ended, which it should not have
	grace := time.Duration(*p.podTemplate().Spec.TerminationGracePeriodSeconds) * time.Second
	kill := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the exporter has failed: %v", err)
	}
	p.cmd = nil
}

// client returns a client on the node.
func (p *pod) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       p.dial,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // as the kubelet's
	}}
}

// dial connects from the node.
func (p *pod) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = p.ns.Do(func() error {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// waitFor waits until a probe succeeds.
func (p *pod) waitFor(t *testing.T, probe *corev1.Probe) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error { return p.probe(t.Context(), probe) })
}

// probe does what the kubelet does.
func (p *pod) probe(ctx context.Context, probe *corev1.Probe) error {
	if s := probe.TCPSocket; s != nil {
		conn, err := p.dial(ctx, "tcp", p.address(s.Host))
		if err != nil {
			return err
		}
		return conn.Close()
	}
	url := strings.ToLower(string(probe.HTTPGet.Scheme)) + "://" + p.address(probe.HTTPGet.Host) + probe.HTTPGet.Path
	_, err := p.get(ctx, url, "", "")
	return err
}

// address returns where a probe connects to; a host that is empty is the node.
func (p *pod) address(host string) string {
	if host == "" {
		host = p.ip
	}
	return net.JoinHostPort(host, strconv.Itoa(int(p.container().Ports[0].ContainerPort)))
}

// get returns what the exporter serves, with a password if there is one.
func (p *pod) get(ctx context.Context, url, user, password string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", err
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	res, err := p.client().Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("%s: %s", url, res.Status))
	}
	return string(body), err
}
