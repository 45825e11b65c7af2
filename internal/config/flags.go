// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads the command line and the configuration file.
package config

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

const (
	// Program is the name of the exporter.
	Program = "nflog_exporter"

	// Description says in a line what it is.
	Description   = "Prometheus exporter for what Linux firewalls log to NFLOG groups."
	listenAddress = ":10100"

	// defaultBatchBuffer is the largest that the kernel takes.
	defaultBatchBuffer = "128KiB"
)

// Web is what the command line says of serving.
type Web struct {
	Toolkit                *web.FlagConfig
	TelemetryPath          string
	DisableExporterMetrics bool
	MaxRequests            int
	Lifecycle              bool
}

// checkConfigFile reads the file of --web.config.file, and those that it names.
func (o *Web) checkConfigFile() error {
	file := *o.Toolkit.WebConfigFile
	if err := web.Validate(file); err != nil {
		return &FlagError{Flag: "web.config.file", Value: file, Err: fmt.Errorf("must be a valid web configuration file: %w", err)}
	}
	return nil
}

// Options is what the command line says.
type Options struct {
	groups    []uint16
	groupsSet bool                  // on the command line
	netns     []string              // as GroupConfig has them
	settings  collector.GroupConfig // of each group; Group is left zero
	collector collector.Config      // but for the groups
	Web       Web

	ConfigFile  string
	ConfigCheck bool

	LogLevel string
	// LogFormat is logfmt or json.
	LogFormat string
}

// CollectorConfig returns the part of the options that concerns the collector, with what the
// configuration file says.
func (o *Options) CollectorConfig(file File, logger log.Logger) collector.Config {
	cfg := o.collector
	cfg.Logger = logger
	cfg.Groups = o.groupConfigs(file.Groups)
	cfg.PrefixRules = file.Rules
	return cfg
}

// groupConfigs returns the groups of the configuration file, or those of the flags if it has none,
// in each network namespace.
func (o *Options) groupConfigs(fromFile []collector.GroupConfig) []collector.GroupConfig {
	groups := fromFile
	if len(groups) == 0 {
		for _, group := range o.groups {
			g := o.settings
			g.Group = group
			groups = append(groups, g)
		}
	}
	var configs []collector.GroupConfig
	for _, netns := range o.netns {
		for _, g := range groups {
			g.NetNS = netns
			configs = append(configs, g)
		}
	}
	return configs
}

// Load reads the configuration file, if there is one. Mistakes in the file name their places, other errors
// the flag.
func (o *Options) Load() (File, []Diagnostic, error) {
	if o.ConfigFile == "" {
		return File{}, nil, nil
	}
	file, warnings, err := loadConfigFile(o.ConfigFile, o.settings, o.groupsSet)
	if m := Diagnostics(nil); err != nil && !errors.As(err, &m) {
		err = &FlagError{Flag: "config.file", Value: o.ConfigFile, Err: fmt.Errorf("must be a valid configuration file: %w", err)}
	}
	return file, warnings, err
}

// newApp returns the command line's grammar and the options that parsing with
// it fills.
func newApp() (*kingpin.Application, *Options) {
	app := kingpin.New(Program, Description)
	app.HelpFlag.Help("Show this help.").Short('h')
	app.Version(version.Print(Program))

	o := &Options{}
	addGroupFlags(app, o)
	addCollectorFlags(app, &o.collector)
	app.Flag("config.file",
		"YAML file with groups and prefix rules. Read again on SIGHUP.").StringVar(&o.ConfigFile)
	app.Flag("config.check",
		"Check flags and configuration file, report every mistake, and exit.").BoolVar(&o.ConfigCheck)
	addWebFlags(app, &o.Web)

	addFlag(app, "log.level", "info",
		"Log messages of this severity and above: debug, info, warn or error.",
		oneOf("debug", "info", "warn", "error"), &o.LogLevel)
	addFlag(app, "log.format", "logfmt",
		"Format of log messages: logfmt or json.",
		oneOf("logfmt", "json"), &o.LogFormat)

	return app, o
}

