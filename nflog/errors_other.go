// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package nflog

func newGroupHeldError(_ int, group uint16) *GroupHeldError { return &GroupHeldError{Group: group} }

func newPermissionError(_ int, capability string) *PermissionError {
	return &PermissionError{Capability: capability}
}
