// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

// Parse reads the command line, and the file of --web.config.file. For --help and --version, it writes them to stdout and
// returns that all is done.
//
// A bad value is reported as a [FlagError].
func Parse(args []string, stdout io.Writer) (o *Options, done bool, err error) {
	app, o := newApp()
	app.UsageWriter(stdout)
	app.Terminate(func(int) {
		// Kingpin expects that this does not return. It goes on to the next flag, which could write something, too.
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
	if _, ok := errors.AsType[*FlagError](err); !ok {
		err = fmt.Errorf("%w, try --help", err)
	}
	return nil, false, err
}

// newApp returns the flags, and the options that they set.
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

// checkSwitches finds values of flags that take none. Kingpin reports such a value as unexpected, but not its flag.
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
