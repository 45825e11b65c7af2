// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

// Sub-buckets are counted in blocks, which are allocated when they are needed: the packets of one label set have few
// sizes.
const (
	blockLen  = 16
	maxBlocks = 16
)

type sizeBlock [blockLen]uint64

// sizeCounts are counts of packets by size.
type sizeCounts struct {
	sum    uint64 // of the sizes
	blocks [maxBlocks]*sizeBlock
}

// counter returns the counter of a sub-bucket. It reports whether it allocated a block for it.
func (c *sizeCounts) counter(subBucket uint8) (counter *uint64, grew bool) {
	block := c.blocks[subBucket/blockLen]
	if block == nil {
		block = new(sizeBlock)
		c.blocks[subBucket/blockLen] = block
		grew = true
	}
	return &block[subBucket%blockLen], grew
}

// blockCount returns how many blocks are allocated.
func (c *sizeCounts) blockCount() int {
	n := 0
	for _, block := range c.blocks {
		if block != nil {
			n++
		}
	}
	return n
}
