// Package netflow receives what routers and probes export of flows: NetFlow v5 and
// v9, IPFIX (RFC 7011) and sFlow v5, as datagrams.
//
// A Decoder makes flow.Records of datagrams, and of sFlow, which samples packets,
// capture.Packets. It is pure: bytes, exporter and time are arguments, and what it
// remembers of exporters (templates, sampling, sequence numbers) stays within a
// fixed bound whoever sends. A Listener is the socket that datagrams come from.
//
// Headers, templates and NetFlow v5 are read by goflow2. The records of v9 and
// IPFIX are read here by templates that name only what is needed, which allocates
// nothing for each; and so is sFlow, of which goflow2 allocates what a datagram
// claims to hold and gives up at the first sample that it does not know.
package netflow
