// Copyright The nflog_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package topsources

import (
	"math"
	"math/bits"
)

const (
	registerBits = 11
	registers    = 1 << registerBits

	maxRank = 64 - registerBits + 1
)

// A distinct estimates how many different hashes it was given.
type distinct [registers]uint8

func (d *distinct) add(hash uint64) {
	rank := uint8(bits.LeadingZeros64(hash<<registerBits|1<<(registerBits-1)) + 1)
	if r := &d[hash>>(64-registerBits)]; *r < rank {
		*r = rank
	}
}

// estimate returns how many different hashes two of them were given together.
func estimate(a, b *distinct) float64 {
	const m = registers
	var counts [maxRank + 1]int
	for i := range a {
		counts[max(a[i], b[i])]++
	}
	if counts[0] == m {
		return 0
	}
	z := m * tau(1-float64(counts[maxRank])/m)
	for rank := maxRank - 1; rank >= 1; rank-- {
		z = (z + float64(counts[rank])) / 2
	}
	z += m * sigma(float64(counts[0])/m)
	return m * m / (2 * math.Ln2 * z)
}

// sigma is Ertl's function of the share of registers that are 0.
func sigma(x float64) float64 {
	y, z := 1.0, x
	for {
		x *= x
		before := z
		z += x * y
		y += y
		if z == before {
			return z
		}
	}
}

// tau is Ertl's function of the share of registers that are not full.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		before := z
		y /= 2
		z -= (1 - x) * (1 - x) * y
		if z == before {
			return z / 3
		}
	}
}
