// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// A groupSnapshot is a copy of a group's state, without its table.
type groupSnapshot struct {
	created      *timestamppb.Timestamp // of the counters
	state        GroupState
	socket       nflog.SocketStats // with the drops of earlier sockets
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
