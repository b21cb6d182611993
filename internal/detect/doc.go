// Package detect decides when to look at a source and what to make of what
// was seen: packets come in, the events of incidents come out.
//
// A source is looked at when its contacts have grown enough to change the
// answer, so that a scan is named after a few probes and the cost stays
// logarithmic in the contacts of a source. An incident has one start, at most
// one update an interval, and one end.
//
// A source may be a group (featurize.Scope): the hosts of a prefix, or everyone
// who tries one target. A scan that is spread over them is one incident, and
// what counts for one incident counts for no other.
//
// What a Policy allows is a source of its own beside the host that does it, so
// that it neither counts for what the host does else, nor hides it. The
// incidents of such a source are silent, until they are of a kind that no rule
// allows.
//
// Like featurize it is pure: no clock, no goroutine, no log. The same packets
// give the same events.
package detect
