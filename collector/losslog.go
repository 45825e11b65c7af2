// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// lossLogInterval is the least time between two log lines about lost packets.
const lossLogInterval = time.Minute

// A lossLog logs losses of packets, at most once in an interval.
type lossLog struct {
	logger log.Logger
	reader *nflog.Reader

	packets uint64    // lost since the last line
	drops   uint64    // datagrams that the socket had dropped by then
	next    time.Time // earliest time of the next line
}

func (l *lossLog) add(lost uint64, now time.Time) {
	l.packets += lost
	if l.packets == 0 || now.Before(l.next) {
		return
	}
	msg := "Packets were lost: their messages could not be decoded"
	if drops := l.reader.Stats().Socket.Drops; drops > l.drops {
		l.drops = drops
		msg = "Packets were lost: the exporter could not keep up. Give it a larger socket buffer or more CPU, or log less."
	}
	level.Warn(l.logger).Log("msg", msg, "packets", l.packets)
	l.packets, l.next = 0, now.Add(lossLogInterval)
}
