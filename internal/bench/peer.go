// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/mdlayher/netlink"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"
)

// The peer is an exporter as one writes it with go-nflog and client_golang: a
// callback per packet that looks up its series by label values. It has the
// kernel's defaults for batches, because go-nflog sends no NLBUFSIZ, but the
// same copy range, socket buffer and labels (but group) as nflog_exporter, so
// that the difference lies in how packets are read and counted.
const (
	peerCopyRange    = 128
	peerSocketBuffer = 16 << 20
)

// Messages and configuration of linux/netfilter/nfnetlink_log.h.
const (
	nfulnlMsgPacket = unix.NFNL_SUBSYS_ULOG << 8   // NFULNL_MSG_PACKET
	nfulnlMsgConfig = unix.NFNL_SUBSYS_ULOG<<8 | 1 // NFULNL_MSG_CONFIG

	nfulaCfgCmd  = 1 // NFULA_CFG_CMD
	nfulaCfgMode = 2 // NFULA_CFG_MODE

	nfulnlCfgCmdBind = 1 // NFULNL_CFG_CMD_BIND
	nfulnlCopyPacket = 2 // NFULNL_COPY_PACKET
)

// peerMetrics counts packets in vectors of client_golang.
type peerMetrics struct {
	packets *prometheus.CounterVec
	bytes   *prometheus.CounterVec
	size    *prometheus.HistogramVec

	interfaces map[uint32]string
}

func newPeerMetrics(reg prometheus.Registerer) *peerMetrics {
	labels := []string{"prefix", "family", "hook", "in_interface", "out_interface", "protocol"}
	m := &peerMetrics{
		packets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: packetsMetric, Help: "Packets that rules logged.",
		}, labels),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nflog_bytes_total", Help: "Length of the packets.",
		}, labels),
		size: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "nflog_packet_size_bytes", Help: "Length of each packet.",
			Buckets: []float64{64, 128, 256, 512, 1024, 1500, 9000, 65535},
		}, labels),
		interfaces: make(map[uint32]string),
	}
	reg.MustRegister(m.packets, m.bytes, m.size)
	return m
}

// count is the callback.
func (m *peerMetrics) count(p peerPacket) {
	var prefix, family, hook string
	if p.Prefix != nil {
		prefix = *p.Prefix
	}
	if p.Family != nil {
		family = strconv.Itoa(int(*p.Family))
	}
	if p.Hook != nil {
		hook = strconv.Itoa(int(*p.Hook))
	}
	var length int
	protocol := "unknown"
	if p.Payload != nil {
		switch b := *p.Payload; {
		case len(b) >= 20 && b[0]>>4 == 4:
			length = int(binary.BigEndian.Uint16(b[2:]))
			protocol = strconv.Itoa(int(b[9]))
		case len(b) >= 40 && b[0]>>4 == 6:
			length = 40 + int(binary.BigEndian.Uint16(b[4:]))
			protocol = strconv.Itoa(int(b[6]))
		}
	}
	in, out := m.interfaceName(p.InDev), m.interfaceName(p.OutDev)

	m.packets.WithLabelValues(prefix, family, hook, in, out, protocol).Inc()
	m.bytes.WithLabelValues(prefix, family, hook, in, out, protocol).Add(float64(length))
	m.size.WithLabelValues(prefix, family, hook, in, out, protocol).Observe(float64(length))
}

// interfaceName asks the kernel once for each interface.
func (m *peerMetrics) interfaceName(index *uint32) string {
	if index == nil {
		return ""
	}
	name, ok := m.interfaces[*index]
	if !ok {
		name = "if" + strconv.FormatUint(uint64(*index), 10)
		if ifi, err := net.InterfaceByIndex(int(*index)); err == nil {
			name = ifi.Name
		}
		m.interfaces[*index] = name
	}
	return name
}

// runPeer is the peer's main function. It returns only with an error.
func runPeer() error {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadBuffer(peerSocketBuffer); err != nil {
		return fmt.Errorf("set read buffer: %w", err)
	}
	if err := conn.SetOption(netlink.NoENOBUFS, true); err != nil {
		return fmt.Errorf("set option: %w", err)
	}
	mode := binary.BigEndian.AppendUint32(nil, peerCopyRange)
	mode = append(mode, nfulnlCopyPacket, 0)
	for _, attr := range []netlink.Attribute{
		{Type: nfulaCfgCmd, Data: []byte{nfulnlCfgCmdBind}},
		{Type: nfulaCfgMode, Data: mode},
	} {
		if err := configurePeer(conn, attr); err != nil {
			return fmt.Errorf("configure group %d: %w", group, err)
		}
	}

	reg := prometheus.NewRegistry()
	metrics := newPeerMetrics(reg)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	server := &http.Server{Addr: listenAddress, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- server.ListenAndServe() }()
	go func() { failed <- receivePeer(conn, metrics.count) }()
	return <-failed
}

// configurePeer sends one request that sets attr of the group.
func configurePeer(conn *netlink.Conn, attr netlink.Attribute) error {
	attrs, err := netlink.MarshalAttributes([]netlink.Attribute{attr})
	if err != nil {
		return err
	}
	header := []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0}
	_, err = conn.Execute(netlink.Message{
		Header: netlink.Header{Type: nfulnlMsgConfig, Flags: netlink.Request | netlink.Acknowledge},
		Data:   append(binary.BigEndian.AppendUint16(header, group), attrs...),
	})
	return err
}

// receivePeer calls fn for each packet that conn receives.
func receivePeer(conn *netlink.Conn, fn func(peerPacket)) error {
	for {
		messages, err := conn.Receive()
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		for _, message := range messages {
			if message.Header.Type != nfulnlMsgPacket {
				continue
			}
			p, err := decodePeerPacket(message.Data)
			if err != nil {
				continue
			}
			fn(p)
		}
	}
}
