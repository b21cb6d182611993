package top

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"edgescan/featurize"
	"edgescan/internal/board"
)

var (
	bar    = lipgloss.NewStyle().Reverse(true)
	strong = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
)

// Lines besides those of the list and of the detail below it: title, figures, tabs and
// help.
const fixedLines = 4

// detailLines are what the selected incident takes: a rule, two lines of text, and a
// picture of at most twelve.
const detailLines = 15

// leastRows is how many lines the list keeps where the detail would take them.
const leastRows = 5

// rows returns how many lines the list has.
func (m *model) rows() int {
	room := max(m.height-fixedLines, 1)
	return max(room-detailLines, min(leastRows, room))
}

// View implements tea.Model. It is never more than the terminal has.
func (m *model) View() tea.View {
	lines := []string{bar.Render(m.pad(m.title())), m.figures(), m.tabs()}
	lines = append(lines, m.listLines()...)
	for len(lines) < m.rows()+fixedLines-1 {
		lines = append(lines, "")
	}
	lines = append(lines, m.detail()...)
	lines = lines[:min(len(lines), max(m.height-1, 1))]
	for len(lines) < m.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines, m.help())
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], m.width, "")
	}
	v := tea.NewView(strings.Join(lines[max(0, len(lines)-m.height):], "\n"))
	v.AltScreen = true
	v.WindowTitle = "edgescan"
	return v
}

// pad makes a text as wide as the terminal.
func (m *model) pad(text string) string {
	text = ansi.Truncate(text, m.width, "")
	return text + strings.Repeat(" ", max(0, m.width-ansi.StringWidth(text)))
}

func (m *model) title() string {
	going := 0
	for i := range m.incidents {
		if in := &m.incidents[i]; in.Ongoing && in.Verdict == board.Open {
			going++
		}
	}
	state := "no scan goes on"
	switch {
	case m.isLost:
		state = "connection lost"
	case going == 1:
		state = "1 scan goes on"
	case going > 1:
		state = fmt.Sprintf("%d scans go on", going)
	}
	return clean(fmt.Sprintf(" %s: %s  %s", m.about.Program, state, strings.Join(m.about.Watching, ", ")))
}

// figures returns the sparklines: of what came each second, the latest to the right.
func (m *model) figures() string {
	values := [3][]float64{}
	for i, s := range m.samples {
		seconds := 1.0
		if i > 0 {
			seconds = max(float64(s.Time-m.samples[i-1].Time)/1000, 0.001)
		}
		for k, v := range []float64{float64(s.Packets) / seconds, float64(s.Drops) / seconds, float64(s.Sources)} {
			values[k] = append(values[k], v)
		}
	}
	var parts []string
	for k, name := range []string{"packets", "drops", "sources"} {
		now := 0.0
		if n := len(values[k]); n > 0 {
			now = values[k][n-1]
		}
		unit := "/s"
		if k == 2 {
			unit = ""
		}
		label := fmt.Sprintf(" %s %.0f%s ", name, now, unit)
		parts = append(parts, faint.Render(label)+m.sparkline(values[k], m.width/3-len(label)))
	}
	return strings.Join(parts, "")
}

// sparkline draws the latest values as bars, width of them.
func (m *model) sparkline(values []float64, width int) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	if m.ASCII {
		levels = []rune("_.:-=+*#")
	}
	width = max(width, 0)
	values = values[max(0, len(values)-width):]
	most := 1.0
	for _, v := range values {
		most = max(most, v)
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		b.WriteRune(levels[min(int(v/most*float64(len(levels)-1)+0.5), len(levels)-1)])
	}
	return b.String()
}

