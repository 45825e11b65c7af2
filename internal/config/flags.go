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
		err = o.checkNamespaces()
	}
	if err == nil {
		err = o.Web.checkConfigFile()
	}
	if err == nil {
		o.inForce, err = settings(app, args)
	}
	if err == nil {
		o.ConfigCheck = o.ConfigCheck || len(o.checkPrefixes) > 0 || len(o.checkInterfaces) > 0
		return o, false, nil
	}
	if _, ok := errors.AsType[*FlagError](err); !ok {
		err = withCure(app, args, err)
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
		"YAML file with groups, prefix rules and networks. Read again on SIGHUP.").StringVar(&o.ConfigFile)
	addFlag(app, "config.reload-interval", "0s",
		"Read the configuration file again this often, and apply it if it has changed. 0s for never.",
		timeoutOrNever(), &o.ReloadInterval)
	addCheckFlags(app, o)
	addWebFlags(app, &o.Web)

	addFlag(app, "log.level", "info",
		"Log messages of this severity and above: debug, info, warn or error.",
		oneOf("debug", "info", "warn", "error"), &o.LogLevel)
	addFlag(app, "log.format", "logfmt",
		"Format of log messages: logfmt or json.",
		oneOf("logfmt", "json"), &o.LogFormat)
	return app, o
}

// withCure adds to an error of kingpin which flag the user may have meant.
func withCure(app *kingpin.Application, args []string, err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "unknown long flag '--")
	name = strings.TrimSuffix(name, "'")
	if !unknown {
		name = singleDashed(err.Error(), args)
	}
	if flag := likelyFlag(app, name); flag != "" {
		return fmt.Errorf("%w, did you mean --%s? Try --help", err, flag)
	}
	return fmt.Errorf("%w, try --help", err)
}

// singleDashed returns the name of the argument that kingpin took for short flags, according to its error, or "" for none.
func singleDashed(text string, args []string) string {
	short, ok := strings.CutPrefix(text, "unknown short flag '")
	if !ok {
		return ""
	}
	short = strings.TrimSuffix(short, "'")
	for _, arg := range args {
		if name, _, _ := strings.Cut(arg, "="); strings.HasPrefix(name, short) {
			return name[1:]
		}
	}
	return ""
}

// likelyFlag returns the flag that a wrong name may stand for, or "" if there is none.
func likelyFlag(app *kingpin.Application, wrong string) string {
	if len(wrong) < minBeginning {
		return ""
	}
	wrong, isNegated := strings.CutPrefix(wrong, "no-")
	full := make(map[string]string) // by the part after the section
	var names, shorts []string
	for _, f := range app.Model().Flags {
		if f.Hidden || isNegated && !f.IsBoolFlag() {
			continue
		}
		names = append(names, f.Name)
		if _, short, ok := strings.Cut(f.Name, "."); ok {
			shorts = append(shorts, short)
			full[short] = f.Name
		}
	}
	name := closest(wrong, names)
	if name == "" {
		name = full[closest(wrong, shorts)]
	}
	if name != "" && isNegated {
		name = "no-" + name
	}
	return name
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
