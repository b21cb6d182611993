package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"edgescan/internal/detect"
)

// off is the threshold that no score reaches.
const off = detect.One + 1

// ParseThreshold reads a direction and from which score on a scan in it is
// named: inbound=0.999, a probability as alerts show it, or inbound=off.
func ParseThreshold(text string) (detect.Direction, uint32, error) {
	name, value, _ := strings.Cut(text, "=")
	d := detect.ParseDirection(name)
	if d == detect.Undirected {
		return d, 0, fmt.Errorf("%s: want inbound, outbound, internal or transit, and a probability, as inbound=0.999 or inbound=off", quote(text))
	}
	if value == "off" {
		return d, off, nil
	}
	p, err := strconv.ParseFloat(value, 64)
	if err != nil || !(p >= 0 && p <= 1) {
		return d, 0, fmt.Errorf("%s: %s is no probability, want as 0.999, or off", name, quote(value))
	}
	return d, uint32(math.Ceil(p * detect.One)), nil
}
