//go:build lab

package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"edgescan/internal/chromium"
)

const webAddress = "127.0.0.1:8469"

// tunnel leads to an address in a host's namespace, as ssh -L does, until the test ends.
func (h *host) tunnel(address string) (from string) {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := h.dial(context.Background(), "tcp", address)
				if err != nil {
					return
				}
				defer far.Close()
				go func() {
					io.Copy(far, near)
					far.Close()
				}()
				io.Copy(near, far)
			}()
		}
	}()
	return l.Addr().String()
}

// TestLabWeb has a real nmap scan while the page of a confined edgescan is open in a real
// Chromium, which comes by a tunnel, and allows the scan on the page.
func TestLabWeb(t *testing.T) {
	needRoot(t, "nmap", "chromium")
	n := newNetwork(t)
	serve(n.join(wan, "server", serverNumbers()...))
	scanner := n.join(lan, "scanner", firstScanner)
	rules := filepath.Join(publicFolder(t), "rules")
	edgescan := start(t, n.gateway, build(t), "", "-i", lan, "--user", fmt.Sprint(ordinary), "--web", webAddress, "--web-rules", rules)
	checkConfined(t, edgescan, fmt.Sprint(ordinary))
	address := "http://" + n.gateway.tunnel(webAddress)
	tab := chromium.Open(t)
	tab.Do(chromium.Theme("light"), chromedp.Navigate(address))
	tab.Wait("silence", `!document.getElementById("silence").hidden && document.querySelector("#packets path").hasAttribute("d")`)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		nmap(ctx, t, scanner, "-sS", "-Pn", "--top-ports", "600", "--max-rate", "60", "10.60.0.5")
	}()
	defer func() { <-done }()
	const contacts = `(/(\d+) contacts/.exec(document.querySelector("#open article.ongoing .what")?.textContent) || [0, 0])[1]`
	tab.Wait("the scan", `document.querySelectorAll("#open article.ongoing").length === 1 && document.title === "(1) edgescan"`)
	var early string
	tab.Do(chromedp.Evaluate(contacts, &early))
	tab.Wait("its picture", `[...document.querySelectorAll("#open img")].every((i) => i.complete && i.naturalWidth > 100)`)
	tab.Wait("figures", `parseInt(document.getElementById("packets-now").textContent) > 20 && parseInt(document.getElementById("sources-now").textContent) > 0`)
	tab.Wait("more of it", contacts+` > `+early+` + 200`)
	tab.Wait("more in the picture", `parseInt(/: (\d+) tcp ports/.exec(document.querySelector("#open img").alt)[1]) > `+early+` + 200 && document.querySelector("#open img").complete`)
	tab.KeepScreenshot("lab-live.png")
	if heading := tab.Text("#open h3"); heading != scanner.addr+": vertical scan" {
		t.Errorf("the page tells of %q", heading)
	}
	tab.Do(chromedp.Click("#open .allow", chromedp.ByQuery))
	tab.Wait("the dialog", `document.getElementById("allow").open`)
	tab.Do(chromedp.Click(`#allow [name=wide][value="1"]`), chromedp.Focus("#allow [name=reason]"), chromedp.KeyEvent("our own nmap\r"))
	tab.Wait("it to be put aside", `document.querySelectorAll("#open article").length === 0 && document.querySelectorAll("#rules-list li").length === 1`)
	text, err := os.ReadFile(rules)
	if err != nil || !regexp.MustCompile(`^ source=`+scanner.addr+` until=\S+ reason="our own nmap"\n$`).Match(text) {
		t.Errorf("%v, the rules are %q", err, text)
	}
	tab.Check(address)
	if code := edgescan.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d after SIGTERM with a reader, want 0", code)
	}
}

// TestLabWebFromElsewhere asks for the page from another host, which takes a token.
func TestLabWebFromElsewhere(t *testing.T) {
	needRoot(t)
	n := newNetwork(t)
	reader := n.join(lan, "scanner", firstScanner)
	secret := filepath.Join(t.TempDir(), "token") // root's alone
	if err := os.WriteFile(secret, []byte("a token of many characters\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, n.gateway, build(t), "", "-i", lan, "--user", fmt.Sprint(ordinary), "--web", "0.0.0.0:8469", "--web-token", secret)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return reader.dial(ctx, network, "10.50.0.1:8469")
		},
	}}
	get := func(path, token string) (int, string) {
		q, err := http.NewRequest("GET", "http://router.example:8469"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			q.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	if status, _ := get("/state", ""); status != 401 {
		t.Errorf("without the token: %d", status)
	}
	if status, body := get("/state", "a token of many characters"); status != 200 || !strings.Contains(body, `"watching":["`+lan+`"]`) {
		t.Errorf("with the token: %d, %s", status, body)
	}
}
