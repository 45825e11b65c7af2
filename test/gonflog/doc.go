// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package gonflog compares the compatible API of package nflog with
// github.com/florianl/go-nflog/v2, which it replaces: the exported declarations,
// and the values that both libraries read when the kernel logs the same packets to
// a group of each.
//
// It is a separate module, so that go-nflog is no dependency of nflog_exporter. It
// contains tests only, for Linux only.
package gonflog
