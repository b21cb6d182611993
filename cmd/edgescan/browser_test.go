//go:build browser && unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"edgescan/internal/chromium"
)

func TestBrowserShowsTheReport(t *testing.T) {
	out := filepath.Join(t.TempDir(), "report.html")
	if r := edgescan(t, nil, "report", "-r", sample, "-o", out); r.code != 0 {
		t.Fatal(r.stderr)
	}
	b, address := chromium.Open(t), "file://"+out
	var hash string
	var top float64
	b.Do(chromium.Theme("light"), chromedp.Navigate(address))
	if heading := b.Text("h1"); heading != "3 scans by 3 sources" {
		t.Errorf("heading %q", heading)
	}
	b.KeepScreenshot("report-light.png")
	b.Do(chromedp.Click(`table a[href="#source-10-50-0-67"]`),
		chromedp.Evaluate("location.hash", &hash),
		chromedp.Evaluate(`document.getElementById("source-10-50-0-67").getBoundingClientRect().top`, &top))
	if hash != "#source-10-50-0-67" || top < -1 || top > 900 {
		t.Errorf("a click on a source leads to %q, which is %v pixels down", hash, top)
	}
	b.CheckThemes()
	b.KeepScreenshot("report-dark.png")
	b.Do(chromium.Phone())
	b.CheckWidth()
	b.KeepScreenshot("report-phone.png")
	b.Check(address)
}

// TestBrowserShowsTheLivePage enters with a token, has scans come while the page is open,
// and uses what is on it: by mouse and by keyboard.
func TestBrowserShowsTheLivePage(t *testing.T) {
	token, rules := write(t, "token", []byte("sixteen characters\n")), filepath.Join(t.TempDir(), "rules")
	f := startFollower(t, "web: 127.0.0.1:0\nweb-token: "+token+"\nweb-rules: "+rules+"\n")
	b, address := chromium.Open(t), f.webAddress()
	b.Do(chromium.Theme("light"), chromedp.Navigate(address))
	b.Wait("the question for the token", `!document.getElementById("login").hidden`)
	b.Do(chromedp.SendKeys("#token", "another word\r"))
	b.Wait("a refusal", `document.querySelector("#login .wrong").textContent !== ""`)
	b.Do(chromedp.KeyEvent("sixteen characters\r"))
	b.Wait("the page", `!document.getElementById("silence").hidden`)
	b.KeepScreenshot("live-silence.png")

	f.capture("sample.pcap", sampleBytes(t))
	b.Wait("three scans that go on", `document.querySelectorAll("#open article.ongoing").length === 3`)
	b.Wait("their pictures", `[...document.querySelectorAll("#open img")].every((i) => i.complete && i.naturalWidth > 100)`)
	if title := b.Text("#status"); !strings.HasSuffix(title, "3 scans go on.") {
		t.Errorf("it says %q", title)
	}
	b.Wait("the picture of what came since", `[...document.querySelectorAll("#open img")].some((i) => i.complete && i.alt.includes("255 hosts") && i.naturalHeight > 400)`)
	b.KeepScreenshot("live-light.png")
	b.CheckThemes()
	b.KeepScreenshot("live-dark.png")

	b.Do(chromedp.Click("#busy summary"))
	b.Wait("the busiest sources", `document.querySelectorAll("#busy-list tr").length > 3`)
	b.Do(chromedp.Click("#busy-list button", chromedp.ByQuery))
	b.Wait("a picture of the busiest", `document.querySelector("#busy-picture img").naturalWidth > 100`)
	if first := b.Text("#busy-list tr"); !strings.HasPrefix(first, "10.50.0.66\t301\t1\t8\t292") {
		t.Errorf("the busiest is %q", first)
	}
	b.KeepScreenshot("live-busy.png")

	const vertical = `document.querySelector("#open article.vertical")`
	b.Do(chromedp.Click("#open article.vertical .dismiss", chromedp.ByQuery))
	b.Wait("the dialog", `document.getElementById("dismiss").open`)
	b.KeepScreenshot("live-dismiss.png")
	b.Do(chromedp.KeyEvent("\r")) // without a reason
	b.Wait("the dialog to stay", `document.getElementById("dismiss").open`)
	b.Do(chromedp.KeyEvent("our own test\r"))
	b.Wait("it to be put aside", `document.querySelectorAll("#open article").length === 2`)
	b.Do(chromedp.Click("#aside summary"), chromedp.Click("#closed .restore", chromedp.ByQuery))
	b.Wait("it to be back", vertical+" !== null")

	b.Do(chromedp.Click("#open article.vertical .allow", chromedp.ByQuery))
	b.Wait("the dialog", `document.getElementById("allow").open`)
	b.Do(chromedp.KeyEvent(`the "monitoring" host`))
	b.KeepScreenshot("live-allow.png")
	b.Do(chromedp.KeyEvent("\r"))
	b.Wait("it to be put aside", vertical+" === null")
	b.Wait("the rules", `document.querySelectorAll("#rules-list li").length === 2`) // tcp, and arp before it
	if text, err := os.ReadFile(rules); err != nil || !strings.HasPrefix(string(text), " source=10.50.0.66 destination=10.60.0.5 protocols=tcp kinds=vertical until=") {
		t.Errorf("%v, the rules are\n%s", err, text)
	}
	b.Do(chromedp.Click("#rules-list button", chromedp.ByQuery))
	b.Wait("one rule to go", `document.querySelectorAll("#rules-list li").length === 1`)
	b.Do(chromium.Phone())
	b.CheckWidth()
	b.KeepScreenshot("live-phone.png")
	b.Check(address)
}
