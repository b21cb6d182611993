package netflow

// sequence follows the numbers of one domain's datagrams.
type sequence struct {
	last  uint32 // number of the latest datagram
	units counted
	late  uint32 // what would follow the last that came late
	known bool
	was   bool // one came late
}

// counted is what a datagram counts: itself as one, or its records.
type counted struct {
	all   uint32
	flows uint32 // without records of options, which some exporters leave out
}

// Bounds on steps between numbers. A larger one is another count: the exporter
// was started anew, or told of a datagram that nobody else has sent.
const (
	maxLost = 1 << 16
	maxLate = 1 << 10
)

// add takes the number of a datagram, and returns how many were lost before it;
// below 0 are those that were thought lost and came late. A number counts what was
// sent before a datagram, as it should, or with it, as softflowd does for IPFIX.
// restarted reports that numbers began anew.
func (s *sequence) add(number uint32, units counted) (lost int64, restarted bool) {
	if !s.known {
		*s = sequence{last: number, units: units, known: true}
		return 0, false
	}
	between := number - s.last
	switch step := int32(between - s.units.all); {
	case between == s.units.all, between == s.units.flows, between == units.all, between == units.flows:
	case step > 0 && step <= maxLost:
		lost = int64(step)
	case step < 0 && step >= -maxLate && !(s.was && number == s.late):
		s.was, s.late = true, number+units.all
		return -int64(units.all), false
	default:
		restarted = true
	}
	*s = sequence{last: number, units: units, known: true}
	return lost, restarted
}

// lose forgets the numbers, for what the next datagram should have is not known.
func (s *sequence) lose() { s.known = false }
