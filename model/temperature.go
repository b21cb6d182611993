package model

import "math"

// Bounds of a temperature.
const (
	minTemperature = 0.05
	maxTemperature = 20
)

// Temperature returns the number by which the logits of f's last layer must be
// divided for the smallest loss on valid, whatever f.Temperature says: the
// probabilities then mean what they say (Guo and others, "On Calibration of
// Modern Neural Networks", 2017). It lies between 0.05 and 20; set f.Temperature
// to it.
func Temperature(f *Float, valid *Dataset) (float64, error) {
	raw := *f
	raw.Temperature = 1
	logits, err := raw.Logits(valid)
	if err != nil {
		return 0, err
	}
	return math.Exp(minimize(math.Log(minTemperature), math.Log(maxTemperature), func(x float64) float64 {
		return meanLoss(logits, valid, f.Arch.Classes(), math.Exp(x), nil)
	})), nil
}

// minimize returns where f, which must have one minimum, has it between low and
// high, by golden-section search to about 1e-6.
func minimize(low, high float64, f func(float64) float64) float64 {
	ratio := (math.Sqrt(5) - 1) / 2
	a, b := high-ratio*(high-low), low+ratio*(high-low)
	fa, fb := f(a), f(b)
	for high-low > 1e-6 {
		if fa < fb {
			high, b, fb = b, a, fa
			a = high - ratio*(high-low)
			fa = f(a)
		} else {
			low, a, fa = a, b, fb
			b = low + ratio*(high-low)
			fb = f(b)
		}
	}
	return (low + high) / 2
}
