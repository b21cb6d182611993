package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metricNames returns the names on the pages of runs on an interface and on flows.
func metricNames() []string {
	m := monitor{}
	page := string(m.page(figures{interfaces: []interfaceFigures{{name: "eth0"}}, flows: &flowFigures{}}))
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(page, -1) {
		names = append(names, match[1])
	}
	return names
}

// namesIn returns what looks like the name of a metric.
func namesIn(text string) []string {
	return regexp.MustCompile(`\b(?:edgescan|process)_[a-z_]+\b`).FindAllString(text, -1)
}

// TestDashboard has each expression be about metrics that there are, and tells
// when one is on no metric at all.
func TestDashboard(t *testing.T) {
	type dashboard struct {
		Templating struct {
			List []struct {
				Name, Type string
				Query      any
			}
		}
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	var d dashboard
	if err := json.Unmarshal(must(os.ReadFile("../../packaging/grafana/edgescan.json")), &d); err != nil {
		t.Fatal(err)
	}
	expressions := map[string]string{}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] || len(p.Targets) == 0 {
			t.Errorf("panel %q: number %d, %d expressions", p.Title, p.ID, len(p.Targets))
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			expressions[target.Expr] = p.Title
		}
	}
	for _, v := range d.Templating.List {
		if q, ok := v.Query.(map[string]any); ok && v.Type == "query" {
			expressions[q["query"].(string)] = "variable " + v.Name
		}
	}
	known := metricNames()
	for expression, where := range expressions {
		names := namesIn(expression)
		if len(names) == 0 {
			t.Errorf("%s: %s names no metric", where, expression)
		}
		for _, name := range names {
			if !slices.Contains(known, name) {
				t.Errorf("%s: %s: no metric %s", where, expression, name)
			}
		}
		if strings.Count(expression, "(") != strings.Count(expression, ")") || strings.Count(expression, "{") != strings.Count(expression, "}") {
			t.Errorf("%s: %s: unbalanced", where, expression)
		}
	}
}

// TestMonitoringGuide has the guide name all metrics, and no others.
func TestMonitoringGuide(t *testing.T) {
	named := namesIn(string(must(os.ReadFile("../../docs/monitoring.md"))))
	known := metricNames()
	for _, name := range known {
		if !slices.Contains(named, name) {
			t.Errorf("does not name %s", name)
		}
	}
	for _, name := range named {
		if !slices.Contains(known, name) {
			t.Errorf("names %s, which there is not", name)
		}
	}
}
