package alert

import (
	"fmt"
	"time"
)

// logID is the MSGID of what the program says of itself.
const logID = "log"

// appendLog appends a line about the program itself, of a severity from 0 to 7: in
// the form of RFC 3164 for a local socket, else in that of RFC 5424.
func appendLog(b []byte, at time.Time, severity int, text string, h Header, local bool) []byte {
	priority := h.Facility<<3 | severity
	if local {
		b = fmt.Appendf(b, "<%d>%s %s[%d]: ", priority, at.In(h.zone).Format(time.Stamp), h.App, h.pid)
	} else {
		b = fmt.Appendf(b, "<%d>1 %s %s %s %d %s - ", priority, timestamp(at.UnixNano()), h.Host, h.App, h.pid, logID)
	}
	return appendText(b, text)
}

// Log sends a line about the program itself, of a severity from 0 to 7, after the
// alerts before it. While the receiver is away it is left out, as it is by a Sender
// that is not of syslog: the queue is for alerts.
func (s *Sender) Log(at time.Time, severity int, text string) {
	if s.log == nil || s.queue == nil || s.away.Load() {
		return
	}
	s.queue.Put(s.log(at, severity, text))
}
