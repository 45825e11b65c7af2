// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A refusal is a command line that Parse or Load refuses.
type refusal struct {
	name string
	args []string
	want string // the error
}

func TestParseRefuses(t *testing.T) {
	tests := slices.Concat(groupRefusals(), collectorRefusals(), configFileRefusals(t), webRefusals(t), otherRefusals())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			o, done, err := Parse(tt.args, &stdout)
			if err == nil {
				_, _, err = o.Load()
			}
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("unexpected error (-want +got):\n%s", diff)
			}
			if done {
				t.Error("done")
			}
			if stdout.Len() != 0 {
				t.Errorf("unexpected stdout: %q", stdout.String())
			}
		})
	}

	t.Run("every flag is among these", func(t *testing.T) {
		for _, name := range visibleFlags() {
			found := name == "web.listen-address" // web.Listen refuses its values
			for _, tt := range tests {
				found = found || strings.HasPrefix(tt.want, "--"+name+"=")
			}
			if !found {
				t.Errorf("no bad value of --%s", name)
			}
		}
	})
}

// visibleFlags returns the names of the flags that help lists, in its order.
func visibleFlags() []string {
	app, _ := newApp()
	var names []string
	for _, f := range app.Model().Flags {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	}
	return names
}

// sizesRefused ends the text about a bad size.
const sizesRefused = ", written like 128, 128B or 64KiB"

