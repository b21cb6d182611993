//go:build browser

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a tab of a real Chromium without a window, and what went wrong in it.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string // of the console, and exceptions
	requests   []string // addresses that were asked for
}

// openBrowser starts one, for a minute at most.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox, chromedp.WindowSize(1200, 900))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{ctx: ctx}
	chromedp.ListenTarget(ctx, b.hear)
	b.do(t, log.Enable(), network.Enable(), runtime.Enable())
	return b
}

// hear takes down what the tab tells.
func (b *browser) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, string(e.Type))
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	}
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// theme has the tab ask for dark or light pages.
func theme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

// check reports complaints, and requests that lead elsewhere than to addresses that
// begin so.
func (b *browser) check(t *testing.T, own string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		t.Errorf("the browser complains: %s", c)
	}
	for _, r := range b.requests {
		if !strings.HasPrefix(r, own) && !strings.HasPrefix(r, "data:") {
			t.Errorf("the page asks for %s", r)
		}
	}
}

// keepScreenshot writes what the tab shows to the folder that EDGESCAN_SCREENSHOTS
// names, if it does.
func (b *browser) keepScreenshot(t *testing.T, name string) {
	t.Helper()
	var image []byte
	b.do(t, chromedp.CaptureScreenshot(&image))
	if folder := os.Getenv("EDGESCAN_SCREENSHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), image, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// width returns how wide the page is, and how wide the window.
func (b *browser) width(t *testing.T) (page, window int) {
	t.Helper()
	b.do(t, chromedp.Evaluate("document.documentElement.scrollWidth", &page), chromedp.Evaluate("window.innerWidth", &window))
	return page, window
}

// background returns the colour of the page.
func (b *browser) background(t *testing.T) (colour string) {
	t.Helper()
	b.do(t, chromedp.Evaluate("getComputedStyle(document.body).backgroundColor", &colour))
	return colour
}

func TestBrowserShowsTheReport(t *testing.T) {
	out := filepath.Join(t.TempDir(), "report.html")
	if r := edgescan(t, nil, "report", "-r", sample, "-o", out); r.code != 0 {
		t.Fatal(r.stderr)
	}
	b, address := openBrowser(t), "file://"+out
	var heading, hash string
	var top float64
	b.do(t, theme("light"), chromedp.Navigate(address), chromedp.Text("h1", &heading))
	if heading != "3 scans by 3 sources" {
		t.Errorf("heading %q", heading)
	}
	light := b.background(t)
	b.keepScreenshot(t, "report-light.png")
	b.do(t, chromedp.Click(`table a[href="#source-10-50-0-67"]`),
		chromedp.Evaluate("location.hash", &hash),
		chromedp.Evaluate(`document.getElementById("source-10-50-0-67").getBoundingClientRect().top`, &top))
	if hash != "#source-10-50-0-67" || top < -1 || top > 900 {
		t.Errorf("a click on a source leads to %q, which is %v pixels down", hash, top)
	}
	b.do(t, theme("dark"))
	if dark := b.background(t); dark == light {
		t.Errorf("both themes are %s", dark)
	}
	b.keepScreenshot(t, "report-dark.png")
	b.do(t, chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	if page, window := b.width(t); page > window {
		t.Errorf("on a phone the page is %d wide, the window %d", page, window)
	}
	b.keepScreenshot(t, "report-phone.png")
	b.check(t, address)
}
