package web

import (
	"bytes"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"edgescan/featurize"
	"edgescan/internal/alert"
	"edgescan/internal/board"
	"edgescan/internal/httpd"
	"edgescan/internal/picture"
	"edgescan/internal/record"
)

// Source is what a source tried of late, whether it is a scan or not.
type Source struct {
	Address  netip.Addr
	Contacts int
	Outcomes [featurize.ChannelPending + 1]int // by the channel of maps
}

// BusySource is a Source as /sources tells it.
type BusySource struct {
	Address  string         `json:"address"`
	Contacts int            `json:"contacts"`
	Outcomes map[string]int `json:"outcomes"` // those that there are, by featurize.ChannelNames
}

// Of /sources.
const (
	maxSources = 20
	busyFor    = 2 * time.Second // until they are looked up again
)

// sources returns the busiest sources.
func (s *Server) sources() map[string][]BusySource {
	s.busiest.Lock()
	defer s.busiest.Unlock()
	if time.Since(s.busiest.at) >= busyFor {
		s.busiest.list, s.busiest.at = s.Busiest(maxSources), time.Now()
	}
	list := []BusySource{}
	for _, one := range s.busiest.list {
		outcomes := map[string]int{}
		for channel, n := range one.Outcomes {
			if n > 0 {
				outcomes[featurize.ChannelNames[channel]] = n
			}
		}
		list = append(list, BusySource{one.Address.String(), one.Contacts, outcomes})
	}
	return map[string][]BusySource{"sources": list}
}

// ofSource draws what a source touched: ADDRESS.svg or ADDRESS.txt.
func (s *Server) ofSource(name, query string) httpd.Answer {
	dot := max(strings.LastIndexByte(name, '.'), 0)
	a, err := netip.ParseAddr(name[:dot])
	if err != nil || a.Zone() != "" {
		return httpd.Text(404, "no such source\n")
	}
	contacts := s.Touched(a.Unmap())
	if len(contacts) == 0 {
		return httpd.Text(404, "no such source, or nothing is known of it any more\n")
	}
	return s.draw(name[dot:], query, contacts, fmt.Sprintf("%s  %d contacts", a, len(contacts)), "")
}

// ofIncident draws what an incident's source touched: KEY.svg or KEY.txt.
func (s *Server) ofIncident(name, query string) httpd.Answer {
	key, ending, _ := strings.Cut(name, ".")
	in, err := s.Board.Find(key)
	var contacts []picture.Contact
	if err == nil {
		contacts, err = s.Board.Contacts(key)
	}
	if err != nil {
		return httpd.Text(404, board.ErrUnknown.Error()+"\n")
	}
	title, note := record.Captions(alert.Who(in.Event), &in.Event)
	return s.draw("."+ending, query, contacts, title, note)
}

// draw draws contacts, as SVG or as text for a terminal.
func (s *Server) draw(ending, query string, contacts []picture.Contact, title, note string) httpd.Answer {
	s.drawing.Lock()
	defer s.rest(time.Now())
	switch ending {
	case ".txt":
		form, _ := url.ParseQuery(query)
		return httpd.Text(200, picture.Text(contacts, picture.TextStyle{ASCII: form.Has("ascii"), Colour: form.Has("colour")}))
	case ".svg":
		var svg bytes.Buffer
		if err := picture.Contacts(&svg, contacts, picture.Options{Format: picture.SVG, Title: title, Note: note, PortName: alert.PortName}); err != nil {
			return httpd.Text(500, err.Error()+"\n")
		}
		return httpd.Answer{Status: 200, Type: svgType, Body: svg.Bytes()}
	}
	return httpd.Text(404, "no such picture: want .svg or .txt\n")
}

// rest lets the next picture be drawn, not before three times what this one took: drawing
// has a quarter of a core, on which packets may be read as well.
func (s *Server) rest(since time.Time) { time.AfterFunc(3*time.Since(since), s.drawing.Unlock) }
