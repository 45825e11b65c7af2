// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package firewall

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/collector/namespace"
	"github.com/nflog-exporter/nflog_exporter/collector/ruleset"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// How long to wait before the rules are looked at again after that failed.
const (
	retry          = 10 * time.Second
	hopelessRetry  = 5 * time.Minute // a capability, or the kernel's nf_tables, is missing
	namespaceRetry = namespace.WatchInterval
)

// A firewall supervises what is known of the firewall rules of one network namespace.
type firewall struct {
	netns   string // as in Namespace
	logger  log.Logger
	watcher ruleset.Watcher
	known   knownRules // watcher, except in tests
	updated func()     // is called when there are other rules
	created *timestamppb.Timestamp

	// The lock of Firewalls guards these.
	labels   *Labels
	groups   []uint16
	exposed  exposedRules
	prefixes rulePrefixes
	stop     context.CancelFunc // ends run, once it is started

	mu     sync.Mutex // guards what follows
	reason string     // why nothing is known, or why it gets no newer
}

// knownRules are what is known of the rules, see [ruleset.Watcher].
type knownRules interface {
	Facts() *ruleset.Facts
	Peek() *ruleset.Facts
}

func newFirewall(netns string, logger log.Logger, updated func()) *firewall {
	if netns != "" {
		logger = log.With(logger, "netns", netns)
	}
	f := &firewall{netns: netns, logger: logger, updated: updated, created: timestamppb.Now(), reason: "not read yet"}
	f.known = &f.watcher
	return f
}

// run keeps the facts up to date until the context is done.
func (f *firewall) run(ctx context.Context) {
	for ctx.Err() == nil {
		err := f.watch(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(f.onFailed(err)):
		}
	}
	f.watcher.Forget()
}

// watch watches the ruleset until that fails, or the context is done.
func (f *firewall) watch(ctx context.Context) error {
	ns, err := namespace.Open(f.netns)
	if err != nil {
		return err
	}
	defer ns.Close()
	conn, err := ruleset.Open(ns.FD())
	if failed, ok := errors.AsType[*os.SyscallError](err); ok && failed.Syscall == "setns" {
		return fmt.Errorf("%w %s: %w", namespace.Err, f.netns, err)
	}
	if err != nil {
		return err
	}
	defer conn.Close()

	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer ns.Watch(func() { end(namespace.ErrGone) })()
	var last []ruleset.Rule
	err = f.watcher.Run(ctx, conn, func(facts *ruleset.Facts) {
		f.setReason("")
		if last == nil || !slices.Equal(last, facts.Rules) {
			last = facts.Rules
			f.updated()
		}
	})
	if errors.Is(context.Cause(ctx), namespace.ErrGone) {
		return fmt.Errorf("%w: %w", namespace.Err, namespace.ErrGone)
	}
	return err
}

// onFailed says why the rules can't be looked at, and returns how long to wait. What was known of them is kept unless they are gone.
func (f *firewall) onFailed(err error) time.Duration {
	switch {
	case err == nil: // the end
		return 0
	case errors.Is(err, namespace.Err): // the group says so
		f.watcher.Forget()
		f.setReason(err.Error())
		return namespaceRetry
	case errors.Is(err, nflog.ErrPermission):
		f.warn("the capability CAP_NET_ADMIN is missing", err)
		return hopelessRetry
	case errors.Is(err, ruleset.ErrUnsupported):
		f.warn("this kernel has no nf_tables", err)
		return hopelessRetry
	default:
		f.warn(err.Error(), err)
		return retry
	}
}

// warn says why the rules can't be looked at, once.
func (f *firewall) warn(reason string, err error) {
	if f.setReason(reason) {
		level.Warn(f.logger).Log("msg", "It is not known which firewall rules log: "+reason+". Packets are counted all the same.", "err", err)
	}
}

// setReason sets the reason why nothing is known, and reports whether it is another one.
func (f *firewall) setReason(reason string) (changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed = reason != f.reason
	f.reason = reason
	return changed
}
