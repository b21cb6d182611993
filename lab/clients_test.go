//go:build lab

package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

// client does what one benign host does until ctx ends. Failures are part of
// life on a network and are not reported.
type client func(ctx context.Context, h *host, server string, rng *rand.Rand)

// benign are the clients of a network, by host name. Their host numbers on
// the lan count from firstClient in this order.
var benign = []struct {
	name string
	run  client
}{
	{"laptop", browse},
	{"phone", browse},
	{"desktop", browse},
	{"admin", shell},
	{"monitor", ping},
	{"mesh", mesh},
	{"retry", retry},
}

const firstClient = 20

// startClients puts all benign clients on the lan and lets them run until ctx
// ends or the function that it returns is called, which waits for them.
func startClients(ctx context.Context, n *network, server *host) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i, c := range benign {
		h := n.join(lan, c.name, firstClient+i)
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		wg.Go(func() { c.run(ctx, h, server.addr, rng) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// pause sleeps between half of and one and a half times d; it reports whether
// ctx is still alive.
func pause(ctx context.Context, rng *rand.Rand, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d/2 + time.Duration(rng.Int64N(int64(d)))):
		return true
	}
}

// browse looks names up and fetches some objects of each site, over one
// connection and then another.
func browse(ctx context.Context, h *host, server string, rng *rand.Rand) {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return h.dial(ctx, network, server+":53")
	}}
	for pause(ctx, rng, time.Second) {
		addrs, err := resolver.LookupNetIP(ctx, "ip4", fmt.Sprintf("www%d.example.", rng.IntN(200)))
		if err != nil {
			continue
		}
		port := []int{httpPort, httpsPort, httpsPort}[rng.IntN(3)]
		for range 1 + rng.IntN(2) {
			fetch(ctx, h, fmt.Sprintf("%s:%d", addrs[0], port), 1+rng.IntN(4), rng)
		}
	}
}

// fetch gets objects of a few kB over one connection, which it closes.
func fetch(ctx context.Context, h *host, address string, objects int, rng *rand.Rand) {
	transport := &http.Transport{DialContext: h.dial}
	defer transport.CloseIdleConnections()
	web := http.Client{Transport: transport, Timeout: 5 * time.Second}
	for range objects {
		url := fmt.Sprintf("http://%s/%d", address, 500+rng.IntN(6000))
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(make([]byte, rng.IntN(800))))
		if err != nil {
			return
		}
		response, err := web.Do(request)
		if err != nil {
			return
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}

// shell types into SSH sessions.
func shell(ctx context.Context, h *host, server string, rng *rand.Rand) {
	for pause(ctx, rng, time.Second) {
		conn, err := h.dial(ctx, "tcp", fmt.Sprintf("%s:%d", server, sshPort))
		if err != nil {
			continue
		}
		for range 10 + rng.IntN(20) {
			if !pause(ctx, rng, 200*time.Millisecond) {
				break
			}
			conn.Write(make([]byte, 36))
		}
		conn.Close()
	}
}

// ping sends an echo request a second to the server and to the gateway.
func ping(ctx context.Context, h *host, server string, rng *rand.Rand) {
	for seq := 0; pause(ctx, rng, time.Second); seq++ {
		for _, to := range []string{server, prefixes[lan].v4 + "1"} {
			conn, err := h.dial(ctx, "ip4:icmp", to)
			if err != nil {
				continue
			}
			echo := icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: 77, Seq: seq, Data: make([]byte, 56)}}
			if b, err := echo.Marshal(nil); err == nil {
				conn.Write(b)
			}
			conn.Close()
		}
	}
}

// mesh calls every service on many ports in turn and moves data each time.
func mesh(ctx context.Context, h *host, server string, rng *rand.Rand) {
	for pause(ctx, rng, 400*time.Millisecond) {
		fetch(ctx, h, fmt.Sprintf("%s:%d", server, meshFirst+rng.IntN(meshPorts)), 1, rng)
	}
}

// retry tries a service that is down again and again, between what works.
func retry(ctx context.Context, h *host, server string, rng *rand.Rand) {
	for pause(ctx, rng, time.Second) {
		if conn, err := h.dial(ctx, "tcp", fmt.Sprintf("%s:%d", server, deadPort)); err == nil {
			conn.Close()
		}
		if rng.IntN(4) == 0 {
			fetch(ctx, h, fmt.Sprintf("%s:%d", server, httpPort), 1, rng)
		}
	}
}
