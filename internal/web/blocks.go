// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package web

const (
	firstBlock = 4 << 10
	maxBlock   = 32 << 10
)

// blocks hold text of any length. Unlike one slice, they are not copied as they grow, and take little more memory than the text.
type blocks struct {
	all  [][]byte
	size int // of the text
}

func (b *blocks) write(p []byte) {
	b.size += len(p)
	for len(p) > 0 {
		last := len(b.all) - 1
		if last < 0 || len(b.all[last]) == cap(b.all[last]) {
			b.all = append(b.all, make([]byte, 0, min(firstBlock<<min(len(b.all), 3), maxBlock)))
			last++
		}
		block := b.all[last]
		n := min(len(p), cap(block)-len(block))
		b.all[last] = append(block, p[:n]...)
		p = p[n:]
	}
}