// groupRefusals are bad values of the flags about groups.
func groupRefusals() []refusal {
	const sizes = sizesRefused
	const namespaces = "must be own, a name under /run/netns, a path that begins with /, or a pattern of such names or paths with * ? [ ]"
	return []refusal{
		{name: "group no number", args: []string{"--nflog.group=all"}, want: `--nflog.group="all": must be a number from 0 to 65535`},
		{name: "group empty", args: []string{"--nflog.group="}, want: `--nflog.group="": must be a number from 0 to 65535`},
		{name: "group too large", args: []string{"--nflog.group", "65536"}, want: `--nflog.group="65536": must be a number from 0 to 65535`},
		{name: "group negative", args: []string{"--nflog.group=-1"}, want: `--nflog.group="-1": must be a number from 0 to 65535`},
		{name: "group list", args: []string{"--nflog.group=1,2"}, want: `--nflog.group="1,2": must be a number from 0 to 65535: repeat the flag, --nflog.group=1 --nflog.group=2`},
		{name: "group list with space", args: []string{"--nflog.group", "1, 2"}, want: `--nflog.group="1, 2": must be a number from 0 to 65535: repeat the flag, --nflog.group=1 --nflog.group=2`},
		{name: "group list with a bad one", args: []string{"--nflog.group=1,all"}, want: `--nflog.group="1,all": must be a number from 0 to 65535`},
		{name: "group over several lines", args: []string{"--nflog.group=1\n2"}, want: `--nflog.group="1\n2": must be a number from 0 to 65535`},
		{name: "group beyond 64 bits", args: []string{"--nflog.group=18446744073709551717"}, want: `--nflog.group="18446744073709551717": must be a number from 0 to 65535`},
		{name: "second group", args: []string{"--nflog.group=5", "--nflog.group=x"}, want: `--nflog.group="x": must be a number from 0 to 65535`},
		{name: "duplicate group", args: []string{"--nflog.group=5", "--nflog.group=6", "--nflog.group=05"}, want: `--nflog.group="05": must not be given more than once`},

		{name: "namespace empty", args: []string{"--nflog.netns="}, want: `--nflog.netns="": ` + namespaces},
		{name: "namespace by relative path", args: []string{"--nflog.netns=run/netns/blue"}, want: `--nflog.netns="run/netns/blue": ` + namespaces + `: write /run/netns/blue`},
		{name: "namespace of dots", args: []string{"--nflog.netns=.."}, want: `--nflog.netns="..": ` + namespaces},
		{name: "namespace not in UTF-8", args: []string{"--nflog.netns=/run/netns/bl\xfce"}, want: `--nflog.netns="/run/netns/bl\xfce": ` + namespaces},
		{name: "namespace by name and path", args: []string{"--nflog.netns=blue", "--nflog.netns=/var/run/netns/blue"}, want: `--nflog.netns="/var/run/netns/blue": must not be given as "blue", too: both are /run/netns/blue`},
		{name: "own namespace and its path", args: []string{"--nflog.netns=/proc/self/ns/net", "--nflog.netns=own"}, want: `--nflog.netns="own": must not be given as "/proc/self/ns/net", too: both are /proc/self/ns/net`},
		{name: "pattern of namespaces", args: []string{"--nflog.netns=cni-["}, want: `--nflog.netns="cni-[": ` + namespaces},
		{name: "no namespaces", args: []string{"--nflog.max-netns=0"}, want: `--nflog.max-netns="0": must be a number from 1 to 10000`},
		{name: "own namespace twice", args: []string{"--nflog.netns=own", "--nflog.netns=blue", "--nflog.netns=own"}, want: `--nflog.netns="own": must not be given more than once`},

		{name: "copy range zero", args: []string{"--nflog.copy-range=0"}, want: `--nflog.copy-range="0": must be 1B to 65531B` + sizes},
		{name: "copy range too large", args: []string{"--nflog.copy-range=64KiB"}, want: `--nflog.copy-range="64KiB": must be 1B to 65531B` + sizes},
		{name: "copy range with unknown unit", args: []string{"--nflog.copy-range=1kB"}, want: `--nflog.copy-range="1kB": must be 1B to 65531B` + sizes + `: write 1KiB`},
		{name: "copy range with unit alone", args: []string{"--nflog.copy-range=KiB"}, want: `--nflog.copy-range="KiB": must be 1B to 65531B` + sizes},
		{name: "copy range with fraction", args: []string{"--nflog.copy-range=1.5KiB"}, want: `--nflog.copy-range="1.5KiB": must be 1B to 65531B` + sizes},
		{name: "copy range with half a unit", args: []string{"--nflog.copy-range=1Ki"}, want: `--nflog.copy-range="1Ki": must be 1B to 65531B` + sizes + `: write 1KiB`},
		{name: "copy range with space", args: []string{"--nflog.copy-range=96 bytes"}, want: `--nflog.copy-range="96 bytes": must be 1B to 65531B` + sizes + `: write 96B`},

		{name: "queue threshold zero", args: []string{"--nflog.queue-threshold=0"}, want: `--nflog.queue-threshold="0": must be a number from 1 to 65535`},
		{name: "queue threshold too large", args: []string{"--nflog.queue-threshold=65536"}, want: `--nflog.queue-threshold="65536": must be a number from 1 to 65535`},

		{name: "queue timeout without unit", args: []string{"--nflog.queue-timeout=500"}, want: `--nflog.queue-timeout="500": must be a multiple of 10ms from 10ms to 1h0m0s: write 500ms`},
		{name: "queue timeout with space", args: []string{"--nflog.queue-timeout=0.5 s"}, want: `--nflog.queue-timeout="0.5 s": must be a multiple of 10ms from 10ms to 1h0m0s: write 0.5s`},
		{name: "queue timeout in words", args: []string{"--nflog.queue-timeout=2sec"}, want: `--nflog.queue-timeout="2sec": must be a multiple of 10ms from 10ms to 1h0m0s: write 2s`},
		{name: "queue timeout zero", args: []string{"--nflog.queue-timeout=0s"}, want: `--nflog.queue-timeout="0s": must be a multiple of 10ms from 10ms to 1h0m0s`},
		{name: "queue timeout between steps", args: []string{"--nflog.queue-timeout=15ms"}, want: `--nflog.queue-timeout="15ms": must be a multiple of 10ms from 10ms to 1h0m0s`},
		{name: "queue timeout negative", args: []string{"--nflog.queue-timeout=-10ms"}, want: `--nflog.queue-timeout="-10ms": must be a multiple of 10ms from 10ms to 1h0m0s`},
		{name: "queue timeout too long", args: []string{"--nflog.queue-timeout=61m"}, want: `--nflog.queue-timeout="61m": must be a multiple of 10ms from 10ms to 1h0m0s`},

		{name: "batch buffer too small", args: []string{"--nflog.batch-buffer=3775"}, want: `--nflog.batch-buffer="3775": must be 3776B to 128KiB` + sizes},
		{name: "batch buffer too large", args: []string{"--nflog.batch-buffer=131073B"}, want: `--nflog.batch-buffer="131073B": must be 3776B to 128KiB` + sizes},

		{name: "socket buffer too small", args: []string{"--nflog.socket-buffer=4095B"}, want: `--nflog.socket-buffer="4095B": must be 4KiB to 1GiB` + sizes},
		{name: "socket buffer too large", args: []string{"--nflog.socket-buffer=2GiB"}, want: `--nflog.socket-buffer="2GiB": must be 4KiB to 1GiB` + sizes},
		{name: "socket buffer without B", args: []string{"--nflog.socket-buffer=16M"}, want: `--nflog.socket-buffer="16M": must be 4KiB to 1GiB` + sizes + `: write 16MiB`},
		{name: "socket buffer without i", args: []string{"--nflog.socket-buffer=16MB"}, want: `--nflog.socket-buffer="16MB": must be 4KiB to 1GiB` + sizes + `: write 16MiB`},
		{name: "socket buffer in small letters", args: []string{"--nflog.socket-buffer=16mib"}, want: `--nflog.socket-buffer="16mib": must be 4KiB to 1GiB` + sizes + `: write 16MiB`},
		{name: "socket buffer far too large", args: []string{"--nflog.socket-buffer=17179869184GiB"}, want: `--nflog.socket-buffer="17179869184GiB": must be 4KiB to 1GiB` + sizes},
	}
}

