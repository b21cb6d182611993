// Package top shows a running edgescan in a terminal: what its live page shows in a
// browser, and with the same buttons.
//
// Messages of the page come in by a Client, and keys; lines for a terminal go out. No
// text that comes from elsewhere can move its cursor.
package top

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"sync"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"edgescan/internal/board"
	"edgescan/internal/web"
)

// Options say what the terminal can show.
type Options struct {
	ASCII bool // no Unicode
}

// Run shows what a client tells until the user quits or ctx ends. It fails where there is
// nothing to be told at the start; later it waits for what is gone to come back.
func Run(ctx context.Context, c *Client, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newModel(ctx, c, o)
	p := tea.NewProgram(m, tea.WithContext(ctx))
	begun := make(chan error, 1)
	go func() {
		var once sync.Once
		begin := func(err error) { once.Do(func() { begun <- err }) }
		for {
			err := c.Watch(ctx, func(message *web.Message) {
				begin(nil)
				p.Send(message)
			})
			begin(err)
			p.Send(lost{err})
			select {
			case <-time.After(2 * time.Second):
			case <-ctx.Done():
				return
			}
		}
	}()
	if err := <-begun; err != nil {
		return err
	}
	_, err := p.Run()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// lost says that the connection is.
type lost struct{ err error }

// drawn is a picture that came.
type drawn struct {
	subject
	text string
	err  error
}

// subject is what a picture is of, at one time.
type subject struct {
	of, id  string // incidents or sources, and which of them
	version uint64
}

// busiest are the busiest sources that came.
type busiest struct {
	list []web.BusySource
	err  error
}

// busyAgain asks for them again.
type busyAgain struct{}

// busyEvery is how often they are asked for while they are shown.
const busyEvery = 3 * time.Second

// pressed is what became of a button.
type pressed struct{ err error }

// The lists that there are.
const (
	listOpen = iota
	listSources
	listAside
	listRules
	lists
)

// model is what is shown. It is Bubble Tea's.
type model struct {
	Options
	ctx    context.Context
	client *Client

	width, height int
	about         web.About
	incidents     []incident // in the order in which they began
	samples       []web.Sample
	rules         []string
	sources       []web.BusySource
	asked         uint64 // how often for them
	asking        bool   // they are asked for, or will be
	problem       string // in place of the help line; empty: none
	isLost        bool

	list     int
	selected [lists]string // of each list: the ID of an incident, an address, or a rule
	picture  drawn         // of what is selected, or was before
	drawing  bool          // one is on its way

	ask   question
	input textinput.Model
}

// incident is one of the page's, with what its alert says of the scan.
type incident struct {
	web.Incident
	scan scan
}

// scan is by the names of EVE.
type scan struct {
	Kind      string    `json:"kind"`
	FirstSeen time.Time `json:"first_seen"`
}

// question is what the user is asked.
type question struct {
	button string // that the answers are for; empty: nothing is asked
	step   int    // which of its steps is asked
	form   url.Values
}

// The steps of a question: what a rule allows, for how long, and why.
const (
	stepWide = iota
	stepDays
	stepReason
)

// days are the keys for how long a rule may hold.
var days = map[string]string{"1": "1", "7": "7", "9": "90", "0": ""}

func newModel(ctx context.Context, c *Client, o Options) *model {
	input := textinput.New()
	input.Prompt = "Reason: "
	input.CharLimit = 200
	input.SetVirtualCursor(true)
	return &model{Options: o, ctx: ctx, client: c, width: 80, height: 24, input: input}
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (m *model) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = message.Width, message.Height
		m.input.SetWidth(max(1, m.width-len(m.input.Prompt)-3)) // with a blank before and the cursor behind
	case *web.Message:
		m.take(message)
	case lost:
		m.isLost = true
		m.problem = "The connection is lost (" + clean(message.err.Error()) + "). Trying again."
	case drawn:
		m.drawing = false
		if message.err == nil {
			m.picture = message
		}
	case busiest:
		if message.err == nil {
			m.sources = message.list
		}
		return m, tea.Batch(m.draw(), tea.Tick(busyEvery, func(time.Time) tea.Msg { return busyAgain{} }))
	case busyAgain:
		m.asking = false
		return m, m.askBusy()
	case pressed:
		if m.problem = ""; message.err != nil {
			m.problem = clean(message.err.Error())
		}
	case tea.KeyPressMsg:
		return m, m.key(message)
	case tea.PasteMsg:
		return m, m.typed(message)
	}
	return m, m.draw()
}

// take takes what changed.
func (m *model) take(c *web.Message) {
	if m.isLost {
		m.isLost, m.problem = false, ""
	}
	if c.Full {
		m.incidents, m.samples = nil, nil
		if c.About != nil {
			m.about = *c.About
		}
	}
	for _, id := range c.Gone {
		if i := m.index(id); i >= 0 {
			m.incidents = slices.Delete(m.incidents, i, i+1)
		}
	}
	for _, fresh := range c.Incidents {
		var a struct {
			Scan scan `json:"scan"`
		}
		json.Unmarshal(fresh.Alert, &a) // where it says something else, it says nothing of a scan
		in := incident{fresh, a.Scan}
		if i := m.index(in.ID); i >= 0 {
			m.incidents[i] = in
		} else {
			m.incidents = append(m.incidents, in)
		}
	}
	const most = 300
	m.samples = append(m.samples, c.Samples...)
	m.samples = m.samples[max(0, len(m.samples)-most):]
	if c.RulesNew {
		m.rules = c.Rules
	}
}

