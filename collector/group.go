// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/collector/ifname"
	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// How long to wait before a group that could not be bound is tried again: at first, and at most.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Second
)

// A group supervises the reading of one NFLOG group: it binds it, feeds its table, and when that
// comes to an end, for whatever reason, begins again.
type group struct {
	logger    log.Logger
	table     *table
	conntrack bool                    // a label needs it
	created   *timestamppb.Timestamp  // of its counters
	stop      context.CancelCauseFunc // ends run, once that was begun

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
}

func newGroup(config GroupConfig, table *table, logger log.Logger) *group {
	return &group{
		config:       config,
		logger:       groupLogger(logger, config),
		table:        table,
		conntrack:    table.schema.selection.has(labelConntrackState),
		created:      timestamppb.Now(),
		state:        GroupState{Group: config.Group, NetNS: config.NetNS, Since: time.Now(), Reason: "not tried yet"},
		bindFailures: make(map[string]uint64),
	}
}

func groupLogger(logger log.Logger, config GroupConfig) log.Logger {
	if config.NetNS != "" {
		return log.With(logger, "group", config.Group, "netns", config.NetNS)
	}
	return log.With(logger, "group", config.Group)
}

// run reads the group until the context is done and everything that the kernel had gathered by
// then is counted.
func (g *group) run(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		began := time.Now()
		reason, err := g.bindAndRead(ctx)
		switch {
		case err != nil:
			g.failed(err)
			if errors.Is(err, errNamespace) {
				retry = firstRetry // it may come any moment, and to look costs little
			}
		case reason != nil || time.Since(began) > lastRetry:
			retry = firstRetry
			continue // each moment without a binding is a hole in the books
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
		retry = min(2*retry, lastRetry)
	}
}

// Why a binding was ended that could have gone on.
var (
	errShutDown      = errors.New("shut down")
	errRemoved       = errors.New("no more in the configuration")
	errReconfigured  = errors.New("bound with other settings")
	errNamespaceGone = errors.New("its network namespace is gone")
)

// bindAndRead reads the group from a binding to the end of that, and returns the reason for it, nil if the socket
// failed. The error is that of the binding.
func (g *group) bindAndRead(ctx context.Context) (reason, err error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	config := g.begin(end)

	namespace, err := openNamespace(config.NetNS)
	if err != nil {
		return nil, err
	}
	defer namespace.close()
	reader, names, err := g.open(config, namespace)
	if err != nil {
		return nil, err
	}
	defer names.Close()
	g.bound(reader)
	g.table.begin(names)
	stopWatch := namespace.watch(func() { end(errNamespaceGone) })
	defer stopWatch()
	err = g.read(ctx, reader)
	reason = context.Cause(ctx)
	g.unbound(err, reason)
	return reason, nil
}

// begin returns the settings for a binding, and remembers how to end it.
func (g *group) begin(end context.CancelCauseFunc) GroupConfig {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.end = end
	return g.config
}

// same reports whether settings are those of this group.
func (g *group) same(settings GroupConfig) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.config.same(settings)
}

// reconfigure lets the group be read with other settings, if they are others: without a break where it is bound.
func (g *group) reconfigure(config GroupConfig) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if config == g.config {
		return
	}
	g.config = config
	if g.reader != nil && g.reader.Configure(config.reader()) == nil {
		level.Info(g.logger).Log("msg", "Group is read with other settings")
		return
	}
	if g.end != nil {
		g.end(errReconfigured)
	}
}

