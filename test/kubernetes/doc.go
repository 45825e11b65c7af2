// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package kubernetes tests the Helm chart, the manifests made from it and their
// documentation. It decodes the rendered objects as strictly as an API server, and
// runs the exporter as a container runtime would, with real rules that log real
// packets.
//
// It is a separate module, so that Kubernetes is no dependency of nflog_exporter. The
// tests need helm; .ci/kubernetes installs it.
package kubernetes
