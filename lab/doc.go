// Package lab tests edgescan from end to end on a small network of Linux
// namespaces: real scanners, real clients and servers, a gateway between them
// on which edgescan or tcpdump listens. It needs root, and nmap, tcpdump,
// rsyslogd, ip, setpriv and chromium (Debian: nmap tcpdump rsyslog iproute2 util-linux
// chromium).
//
//	go test -tags lab ./lab                              the tests
//	go test -tags lab ./lab -run TestMakeSample -update  testdata/sample.pcap.gz anew
//
// Everything it makes is removed when it ends; nothing outside its namespaces
// is changed.
package lab
