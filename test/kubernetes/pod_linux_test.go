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

// Addresses of a node.
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

// A pod is a running exporter with the arguments, the user and the capabilities of the chart's pods.
type pod struct {
	*objects
	node
	ns  *netns.NS
	cmd *exec.Cmd
	log *bytes.Buffer
}

// startPod runs the exporter on a node until the end of the test. Web holds the files of the volume web; the volume config comes
// from the chart. Other restrictions of container runtimes, such as seccomp, are not applied.
func startPod(t *testing.T, ns *netns.NS, ip string, o *objects, web map[string]string) *pod {
	t.Helper()
	if os.Getuid() != 0 || !allUsers() {
		kerneltest.Skip(t, "needs root and other users: it changes the user")
	}
	// Another user may enter this directory, unlike t.TempDir.
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

// allUsers reports whether the user namespace of the process has all users.
func allUsers() bool {
	m, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && slices.Equal(strings.Fields(string(m)), []string{"0", "0", "4294967295"})
}

// copyProgram copies the exporter to path and sets the file capability, which a copy loses. Another process makes the copy: a file
// that is open for writing can't be executed (ETXTBSY), and processes that other tests fork from this one inherit its descriptors
// until their exec.
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

// privileges returns the arguments of setpriv for the security contexts of the pod and its container.
func (p *pod) privileges() []string {
	user, container := p.podTemplate().Spec.SecurityContext, p.container().SecurityContext
	caps := "-all"
	for _, c := range container.Capabilities.Add {
		caps += ",+" + strings.ToLower(string(c))
	}
	all := []string{
		fmt.Sprintf("--reuid=%d", *user.RunAsUser), fmt.Sprintf("--regid=%d", *user.RunAsGroup), "--clear-groups",
		// When a container runtime changes the user, the capabilities remain permitted. With setpriv, the ambient set
		// keeps them. The kernel clears that set at the exec of a file with capabilities.
		"--bounding-set=" + caps, "--inh-caps=" + caps, "--ambient-caps=" + caps,
	}
	if !*container.AllowPrivilegeEscalation {
		all = append(all, "--no-new-privs")
	}
	return all
}

// stop ends the exporter like the kubelet, and checks that it exits with status 0 within the grace period.
func (p *pod) stop(t *testing.T) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended; then Wait tells how
	grace := time.Duration(*p.podTemplate().Spec.TerminationGracePeriodSeconds) * time.Second
	kill := time.AfterFunc(grace, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the exporter has failed: %v", err)
	}
	p.cmd = nil
}

// client returns an HTTP client on the node.
func (p *pod) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       p.dial,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // as in the kubelet's probes
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

// awaitProbe waits until a probe succeeds.
func (p *pod) awaitProbe(t *testing.T, probe *corev1.Probe) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error { return p.probe(t.Context(), probe) })
}

// probe runs a probe like the kubelet.
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

// address returns the address for a probe. An empty host means the node.
func (p *pod) address(host string) string {
	if host == "" {
		host = p.ip
	}
	return net.JoinHostPort(host, strconv.Itoa(int(p.container().Ports[0].ContainerPort)))
}

// get returns the body of a response with status 200. It sends the password if user is not empty.
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
