package quant

// LogitLimit bounds the logits that a network gives: 128 nats either way, far
// beyond where a softmax saturates.
const LogitLimit = 1 << 15

// scaled multiplies an accumulator by mult/2^shift and rounds to the nearest
// integer, halves upwards: (acc*mult + 1<<(shift-1)) >> shift. mult is 0 to
// 2^31-1 and shift 1 to 62, so |acc*mult| < 2^62 and nothing overflows.
//
// ONNX Runtime's QLinearConv, which multiplies in float32, gives the same but
// for about one accumulator in 200 000; gemmlowp's double rounding differs more.
func scaled(acc, mult int32, shift uint8) int64 {
	// Shifting by all but one, adding 1 and shifting once more is the same and
	// spares a shift. The mask spares the compiler its test for shifts beyond 63.
	return (int64(acc)*int64(mult)>>((shift-1)&63) + 1) >> 1
}

// requantize turns an accumulator into an activation, 0 to 255. Cutting off at 0
// is the ReLU.
func requantize(acc, mult int32, shift uint8) uint8 {
	return uint8(min(max(scaled(acc, mult, shift), 0), 255))
}

// requantizeLogit turns an accumulator of the last layer into a logit in 1/256
// nat, cut off at LogitLimit either way.
func requantizeLogit(acc, mult int32, shift uint8) int32 {
	return int32(min(max(scaled(acc, mult, shift), -LogitLimit), LogitLimit))
}
