package main

import (
	"bytes"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"edgescan/internal/alert"
)

// Where the program's own log goes (--log).
const (
	logToStderr = "stderr"
	logToSyslog = "syslog"
	logToBoth   = "both"
)

// newLogger returns a log for standard error.
func newLogger() zerolog.Logger { return zerolog.New(stderrLog()).With().Timestamp().Logger() }

func stderrLog() io.Writer {
	_, noColor := os.LookupEnv("NO_COLOR")
	return zerolog.ConsoleWriter{
		Out:        os.Stderr,
		NoColor:    noColor || !isTerminal(os.Stderr),
		TimeFormat: time.RFC3339,
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// syslogLog is a zerolog.LevelWriter that sends the log where alerts are sent by
// syslog, from when that is possible until it is no longer. Before and after it goes
// to standard error, and if it should go to both it always does.
type syslogLog struct {
	stderr io.Writer
	both   bool
	to     atomic.Pointer[[]*alert.Sender] // nil: not possible
}

// severities are those of syslog (RFC 5424, 6.2.1), by zerolog's levels.
var severities = map[zerolog.Level]int{
	zerolog.DebugLevel: 7, zerolog.InfoLevel: 6, zerolog.WarnLevel: 4, zerolog.ErrorLevel: 3, zerolog.FatalLevel: 2, zerolog.PanicLevel: 2,
}

// Write implements io.Writer.
func (l *syslogLog) Write(p []byte) (int, error) { return l.WriteLevel(zerolog.InfoLevel, p) }

// WriteLevel implements zerolog.LevelWriter.
func (l *syslogLog) WriteLevel(level zerolog.Level, p []byte) (int, error) {
	senders := l.to.Load()
	if senders == nil || l.both {
		if n, err := l.stderr.Write(p); err != nil || senders == nil {
			return n, err
		}
	}
	var text bytes.Buffer
	line := zerolog.ConsoleWriter{Out: &text, NoColor: true, PartsExclude: []string{zerolog.TimestampFieldName, zerolog.LevelFieldName}}
	if _, err := line.Write(p); err != nil {
		return 0, err
	}
	for _, s := range *senders {
		s.Log(time.Now(), severities[level], string(bytes.TrimSpace(text.Bytes())))
	}
	return len(p), nil
}

// newRunLogger returns the log of a run, and what sends it to syslog; nil if nothing
// does.
func newRunLogger(to string) (zerolog.Logger, *syslogLog) {
	if to == logToStderr {
		return newLogger(), nil
	}
	l := &syslogLog{stderr: stderrLog(), both: to == logToBoth}
	return zerolog.New(l).With().Timestamp().Logger(), l
}

// sendTo has the log sent by a delivery, or with nil to standard error alone.
func (l *syslogLog) sendTo(d *delivery) {
	switch {
	case l == nil:
	case d == nil:
		l.to.Store(nil)
	default:
		senders := d.Senders()
		l.to.Store(&senders)
	}
}
