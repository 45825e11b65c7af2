// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import (
	"encoding/binary"
	"syscall"

	"github.com/mdlayher/netlink"
)

// A groupConfig is the configuration of a group in the kernel.
type groupConfig struct {
	copyMode       uint8  // CopyNone, CopyMeta or CopyPacket
	copyRange      uint32 // bytes
	flags          uint16 // FlagSeq, FlagGlobal and FlagConntrack
	batchBuffer    uint32 // bytes
	queueThreshold uint32 // packets
	queueTimeout   uint32 // in TimeoutUnit
}

// bindRequest returns the message that binds a group and configures it. With two messages, many packets
// could be logged between them in the default configuration and without sequence numbers.
func bindRequest(group uint16, g groupConfig) ([]byte, error) {
	command := netlink.Attribute{Type: configCommand, Data: []byte{commandBind}}
	return request(typeConfig, group, append([]netlink.Attribute{command}, g.attributes()...)...)
}

// configureRequest returns the message that configures a bound group.
func configureRequest(group uint16, g groupConfig) ([]byte, error) {
	return request(typeConfig, group, g.attributes()...)
}

func (g groupConfig) attributes() []netlink.Attribute {
	return []netlink.Attribute{
		{Type: configMode, Data: append(be32(g.copyRange), g.copyMode, 0)}, // struct nfulnl_msg_config_mode
		{Type: configBatchBuffer, Data: be32(g.batchBuffer)},
		{Type: configQueueTimeout, Data: be32(g.queueTimeout)},
		{Type: configQueueThreshold, Data: be32(g.queueThreshold)},
		{Type: configFlags, Data: binary.BigEndian.AppendUint16(nil, g.flags)},
	}
}

// unbindRequest returns the message that makes the kernel deliver the packets that it has gathered and
// release the group.
func unbindRequest(group uint16) ([]byte, error) {
	return request(typeConfig, group, netlink.Attribute{Type: configCommand, Data: []byte{commandUnbind}})
}

// probeRequest returns a message that changes nothing. Its acknowledgement shows whether the sender has
// the capability to configure groups.
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

// setSequence sets the sequence number of a request.
func setSequence(request []byte, sequence uint32) {
	binary.NativeEndian.PutUint32(request[8:], sequence)
}

func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// parseAck returns the errno of an acknowledgement, 0 for success. ok is false if the datagram does not
// begin with the acknowledgement of the request with that sequence number. The kernel sends each
// acknowledgement as a datagram of its own (netlink_ack in net/netlink/af_netlink.c).
func parseAck(datagram []byte, sequence uint32) (errno syscall.Errno, ok bool) {
	if len(datagram) < headerLen+4 ||
		binary.NativeEndian.Uint16(datagram[4:]) != typeError ||
		binary.NativeEndian.Uint32(datagram[8:]) != sequence {
		return 0, false
	}
	return syscall.Errno(-binary.NativeEndian.Uint32(datagram[headerLen:])), true
}
