// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kerneltest lets tests use network namespaces and netfilter, as root
// and as an ordinary user.
//
// A package with such tests has
//
//	func TestMain(m *testing.M) { kerneltest.Main(m) }
//
// and each of these tests calls [NS].
//
// Tests skip for four reasons, each with a text that says which. A test that
// needs something that the machine lacks calls [Skip], which fails the test
// where the environment variable CI is set, so that CI misses nothing. A test
// that needs a feature of the kernel that the machine's kernel lacks calls
// [SkipKernel], as CI runs it on another kernel. A test that takes long or needs
// privilege skips with -short, by [skipShort], which NS and [Require] call.
// What an ordinary user can't do in a user namespace skips there, see [InUserNamespace].
//
// The package is for Linux only.
package kerneltest
