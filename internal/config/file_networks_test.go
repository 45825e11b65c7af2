// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nflog-exporter/nflog_exporter/collector/network"
)

// noLists stands in for files of CIDRs, none of which is there.
func noLists(path string) ([]byte, error) {
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// lists returns files of CIDRs by path.
func lists(files map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return noLists(path)
	}
}

func cidrs(all ...string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, s := range all {
		prefixes = append(prefixes, netip.MustParsePrefix(s))
	}
	return prefixes
}

var compareNetworks = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmpopts.IgnoreUnexported(network.Network{}),
}

func TestParseNetworks(t *testing.T) {
	tests := []struct {
		name, file string
		lists      map[string]string
		want       []network.Network
	}{
		{name: "none", file: "networks:\n"},
		{name: "empty", file: "networks: []\n"},
		{
			name: "CIDRs",
			file: "networks:\n- name: office\n  cidrs: [192.0.2.0/24, '2001:db8:1::/48', 198.51.100.7, '2001:db8::1']\n",
			want: []network.Network{{Name: "office", CIDRs: cidrs("192.0.2.0/24", "2001:db8:1::/48", "198.51.100.7/32", "2001:db8::1/128")}},
		},
		{
			name: "interface by address",
			file: "networks:\n- {name: pods, interface: cni0, by: address}\n- {name: lan, interface: br0, by: address, max_addresses: 4096}\n",
			want: []network.Network{{Name: "pods", Interface: "cni0", ByAddress: true}, {Name: "lan", Interface: "br0", ByAddress: true, MaxAddresses: 4096}},
		},
		{
			name:  "file",
			file:  "networks:\n- {name: blocked, cidrs_file: lists/drop.txt, cidrs: [10.0.0.0/8]}\n- {name: de, cidrs_file: /usr/share/de.zone}\n",
			lists: map[string]string{"/etc/lists/drop.txt": "# comment\n; another\n\n1.10.16.0/20 ; SBL256894\r\n192.0.2.1\n1.10.16.0/20\n", "/usr/share/de.zone": "2.0.0.0/8"},
			want: []network.Network{
				{Name: "blocked", CIDRs: cidrs("1.10.16.0/20", "192.0.2.1/32", "10.0.0.0/8")},
				{Name: "de", CIDRs: cidrs("2.0.0.0/8")},
			},
		},
		{name: "classes", file: "networks: [{preset: iana}]\n", want: network.Classes()},
		{name: "a network within another", file: "networks: [{name: a, cidrs: [10.0.0.0/8]}, {name: b, cidrs: [10.1.0.0/16]}]\n", want: []network.Network{{Name: "a", CIDRs: cidrs("10.0.0.0/8")}, {Name: "b", CIDRs: cidrs("10.1.0.0/16")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, warnings, err := parseFile("/etc/nflog.yml", []byte(tt.file), testDefaults, false, lists(tt.lists))
			if err != nil || len(warnings) > 0 {
				t.Fatalf("error %v, warnings %v", err, warnings)
			}
			if diff := cmp.Diff(tt.want, got.Networks, compareNetworks); diff != "" {
				t.Errorf("unexpected networks (-want +got):\n%s", diff)
			}
			if _, err := network.NewSet(got.Networks); err != nil {
				t.Errorf("the networks can't be used: %v", err)
			}
		})
	}
}

func TestParseNetworksMistakes(t *testing.T) {
	files := map[string]string{
		"bad.txt":   "10.0.0.0/8\nx\n\n 10.1.0.1/16 # bits\n",
		"twice.txt": "10.0.0.0/8\n10.0.0.0/8\n",
		"taken.txt": "192.0.2.0/24\n",
	}
	const want = "must be a mapping of name, cidrs, cidrs_file, interface, by, max_addresses, preset"
	tests := []struct{ name, file, want string }{
		{"no list", "networks: 5\n", "f.yml:1:11: networks: must be a list"},
		{"no mapping", "networks: [5]\n", "f.yml:1:12: an item of networks: " + want},
		{"unknown setting", "networks: [{name: a, cidr: 10.0.0.0/8, interface: b}]\n", `f.yml:1:22: "cidr": must be one of name, cidrs, cidrs_file, interface, by, max_addresses, preset: did you mean cidrs?`},
		{"no name", "networks: [{cidrs: [10.0.0.0/8]}]\n", "f.yml:1:12: name: must be given"},
		{"empty name", "networks: [{name: '', cidrs: [10.0.0.0/8]}]\n", `f.yml:1:19: name="": must not be empty`},
		{"reserved name", "networks: [{name: other, cidrs: [10.0.0.0/8]}]\n", `f.yml:1:19: name="other": must not be other, which stands for addresses in no network`},
		{"address as a name", "networks: [{name: 10.0.0.1, cidrs: [10.0.0.0/8]}]\n", `f.yml:1:19: name="10.0.0.1": must not be an address: by: address shows those`},
		{"name twice", "networks: [{name: a, cidrs: [10.0.0.0/8]}, {name: a, cidrs: [10.1.0.0/16]}]\n", `f.yml:1:51: name="a": must not be given more than once`},
		{"name of a class", "networks: [{name: public, cidrs: [10.0.0.0/8]}, {preset: iana}]\n", `f.yml:1:58: name="public": must not be given more than once`},
		{"nothing in it", "networks: [{name: a, by: address}]\n", "f.yml:1:12: cidrs, cidrs_file or interface: must be given"},
		{"no CIDR", "networks: [{name: a, cidrs: []}]\n", "f.yml:1:29: cidrs: must have an item"},
		{"CIDRs are text", "networks: [{name: a, cidrs: 10.0.0.0/8}]\n", "f.yml:1:29: cidrs: must be a list"},
		{"no network", "networks: [{name: a, cidrs: [10.0.0.0/33]}]\n", `f.yml:1:30: cidrs="10.0.0.0/33": must be a network such as 192.0.2.0/24 or 2001:db8::/32`},
		{"bits beyond its length", "networks: [{name: a, cidrs: [192.0.2.1/24]}]\n", `f.yml:1:30: cidrs="192.0.2.1/24": must not have bits beyond its length: write 192.0.2.0/24, or 192.0.2.1 for the address alone`},
		{"zone", "networks: [{name: a, cidrs: ['fe80::1%eth0']}]\n", `f.yml:1:30: cidrs="fe80::1%eth0": must be a network such as 192.0.2.0/24 or 2001:db8::/32`},
		{"CIDR twice", "networks:\n- {name: a, cidrs: [10.0.0.0/8]}\n- {name: b, cidrs: [10.0.0.0/8]}\n", `f.yml:3:21: cidrs="10.0.0.0/8": must not be given more than once: it is also in line 2`},
		{"interface", "networks: [{name: a, interface: eth0/1}]\n", `f.yml:1:33: interface="eth0/1": must be a name of 1 to 15 bytes without / : and white space`},
		{"interface twice", "networks: [{name: a, interface: eth0}, {name: b, interface: eth0}]\n", `f.yml:1:61: interface="eth0": must not be given more than once`},
		{"by", "networks: [{name: a, interface: eth0, by: addr}]\n", `f.yml:1:43: by="addr": must be one of address: did you mean address?`},
		{"limit", "networks: [{name: a, interface: eth0, by: address, max_addresses: 0}]\n", `f.yml:1:67: max_addresses="0": must be a number from 1 to 65536`},
		{"limit of a name", "networks: [{name: a, interface: eth0, max_addresses: 5}]\n", "f.yml:1:39: max_addresses: must be given together with by: address"},
		{"preset", "networks: [{preset: ianna}]\n", `f.yml:1:21: preset="ianna": must be one of iana: did you mean iana?`},
		{"preset with a name", "networks: [{preset: iana, name: a}]\n", "f.yml:1:27: name: must not be given together with preset"},
		{"no file", "networks: [{name: a, cidrs_file: none.txt}]\n", "f.yml:1:34: cidrs_file: must be a file that can be read: open none.txt: file does not exist"},
		{"wrong lines", "networks: [{name: a, cidrs_file: bad.txt}, {name: a}]\n", "f.yml:1:44: cidrs, cidrs_file or interface: must be given\n" +
			`f.yml:1:51: name="a": must not be given more than once` + "\n" +
			`bad.txt:2:1: "x": must be a network such as 192.0.2.0/24 or 2001:db8::/32` + "\n" +
			`bad.txt:4:1: "10.1.0.1/16": must not have bits beyond its length: write 10.1.0.0/16, or 10.1.0.1 for the address alone`},
		{"files that share a CIDR", "networks: [{name: a, cidrs_file: twice.txt}, {name: b, cidrs_file: twice.txt}]\n", "twice.txt:1:1: 10.0.0.0/8: must not be in two networks: it is also in twice.txt\ntwice.txt:2:1: 10.0.0.0/8: must not be in two networks: it is also in twice.txt"},
		{"file that has a CIDR of the configuration", "networks: [{name: a, cidrs: [192.0.2.0/24]}, {name: b, cidrs_file: taken.txt}]\n", "taken.txt:1:1: 192.0.2.0/24: must not be in two networks: it is also in line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := parseFile("f.yml", []byte(tt.file), testDefaults, false, lists(files))
			if err == nil {
				t.Fatal("no mistake")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("unexpected mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestParseNetworksTooMany checks that lists are bounded.
func TestParseNetworksTooMany(t *testing.T) {
	var list bytes.Buffer
	for i := range maxCIDRs + 1 {
		fmt.Fprintf(&list, "%v\n", netip.AddrFrom4([4]byte{1, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	_, _, err := parseFile("f.yml", []byte("networks: [{name: a, cidrs_file: a}]\n"), testDefaults, false, lists(map[string]string{"a": list.String()}))
	if want := "f.yml:1:1: networks: must not have more than 250000 CIDRs, there are 250001"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	file := "networks:\n" + strings.Repeat("- {name: a, interface: b}\n", network.MaxNetworks+1)
	_, _, err = parseFile("f.yml", []byte(file), testDefaults, false, noLists)
	if want := "f.yml:1:1: networks: must not have more than 4096 items"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// FuzzCIDRs checks that a file of CIDRs has either mistakes, each with its line, or networks that can be used.
func FuzzCIDRs(f *testing.F) {
	for _, list := range []string{"", "10.0.0.0/8\n192.0.2.1 # a\n", "2001:db8::/32;\n\r\n", "fe80::1%eth0\n::ffff:1.2.3.4/120", "1.2.3.4/-1\n\xff/8", "10.0.0.1/8\n10.0.0.0/08"} {
		f.Add([]byte(list))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		got, _, err := parseFile("f", []byte("networks: [{name: a, cidrs_file: list}]\n"), testDefaults, false, func(string) ([]byte, error) { return list, nil })
		if err == nil {
			for _, p := range got.Networks[0].CIDRs {
				if !p.IsValid() || p != p.Masked() {
					t.Errorf("network %v", p)
				}
			}
			if _, err := network.NewSet(got.Networks); err != nil {
				t.Error(err)
			}
			return
		}
		bad, ok := errors.AsType[Diagnostics](err)
		if !ok {
			t.Fatalf("error %v", err)
		}
		for _, d := range bad {
			if d.Path != "list" || d.Line < 1 || d.Line > bytes.Count(list, []byte("\n"))+1 || strings.ContainsAny(d.Text, "\r\n") {
				t.Errorf("mistake %q", d)
			}
		}
	})
}
