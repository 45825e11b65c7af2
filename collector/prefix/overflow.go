// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package prefix

// Overflow is the value of labels that the collector gives up for lack of room. No prefix, interface, pattern or rule makes
// that value.
const Overflow = "__overflow__"

// escapedOverflow stands for Overflow where that is the value. escape makes it of no other bytes: it doubles backslashes.
const escapedOverflow = `\x5f_overflow__`

// notOverflow returns a label value, escaped if it is Overflow.
func notOverflow(value string) string {
	if value == Overflow {
		return escapedOverflow
	}
	return value
}
