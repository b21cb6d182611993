package dataset

import (
	"math/rand/v2"

	"edgescan/capture"
)

// frameFilter returns what decides which frames of a scene are seen: all of
// them, as in a file, or half of the time those that the kernel filter lets
// through.
func frameFilter(rng *rand.Rand) (func([]byte) bool, error) {
	if rng.IntN(2) == 0 {
		return func([]byte) bool { return true }, nil
	}
	filter, err := capture.NewFrameFilter(capture.LinkTypeEthernet)
	if err != nil {
		return nil, err
	}
	return filter.Keep, nil
}
