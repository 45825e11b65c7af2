// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/collector/binderror"
	"github.com/nflog-exporter/nflog_exporter/collector/history"
	"github.com/nflog-exporter/nflog_exporter/collector/ifname"
	"github.com/nflog-exporter/nflog_exporter/collector/namespace"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// Shortest and longest wait before another attempt to bind a group.
const (
	minRetry = time.Second
	maxRetry = 5 * time.Second
)

// A group supervises the reading of one NFLOG group: it binds the group, feeds its table, and starts over when that
// ends, for whatever reason.
type group struct {
	logger    log.Logger
	table     *table
	conntrack bool                    // a label needs connection tracking
	created   *timestamppb.Timestamp  // of the group's counters
	history   *history.Group          // guarded by the gatherer's lock
	stop      context.CancelCauseFunc // ends run, once it is started
	lastRead  atomic.Int64            // when the last datagram was received, in nanoseconds since 1970

	mu           sync.Mutex // guards what follows
	config       GroupConfig
	end          context.CancelCauseFunc // ends the binding
	state        GroupState
	reader       *nflog.Reader // nil while not bound
	socket       nflog.SocketStats
	drops        uint64 // of earlier sockets
	binds        uint64
	bindFailures map[string]uint64
	readFailures uint64
	stall        stall
}

func newGroup(config GroupConfig, table *table, conntrack bool, logger log.Logger) *group {
	now := time.Now()
	return &group{
		config:       config,
		logger:       groupLogger(logger, config),
		table:        table,
		conntrack:    conntrack,
		created:      timestamppb.New(now),
		history:      history.NewGroup(now),
		state:        GroupState{Group: config.Group, NetNS: config.NetNS, Since: now, Reason: "not tried yet"},
		bindFailures: make(map[string]uint64),
	}
}

func groupLogger(logger log.Logger, config GroupConfig) log.Logger {
	if config.NetNS != "" {
		return log.With(logger, "group", config.Group, "netns", config.NetNS)
	}
	return log.With(logger, "group", config.Group)
}

// run reads the group until the context is done, and all packets that the kernel logged by then are counted.
func (g *group) run(ctx context.Context) {
	retry := minRetry
	for ctx.Err() == nil {
		began := time.Now()
		reason, err := g.bindAndRead(ctx)
		switch {
		case err != nil:
			g.onBindFailed(err)
			if errors.Is(err, namespace.Err) {
				retry = minRetry // the namespace may appear any moment, and an attempt is cheap
			}
		case reason != nil || time.Since(began) > maxRetry:
			retry = minRetry
			continue // at once: packets are lost meanwhile
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
		retry = min(2*retry, maxRetry)
	}
}

// Reasons to end a binding that works.
var (
	errShutDown     = errors.New("shut down")
	errRemoved      = errors.New("removed from the configuration")
	errReconfigured = errors.New("bound again with other settings")
)

// bindAndRead binds the group and reads it until the binding ends. It returns the reason for the end, nil if the socket
// failed, or the error of binding.
func (g *group) bindAndRead(ctx context.Context) (reason, err error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	config := g.startBinding(end)

	ns, err := namespace.Open(config.NetNS)
	if err != nil {
		return nil, err
	}
	defer ns.Close()
	reader, names, err := g.open(config, ns)
	if err != nil {
		return nil, err
	}
	defer names.Close()
	g.onBound(reader)
	g.table.followAddresses(names, nil)
	g.table.attach(names)
	g.table.followAddresses(nil, nil) // a reload may have asked for it meanwhile
	stopWatch := ns.Watch(func() { end(namespace.ErrGone) })
	defer stopWatch()
	err = g.read(ctx, reader)
	reason = context.Cause(ctx)
	g.onUnbound(err, reason)
	return reason, nil
}

// startBinding returns the configuration for a new binding, and keeps the function that ends it.
func (g *group) startBinding(end context.CancelCauseFunc) GroupConfig {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.end = end
	return g.config
}

// is reports whether a configuration is of this group.
func (g *group) is(config GroupConfig) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.config.sameGroup(config)
}

// reconfigure applies another configuration. A group that is bound stays bound, unless the new settings can't be applied to
// its socket.
func (g *group) reconfigure(config GroupConfig) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if config == g.config {
		return
	}
	g.config = config
	if g.reader != nil {
		err := g.reader.Configure(config.readerConfig())
		if err == nil {
			level.Info(g.logger).Log("msg", "Group reconfigured")
			return
		}
		level.Warn(g.logger).Log("msg", "The group's new settings were refused, so it is bound again with them", "err", err)
	}
	if g.end != nil {
		g.end(errReconfigured)
	}
}

