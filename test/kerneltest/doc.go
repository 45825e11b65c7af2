// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kerneltest lets tests use the kernel's network namespaces and
// netfilter, as root and as an ordinary user.
//
// A package with such tests has
//
//	func TestMain(m *testing.M) { kerneltest.Main(m) }
//
// and calls [NS] in each of them. What the machine can't do skips a test, but
// fails it where the environment variable CI is set: there nothing may be
// missing unnoticed.
//
// The package is for Linux only.
package kerneltest
