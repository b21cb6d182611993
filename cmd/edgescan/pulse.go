package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How long a loop may take to turn, and how often it is looked at. Without a
// packet it turns five times a second, that of a folder twice, and an alert may
// hold it up for a second.
const (
	pulsePatience    = 5 * time.Second
	minPulsePatience = time.Second // less would fail where nothing is wrong
	pulseInterval    = 20 * time.Millisecond
)

// pulse knows whether the loops that read packets turn. Those that ended have
// stopped, too.
type pulse struct {
	mu    sync.Mutex
	loops []*loop
}

// loop counts the turns of one loop.
type loop struct {
	name  string
	turns atomic.Uint64
}

// loop begins to look after another loop.
func (p *pulse) loop(name string) *loop {
	l := &loop{name: name}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loops = append(p.loops, l)
	return l
}

// turn counts a turn; no loop is none to count for.
func (l *loop) turn() {
	if l != nil {
		l.turns.Add(1)
	}
}

// begun returns the loops that there are.
func (p *pulse) begun() []*loop {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.loops
}

// check waits until every loop has turned once more, and fails where one does
// not in time or there is none.
func (p *pulse) check(ctx context.Context, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	loops := p.begun()
	for ; len(loops) == 0; loops = p.begun() { // for a moment after the start
		if ctx.Err() != nil || time.Now().After(deadline) {
			return errors.New("nothing is read yet")
		}
		time.Sleep(pulseInterval)
	}
	before := make([]uint64, len(loops))
	for i, l := range loops {
		before[i] = l.turns.Load()
	}
	for {
		var still []string
		for i, l := range loops {
			if l.turns.Load() == before[i] {
				still = append(still, l.name)
			}
		}
		if len(still) == 0 {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("not read for %v: %s", patience, strings.Join(still, ", "))
		}
		time.Sleep(pulseInterval)
	}
}
