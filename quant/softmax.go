package quant

import "math/bits"

// One is the probability 1 in the units of scores and thresholds.
const One = 1 << 16

// LogitScale is how many units of a logit are one nat.
const LogitScale = 256

// expSteps is the number of logit steps after which exp falls below half a unit:
// 65536*exp(-3017/256) < 0.5.
const expSteps = 3017

// expTable[d] is 65536*exp(-d/256), rounded to the nearest integer.
var expTable = newExpTable()

// newExpTable computes the table by repeated multiplication in 64-bit fixed
// point, which gives the same on every architecture, as math.Exp need not. A step
// loses less than 2^-63, all of them less than 2^-35 of a unit.
func newExpTable() (table [expSteps]uint32) {
	const stepDown = 0xff007fd55ffdde39 // exp(-1/256) * 2^64
	table[0] = One
	value := uint64(stepDown)
	for d := 1; d < expSteps; d++ {
		table[d] = uint32((value + 1<<47) >> 48)
		value, _ = bits.Mul64(value, stepDown)
	}
	return table
}

// Scores turns logits into probabilities of 0 to One: the softmax, rounded. probs
// is as long as logits, which have at least one entry; rounding may leave their
// sum a few units off One.
func Scores(logits []int32, probs []uint32) {
	largest, sum := weigh(logits)
	for i, l := range logits {
		probs[i] = share(expDown(largest, l), sum)
	}
}

// ScanScore returns One less the probability of class 0, benign: how much the
// network holds a map for a scan of any kind. Compare it with
// Network.Threshold.
func ScanScore(logits []int32) uint32 {
	largest, sum := weigh(logits)
	return One - share(expDown(largest, logits[0]), sum)
}

// weigh returns the largest logit and the sum of exp(logit - largest) in
// 1/65536.
func weigh(logits []int32) (largest int32, sum uint64) {
	largest = logits[0]
	for _, l := range logits {
		largest = max(largest, l)
	}
	for _, l := range logits {
		sum += uint64(expDown(largest, l))
	}
	return largest, sum
}

// expDown returns exp((logit-largest)/256) in 1/65536.
func expDown(largest, logit int32) uint32 {
	d := uint32(largest) - uint32(logit) // at least 0, and within 32 bits whatever the logits
	if d >= expSteps {
		return 0
	}
	return expTable[d]
}

// share returns part/sum in 1/65536, rounded to the nearest integer, for part at
// most One and at most sum.
func share(part uint32, sum uint64) uint32 {
	return uint32((uint64(part)*One + sum/2) / sum)
}
