// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/nflog-exporter/nflog_exporter/collector"
)

const (
	description   = "Prometheus exporter for what Linux firewalls log to NFLOG groups."
	listenAddress = ":10100"

	// defaultBatchBuffer is the largest that the kernel takes.
	defaultBatchBuffer = "128KiB"
)

// options is what the command line says.
type options struct {
	groups   []uint16
	settings collector.GroupConfig // of each group; Group is left zero
	web      webOptions
	logLevel string
	// logFormat is logfmtFormat or jsonFormat.
	logFormat string
}

// collectorConfig returns the part of the options that concerns the collector.
func (o *options) collectorConfig(logger log.Logger) collector.Config {
	cfg := collector.Config{Logger: logger}
	for _, group := range o.groups {
		g := o.settings
		g.Group = group
		cfg.Groups = append(cfg.Groups, g)
	}
	return cfg
}

// newApp returns the command line's grammar and the options that parsing with
// it fills.
func newApp() (*kingpin.Application, *options) {
	app := kingpin.New(program, description)
	app.HelpFlag.Help("Show this help.").Short('h')
	app.Version(version.Print(program))

	o := &options{}
	addGroupFlags(app, o)
	addWebFlags(app, &o.web)

	addFlag(app, "log.level", "info",
		"Log messages of this severity and above: debug, info, warn or error.",
		oneOf("debug", "info", "warn", "error"), &o.logLevel)
	addFlag(app, "log.format", logfmtFormat,
		"Format of log messages: logfmt or json.",
		oneOf(logfmtFormat, jsonFormat), &o.logFormat)

	return app, o
}

func addGroupFlags(app *kingpin.Application, o *options) {
	addRepeatableFlag(app, "nflog.group", "100",
		"Number of an NFLOG group to read. Repeatable.",
		numberBetween[uint16](0, 65535), &o.groups)
	addFlag(app, "nflog.copy-range", "128B",
		"Bytes of each packet that the kernel copies, 1B to 65531B. The default covers the headers.",
		sizeBetween[uint32](1, 65531), &o.settings.CopyRange)
	addFlag(app, "nflog.queue-threshold", "65535",
		"Packets that the kernel gathers in a batch at most, 1 to 65535. A rule can ask for fewer.",
		numberBetween[uint32](1, 65535), &o.settings.QueueThreshold)
	addFlag(app, "nflog.queue-timeout", "500ms",
		"Longest time that a packet waits in the kernel for its batch, thus how far counters lag: 10ms to 1h, in steps of 10ms.",
		durationBetween(10*time.Millisecond, time.Hour, 10*time.Millisecond), &o.settings.QueueTimeout)
	addFlag(app, "nflog.batch-buffer", defaultBatchBuffer,
		"Bytes of a batch in the kernel, 3776B to 128KiB. It rounds up what it allocates: 256KiB for 128KiB.",
		sizeBetween[uint32](3776, 128*kibibyte), &o.settings.BatchBuffer)
	addFlag(app, "nflog.socket-buffer", "16MiB",
		"Receive buffer of each group's socket, 4KiB to 1GiB. Without CAP_NET_ADMIN in the initial user namespace the kernel cuts it to net.core.rmem_max.",
		sizeBetween[int](4*kibibyte, gibibyte), &o.settings.SocketBuffer)
}

func addWebFlags(app *kingpin.Application, o *webOptions) {
	o.toolkit = kingpinflag.AddFlags(app, listenAddress)
	app.GetFlag("web.listen-address").Help(
		"Address on which to expose metrics and web interface, as `:10100` or `[::1]:10100`. Repeatable.")
	addFlag(app, "web.telemetry-path", "/metrics",
		"Path under which to expose metrics.",
		telemetryPath(), &o.telemetryPath)
	app.Flag("web.disable-exporter-metrics",
		"Exclude metrics about the exporter itself (promhttp_*, process_*, go_*), except its build information.").
		BoolVar(&o.disableExporterMetrics)
	addFlag(app, "web.max-requests", "40",
		"Scrapes that are served at the same time; further ones are answered with 503. 0 for no limit.",
		numberBetween[int](0, 1_000_000), &o.maxRequests)
}

// parseFlags reads the command line. Where it only asked for help or the
// version, these have been written to stdout and done is true.
func parseFlags(args []string, stdout io.Writer) (o *options, done bool, err error) {
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
		err = o.web.checkConfigFile()
	}
	if err == nil {
		return o, false, nil
	}

	if bad := (*flagError)(nil); !errors.As(err, &bad) {
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
			return &flagError{flag: name, value: value, err: errors.New("must be given without a value")}
		}
	}
	return nil
}

// flagError says what is wrong with the value of a flag.
type flagError struct {
	flag  string // without dashes
	value string
	err   error // what is allowed, and what is wrong where that isn't plain
}

// Error implements error.
func (e *flagError) Error() string {
	return fmt.Sprintf("--%s=%q: %v", e.flag, e.value, e.err)
}

// Unwrap returns what is wrong with the value.
func (e *flagError) Unwrap() error { return e.err }

