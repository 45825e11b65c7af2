// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nflog-exporter/nflog_exporter/test/kerneltest"
	"github.com/nflog-exporter/nflog_exporter/tools/filecap"
)

// program is the exporter as in the image: with a file capability. The file has no name any more,
// so that nothing remains after the test.
var program = sync.OnceValues(func() (*os.File, error) {
	dir, err := os.MkdirTemp("", "nflog_exporter")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("make", "build", "PREFIX="+dir)
	cmd.Dir = tree
	if _, err := output(cmd); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "nflog_exporter")
	if err := filecap.PermitNetAdmin(path); err != nil {
		return nil, err
	}
	return os.Open(path)
})

// programPath returns the path of the exporter.
func programPath(t testing.TB) string {
	t.Helper()
	kerneltest.Require(t, "make")
	f, err := program()
	must(t, err)
	return fmt.Sprintf("/proc/self/fd/%d", f.Fd())
}

// A node is a node of the cluster, on which the exporter runs.
type node struct {
	ip      string // its address in Kubernetes
	volumes string // directory with a subdirectory for each volume of the pod
}

// arguments returns the exporter's arguments on the node, with variables expanded and paths below volumes.
func (n node) arguments(o *objects) []string {
	variables := make(map[string]string)
	for _, v := range o.container().Env {
		if v.ValueFrom != nil && v.ValueFrom.FieldRef.FieldPath == "status.hostIP" {
			variables[v.Name] = n.ip
		}
	}
	var all []string
	for _, arg := range o.container().Args {
		arg = expand(arg, variables)
		for _, m := range o.container().VolumeMounts {
			arg = strings.ReplaceAll(arg, "="+m.MountPath+"/", "="+filepath.Join(n.volumes, m.Name)+"/")
		}
		all = append(all, arg)
	}
	return all
}

// expand expands an argument like the kubelet: $(NAME) becomes the value of a variable that exists, and $$ a dollar.
func expand(arg string, variables map[string]string) string {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(arg, "$")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		arg = after
		name, rest, isReference := strings.Cut(strings.TrimPrefix(after, "("), ")")
		value, known := variables[name]
		switch {
		case strings.HasPrefix(after, "$"):
			b.WriteByte('$')
			arg = after[1:]
		case strings.HasPrefix(after, "(") && isReference && known:
			b.WriteString(value)
			arg = rest
		default:
			b.WriteByte('$')
		}
	}
}

// mount makes the volume of the chart's ConfigMap, or updates it. Like the kubelet, it writes the files into a folder of their
// own, and then replaces a symbolic link to the folder.
func (n node) mount(o *objects) error {
	if o.Config == nil {
		return nil
	}
	volume := filepath.Join(n.volumes, "config")
	if err := os.MkdirAll(volume, 0o755); err != nil {
		return err
	}
	version, err := os.MkdirTemp(volume, "..")
	if err != nil {
		return err
	}
	err = os.Chmod(version, 0o755)
	for name, content := range o.Config.Data {
		err = errors.Join(err, os.WriteFile(filepath.Join(version, name), []byte(content), 0o644))
		if link := os.Symlink(filepath.Join("..data", name), filepath.Join(volume, name)); !errors.Is(link, os.ErrExist) {
			err = errors.Join(err, link)
		}
	}
	next := filepath.Join(volume, "..data_tmp")
	return errors.Join(err, os.Symlink(filepath.Base(version), next), os.Rename(next, filepath.Join(volume, "..data")))
}

// write makes a volume with files that everybody may read.
func (n node) write(volume string, files map[string]string) error {
	dir := filepath.Join(n.volumes, volume)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// checkAccepted checks the exporter's arguments and its configuration file with --config.check.
func checkAccepted(t *testing.T, o *objects) {
	t.Helper()
	n := node{ip: "192.0.2.1", volumes: t.TempDir()}
	must(t, n.mount(o))
	for _, v := range o.podTemplate().Spec.Volumes {
		if v.ConfigMap != nil && o.Config == nil { // existingConfigMap
			must(t, n.write(v.Name, map[string]string{"nflog.yml": ""}))
		}
		if v.Projected != nil {
			must(t, n.write(v.Name, map[string]string{"web.yml": "", "config.yml": ""}))
		}
	}
	if _, err := output(exec.Command(programPath(t), append(n.arguments(o), "--config.check")...)); err != nil {
		t.Error(err)
	}
}
