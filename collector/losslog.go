// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// lossLogInterval is how often the log speaks of lost packets at most.
const lossLogInterval = time.Minute

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