// otherRefusals are the other bad command lines.
func otherRefusals() []refusal {
	return []refusal{
		{name: "version with value", args: []string{"--version=2"}, want: `--version="2": must be given without a value`},
		{name: "help with value", args: []string{"--help=all"}, want: `--help="all": must be given without a value`},

		{name: "log level unknown", args: []string{"--log.level=trace"}, want: `--log.level="trace": must be one of debug, info, warn, error`},
		{name: "log level in capitals", args: []string{"--log.level=INFO"}, want: `--log.level="INFO": must be one of debug, info, warn, error: did you mean info?`},
		{name: "log level in full", args: []string{"--log.level=warning"}, want: `--log.level="warning": must be one of debug, info, warn, error: did you mean warn?`},
		{name: "log format unknown", args: []string{"--log.format=text"}, want: `--log.format="text": must be one of logfmt, json`},

		{
			name: "prefix too long", args: []string{"--config.check-prefix=" + strings.Repeat("a", 128)},
			want: `--config.check-prefix="` + strings.Repeat("a", 128) + `": must be at most 127 bytes, as the kernel has it`,
		},
		{name: "prefix twice", args: []string{"--config.check-prefix=a", "--config.check-prefix=a"}, want: `--config.check-prefix="a": must not be given more than once`},
		{name: "interface too long", args: []string{"--config.check-interface=abcdefghijklmnop"}, want: `--config.check-interface="abcdefghijklmnop": must be a name of 1 to 15 bytes without / : and white space`},
		{name: "interface with colon", args: []string{"--config.check-interface=eth0:1"}, want: `--config.check-interface="eth0:1": must be a name of 1 to 15 bytes without / : and white space`},
		{
			name: "interface list", args: []string{"--config.check-interface=eth0,eth 1"},
			want: `--config.check-interface="eth0,eth 1": must be a name of 1 to 15 bytes without / : and white space: ` +
				`repeat the flag, --config.check-interface=eth0 --config.check-interface=eth --config.check-interface=1`,
		},

		{name: "unknown flag", args: []string{"--nflog.groups=1"}, want: `unknown long flag '--nflog.groups', did you mean --nflog.group? Try --help`},
		{name: "unknown flag like none", args: []string{"--colour=always"}, want: `unknown long flag '--colour', try --help`},
		{name: "unknown flag with underscore", args: []string{"--nflog.copy_range", "64"}, want: `unknown long flag '--nflog.copy_range', did you mean --nflog.copy-range? Try --help`},
		{name: "unknown flag without section", args: []string{"--listen-address=:1"}, want: `unknown long flag '--listen-address', did you mean --web.listen-address? Try --help`},
		{name: "unknown flag cut off", args: []string{"--web.max=1"}, want: `unknown long flag '--web.max', did you mean --web.max-requests? Try --help`},
		{name: "unknown flag negated", args: []string{"--no-packet-size"}, want: `unknown long flag '--no-packet-size', did you mean --no-collector.packet-size? Try --help`},
		{name: "flag with one dash", args: []string{"-nflog.group=1"}, want: `unknown short flag '-n', did you mean --nflog.group? Try --help`},
		{name: "unknown flag over several lines", args: []string{"--a\nb"}, want: "unknown long flag '--a\nb', try --help"},
		{name: "unknown short flag", args: []string{"-g", "1"}, want: `unknown short flag '-g', try --help`},
		{name: "flag without value", args: []string{"--nflog.group"}, want: `expected argument for flag '--nflog.group', try --help`},
		{name: "flag before flag", args: []string{"--nflog.group", "--log.level=info"}, want: `expected argument for flag '--nflog.group', try --help`},
		{name: "repeated flag", args: []string{"--log.level=info", "--log.level=debug"}, want: `flag 'log.level' cannot be repeated, try --help`},
		{name: "argument", args: []string{"100"}, want: `unexpected 100, try --help`},
		{name: "argument after dashes", args: []string{"--", "--version=1"}, want: `unexpected --version=1, try --help`},
	}
}
