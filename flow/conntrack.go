package flow

import (
	"bytes"

	"edgescan/capture"
)

// conntrack reads the events of Linux' connection tracking, as `conntrack -E -o
// timestamp` writes them, with `extended` and `id` or without.
//
// A connection is told of when it begins, whenever its state changes, and when it
// is forgotten. Its first event is the attempt. Of the others, those are read that
// say how it was answered; a Joiner adds them if they come within Hold, which is
// how long an answer takes. Silence is an attempt on which nothing follows. With
// net.netfilter.nf_conntrack_acct=1 the last event says how much was carried.
//
// Both tuples are there: the first is the connection as it was asked for, before
// any NAT; the second as answers come. The first is taken.
type conntrack struct{}

func detectConntrack(line []byte) format {
	var r Record
	if _, ok := conntrackEvent(line, &r); !ok {
		return nil
	}
	return conntrack{}
}

// event is what a line of conntrack tells.
type event struct {
	kind      byte   // N, U, D: of NEW, UPDATE, DESTROY
	state     []byte // of TCP
	unreplied bool
	assured   bool
	packets   [2]uint64 // from the source, and to it
	octets    [2]uint64
	counted   bool
}

func (conntrack) parse(line []byte, r *Record) (bool, error) {
	if len(line) == 0 || line[0] != '[' {
		return false, nil // conntrack's own messages
	}
	e, ok := conntrackEvent(line, r)
	switch {
	case !ok:
		return false, errMalformed
	case r.Proto == capture.ProtoNone:
		return false, nil
	}
	r.Facts |= Oriented
	switch e.kind {
	case 'N':
		return e.begins(r), nil
	case 'U':
		return e.changes(r), nil
	}
	return e.ends(r), nil
}

// begins makes a record of a connection's first event. One that begins as
// ESTABLISHED had begun before it was tracked, or is a probe without a SYN.
func (e *event) begins(r *Record) bool {
	r.Out.Packets = 1
	switch r.Proto {
	case capture.ProtoTCP:
		r.Out.Flags = capture.ACK
		if bytes.HasPrefix(e.state, []byte("SYN_SENT")) {
			r.Out.Flags = capture.SYN
		}
	case capture.ProtoUDP:
		r.Out.Data = true // which is not told, and most datagrams have some
	}
	return true
}

// changes makes a record of an event that says that there was an answer: the first
// that is not unreplied.
func (e *event) changes(r *Record) bool {
	if e.unreplied || e.assured {
		return false
	}
	r.Facts |= Continued
	r.Back.Packets = 1
	if r.Proto == capture.ProtoTCP {
		r.Back.Flags = capture.SYN | capture.ACK
		return bytes.Equal(e.state, []byte("SYN_RECV"))
	}
	r.Back.Data = true
	return true
}

// ends makes a record of a connection's last event. Linux forgets a connection at
// once whose first answer is a RST, and others when nothing was seen for a while.
func (e *event) ends(r *Record) bool {
	if r.Proto != capture.ProtoTCP {
		return false
	}
	r.Facts |= Continued
	if e.unreplied {
		r.Back.Packets, r.Back.Flags = 1, capture.RST
		return bytes.Equal(e.state, []byte("CLOSE")) || e.packets[1] > 0
	}
	if !e.counted {
		return false
	}
	r.Count(&r.Out, e.packets[0], e.octets[0])
	r.Count(&r.Back, e.packets[1], e.octets[1])
	r.State = StateAnswered
	r.Facts |= Both | NoFlags
	return r.Out.Data || r.Back.Data
}

// conntrackEvent reads a line into e and the ends and times of r. A protocol
// that no Packet has is ProtoNone.
func conntrackEvent(line []byte, r *Record) (e event, ok bool) {
	w := words{line}
	if !w.skip('[') {
		return e, false
	}
	stamp, rest, ok := bytes.Cut(w.rest, []byte{']'})
	if !ok {
		return e, false
	}
	if r.Time, ok = seconds(bytes.TrimRight(stamp, " ")); !ok {
		return e, false
	}
	r.Start = r.Time
	w.rest = rest
	switch kind := w.next(); string(kind) {
	case "[NEW]", "[UPDATE]", "[DESTROY]":
		e.kind = kind[1]
	default:
		return e, false
	}
	name := w.next()
	if string(name) == "ipv4" || string(name) == "ipv6" { // -o extended
		w.next()
		name = w.next()
	}
	if r.Proto, ok = protocol(name); !ok {
		return e, false
	}
	if r.Proto == capture.ProtoARP {
		r.Proto = capture.ProtoNone
	}
	return e, e.fields(&w, r)
}

// fields reads what follows the protocol: its number, a time out, the state, and the
// two tuples.
func (e *event) fields(w *words, r *Record) bool {
	var has struct{ src, dst, sport, dport, kind bool }
	tuple := -1
	for field := w.next(); len(field) > 0; field = w.next() {
		name, value, named := bytes.Cut(field, []byte{'='})
		if !named {
			e.word(field)
			continue
		}
		ok := true
		switch string(name) {
		case "src":
			if tuple++; tuple == 0 {
				r.Src, has.src = address(value)
			}
		case "packets", "bytes":
			ok = e.count(tuple, name[0] == 'p', value)
		}
		if !ok {
			return false
		}
		if tuple != 0 {
			continue // as answers come
		}
		switch string(name) {
		case "dst":
			r.Dst, has.dst = address(value)
		case "sport":
			r.SrcPort, has.sport = port(value)
		case "dport":
			r.DstPort, has.dport = port(value)
		case "type":
			r.Type, has.kind = octet(value)
		case "code":
			r.Code, _ = octet(value)
		}
	}
	switch r.Proto {
	case capture.ProtoNone:
		return true
	case capture.ProtoTCP, capture.ProtoUDP:
		return has.src && has.dst && has.sport && has.dport
	}
	return has.src && has.dst && has.kind
}

// count reads the packets or bytes of a tuple.
func (e *event) count(tuple int, packets bool, value []byte) bool {
	n, ok := number(value)
	if !ok || tuple < 0 || tuple > 1 {
		return false
	}
	e.counted = true
	if packets {
		e.packets[tuple] = n
	} else {
		e.octets[tuple] = n
	}
	return true
}

// word reads what has no name: a state, or a fact in brackets.
func (e *event) word(b []byte) {
	switch {
	case string(b) == "[UNREPLIED]":
		e.unreplied = true
	case string(b) == "[ASSURED]":
		e.assured = true
	case b[0] >= 'A' && b[0] <= 'Z':
		e.state = b
	}
}
