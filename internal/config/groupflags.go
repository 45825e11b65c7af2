// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kingpin/v2"

	"github.com/nflog-exporter/nflog_exporter/nflog"
)

// ownNamespace is the value of --nflog.netns for the exporter's own network namespace.
const ownNamespace = "own"

// addGroupFlags adds the flags about the groups to read.
func addGroupFlags(app *kingpin.Application, o *Options) {
	addRepeatableFlag(app, "nflog.group", "100",
		"Number of an NFLOG group to read. Repeatable.",
		groupNumber(), &o.groups)
	app.GetFlag("nflog.group").IsSetByUser(&o.groupsSet)
	addRepeatableFlag(app, "nflog.netns", ownNamespace,
		"Network namespace to read the groups in: own, a name under /run/netns, or a path. Names and paths can be patterns with * ? [ ]. Repeatable.",
		namespace(), &o.netns)
	addFlag(app, "nflog.max-netns", strconv.Itoa(defaultMaxNetNS),
		"Maximum number of network namespaces that are read because they match a pattern.",
		numberBetween[int](1, maxNetNS), &o.maxNetNS)
	addFlag(app, "nflog.copy-range", formatSize(nflog.DefaultCopyRange),
		fmt.Sprintf("Bytes of each packet that the kernel copies, 1B to %s. The default covers the headers.", formatSize(nflog.MaxCopyRange)),
		copyRange(), &o.settings.CopyRange)
	addFlag(app, "nflog.queue-threshold", strconv.Itoa(nflog.DefaultQueueThreshold),
		fmt.Sprintf("Maximum number of packets in a batch, 1 to %d. A rule can set a lower one.", maxQueueThreshold),
		queueThreshold(), &o.settings.QueueThreshold)
	addFlag(app, "nflog.queue-timeout", nflog.DefaultQueueTimeout.String(),
		fmt.Sprintf("Longest time that a packet waits in the kernel for its batch, %v to %v in steps of %v. Counters lag by up to this time.",
			minQueueTimeout, "1h", nflog.TimeoutUnit),
		queueTimeout(), &o.settings.QueueTimeout)
	addFlag(app, "nflog.batch-buffer", formatSize(nflog.MaxBatchBuffer),
		fmt.Sprintf("Size of a batch in the kernel, %s to %s. The kernel rounds up what it allocates: %s for %s.",
			formatSize(nflog.MinBatchBuffer), formatSize(nflog.MaxBatchBuffer), formatSize(2*nflog.MaxBatchBuffer), formatSize(nflog.MaxBatchBuffer)),
		batchBuffer(), &o.settings.BatchBuffer)
	addFlag(app, "nflog.socket-buffer", formatSize(nflog.DefaultSocketBuffer),
		fmt.Sprintf("Receive buffer of each group's socket, %s to %s. Without CAP_NET_ADMIN in the initial user namespace, the kernel limits it to net.core.rmem_max.",
			formatSize(minSocketBuffer), formatSize(maxSocketBuffer)),
		socketBuffer(), &o.settings.SocketBuffer)
}

// The settings of a group take the same values on the command line and in the configuration file.

func groupNumber() valueParser[uint16] {
	return numberBetween[uint16](0, maxGroup)
}

func copyRange() valueParser[uint32] {
	return sizeBetween[uint32](1, nflog.MaxCopyRange)
}

func queueThreshold() valueParser[uint32] {
	return numberBetween[uint32](1, maxQueueThreshold)
}

func queueTimeout() valueParser[time.Duration] {
	return durationBetween(minQueueTimeout, maxQueueTimeout, nflog.TimeoutUnit)
}

func batchBuffer() valueParser[uint32] {
	return sizeBetween[uint32](nflog.MinBatchBuffer, nflog.MaxBatchBuffer)
}

func socketBuffer() valueParser[int] {
	return sizeBetween[int](minSocketBuffer, maxSocketBuffer)
}

// namespace parses a network namespace into what collector.GroupConfig takes.
func namespace() valueParser[string] {
	p := valueParser[string]{
		allowed: "own, a name under /run/netns, a path that begins with /, or a pattern of such names or paths with * ? [ ]",
		parse: func(s string) (string, bool) {
			if s == ownNamespace {
				return "", true
			}
			isName := s != "" && s != "." && s != ".." && !strings.Contains(s, "/")
			_, err := path.Match(s, "")
			return s, (isName || path.IsAbs(s)) && utf8.ValidString(s) && err == nil
		},
	}
	p.hint = func(s string) string {
		if !strings.Contains(s, "/") {
			return ""
		}
		return firstAllowed(p, "/"+s)
	}
	return p
}