func (m *model) index(id string) int {
	return slices.IndexFunc(m.incidents, func(in incident) bool { return in.ID == id })
}

// listed returns the keys of what a list shows: of incidents the newest first.
func (m *model) listed(list int) (keys []string) {
	switch list {
	case listRules:
		return m.rules
	case listSources:
		for i := range m.sources {
			keys = append(keys, m.sources[i].Address)
		}
		return keys
	}
	for i := len(m.incidents) - 1; i >= 0; i-- {
		if in := &m.incidents[i]; (in.Verdict != board.Open) == (list == listAside) {
			keys = append(keys, in.ID)
		}
	}
	return keys
}

// current returns the place of what is selected in its list, -1 where that is empty.
func (m *model) current() (at int, keys []string) {
	keys = m.listed(m.list)
	at = slices.Index(keys, m.selected[m.list])
	if at < 0 && len(keys) > 0 {
		at = 0
	}
	return at, keys
}

// incident returns the selected one, nil if none is.
func (m *model) incident() *incident {
	if at, keys := m.current(); (m.list == listOpen || m.list == listAside) && at >= 0 {
		return &m.incidents[m.index(keys[at])]
	}
	return nil
}

// subject returns what a picture is to be of; the zero subject is nothing.
func (m *model) subject() subject {
	if in := m.incident(); in != nil && in.Picture != 0 {
		return subject{"incidents", in.ID, in.Picture}
	}
	if at, keys := m.current(); m.list == listSources && at >= 0 {
		return subject{"sources", keys[at], m.asked}
	}
	return subject{}
}

// draw has the picture of what is selected drawn, if there is another one.
func (m *model) draw() tea.Cmd {
	s := m.subject()
	if s == (subject{}) || m.drawing || m.picture.subject == s {
		return nil
	}
	m.drawing = true
	return func() tea.Msg {
		text, err := m.client.Picture(m.ctx, s.of, s.id, m.ASCII)
		return drawn{s, text, err}
	}
}

// askBusy asks for the busiest sources, if they are shown.
func (m *model) askBusy() tea.Cmd {
	if m.list != listSources || m.asking {
		return nil
	}
	m.asking = true
	m.asked++
	return func() tea.Msg {
		list, err := m.client.Sources(m.ctx)
		return busiest{list, err}
	}
}

// key takes a key.
func (m *model) key(k tea.KeyPressMsg) tea.Cmd {
	if k.String() == "ctrl+c" {
		return tea.Quit
	}
	if m.ask.button != "" {
		return m.answer(k)
	}
	if !m.isLost {
		m.problem = ""
	}
	in := m.incident()
	at, keys := m.current()
	switch k.String() {
	case "q":
		return tea.Quit
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup":
		m.move(-m.rows())
	case "pgdown", "space":
		m.move(m.rows())
	case "home", "g":
		m.move(-len(keys))
	case "end", "G":
		m.move(len(keys))
	case "tab", "shift+tab":
		step := 1
		if k.String() != "tab" {
			step = lists - 1
		}
		m.list = (m.list + step) % lists
		return tea.Batch(m.askBusy(), m.draw())
	case "d":
		if in != nil && in.Verdict == board.Open {
			return m.begin("dismiss", stepReason, url.Values{"id": {in.ID}})
		}
	case "a":
		if in != nil && in.Verdict == board.Open && in.Wide != "" {
			return m.begin("allow", stepWide, url.Values{"id": {in.ID}})
		}
	case "r":
		if in != nil && in.Verdict != board.Open {
			return m.press("restore", url.Values{"id": {in.ID}})
		}
	case "x":
		if m.list == listRules && at >= 0 {
			return m.press("disallow", url.Values{"rule": {keys[at]}})
		}
	}
	return m.draw()
}

// move selects what is so many lines below.
func (m *model) move(by int) {
	if at, keys := m.current(); at >= 0 {
		m.selected[m.list] = keys[min(max(at+by, 0), len(keys)-1)]
	}
}

// begin asks what has to be known before a button is pressed.
func (m *model) begin(button string, step int, form url.Values) tea.Cmd {
	m.ask, m.problem = question{button, step, form}, ""
	m.input.Reset()
	return m.input.Focus()
}

// answer takes a key while something is asked.
func (m *model) answer(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	if name == "esc" {
		m.ask = question{}
		return nil
	}
	switch m.ask.step {
	case stepWide:
		if name == "w" {
			m.ask.form.Set("wide", "1")
		}
		if name == "w" || name == "n" {
			m.ask.step = stepDays
		}
		return nil
	case stepDays:
		if n, ok := days[name]; ok {
			m.ask.form.Set("days", n)
			m.ask.step = stepReason
		}
		return nil
	}
	if name != "enter" {
		return m.typed(k)
	}
	m.ask.form.Set("reason", m.input.Value())
	button, form := m.ask.button, m.ask.form
	m.ask = question{}
	return m.press(button, form)
}

// typed gives what is typed or pasted to the input, if it is asked for.
func (m *model) typed(message tea.Msg) (cmd tea.Cmd) {
	if m.ask.button != "" && m.ask.step == stepReason {
		m.input, cmd = m.input.Update(message)
	}
	return cmd
}

// press presses a button of the page.
func (m *model) press(button string, form url.Values) tea.Cmd {
	return func() tea.Msg { return pressed{m.client.Press(m.ctx, button, form)} }
}
