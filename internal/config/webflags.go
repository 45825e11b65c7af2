// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
	"go.yaml.in/yaml/v4"
	"golang.org/x/crypto/bcrypt"
)

const listenAddress = ":10100"

// StatusPath is where the page's facts are served as JSON.
const StatusPath = "/status.json"

// Web is the part of the command line about serving.
type Web struct {
	Toolkit                *web.FlagConfig // listening addresses, TLS and passwords
	TelemetryPath          string
	DisableExporterMetrics bool
	MaxRequests            int // served at a time, 0 for no limit
	EnableLifecycle        bool
}

func addWebFlags(app *kingpin.Application, o *Web) {
	o.Toolkit = kingpinflag.AddFlags(app, listenAddress)
	app.GetFlag("web.listen-address").Help(
		"Address on which to expose metrics and web interface, like `:10100` or `[::1]:10100`. Repeatable.")
	addFlag(app, "web.telemetry-path", "/metrics",
		"Path under which to expose metrics.",
		telemetryPath(), &o.TelemetryPath)
	app.Flag("web.disable-exporter-metrics",
		"Exclude metrics about the exporter itself (promhttp_*, process_*, go_*), except its build information.").
		BoolVar(&o.DisableExporterMetrics)
	app.Flag("web.enable-lifecycle",
		"Read the configuration file again on POST /-/reload.").BoolVar(&o.EnableLifecycle)
	addFlag(app, "web.max-requests", "40",
		"Maximum number of clients that read metrics at a time. Further ones wait for one that reads nothing, or get status 503. 0 for no limit.",
		numberBetween[int](0, maxRequests), &o.MaxRequests)
}

// telemetryPath takes paths that are the same on a command line, in a URL and in a pattern of http.ServeMux, and that the
// exporter does not use itself.
func telemetryPath() valueParser[string] {
	valid := regexp.MustCompile(`^/([A-Za-z0-9._~-]+/?)*$`)
	p := valueParser[string]{
		allowed: "/ or a path like /metrics, of letters, digits and -._~ between single slashes, outside /-/ and not " + StatusPath,
		parse: func(s string) (string, bool) {
			clean := path.Clean(s) == s || path.Clean(s)+"/" == s
			return s, clean && valid.MatchString(s) && !strings.HasPrefix(s, "/-/") && s != StatusPath
		},
	}
	p.hint = func(s string) string {
		if s == "" {
			return ""
		}
		return firstAllowed(p, "/"+s)
	}
	return p
}

// checkConfigFile reads the file of --web.config.file, and those that it names.
func (o *Web) checkConfigFile() error {
	file := *o.Toolkit.WebConfigFile
	if file == "" {
		return nil
	}
	_, err := inTime(func() (struct{}, error) {
		if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
			return struct{}{}, notRegular(file, info)
		}
		err := web.Validate(file)
		if err == nil {
			return struct{}{}, nil
		}
		if users := withoutHash(file); len(users) > 0 {
			err = fmt.Errorf("the password of %s must be a bcrypt hash, as htpasswd -nBC 10 %s prints it", strings.Join(users, ", "), users[0])
		}
		return struct{}{}, err
	})
	if err != nil {
		return &FlagError{Flag: "web.config.file", Value: file, Err: fmt.Errorf("must be a valid web configuration file: %w", err)}
	}
	return nil
}

// withoutHash returns the users in a web configuration file, quoted and sorted, of whom the password is not a bcrypt hash.
// The error of package web does not name them.
func withoutHash(file string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var c struct {
		Users map[string]string `yaml:"basic_auth_users"`
	}
	if yaml.Unmarshal(data, &c) != nil {
		return nil
	}
	var users []string
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		if _, err := bcrypt.Cost([]byte(c.Users[name])); err != nil {
			users = append(users, strconv.Quote(name))
		}
	}
	return users
}
