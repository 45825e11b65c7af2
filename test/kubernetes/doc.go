// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kubernetes tests the Helm chart, the manifests made of it and their
// documentation: what they render is decoded as strictly as an API server does it,
// and run as a container runtime would, with real rules that log real packets.
//
// It is a module of its own, so that nobody who uses nflog_exporter gets Kubernetes
// with it. The tests need helm; .ci/kubernetes installs it.
package kubernetes
