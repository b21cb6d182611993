// Package chromium drives a tab of a real Chromium without a window, for tests of pages:
// it takes down what went wrong in it and what it asked for.
package chromium

import (
	"context"
	"os"
	"os/exec"
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

// Tab is a tab, and what went wrong in it.
type Tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // of the console, and exceptions
	requests   []string // addresses that were asked for
}

// Open starts a browser, for as long as the test goes on and two minutes at most.
func Open(t *testing.T) *Tab {
	t.Helper()
	said, opened := &output{}, false
	t.Cleanup(func() {
		if !opened {
			t.Logf("the browser said:\n%s", said)
		}
	})
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.NoSandbox, chromedp.WindowSize(1200, 900), chromedp.CombinedOutput(said),
		// Not what is the default, to have the kernel kill it when the thread that started
		// it ends: threads of tests that enter namespaces do.
		chromedp.ModifyCmdFunc(func(*exec.Cmd) {}))
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {})) // of events that chromedp does not know yet
	t.Cleanup(cancel)
	tab := &Tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, tab.hear)
	tab.Do(log.Enable(), network.Enable(), runtime.Enable())
	opened = true
	return tab
}

// output is what the browser says on its standard output and error.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// hear takes down what the tab tells.
func (tab *Tab) hear(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		tab.complaints = append(tab.complaints, e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventExceptionThrown:
		tab.complaints = append(tab.complaints, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		tab.complaints = append(tab.complaints, string(e.Type))
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.URL)
	}
}

// Do carries actions out, or ends the test.
func (tab *Tab) Do(actions ...chromedp.Action) {
	tab.t.Helper()
	if err := chromedp.Run(tab.ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// Wait waits until an expression of JavaScript is true, for half a minute at most.
func (tab *Tab) Wait(what, expression string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Poll(expression, nil, chromedp.WithPollingInterval(50*time.Millisecond))); err != nil {
		var page string
		chromedp.Run(tab.ctx, chromedp.Evaluate("document.body.innerText", &page))
		tab.t.Fatalf("waited for %s: %v; the page reads:\n%s", what, err, page)
	}
}

// Text returns what an element shows.
func (tab *Tab) Text(selector string) (text string) {
	tab.t.Helper()
	tab.Do(chromedp.Text(selector, &text, chromedp.ByQuery))
	return text
}

// Theme has the tab ask for dark or light pages.
func Theme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

// Phone makes the tab one of a phone.
func Phone() chromedp.Action { return chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile) }

// CheckThemes has the page in both themes, and reports where they have the same colour.
// It leaves the dark one.
func (tab *Tab) CheckThemes() {
	tab.t.Helper()
	var colours [2]string
	for i, name := range []string{"light", "dark"} {
		tab.Do(Theme(name), chromedp.Evaluate("getComputedStyle(document.body).backgroundColor", &colours[i]))
	}
	if colours[0] == colours[1] {
		tab.t.Errorf("both themes are %s", colours[0])
	}
}

// CheckWidth reports a page that is wider than the window.
func (tab *Tab) CheckWidth() {
	tab.t.Helper()
	var page, window int
	tab.Do(chromedp.Evaluate("document.documentElement.scrollWidth", &page), chromedp.Evaluate("window.innerWidth", &window))
	if page > window {
		tab.t.Errorf("the page is %d wide, the window %d", page, window)
	}
}

// Check reports complaints, and requests that lead elsewhere than to addresses that
// begin so.
func (tab *Tab) Check(own string) {
	tab.t.Helper()
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, c := range tab.complaints {
		tab.t.Errorf("the browser complains: %s", c)
	}
	for _, r := range tab.requests {
		if !strings.HasPrefix(r, own) && !strings.HasPrefix(r, "data:") {
			tab.t.Errorf("the page asks for %s", r)
		}
	}
}

// KeepScreenshot writes what the tab shows to the folder that EDGESCAN_SCREENSHOTS
// names, if it does.
func (tab *Tab) KeepScreenshot(name string) {
	tab.t.Helper()
	var image []byte
	tab.Do(chromedp.CaptureScreenshot(&image))
	if folder := os.Getenv("EDGESCAN_SCREENSHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name), image, 0o644); err != nil {
			tab.t.Fatal(err)
		}
	}
}
