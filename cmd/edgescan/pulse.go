package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pulsePatience is how long a loop may take to turn: it does five times a
// second without a packet, and an alert may hold it up for a second.
const pulsePatience = 5 * time.Second

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

// check waits until every loop has turned once more, and fails where one does
// not in time or there is none.
func (p *pulse) check(ctx context.Context, patience time.Duration) error {
	p.mu.Lock()
	loops := p.loops
	p.mu.Unlock()
	if len(loops) == 0 {
		return fmt.Errorf("nothing is read yet")
	}
	before := make([]uint64, len(loops))
	for i, l := range loops {
		before[i] = l.turns.Load()
	}
	deadline := time.Now().Add(patience)
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
		time.Sleep(20 * time.Millisecond)
	}
}