func addGroupFlags(app *kingpin.Application, o *Options) {
	addRepeatableFlag(app, "nflog.group", "100",
		"Number of an NFLOG group to read. Repeatable.",
		groupDomain, &o.groups)
	app.GetFlag("nflog.group").IsSetByUser(&o.groupsSet)
	addRepeatableFlag(app, "nflog.netns", ownNamespace,
		"Network namespace to read the groups in: own, a name under /run/netns, or a path. Repeatable.",
		namespaces(), &o.netns)
	addFlag(app, "nflog.copy-range", "128B",
		"Bytes of each packet that the kernel copies, 1B to 65531B. The default covers the headers.",
		copyRangeDomain, &o.settings.CopyRange)
	addFlag(app, "nflog.queue-threshold", "65535",
		"Packets that the kernel gathers in a batch at most, 1 to 65535. A rule can ask for fewer.",
		queueThresholdDomain, &o.settings.QueueThreshold)
	addFlag(app, "nflog.queue-timeout", "500ms",
		"Longest time that a packet waits in the kernel for its batch, thus how far counters lag: 10ms to 1h, in steps of 10ms.",
		queueTimeoutDomain, &o.settings.QueueTimeout)
	addFlag(app, "nflog.batch-buffer", defaultBatchBuffer,
		"Bytes of a batch in the kernel, 3776B to 128KiB. It rounds up what it allocates: 256KiB for 128KiB.",
		batchBufferDomain, &o.settings.BatchBuffer)
	addFlag(app, "nflog.socket-buffer", "16MiB",
		"Receive buffer of each group's socket, 4KiB to 1GiB. Without CAP_NET_ADMIN in the initial user namespace the kernel cuts it to net.core.rmem_max.",
		socketBufferDomain, &o.settings.SocketBuffer)
}

func addWebFlags(app *kingpin.Application, o *Web) {
	o.Toolkit = kingpinflag.AddFlags(app, listenAddress)
	app.GetFlag("web.listen-address").Help(
		"Address on which to expose metrics and web interface, as `:10100` or `[::1]:10100`. Repeatable.")
	addFlag(app, "web.telemetry-path", "/metrics",
		"Path under which to expose metrics.",
		telemetryPath(), &o.TelemetryPath)
	app.Flag("web.disable-exporter-metrics",
		"Exclude metrics about the exporter itself (promhttp_*, process_*, go_*), except its build information.").
		BoolVar(&o.DisableExporterMetrics)
	app.Flag("web.enable-lifecycle",
		"Read the configuration file again on POST /-/reload.").BoolVar(&o.Lifecycle)
	addFlag(app, "web.max-requests", "40",
		"Scrapes that are served at the same time; further ones are answered with 503. 0 for no limit.",
		numberBetween[int](0, 1_000_000), &o.MaxRequests)
}

// Parse reads the command line. Where it only asked for help or the
// version, these have been written to stdout and done is true.
func Parse(args []string, stdout io.Writer) (o *Options, done bool, err error) {
	app, o := newApp()
	app.UsageWriter(stdout)
	app.Terminate(func(int) {
		// Kingpin counts on not returning from here, and would write what
		// a further flag asks for, too.
		app.UsageWriter(io.Discard)
		done = true
	})

	err = checkSwitches(app, args)
	if err == nil {
		_, err = app.Parse(args)
	}
	if done {
		return nil, true, nil
	}
	if err == nil {
		err = checkHistogramLabels(&o.collector)
	}
	if err == nil {
		err = o.Web.checkConfigFile()
	}
	if err == nil {
		return o, false, nil
	}

	if bad := (*FlagError)(nil); !errors.As(err, &bad) {
		err = fmt.Errorf("%w, try --help", err)
	}
	return nil, false, err
}

// checkSwitches finds values that were given to flags which take none. Kingpin
// would call them unexpected without saying where.
func checkSwitches(app *kingpin.Application, args []string) error {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		name, isLong := strings.CutPrefix(arg, "--")
		name, value, hasValue := strings.Cut(name, "=")
		if !isLong || !hasValue {
			continue
		}
		flag := app.GetFlag(strings.TrimPrefix(name, "no-"))
		if flag != nil && flag.Model().IsBoolFlag() {
			return &FlagError{Flag: name, Value: value, Err: errors.New("must be given without a value")}
		}
	}
	return nil
}
