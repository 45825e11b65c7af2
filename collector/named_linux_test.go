// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"errors"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/test/netns"
)

// namespaceTimeout is how soon a deleted namespace must be released, and a new one of the same name must be read.
const namespaceTimeout = 5 * time.Second

// A named is a network namespace that only its name under a path keeps alive.
type named struct {
	path string
	ns   *netns.NS // nil while there is none
}

// newNamed returns a namespace that does not exist yet.
func newNamed(t *testing.T) *named {
	t.Helper()
	kerneltest.NS(t) // skips where namespaces are forbidden
	n := &named{path: filepath.Join(t.TempDir(), "blue")}
	t.Cleanup(func() {
		if n.ns != nil {
			n.delete(t)
		}
	})
	return n
}

// create makes the namespace, with the rule of logUDP.
func (n *named) create(t *testing.T) {
	t.Helper()
	ns, err := netns.New()
	if err == nil {
		err = ns.Mount(n.path)
	}
	if err != nil {
		t.Fatalf("failed to make a named namespace: %v", err)
	}
	n.ns = ns
	logUDP(t, ns)
}

// delete deletes the namespace, as `ip netns delete` does.
func (n *named) delete(t *testing.T) {
	t.Helper()
	if err := errors.Join(n.ns.Close(), netns.Unmount(n.path)); err != nil {
		t.Errorf("failed to delete a named namespace: %v", err)
	}
	n.ns = nil
}

// witness returns a function that returns an error once the kernel has freed the namespace. It looks for a veth interface
// in another namespace, which the kernel deletes with its peer in this one.
func (n *named) witness(t *testing.T) (alive func() error) {
	t.Helper()
	other := kerneltest.NS(t)
	addr := netip.MustParsePrefix("10.0.0.1/24")
	if err := netns.Veth(other, "witness", []netip.Prefix{addr}, n.ns, "eth0", nil); err != nil {
		t.Fatal(err)
	}
	return func() error {
		_, err := other.Interface("witness")
		return err
	}
}

// waitFreed waits until the kernel has freed a namespace.
func waitFreed(t *testing.T, alive func() error) {
	t.Helper()
	kerneltest.Eventually(t, namespaceTimeout, func() error {
		if alive() == nil {
			return errors.New("the kernel has not freed the namespace")
		}
		return nil
	})
}