// domain is a set of values that a flag can take.
type domain[T comparable] struct {
	allowed string // continues "must be"
	parse   func(string) (T, bool)
}

func numberBetween[T ~int | ~uint16 | ~uint32](lowest, highest T) domain[T] {
	return domain[T]{
		allowed: fmt.Sprintf("a number from %d to %d", lowest, highest),
		parse: func(s string) (T, bool) {
			n, err := strconv.ParseUint(s, 10, 64)
			return T(n), err == nil && uint64(lowest) <= n && n <= uint64(highest)
		},
	}
}

func sizeBetween[T ~int | ~uint32](lowest, highest T) domain[T] {
	return domain[T]{
		allowed: fmt.Sprintf("%s to %s, written like 128, 128B or 64KiB", formatSize(uint64(lowest)), formatSize(uint64(highest))),
		parse: func(s string) (T, bool) {
			n, ok := parseSize(s)
			return T(n), ok && uint64(lowest) <= n && n <= uint64(highest)
		},
	}
}

func durationBetween(lowest, highest, step time.Duration) domain[time.Duration] {
	return domain[time.Duration]{
		allowed: fmt.Sprintf("a multiple of %v from %v to %v", step, lowest, highest),
		parse: func(s string) (time.Duration, bool) {
			d, err := time.ParseDuration(s)
			return d, err == nil && lowest <= d && d <= highest && d%step == 0
		},
	}
}

func oneOf(names ...string) domain[string] {
	return domain[string]{
		allowed: "one of " + strings.Join(names, ", "),
		parse:   func(s string) (string, bool) { return s, slices.Contains(names, s) },
	}
}

// telemetryPath allows what is the same path on a command line, in a URL and
// in a pattern of http.ServeMux, and is not the exporter's own.
func telemetryPath() domain[string] {
	valid := regexp.MustCompile(`^/([A-Za-z0-9._~-]+/?)*$`)
	return domain[string]{
		allowed: "/ or a path like /metrics, of letters, digits and -._~ between single slashes, outside /-/",
		parse: func(s string) (string, bool) {
			clean := path.Clean(s) == s || path.Clean(s)+"/" == s
			return s, clean && valid.MatchString(s) && !strings.HasPrefix(s, "/-/")
		},
	}
}

// value is a kingpin.Value over a domain. Its errors name the flag, which
// those of kingpin's own values often do not.
type value[T comparable] struct {
	flag   string
	domain domain[T]
	target *T
}

// Set implements kingpin.Value.
func (v *value[T]) Set(s string) error {
	t, ok := v.domain.parse(s)
	if !ok {
		return &flagError{flag: v.flag, value: s, err: errors.New("must be " + v.domain.allowed)}
	}
	*v.target = t
	return nil
}

// String implements kingpin.Value.
func (v *value[T]) String() string { return fmt.Sprint(*v.target) }

// distinctValues is a kingpin.Value that collects those of a flag that can be
// given more than once.
type distinctValues[T comparable] struct {
	flag    string
	domain  domain[T]
	targets *[]T
}

// Set implements kingpin.Value.
func (v *distinctValues[T]) Set(s string) error {
	var t T
	if err := (&value[T]{v.flag, v.domain, &t}).Set(s); err != nil {
		return err
	}
	if slices.Contains(*v.targets, t) {
		return &flagError{flag: v.flag, value: s, err: errors.New("must not be given more than once")}
	}
	*v.targets = append(*v.targets, t)
	return nil
}

// String implements kingpin.Value.
func (v *distinctValues[T]) String() string { return fmt.Sprint(*v.targets) }

// IsCumulative tells kingpin that the flag may be repeated.
func (v *distinctValues[T]) IsCumulative() bool { return true }

func addFlag[T comparable](app *kingpin.Application, name, def, help string, d domain[T], target *T) {
	app.Flag(name, help).Default(def).SetValue(&value[T]{name, d, target})
}

func addRepeatableFlag[T comparable](app *kingpin.Application, name, def, help string, d domain[T], targets *[]T) {
	app.Flag(name, help).Default(def).SetValue(&distinctValues[T]{name, d, targets})
}

const (
	kibibyte = 1 << 10
	mebibyte = 1 << 20
	gibibyte = 1 << 30
)

// parseSize reads a size in bytes, KiB, MiB or GiB.
func parseSize(s string) (uint64, bool) {
	digits := strings.TrimRight(s, "BiKMG")
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, false
	}
	switch s[len(digits):] {
	case "", "B":
		return n, true
	case "KiB":
		return n * kibibyte, true
	case "MiB":
		return n * mebibyte, true
	case "GiB":
		return n * gibibyte, true
	}
	return 0, false
}

// formatSize writes a size in the largest unit that needs no fraction.
func formatSize(n uint64) string {
	switch {
	case n%gibibyte == 0:
		return fmt.Sprintf("%dGiB", n/gibibyte)
	case n%mebibyte == 0:
		return fmt.Sprintf("%dMiB", n/mebibyte)
	case n%kibibyte == 0:
		return fmt.Sprintf("%dKiB", n/kibibyte)
	}
	return fmt.Sprintf("%dB", n)
}
