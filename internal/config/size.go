// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strconv"
	"strings"
)

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
