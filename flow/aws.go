package flow

import (
	"bytes"

	"edgescan/capture"
)

// The fields of AWS VPC flow logs that are read.
const (
	awsSrc = iota
	awsDst
	awsPacketSrc
	awsPacketDst
	awsSrcPort
	awsDstPort
	awsProto
	awsPackets
	awsBytes
	awsStart
	awsEnd
	awsAction
	awsStatus
	awsFlags
)

var awsNames = map[string]int8{
	"srcaddr": awsSrc, "dstaddr": awsDst, "pkt-srcaddr": awsPacketSrc, "pkt-dstaddr": awsPacketDst,
	"srcport": awsSrcPort, "dstport": awsDstPort, "protocol": awsProto, "packets": awsPackets, "bytes": awsBytes,
	"start": awsStart, "end": awsEnd, "action": awsAction, "log-status": awsStatus, "tcp-flags": awsFlags,
}

// awsDefault is the header of the default format, which CloudWatch does not write.
const awsDefault = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"

// aws reads VPC flow logs of versions 2 to 5: files of S3, whose first line names
// the fields, in any order; and lines of the default format, or one whose fields a line
// before has named, with what CloudWatch writes before them or without.
type aws struct {
	headed
	written written
}

func detectAWS(line []byte) format {
	f := new(aws)
	if f.begins(line) {
		return f
	}
	f.begins([]byte(awsDefault))
	line = stripped(line)
	if bytes.HasPrefix(line, []byte("2 ")) && bytes.Contains(line, []byte(" eni-")) && f.row(line) && (string(f.value[awsStatus]) == "OK" || f.silent()) {
		return f
	}
	return nil
}

// begins reads a header line, if line is one.
func (f *aws) begins(line []byte) bool {
	if !bytes.Contains(line, []byte("srcaddr")) {
		return false
	}
	var h headed
	h.header(line, ' ', awsNames)
	for _, which := range [...]int{awsSrcPort, awsDstPort, awsProto, awsPackets, awsBytes, awsStart, awsEnd} {
		if !h.has[which] {
			return false
		}
	}
	if !(h.has[awsSrc] && h.has[awsDst] || h.has[awsPacketSrc] && h.has[awsPacketDst]) {
		return false
	}
	f.headed = h
	return true
}

// stripped returns a line without what CloudWatch writes before it: the time, and
// `aws logs tail` the name of the stream as well.
func stripped(line []byte) []byte {
	at, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(at) < len("2026-11-23T07:18:54") || at[10] != 'T' {
		return line
	}
	if stream, record, ok := bytes.Cut(rest, []byte{' '}); ok && bytes.HasPrefix(stream, []byte("eni-")) &&
		(bytes.HasSuffix(stream, []byte("-all")) || bytes.HasSuffix(stream, []byte("-accept")) || bytes.HasSuffix(stream, []byte("-reject"))) {
		return record
	}
	return rest
}

// silent reports whether the line that was read says that there were no records, or
// that some were left out.
func (f *aws) silent() bool {
	status := string(f.value[awsStatus])
	return f.has[awsStatus] && (status == "NODATA" || status == "SKIPDATA")
}

func (f *aws) parse(line []byte, r *Record) (bool, error) {
	if len(line) == 0 || f.begins(line) {
		return false, nil
	}
	if !f.row(stripped(line)) {
		return false, errMalformed
	}
	if f.silent() || string(f.value[awsProto]) == "-" {
		return false, nil
	}
	proto, ok := octet(f.value[awsProto])
	if !ok {
		return false, errMalformed
	}
	rejected := f.has[awsAction] && string(f.value[awsAction]) == "REJECT"
	switch r.Proto = capture.Proto(proto); r.Proto {
	case capture.ProtoTCP, capture.ProtoUDP:
	case capture.ProtoICMP, capture.ProtoICMPv6:
		// Its type is not told. What is rejected can be no answer.
		if !rejected {
			return false, nil
		}
	default:
		return false, nil
	}
	if !f.times(r) || !f.ends(r) || !f.counts(r) {
		return false, errMalformed
	}
	return !rejected || f.rejected(r), nil
}

// rejected makes r one of packets that a security group or network ACL has dropped, and
// reports whether they tell of an attempt: not if they are answers, or the end of a
// connection of which a security group has forgotten.
func (f *aws) rejected(r *Record) bool {
	r.Facts |= Oriented
	r.State = StateSilent
	if r.Proto != capture.ProtoTCP || r.Facts.Has(NoFlags) {
		return true
	}
	told, _ := octet(f.value[awsFlags])
	switch flags := capture.Flags(told); {
	case flags&(capture.RST|capture.ACK) != 0:
		return false
	case flags&capture.SYN == 0:
		r.State = StateOdd
		return portRank(r.DstPort) < portRank(r.SrcPort)
	}
	return true
}

// times reads the interval that a record is of. Records come in any order.
func (f *aws) times(r *Record) bool {
	start, ok1 := seconds(f.value[awsStart])
	end, ok2 := seconds(f.value[awsEnd])
	r.Start, r.Time = start, f.written.at(max(start, end))
	return ok1 && ok2
}

// ends reads addresses, those of packets where they differ from the interface's,
// and ports.
func (f *aws) ends(r *Record) (ok bool) {
	if r.Src, ok = f.address(awsPacketSrc, awsSrc); !ok {
		return false
	}
	if r.Dst, ok = f.address(awsPacketDst, awsDst); !ok {
		return false
	}
	switch r.Proto {
	case capture.ProtoICMP:
		r.Type = capture.ICMPEchoRequest
		return true
	case capture.ProtoICMPv6:
		r.Type = capture.ICMP6EchoRequest
		return true
	}
	if r.SrcPort, ok = port(f.value[awsSrcPort]); !ok {
		return false
	}
	r.DstPort, ok = port(f.value[awsDstPort])
	return ok
}

// address reads the first of two fields that is told.
func (f *aws) address(first, second int) (capture.Addr, bool) {
	if f.has[first] && string(f.value[first]) != "-" {
		return address(f.value[first])
	}
	return address(f.value[second])
}

// counts reads what went the one way that a record is of, and TCP's flags. AWS tells of
// ACK only with SYN: what does not begin in its interval goes on, if it is no single FIN
// without options, and what begins and carries more than SYNs can was accepted.
func (f *aws) counts(r *Record) bool {
	packets, ok1 := number(f.value[awsPackets])
	octets, ok2 := number(f.value[awsBytes])
	if !ok1 || !ok2 {
		return false
	}
	r.Count(&r.Out, packets, octets)
	if r.Proto != capture.ProtoTCP {
		return true
	}
	if !f.has[awsFlags] || string(f.value[awsFlags]) == "-" {
		r.Facts |= NoFlags
		return true
	}
	told, ok := octet(f.value[awsFlags])
	flags := capture.Flags(told)
	r.Out.Flags = flags
	goesOn := r.Out.Flags&(capture.SYN|capture.RST) == 0
	probe := r.Out.Flags&capture.FIN != 0 && packets == 1 && octets <= r.headers(bareTCP)
	if goesOn && !probe || octets > packets*r.headers(mostSYN) {
		r.Out.Flags |= capture.ACK
	}
	if flags&capture.SYN != 0 {
		r.Facts |= Oriented
		if flags&capture.ACK != 0 {
			r.Turn() // ACK with SYN is of who answers
		}
	}
	return ok
}
