// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
)

// release and namespace are what the chart is installed as.
const (
	release   = "nflog-exporter"
	namespace = "monitoring"
)

// objects are what the chart makes. What it does not make is nil.
type objects struct {
	Namespace      *corev1.Namespace
	ServiceAccount *corev1.ServiceAccount
	Config         *corev1.ConfigMap
	DaemonSet      *appsv1.DaemonSet
	PodMonitor     *monitoringv1.PodMonitor
	Rules          *monitoringv1.PrometheusRule
	Dashboards     []*corev1.ConfigMap
	Test           *corev1.Pod
}

// podTemplate returns what pods are made of.
func (o *objects) podTemplate() *corev1.PodTemplateSpec { return &o.DaemonSet.Spec.Template }

// container returns the exporter's container.
func (o *objects) container() *corev1.Container { return &o.podTemplate().Spec.Containers[0] }

// endpoint returns what the PodMonitor scrapes.
func (o *objects) endpoint() *monitoringv1.PodMetricsEndpoint {
	return &o.PodMonitor.Spec.PodMetricsEndpoints[0]
}

// render returns what the chart makes with values, in YAML, and further arguments.
func render(t testing.TB, values string, args ...string) *objects {
	t.Helper()
	out, err := template(t, values, args...)
	must(t, err)
	o, err := decode(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return o
}

// template returns what helm template writes. What it complains of is in the error.
func template(t testing.TB, values string, args ...string) ([]byte, error) {
	t.Helper()
	helm := kerneltest.Require(t, "helm")
	cmd := exec.Command(helm, append([]string{"template", release, chart, "--namespace", namespace, "--values", "-"}, args...)...)
	cmd.Stdin = strings.NewReader(values)
	return output(cmd)
}

// output runs a command and returns what it writes.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%v: %w: %s", cmd.Args, err, stderr.Bytes())
	}
	return stdout.Bytes(), err
}

// decode reads documents of YAML, with no field more than Kubernetes and the Prometheus operator know,
// and none twice.
func decode(data []byte) (*objects, error) {
	all, err := decodeAll(data)
	if err != nil {
		return nil, err
	}
	o := &objects{}
	for _, object := range all {
		switch object := object.(type) {
		case *corev1.Namespace:
			err = put(&o.Namespace, object)
		case *corev1.ServiceAccount:
			err = put(&o.ServiceAccount, object)
		case *corev1.ConfigMap:
			if strings.Contains(object.Name, "-dashboard-") {
				o.Dashboards = append(o.Dashboards, object)
			} else {
				err = put(&o.Config, object)
			}
		case *appsv1.DaemonSet:
			err = put(&o.DaemonSet, object)
		case *monitoringv1.PodMonitor:
			err = put(&o.PodMonitor, object)
		case *monitoringv1.PrometheusRule:
			err = put(&o.Rules, object)
		case *corev1.Pod:
			err = put(&o.Test, object)
		default:
			err = fmt.Errorf("unexpected %T", object)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// put sets what may be there once.
func put[T any](target **T, object *T) error {
	if *target != nil {
		return fmt.Errorf("more than one %T", object)
	}
	*target = object
	return nil
}

func decodeAll(data []byte) ([]runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, monitoringv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()

	var all []runtime.Object
	for documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(data))); ; {
		document := make([]byte, len(data)+1)
		n, err := documents.Read(document)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		document = document[:n]
		if len(bytes.TrimSpace(yamlComments(document))) == 0 {
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w:\n%s", err, document)
		}
		all = append(all, object)
	}
}

// yamlComments returns a document without the lines that are comments or separate it from others.
func yamlComments(document []byte) []byte {
	var rest []byte
	for line := range bytes.Lines(document) {
		if !bytes.HasPrefix(line, []byte("#")) && !bytes.HasPrefix(line, []byte("---")) {
			rest = append(rest, line...)
		}
	}
	return rest
}
