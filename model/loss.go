package model

import "math"

// crossEntropy returns the loss of one example in nats: the negative logarithm
// of the softmax of its label. Logits are divided by temperature first.
func crossEntropy(logits []float32, label int, temperature float64) float64 {
	largest := math.Inf(-1)
	for _, l := range logits {
		largest = max(largest, float64(l)/temperature)
	}
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp(float64(l)/temperature - largest)
	}
	return math.Log(sum) + largest - float64(logits[label])/temperature
}

// meanLoss returns the weighted mean of the cross-entropy over d, whose logits
// are [example][class].
func meanLoss(logits []float32, d *Dataset, classes int, temperature float64, classWeights []float32) float64 {
	total, weights := 0.0, 0.0
	for i := range d.Len() {
		w := float64(d.weights[i])
		if classWeights != nil {
			w *= float64(classWeights[d.labels[i]])
		}
		total += w * crossEntropy(logits[i*classes:][:classes], d.Label(i), temperature)
		weights += w
	}
	return total / max(weights, math.SmallestNonzeroFloat64)
}

// priorLoss returns the mean loss of a network that has learned nothing but how
// often each class occurs: the entropy of the classes, ln(classes) if they are
// equally frequent.
func priorLoss(d *Dataset, classes int, classWeights []float32) float64 {
	sums := d.classSums(classes)
	total := 0.0
	for c := range sums {
		if classWeights != nil {
			sums[c] *= float64(classWeights[c])
		}
		total += sums[c]
	}
	entropy := 0.0
	for _, s := range sums {
		if s > 0 {
			entropy -= s / total * math.Log(s/total)
		}
	}
	return entropy
}

// argmax returns the index of the largest value, the first of several.
func argmax[T int32 | float32](values []T) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}
