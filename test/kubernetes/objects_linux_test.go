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

// The Helm release and its namespace.
const (
	release   = "nflog-exporter"
	namespace = "monitoring"
)

// objects are the objects that the chart renders. Those that it does not render are nil.
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

// podTemplate returns the pod template of the DaemonSet.
func (o *objects) podTemplate() *corev1.PodTemplateSpec { return &o.DaemonSet.Spec.Template }

// container returns the exporter's container.
func (o *objects) container() *corev1.Container { return &o.podTemplate().Spec.Containers[0] }

// endpoint returns the endpoint of the PodMonitor.
func (o *objects) endpoint() *monitoringv1.PodMetricsEndpoint {
	return &o.PodMonitor.Spec.PodMetricsEndpoints[0]
}

// render returns the objects of the chart with values in YAML and further arguments of helm template.
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

// template returns the output of helm template. The error contains its error output.
func template(t testing.TB, values string, args ...string) ([]byte, error) {
	t.Helper()
	return templateOf(t, release, values, args...)
}

// templateOf is template for a release of another name.
func templateOf(t testing.TB, release, values string, args ...string) ([]byte, error) {
	t.Helper()
	helm := kerneltest.Require(t, "helm")
	cmd := exec.Command(helm, append([]string{"template", release, chart, "--namespace", namespace, "--values", "-"}, args...)...)
	cmd.Stdin = strings.NewReader(values)
	return output(cmd)
}

// output runs a command and returns its standard output. The error contains its error output.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%v: %w: %s", cmd.Args, err, stderr.Bytes())
	}
	return stdout.Bytes(), err
}

// decode decodes YAML documents. It returns an error for fields that Kubernetes and the Prometheus operator don't know, and for
// duplicate fields and objects.
func decode(data []byte) (*objects, error) {
	all, err := decodeAll(data)
	if err != nil {
		return nil, err
	}
	o := &objects{}
	for _, object := range all {
		switch object := object.(type) {
		case *corev1.Namespace:
			err = setOnce(&o.Namespace, object)
		case *corev1.ServiceAccount:
			err = setOnce(&o.ServiceAccount, object)
		case *corev1.ConfigMap:
			if strings.Contains(object.Name, "-dashboard-") {
				o.Dashboards = append(o.Dashboards, object)
			} else {
				err = setOnce(&o.Config, object)
			}
		case *appsv1.DaemonSet:
			err = setOnce(&o.DaemonSet, object)
		case *monitoringv1.PodMonitor:
			err = setOnce(&o.PodMonitor, object)
		case *monitoringv1.PrometheusRule:
			err = setOnce(&o.Rules, object)
		case *corev1.Pod:
			err = setOnce(&o.Test, object)
		default:
			err = fmt.Errorf("unexpected %T", object)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// setOnce sets target, and returns an error if it is set already.
func setOnce[T any](target **T, object *T) error {
	if *target != nil {
		return fmt.Errorf("more than one %T", object)
	}
	*target = object
	return nil
}

// decodeAll decodes YAML documents strictly, in their order.
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
		if len(bytes.TrimSpace(withoutComments(document))) == 0 {
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w:\n%s", err, document)
		}
		all = append(all, object)
	}
}

// withoutComments returns a document without comment lines and document separators.
func withoutComments(document []byte) []byte {
	var rest []byte
	for line := range bytes.Lines(document) {
		if !bytes.HasPrefix(line, []byte("#")) && !bytes.HasPrefix(line, []byte("---")) {
			rest = append(rest, line...)
		}
	}
	return rest
}
