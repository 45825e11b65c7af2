// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package gonflog compares the compatible face of package nflog with
// github.com/florianl/go-nflog/v2, whose place it takes: what both export, and
// what both read when the kernel logs the same packets to a group of each.
//
// It is a module of its own, so that nobody who uses nflog_exporter gets
// go-nflog with it. There is nothing but tests, for Linux only.
package gonflog
