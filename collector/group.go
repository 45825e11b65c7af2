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

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// How long to wait before a group that could not be bound is tried again: at first, and at most.
const (
	firstRetry = time.Second
	lastRetry  = 5 * time.Second
)

// lossLogInterval is how often the log speaks of lost packets at most.
const lossLogInterval = time.Minute

// A group supervises the reading of one NFLOG group: it binds it, feeds its table, and when that
// comes to an end, for whatever reason, begins again.
type group struct {
	config GroupConfig
	logger log.Logger
	table  *table

	mu           sync.Mutex // guards what follows
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
		logger:       log.With(logger, "group", config.Group),
		table:        table,
		state:        GroupState{Group: config.Group, Since: time.Now(), Reason: "not tried yet"},
		bindFailures: make(map[string]uint64),
	}
}

// run reads the group until the context is done and everything that the kernel had gathered by
// then is counted.
func (g *group) run(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		began := time.Now()
		if err := g.bindAndRead(ctx); err != nil {
			g.failed(err)
		} else if time.Since(began) > lastRetry {
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

// bindAndRead reads the group from a binding to the end of that. The error is that of the binding.
func (g *group) bindAndRead(ctx context.Context) error {
	reader, names, err := g.open()
	if err != nil {
		return err
	}
	defer names.close()
	g.bound(reader)
	g.table.begin(names)
	g.unbound(g.read(ctx, reader), ctx.Err() != nil)
	return nil
}

// errNamespace: the network namespace could not be entered.
var errNamespace = errors.New("enter network namespace")

// open binds the group and follows the names of the interfaces beside it.
func (g *group) open() (*nflog.Reader, *interfaces, error) {
	config := g.config.reader()
	if g.config.NetNS != "" {
		f, err := os.Open(g.config.NetNS)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errNamespace, err)
		}
		defer f.Close()
		config.NetNS = int(f.Fd())
	}
	reader, err := nflog.OpenReader(g.config.Group, config)
	if failed := (*os.SyscallError)(nil); errors.As(err, &failed) && failed.Syscall == "setns" {
		return nil, nil, fmt.Errorf("%w %s: %w", errNamespace, g.config.NetNS, err)
	}
	if err != nil {
		return nil, nil, err
	}
	names, err := openInterfaces(config.NetNS, g.logger)
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

// A lossLog tells of lost packets, once in an interval at most.
type lossLog struct {
	logger log.Logger
	reader *nflog.Reader

	packets uint64    // lost since it told of some last
	drops   uint64    // datagrams that the socket had dropped by then
	next    time.Time // when it may tell again
}

func (l *lossLog) add(lost uint64, now time.Time) {
	l.packets += lost
	if l.packets == 0 || now.Before(l.next) {
		return
	}
	msg := "Packets were lost: their messages could not be decoded"
	if s, err := l.reader.SocketStats(); err == nil && s.Drops > l.drops {
		l.drops = s.Drops
		msg = "Packets were lost: the exporter could not keep up. Allow a larger --nflog.socket-buffer or more CPU, or log less."
	}
	level.Warn(l.logger).Log("msg", msg, "packets", l.packets)
	l.packets, l.next = 0, now.Add(lossLogInterval)
}

func (g *group) bound(r *nflog.Reader) {
	socket, err := r.SocketStats()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reader = r
	g.binds++
	g.state = GroupState{Group: g.config.Group, Tried: true, Bound: true, Since: time.Now()}
	level.Info(g.logger).Log("msg", "Group bound")
	asked := cmp.Or(g.config.SocketBuffer, nflog.DefaultSocketBuffer)
	if got := int(socket.Buffer / 2); err == nil && got < asked && g.binds == 1 {
		level.Warn(g.logger).Log("msg", "The socket buffer is smaller than asked for. Raise the sysctl net.core.rmem_max, or grant CAP_NET_ADMIN in the initial user namespace.",
			"asked", asked, "got", got)
	}
}

// unbound closes the reader, which can't be read further because of err, expected at the end.
func (g *group) unbound(err error, end bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateSocket()
	g.drops += g.socket.Drops
	g.socket = nflog.SocketStats{}
	if closeErr := g.reader.Close(); closeErr != nil {
		level.Warn(g.logger).Log("msg", "The socket could not be closed", "err", closeErr)
	}
	g.reader = nil
	g.state = GroupState{Group: g.config.Group, Tried: true, Since: time.Now()}
	if end {
		g.state.Reason = "shut down"
		if errors.Is(err, io.EOF) {
			level.Info(g.logger).Log("msg", "Group let go, its socket drained")
		} else {
			level.Warn(g.logger).Log("msg", "Group let go, but what the kernel had gathered is lost", "err", err)
		}
		return
	}
	g.readFailures++
	g.state.Reason = err.Error()
	level.Error(g.logger).Log("msg", "The group's socket failed. It is opened anew.", "err", err)
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
	g.state = GroupState{Group: g.config.Group, Tried: true, Reason: words, Since: time.Now()}
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
	s := groupSnapshot{state: g.state, socket: g.socket, binds: g.binds, readFailures: g.readFailures}
	s.socket.Drops += g.drops
	for _, reason := range bindFailureReasons {
		s.bindFailures = append(s.bindFailures, g.bindFailures[reason])
	}
	return s
}
