// Package flow reads flow records: what a router, a probe or a firewall tells of
// connections whose packets nobody sees. Logs come from files, line by line, in
// the formats of Reader; NetFlow, IPFIX and sFlow come as datagrams.
//
// A Record is one line or one exported flow. A Joiner puts the two halves of a
// connection together that most exporters tell of in two records, and the records
// into the order in which their flows began. Record.Packets then plays a flow as
// the fewest packets that tell the same, so that everything behind it (contacts,
// outcomes, maps, incidents) is the same code for flows and for packets.
//
// What a record cannot tell stays open: a Packet of a flow of which only a sample
// was seen, or whose answer nobody can know, is Partial, and its contact is never
// called silent.
package flow
