//go:build lab

package lab

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"

	"golang.org/x/net/dns/dnsmessage"
)

// The services of a server.
const (
	sshPort   = 22
	httpPort  = 80
	httpsPort = 443 // plain HTTP as well: what matters is who connects to whom
	meshFirst = 8000
	meshPorts = 24
	deadPort  = 9999
)

// serve starts what servers run: web, SSH, a mesh of small services, and DNS.
func serve(h *host) {
	for _, port := range []int{httpPort, httpsPort} {
		serveHTTP(h, port)
	}
	for i := range meshPorts {
		serveHTTP(h, meshFirst+i)
	}
	serveSSH(h)
	serveDNS(h)
}

// serveHTTP answers /N with N bytes.
func serveHTTP(h *host, port int) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.Atoi(r.URL.Path[1:])
		io.Copy(io.Discard, r.Body)
		w.Write(make([]byte, size))
	}))
	server.Listener.Close()
	server.Listener = h.listen(port)
	server.Start()
	h.t.Cleanup(server.Close)
}

// serveSSH greets as an SSH server does and returns what it gets.
func serveSSH(h *host) {
	l := h.listen(sshPort)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(conn, "SSH-2.0-lab\r\n")
				io.Copy(conn, conn)
			}()
		}
	}()
}

// serveDNS gives every name an address on the server's side of the network,
// and none of IPv6.
func serveDNS(h *host) {
	var conn net.PacketConn
	err := h.do(func() (err error) {
		conn, err = net.ListenPacket("udp", h.addr+":53")
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply, err := answer(buf[:n]); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
}

func answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) == 0 {
		return nil, err
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{10, 60, 0, siteNumber(q.Name.String())}},
		}}
	}
	return m.Pack()
}

// The web sites are host numbers of the server, which has them all.
const (
	firstSite = 10
	sites     = 20
)

// siteNumber spreads names over the sites.
func siteNumber(name string) byte {
	sum := 0
	for _, c := range []byte(name) {
		sum += int(c)
	}
	return byte(firstSite + sum%sites)
}

// serverNumbers are the host numbers of a server: its own and the sites'.
func serverNumbers() []int {
	numbers := []int{5}
	for i := range sites {
		numbers = append(numbers, firstSite+i)
	}
	return numbers
}
