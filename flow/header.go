package flow

import (
	"bytes"
	"time"
)

// maxWanted is how many columns of a log with a header line a format can want.
const maxWanted = 24

// headed is a log whose header line names its columns, which may come in any
// order, with others between them.
type headed struct {
	sep   byte
	at    []int8            // column: which of the wanted it is, or -1
	has   [maxWanted]bool   // there is a column of it
	value [maxWanted][]byte // of the line that was read last, without blanks around
}

// header reads a header line, in which known says which of the wanted a name is,
// and reports how many wanted columns there are.
func (h *headed) header(line []byte, sep byte, known map[string]int8) int {
	*h = headed{sep: sep}
	wanted := 0
	for name := range bytes.SplitSeq(line, []byte{sep}) {
		which, ok := known[string(bytes.TrimSpace(name))]
		if !ok || h.has[which] {
			which = -1
		} else {
			h.has[which] = true
			wanted++
		}
		h.at = append(h.at, which)
	}
	return wanted
}

// row reads a line, and reports whether it has all columns.
func (h *headed) row(line []byte) bool {
	for i, which := range h.at {
		end := bytes.IndexByte(line, h.sep)
		last := end < 0
		if last {
			end = len(line)
		}
		if which >= 0 {
			h.value[which] = bytes.Trim(line[:end], " \t")
		}
		if last {
			return i == len(h.at)-1
		}
		line = line[end+1:]
	}
	return true // what is too much is let pass: a trailing separator, labels
}

// localTime reads a date and time of this machine's zone, see zonedTime.
func localTime(b []byte) (int64, bool) { return zonedTime(b, time.Local) }

// zonedTime reads a date and time without a zone of its own, as 2026-11-23
// 07:18:54.123, with any character between date and time and in the date.
func zonedTime(b []byte, zone *time.Location) (int64, bool) {
	if len(b) < len("2026-11-23 07:18:54") {
		return 0, false
	}
	year, ok1 := number(b[:4])
	month, ok2 := number(b[5:7])
	day, ok3 := number(b[8:10])
	ns, ok4 := timeOfDay(b[11:])
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 0, false
	}
	return dated(int(year), time.Month(month), int(day), ns, zone)
}

// dated returns the time on a day, given nanoseconds since its midnight.
func dated(year int, month time.Month, day int, ns int64, zone *time.Location) (int64, bool) {
	if year < 1970 || year > 2200 || month < time.January || month > time.December || day < 1 || day > 31 {
		return 0, false
	}
	second := int(ns / 1e9)
	return time.Date(year, month, day, second/3600, second/60%60, second%60, int(ns%1e9), zone).UnixNano(), true
}

// timeOfDay reads 07:18:54 with up to nine decimals behind a dot or comma, and
// returns nanoseconds since midnight.
func timeOfDay(b []byte) (int64, bool) {
	if len(b) < len("07:18:54") || b[2] != ':' || b[5] != ':' {
		return 0, false
	}
	hour, ok1 := number(b[:2])
	minute, ok2 := number(b[3:5])
	second, ok3 := number(b[6:8])
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	ns := int64(hour*3600+minute*60+second) * 1e9
	if len(b) == 8 {
		return ns, true
	}
	if b[8] != '.' && b[8] != ',' {
		return 0, false
	}
	fraction, ok := decimals(b[9:])
	return ns + fraction, ok
}
