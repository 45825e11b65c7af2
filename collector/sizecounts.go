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

// count counts a packet of a size, whose sub-bucket is given. It reports whether a block was allocated.
func (c *sizeCounts) count(size uint32, subBucket uint8) (grew bool) {
	c.sum += uint64(size)
	block := c.blocks[subBucket/blockLen]
	if block == nil {
		block = new(sizeBlock)
		c.blocks[subBucket/blockLen] = block
		grew = true
	}
	block[subBucket%blockLen]++
	return grew
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