// open binds the group and follows the names of the interfaces beside it.
func (g *group) open(config GroupConfig, namespace *namespace) (*nflog.Reader, *ifname.Names, error) {
	settings := config.reader()
	settings.NetNS = namespace.fd()
	if g.conntrack {
		settings.Conntrack = nflog.ConntrackPreferred
	}
	reader, err := nflog.OpenReader(config.Group, settings)
	if failed := (*os.SyscallError)(nil); errors.As(err, &failed) && failed.Syscall == "setns" {
		return nil, nil, fmt.Errorf("%w %s: %w", errNamespace, config.NetNS, err)
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

// read feeds the table until the reader is drained after the context's end, or fails.
func (g *group) read(ctx context.Context, r *nflog.Reader) error {
	stop := context.AfterFunc(ctx, func() {
		if r.Unbind() != nil {
			_ = r.Close()
		}
	})
	defer stop()

	loss := lossLog{logger: g.logger, reader: r}
	for {
		b, err := r.Receive()
		if err != nil {
			return err
		}
		now := time.Now()
		g.table.count(b, now)
		loss.add(b.Lost(), now)
	}
}

func (g *group) bound(r *nflog.Reader) {
	socket, err := r.SocketStats()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reader = r
	g.binds++
	g.state = g.newState("")
	g.state.Bound = true
	level.Info(g.logger).Log("msg", "Group bound")
	if g.conntrack && !r.Conntrack() && g.binds == 1 {
		level.Warn(g.logger).Log("msg", "The kernel sends no connection tracking with logged packets, so that the label conntrack_state stays empty. "+
			"Load the module nf_conntrack_netlink, or use a kernel with CONFIG_NETFILTER_NETLINK_GLUE_CT.")
	}
	asked := cmp.Or(g.config.SocketBuffer, nflog.DefaultSocketBuffer)
	if got := int(socket.Buffer / 2); err == nil && got < asked && g.binds == 1 {
		level.Warn(g.logger).Log("msg", "The socket buffer is smaller than asked for. Raise the sysctl net.core.rmem_max, or grant CAP_NET_ADMIN in the initial user namespace.",
			"asked", asked, "got", got)
	}
}

// newState returns the state that begins now, with the reason why the group is not bound.
func (g *group) newState(reason string) GroupState {
	return GroupState{Group: g.config.Group, NetNS: g.config.NetNS, Tried: true, Reason: reason, Since: time.Now()}
}

// unbound closes the reader, which can't be read further because of err. That is expected where the
// binding was to end for a reason.
func (g *group) unbound(err, reason error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateSocket()
	g.drops += g.socket.Drops
	g.socket = nflog.SocketStats{}
	if closeErr := g.reader.Close(); closeErr != nil {
		level.Warn(g.logger).Log("msg", "The socket could not be closed", "err", closeErr)
	}
	g.reader = nil
	if reason == nil {
		g.readFailures++
		g.state = g.newState(err.Error())
		level.Error(g.logger).Log("msg", "The group's socket failed. It is opened anew.", "err", err)
		return
	}
	if errors.Is(reason, context.Canceled) {
		reason = errShutDown
	}
	g.state = g.newState(reason.Error())
	if errors.Is(err, io.EOF) {
		level.Info(g.logger).Log("msg", "Group let go, its socket drained", "reason", reason)
	} else {
		level.Warn(g.logger).Log("msg", "Group let go, but what the kernel had gathered is lost", "reason", reason, "err", err)
	}
}

func (g *group) failed(err error) {
	reason, words := explain(err, g.config.NetNS)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bindFailures[reason]++
	if g.state.Tried && g.state.Reason == words {
		level.Debug(g.logger).Log("msg", "The group still can't be bound", "err", err)
		return
	}
	g.state = g.newState(words)
	level.Error(g.logger).Log("msg", "The group can't be bound: "+words+". It is tried again every few seconds.", "err", err)
}

// updateSocket asks for the socket's state, which stays what it was where that fails.
func (g *group) updateSocket() {
	if g.reader == nil {
		return
	}
	if s, err := g.reader.SocketStats(); err == nil {
		g.socket = s
	}
}

// A groupSnapshot is a copy of a group's state beside its table.
type groupSnapshot struct {
	created      *timestamppb.Timestamp // of the counters
	state        GroupState
	socket       nflog.SocketStats // with the drops of all sockets
	binds        uint64
	bindFailures []uint64 // by bindFailureReasons
	readFailures uint64
}

func (g *group) snapshot() groupSnapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateSocket()
	s := groupSnapshot{created: g.created, state: g.state, socket: g.socket, binds: g.binds, readFailures: g.readFailures}
	s.socket.Drops += g.drops
	for _, reason := range bindFailureReasons {
		s.bindFailures = append(s.bindFailures, g.bindFailures[reason])
	}
	return s
}