// tabs names the lists, and how much there is in each.
func (m *model) tabs() string {
	var parts []string
	for list, name := range []string{"Scans", "Busiest sources", "Dismissed and allowed", "Rules"} {
		text := " " + name + " "
		if list != listSources {
			text = fmt.Sprintf(" %s (%d) ", name, len(m.listed(list)))
		}
		if list == m.list {
			text = strong.Underline(true).Render(text)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// listLines are those of the list around what is selected.
func (m *model) listLines() (lines []string) {
	at, keys := m.current()
	if at < 0 {
		return []string{"", [lists]string{"  Nothing scans.", "  No source tried anything within the last ten minutes.", "  Nothing was put aside.", "  There is no rule."}[m.list]}
	}
	rows := m.rows()
	if m.list == listSources {
		lines = []string{faint.Render(sourceRow("", "contacts", func(o string) string { return o }))}
		rows--
	}
	first := min(max(0, at-rows/2), max(0, len(keys)-rows))
	for i := first; i < min(first+rows, len(keys)); i++ {
		text := ""
		switch m.list {
		case listRules:
			text = "  " + clean(keys[i])
		case listSources:
			text = clean(sourceRow(keys[i], strconv.Itoa(m.sources[i].Contacts), func(o string) string { return strconv.Itoa(m.sources[i].Outcomes[o]) }))
		default:
			text = m.row(&m.incidents[m.index(keys[i])])
		}
		if i == at {
			text = bar.Render(m.pad(">" + text[1:]))
		}
		lines = append(lines, text)
	}
	return lines
}

// sourceRow writes a source, and what became of its contacts, in one line.
func sourceRow(address, contacts string, outcome func(string) string) string {
	line := fmt.Sprintf("  %-16s %8s", address, contacts)
	for _, o := range featurize.ChannelNames[:featurize.ChannelPending+1] {
		line += fmt.Sprintf(" %*s", len(o), outcome(o))
	}
	return line
}

// row writes an incident in one line.
func (m *model) row(in *incident) string {
	state := "ended"
	if in.Ongoing {
		state = "goes on"
	}
	if in.Verdict != board.Open {
		state = string(in.Verdict)
	}
	if in.Who == "" { // a summary
		return clean("  " + in.Line)
	}
	return clean(fmt.Sprintf("  %-9s %s  %-16s %-10s %s", state, in.scan.FirstSeen.UTC().Format("01-02 15:04"), in.Who, in.scan.Kind, in.What))
}

// detail tells of the selected incident: its alert, the verdict on it, and its picture.
func (m *model) detail() []string {
	in := m.incident()
	if in == nil {
		if m.list == listRules && m.about.Rules == "" {
			return []string{"", faint.Render("  They are kept until edgescan ends. With --web-rules FILE they last.")}
		}
		if m.subject().of == "sources" {
			return append(m.line(), m.pictureLines()...)
		}
		return nil
	}
	lines := m.line()
	words := in.Line
	if in.Verdict != board.Open {
		words = fmt.Sprintf("%s: %s. %s", in.Verdict, in.Reason, in.Line)
	}
	wrapped := strings.Split(ansi.Wrap(clean(words), max(m.width, 10), ""), "\n")
	if len(wrapped) > 2 {
		wrapped = append(wrapped[:1], ansi.Truncate(strings.Join(wrapped[1:], " "), m.width, "..."))
	}
	return append(append(lines, wrapped...), m.pictureLines()...)
}

// line is drawn between the list and what is below.
func (m *model) line() []string {
	rule := "─"
	if m.ASCII {
		rule = "-"
	}
	return []string{faint.Render(strings.Repeat(rule, m.width))}
}

// pictureLines are those of the picture of what is selected, as it came last.
func (m *model) pictureLines() []string {
	if s := m.subject(); s.of != m.picture.of || s.id != m.picture.id {
		return nil
	}
	return strings.Split(strings.TrimRight(m.picture.text, "\n"), "\n")
}

// help is the line at the bottom: what is asked, what went wrong, or which keys there are.
func (m *model) help() string {
	in := m.incident()
	switch {
	case m.ask.button != "" && m.ask.step == stepWide:
		return strong.Render(" Allow:") + clean(fmt.Sprintf(" n only this  w all: %s  esc cancel", m.wideOf()))
	case m.ask.button != "" && m.ask.step == stepDays:
		return strong.Render(" For:") + " 1 a day  7 a week  9 90 days  0 good  esc cancel"
	case m.ask.button != "":
		return " " + m.input.View()
	case m.problem != "":
		return " " + m.problem
	}
	keys := " up/down select  tab other list"
	switch {
	case m.list == listRules:
		keys += "  x remove"
	case in != nil && in.Verdict != board.Open:
		keys += "  r restore"
	case in != nil && in.Wide != "":
		keys += "  d dismiss  a allow"
	case in != nil:
		keys += "  d dismiss"
	}
	return faint.Render(keys + "  q quit")
}

// wideOf returns the rule that allows all of what is asked about.
func (m *model) wideOf() string {
	if i := m.index(m.ask.form.Get("id")); i >= 0 {
		return m.incidents[i].Wide
	}
	return ""
}
