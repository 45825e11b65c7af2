// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package nflog

import "testing"

const readersTable = `    0      1     0 2 65531    100  1
    5   2046    17 2 65531    100  1
  100 3187123456     0 2   128     50  1
65535 4294967295     0 2   128     50  1
`

func TestReaderPort(t *testing.T) {
	tests := []struct {
		name  string
		table string
		group uint16
		want  uint32
	}{
		{name: "first", table: readersTable, group: 0, want: 1},
		{name: "middle", table: readersTable, group: 5, want: 2046},
		{name: "large port", table: readersTable, group: 100, want: 3187123456},
		{name: "largest", table: readersTable, group: 65535, want: 4294967295},
		{name: "not there", table: readersTable, group: 10},
		{name: "nothing", group: 5},
		{name: "no end of the line", table: "    5   2046", group: 5, want: 2046},
		{name: "group cut off", table: "    5", group: 5},
		{name: "empty lines", table: "\n\n \n5 7 0\n", group: 5, want: 7},
		{name: "no number", table: "five 1\n0x5 2\n+5 3\n5 4\n", group: 5, want: 4},
		{name: "group too large", table: "65541 1\n", group: 5},
		{name: "negative port", table: "5 -4096\n", group: 5},
		{name: "port too large", table: "5 4294967296\n", group: 5},
		{name: "port no number", table: "5 \x00\xff\n", group: 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := readerPort([]byte(tt.table), tt.group); got != tt.want {
				t.Errorf("unexpected port: %d, want %d", got, tt.want)
			}
		})
	}
}

const socketsTable = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000670f8fc1 0   2046       00000000 0        0        0     2        0        3763916 
00000000fe4c48eb 12  0          00000000 0        0        0     2        0        3763923 
00000000a64ade01 12  2046       00000000 0        0        0     2        0        3763929 
0000000047c1f19a 12  3187123456 00000001 262400   0        0     3        12       18446744073709551615
00000000f3adca7e 12  812        00000000 0        0        0     2        0        0       
00000000d5c9e1b0 15  813        00000000 0        0        0     2        0        3763919 
`

func TestSocketInode(t *testing.T) {
	tests := []struct {
		name  string
		table string
		port  uint32
		want  uint64
	}{
		{name: "after one of another protocol", table: socketsTable, port: 2046, want: 3763929},
		{name: "large numbers", table: socketsTable, port: 3187123456, want: 18446744073709551615},
		{name: "closed by its process", table: socketsTable, port: 812},
		{name: "another protocol alone", table: socketsTable, port: 813},
		{name: "not there", table: socketsTable, port: 7},
		{name: "nothing", port: 7},
		{name: "heading alone", table: "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n", port: 7},
		{name: "without drops and inode", table: "f3adca7e 12 7 00000000 0 0 0 2\n", port: 7},
		{name: "more columns", table: "f3adca7e 12 7 00000000 0 0 0 2 0 99 x\n", port: 7, want: 99},
		{name: "no number", table: "sk 12 7 0 0 0 0 2 0 \xff\n", port: 7},
		{name: "negative", table: "sk 12 7 0 0 0 0 2 0 -1\n", port: 7},
		{name: "too large", table: "sk 12 7 0 0 0 0 2 0 18446744073709551616\n", port: 7},
		{name: "port too large", table: "sk 12 4294967303 0 0 0 0 2 0 99\n", port: 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := socketInode([]byte(tt.table), tt.port); got != tt.want {
				t.Errorf("unexpected inode: %d, want %d", got, tt.want)
			}
		})
	}
}
