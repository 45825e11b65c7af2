// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"syscall"

	"github.com/mdlayher/netlink"
)

// Commands and attributes of a configuration message, enum nfulnl_msg_config_cmds and enum
// nfulnl_attr_config of include/uapi/linux/netfilter/nfnetlink_log.h.
const (
	commandBind   = 1 // NFULNL_CFG_CMD_BIND
	commandUnbind = 2 // NFULNL_CFG_CMD_UNBIND

	configCommand        = 1 // NFULA_CFG_CMD
	configMode           = 2 // NFULA_CFG_MODE
	configBatchBuffer    = 3 // NFULA_CFG_NLBUFSIZ
	configQueueTimeout   = 4 // NFULA_CFG_TIMEOUT
	configQueueThreshold = 5 // NFULA_CFG_QTHRESH
	configFlags          = 6 // NFULA_CFG_FLAGS

	maxFlags = FlagSeq | FlagGlobal | FlagConntrack
)

// A binding says how the kernel delivers the packets of a group.
type binding struct {
	mode      uint8 // CopyNone, CopyMeta or CopyPacket
	copyRange uint32
	flags     uint16
	batch     uint32 // bytes
	threshold uint32 // packets
	timeout   uint32 // in TimeoutUnit
}

// bindRequest is the message that binds a group and says how to deliver it, in one: between two
// messages many packets could come that are delivered otherwise and bear no number.
func bindRequest(group uint16, b binding) ([]byte, error) {
	command := netlink.Attribute{Type: configCommand, Data: []byte{commandBind}}
	return request(typeConfig, group, append([]netlink.Attribute{command}, b.attributes()...)...)
}

// configureRequest is the message that says how to deliver a group that is bound.
func configureRequest(group uint16, b binding) ([]byte, error) {
	return request(typeConfig, group, b.attributes()...)
}

func (b binding) attributes() []netlink.Attribute {
	return []netlink.Attribute{
		{Type: configMode, Data: append(be32(b.copyRange), b.mode, 0)}, // struct nfulnl_msg_config_mode
		{Type: configBatchBuffer, Data: be32(b.batch)},
		{Type: configQueueTimeout, Data: be32(b.timeout)},
		{Type: configQueueThreshold, Data: be32(b.threshold)},
		{Type: configFlags, Data: binary.BigEndian.AppendUint16(nil, b.flags)},
	}
}

// unbindRequest is the message that makes the kernel deliver what it has gathered and let go of
// the group.
func unbindRequest(group uint16) ([]byte, error) {
	return request(typeConfig, group, netlink.Attribute{Type: configCommand, Data: []byte{commandUnbind}})
}

// probeRequest is a message that changes nothing, whose answer tells whether the sender has the
// capability to configure groups.
func probeRequest() ([]byte, error) { return request(typeProbe, 0) }

func request(typ netlink.HeaderType, group uint16, attributes ...netlink.Attribute) ([]byte, error) {
	data := binary.BigEndian.AppendUint16([]byte{0, 0}, group) // struct nfgenmsg: family, version, group
	attrs, err := netlink.MarshalAttributes(attributes)
	if err != nil {
		return nil, err
	}
	data = append(data, attrs...)
	m := netlink.Message{
		Header: netlink.Header{
			Length: uint32(headerLen + len(data)),
			Type:   typ,
			Flags:  netlink.Request | netlink.Acknowledge,
		},
		Data: data,
	}
	return m.MarshalBinary()
}

// number gives a request the number that its answer will bear.
func number(request []byte, sequence uint32) {
	binary.NativeEndian.PutUint32(request[8:], sequence)
}

func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// answer looks for the kernel's answer to the request of that sequence number at the beginning of
// a datagram, where it always is, and returns its errno, 0 for success.
func answer(datagram []byte, sequence uint32) (errno syscall.Errno, ok bool) {
	if len(datagram) < headerLen+4 ||
		binary.NativeEndian.Uint16(datagram[4:]) != typeError ||
		binary.NativeEndian.Uint32(datagram[8:]) != sequence {
		return 0, false
	}
	return syscall.Errno(-binary.NativeEndian.Uint32(datagram[headerLen:])), true
}