// open binds the group, and follows the names of interfaces.
func (g *group) open(config GroupConfig, ns *namespace.Namespace) (*nflog.Reader, *ifname.Names, error) {
	settings := config.readerConfig()
	settings.NetNS = ns.FD()
	if g.conntrack {
		settings.Conntrack = nflog.ConntrackPreferred
	}
	reader, err := nflog.OpenReader(config.Group, settings)
	if failed, ok := errors.AsType[*os.SyscallError](err); ok && failed.Syscall == "setns" {
		return nil, nil, fmt.Errorf("%w %s: %w", namespace.Err, config.NetNS, err)
	}
	if err != nil {
		return nil, nil, err
	}
	names, err := ifname.Open(settings.NetNS, g.logger)
	if err != nil {
		_ = reader.Close()
		return nil, nil, fmt.Errorf("follow network interfaces: %w", err)
	}
	return reader, names, nil
}

// read feeds the table until the reader fails, or, without an error, is drained after the end of the context.
func (g *group) read(ctx context.Context, r *nflog.Reader) error {
	loss := lossLog{logger: g.logger, reader: r}
	for b, err := range r.Batches(ctx) {
		if err != nil {
			return err
		}
		now := time.Now()
		g.lastRead.Store(now.UnixNano())
		g.table.count(b, now)
		loss.add(b.Lost(), now)
	}
	return nil
}

func (g *group) onBound(r *nflog.Reader) {
	socket := r.Stats().Socket
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reader = r
	g.binds++
	g.state = g.newState("")
	g.state.Bound = true
	level.Info(g.logger).Log("msg", "Group bound")
	if g.conntrack && r.Config().Conntrack == nflog.ConntrackOff && g.binds == 1 {
		level.Warn(g.logger).Log("msg", "The kernel sends no connection tracking state with logged packets, so the label conntrack_state stays empty. "+
			"Load the module nf_conntrack_netlink, or use a kernel with CONFIG_NETFILTER_NETLINK_GLUE_CT.")
	}
	configured := cmp.Or(g.config.SocketBuffer, nflog.DefaultSocketBuffer)
	if got := int(socket.Buffer / 2); got < configured && g.binds == 1 {
		level.Warn(g.logger).Log("msg", "The socket buffer is smaller than configured. Raise the sysctl net.core.rmem_max, or grant CAP_NET_ADMIN in the initial user namespace.",
			"configured", configured, "got", got)
	}
}

func (g *group) currentState() GroupState {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// newState returns a state that begins now. The reason says why the group is not bound.
func (g *group) newState(reason string) GroupState {
	return GroupState{Group: g.config.Group, NetNS: g.config.NetNS, Tried: true, Reason: reason, Since: time.Now()}
}

// onUnbound closes the reader. err is the error that ended the reading, nil if it was drained for a reason.
func (g *group) onUnbound(err, reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateSocket()
	g.drops += g.socket.Drops
	g.socket = nflog.SocketStats{}
	if closeErr := g.reader.Close(); closeErr != nil {
		level.Warn(g.logger).Log("msg", "Closing the socket failed", "err", closeErr)
	}
	g.reader = nil
	if reason == nil {
		g.readFailures++
		g.state = g.newState(err.Error())
		level.Error(g.logger).Log("msg", "The group's socket failed and is opened again", "err", err)
		return
	}
	if errors.Is(reason, context.Canceled) {
		reason = errShutDown
	}
	g.state = g.newState(reason.Error())
	if err == nil {
		level.Info(g.logger).Log("msg", "Group unbound, socket drained", "reason", reason)
	} else {
		level.Warn(g.logger).Log("msg", "Group unbound, but packets that waited in the kernel are lost", "reason", reason, "err", err)
	}
}

func (g *group) onBindFailed(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	reason, message := binderror.Describe(err, g.config.NetNS)
	g.bindFailures[reason]++
	if g.state.Tried && g.state.Reason == message {
		level.Debug(g.logger).Log("msg", "The group still can't be bound", "err", err)
		return
	}
	g.state = g.newState(message)
	level.Error(g.logger).Log("msg", "The group can't be bound: "+message+". Trying again every few seconds.", "err", err)
}

// updateSocket reads the socket's statistics. The caller holds mu.
func (g *group) updateSocket() {
	if g.reader != nil {
		g.socket = g.reader.Stats().Socket
	}
}
