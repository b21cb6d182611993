// Package flowlog writes flow records as the logs that package flow reads: what
// Zeek, Suricata, AWS, nfdump, Argus, conntrack and a firewall would tell of synthetic
// traffic.
package flowlog

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"edgescan/capture"
	"edgescan/flow"
	"edgescan/internal/meter"
)

// format is one kind of log.
type format struct {
	name   string
	about  string
	halves bool // each way of a connection is a record of its own
	header string
	lines  func(l *Log, r *flow.Record)
}

var formats = [...]format{
	{name: "zeek", about: "conn.log of Zeek", header: zeekHeader, lines: zeek},
	{name: "zeek-json", about: "the same in JSON", lines: zeekJSON},
	{name: "suricata", about: "flow events of Suricata's EVE", lines: suricata},
	{name: "aws", about: "AWS VPC flow log, with fields of version 5", halves: true, header: awsHeader, lines: aws},
	{name: "nfdump", about: "CSV of nfdump", halves: true, header: nfdumpHeader, lines: nfdump},
	{name: "argus", about: "CSV of Argus' ra", header: argusHeader, lines: argus},
	{name: "conntrack", about: "events of Linux' connection tracking", lines: conntrack},
	{name: "netfilter", about: "what a firewall of Linux logs", lines: netfilter},
}

// Names returns the names of the formats.
func Names() (names []string) {
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// About returns what a format is.
func About(name string) string {
	for _, f := range formats {
		if f.name == name {
			return f.about
		}
	}
	return ""
}

// sensor meters as Zeek and Suricata do; as routers do is in package dataset.
var sensor = meter.Config{Inactive: int64(time.Minute), Active: int64(time.Hour), AtEnd: true, Biflow: true, Complete: true}

// Log is a log that is being made of packets.
type Log struct {
	format format
	meter  *meter.Meter
	made   []line
	last   flow.Record // for formats of halves
}

// line is one line of a log, without its end.
type line struct {
	at   int64 // when it was written
	text string
}

// New returns a Log of a format that Names has.
func New(name string) (*Log, error) {
	for _, f := range formats {
		if f.name != name {
			continue
		}
		l := &Log{format: f}
		cfg := sensor
		cfg.Complete = !f.halves
		l.meter = meter.New(cfg, nil, func(r *flow.Record) { f.lines(l, r) })
		return l, nil
	}
	return nil, fmt.Errorf("%q is no kind of flow log: want one of %s", name, strings.Join(Names(), ", "))
}

// Add takes a packet. Packets come in the order of time.
func (l *Log) Add(p *capture.Packet) { l.meter.Add(p) }

// line adds a line that is written at a time.
func (l *Log) line(at int64, format string, args ...any) {
	l.made = append(l.made, line{at, fmt.Sprintf(format, args...)})
}

// WriteTo ends the log and writes it, in the order of time.
func (l *Log) WriteTo(to io.Writer) (int64, error) {
	l.meter.Flush()
	slices.SortStableFunc(l.made, func(a, b line) int { return int(min(max(a.at-b.at, -1), 1)) })
	w := bufio.NewWriter(to)
	n, _ := w.WriteString(l.format.header)
	for _, made := range l.made {
		m, _ := fmt.Fprintln(w, made.text)
		n += m
	}
	return int64(n), w.Flush()
}

// seconds writes nanoseconds with six decimals.
func seconds(ns int64) string { return fmt.Sprintf("%d.%06d", ns/1e9, ns%1e9/1000) }

// protocols are the names that most logs have.
var protocols = map[capture.Proto]string{
	capture.ProtoTCP: "tcp", capture.ProtoUDP: "udp", capture.ProtoICMP: "icmp", capture.ProtoICMPv6: "icmpv6",
}

func isICMP(r *flow.Record) bool {
	return r.Proto == capture.ProtoICMP || r.Proto == capture.ProtoICMPv6
}
