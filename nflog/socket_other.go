// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package nflog

import (
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
)

// A socket can't be opened: only Linux has NFLOG.
type socket struct{ closed atomic.Bool }

type memInfo struct{ queued, buffer, drops uint32 }

func openSocket(int, int) (*socket, error) { return nil, ErrUnsupported }

func (*socket) send([]byte) error                 { return ErrUnsupported }
func (*socket) receive([]byte) (int, bool, error) { return 0, false, ErrUnsupported }
func (*socket) wait() error                       { return ErrUnsupported }
func (*socket) setReadBuffer(int) error           { return ErrUnsupported }
func (*socket) setReadDeadline(time.Time) error   { return ErrUnsupported }
func (*socket) memInfo() (memInfo, error)         { return memInfo{}, ErrUnsupported }
func (*socket) closedErr(err error) error         { return err }
func (*socket) close() error                      { return nil }

func dial(int, int) (*netlink.Conn, error) { return nil, ErrUnsupported }

type connSocket struct{}

func newConnSocket(*netlink.Conn, int) (*connSocket, error) { return nil, ErrUnsupported }

func (*connSocket) send([]byte) error                 { return ErrUnsupported }
func (*connSocket) receive([]byte) (int, bool, error) { return 0, false, ErrUnsupported }
func (*connSocket) wait([]byte) (int, bool, error)    { return 0, false, ErrUnsupported }
func (*connSocket) memInfo() (memInfo, error)         { return memInfo{}, ErrUnsupported }
func (*connSocket) netnsFD() int                      { return 0 }
func (*connSocket) release()                          {}
