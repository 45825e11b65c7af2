// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

const (
	// netnsFolder is where ip-netns(8) puts network namespaces.
	netnsFolder = "/run/netns"

	// netnsInterval is the time between two looks for namespaces that match patterns.
	netnsInterval = time.Second

	// mountGrace is how long a file may have no namespace mounted over it: ip-netns(8) makes the file first.
	mountGrace = 2 * netnsInterval
)

// namespaces are the network namespaces that match patterns. Their order is that of their discovery, so that those that come
// later never displace others.
type namespaces struct {
	mu      sync.Mutex              // guards what follows
	matches []string                // as in collector.GroupConfig
	groups  []collector.GroupConfig // of the configuration file, without namespaces
}

func isPattern(netns string) bool { return strings.ContainsAny(netns, "*?[") }

func (o *Options) hasPatterns() bool { return slices.ContainsFunc(o.netns, isPattern) }

// namespacePath returns the path of a namespace or pattern.
func namespacePath(netns string) string {
	if netns == "" {
		return "/proc/self/ns/net"
	}
	if !strings.Contains(netns, "/") {
		return path.Join(netnsFolder, netns)
	}
	clean := path.Clean(netns)
	if rest, ok := strings.CutPrefix(clean, "/var/run/"); ok { // a link to /run
		clean = "/run/" + rest
	}
	return clean
}

// checkNamespaces refuses two names of one namespace: the second would find its groups held by the first.
func (o *Options) checkNamespaces() error {
	seen := make(map[string]string)
	for _, netns := range o.netns {
		p := namespacePath(netns)
		if other, ok := seen[p]; ok {
			return &FlagError{Flag: "nflog.netns", Value: cmp.Or(netns, ownNamespace), Err: fmt.Errorf("must not be given as %q, too: both are %s", cmp.Or(other, ownNamespace), p)}
		}
		seen[p] = netns
	}
	return nil
}

// namespaces returns the network namespaces to read, as in collector.GroupConfig. The caller holds found.mu, or is Load.
func (o *Options) namespaces() []string {
	all := slices.DeleteFunc(slices.Clone(o.netns), isPattern)
	return append(all, o.found.matches...)
}

// findNamespaces returns the namespaces that match patterns now, those that were found before first, and how many more there are
// than may be read. The caller holds found.mu, or is Load.
func (o *Options) findNamespaces() (matches []string, excess int) {
	seen := make(map[namespaceID]bool)
	for _, netns := range o.netns {
		if id, ok := idOf(namespacePath(netns)); ok && !isPattern(netns) {
			seen[id] = true
		}
	}
	there := make(map[string]bool)
	for _, netns := range o.netns {
		if isPattern(netns) {
			addMatches(there, seen, netns)
		}
	}
	for _, netns := range o.found.matches {
		if there[netns] {
			matches = append(matches, netns)
			delete(there, netns)
		}
	}
	matches = append(matches, slices.Sorted(maps.Keys(there))...)
	excess = max(0, len(matches)-o.maxNetNS)
	return matches[:len(matches)-excess], excess
}

// addMatches adds the namespaces that match a pattern, except those that were seen: /run/docker/netns/default is that of the host.
func addMatches(there map[string]bool, seen map[namespaceID]bool, pattern string) {
	paths, _ := filepath.Glob(namespacePath(pattern)) // the pattern is valid
	for _, p := range paths {
		id, ok := idOf(p)
		if !ok || seen[id] || !utf8.ValidString(p) {
			continue
		}
		seen[id] = true
		if !strings.Contains(pattern, "/") {
			p = path.Base(p)
		}
		there[p] = true
	}
}

// A namespaceID tells network namespaces apart.
type namespaceID struct {
	dev, ino uint64
}

// idOf returns the namespace that a path leads to. A file that has been without one for a while is taken for one, so that the error
// of its group tells why it can't be read.
func idOf(p string) (id namespaceID, ok bool) {
	id, mounted, err := statNamespace(p)
	if err != nil || mounted {
		return id, err == nil
	}
	info, err := os.Stat(p)
	return id, err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > mountGrace
}

// applyGroups has apply use these groups of the configuration file, in each namespace that there is.
func (o *Options) applyGroups(groups []collector.GroupConfig, apply func([]collector.GroupConfig) error) error {
	o.found.mu.Lock()
	defer o.found.mu.Unlock()
	if err := apply(o.groupConfigs(groups)); err != nil {
		return err
	}
	o.found.groups = groups
	return nil
}

// A NamespaceWatcher looks for network namespaces that match patterns.
type NamespaceWatcher struct {
	options *Options
	apply   func([]collector.GroupConfig) error
	logger  log.Logger
	excess  prometheus.Gauge
	warned  bool // that there are too many
}

// NewNamespaceWatcher returns a NamespaceWatcher that applies groups like the method SetGroups of a collector.Collector, or nil
// if the flags have no patterns. It registers a metric.
func NewNamespaceWatcher(o *Options, apply func([]collector.GroupConfig) error, reg prometheus.Registerer, logger log.Logger) (*NamespaceWatcher, error) {
	if !o.hasPatterns() {
		return nil, nil
	}
	w := &NamespaceWatcher{
		options: o,
		apply:   apply,
		logger:  logger,
		excess: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: Program + "_unread_network_namespaces",
			Help: "Network namespaces that match a pattern, but are more than may be read.",
		}),
	}
	if err := reg.Register(w.excess); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return w, nil
}

// Run reads the groups in namespaces that come, and no longer in those that go, until ctx ends.
func (w *NamespaceWatcher) Run(ctx context.Context) {
	ticker := time.NewTicker(netnsInterval)
	defer ticker.Stop()
	for w.look(); ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-ticker.C:
			w.look()
		}
	}
}

func (w *NamespaceWatcher) look() {
	found := &w.options.found
	found.mu.Lock()
	defer found.mu.Unlock()
	matches, excess := w.options.findNamespaces()
	w.excess.Set(float64(excess))
	if excess > 0 && !w.warned {
		level.Warn(w.logger).Log("msg", "More network namespaces match than are read. Raise --nflog.max-netns, or use narrower patterns.",
			"read", len(matches), "unread", excess)
	}
	w.warned = excess > 0
	if slices.Equal(matches, found.matches) {
		return
	}
	old := found.matches
	found.matches = matches
	if err := w.apply(w.options.groupConfigs(found.groups)); err != nil {
		found.matches = old
		level.Error(w.logger).Log("msg", "The network namespaces that match can't be read", "err", err)
	}
}
