package alert

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edgescan/internal/detect"
)

// ecsReference reads testdata/ecs-8.11.txt: types by name.
func ecsReference(t *testing.T) map[string]string {
	t.Helper()
	file, err := os.ReadFile("testdata/ecs-8.11.txt")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for line := range strings.Lines(string(file)) {
		if name, kind, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			types[name] = kind
		}
	}
	return types
}

// ecsAllowed are the only values that ECS allows for some fields.
var ecsAllowed = map[string][]string{
	"ecs.version":       {"8.11.0"},
	"event.kind":        {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"},
	"event.category":    {"network", "intrusion_detection"}, // of many
	"event.type":        {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
	"network.direction": {"ingress", "egress", "inbound", "outbound", "internal", "external", "unknown"},
}

// isECS says whether a value of JSON is of one of ECS's types.
func isECS(kind string, value any) bool {
	if one, ok := strings.CutSuffix(kind, " array"); ok {
		list, ok := value.([]any)
		return ok && len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool { return !isECS(one, v) })
	}
	text, isText := value.(string)
	number, isNumber := value.(float64)
	switch kind {
	case "date":
		_, err := time.Parse(time.RFC3339Nano, text)
		return err == nil
	case "ip":
		_, err := netip.ParseAddr(text)
		return err == nil
	case "keyword", "text":
		return isText && text != ""
	case "long":
		return isNumber && number == float64(int64(number))
	case "float":
		return isNumber
	}
	return false
}

// leaves returns the values of an object by their dotted names.
func leaves(prefix string, object map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range object {
		if inner, ok := value.(map[string]any); ok {
			for n, v := range leaves(prefix+name+".", inner) {
				all[n] = v
			}
			continue
		}
		all[prefix+name] = value
	}
	return all
}

func ecsObject(t *testing.T, e detect.Event) map[string]any {
	t.Helper()
	line := ECS(e, testHeader())
	var object map[string]any
	if err := json.Unmarshal(line, &object); err != nil || bytes.ContainsAny(line, "\r\n") {
		t.Fatalf("%v in %q", err, line)
	}
	return object
}

// TestECSReference finds every field in ECS's reference, with a value of the
// right type, or below edgescan.
func TestECSReference(t *testing.T) {
	types := ecsReference(t)
	for _, e := range everyForm() {
		fields := leaves("", ecsObject(t, e))
		for _, name := range []string{"@timestamp", "ecs.version", "message", "event.kind", "event.category", "event.type", "event.action",
			"event.start", "event.end", "event.duration", "event.severity", "event.dataset", "event.module", "rule.name", "related.ip",
			"observer.vendor", "observer.product", "observer.version", "observer.hostname"} {
			if fields[name] == nil {
				t.Errorf("no %s in %v", name, fields)
			}
		}
		for name, value := range fields {
			if strings.HasPrefix(name, "edgescan.") {
				continue
			}
			if types[name] == "" || !isECS(types[name], value) {
				t.Errorf("%s=%v, want the type %q", name, value, types[name])
			}
			list, isList := value.([]any)
			if !isList {
				list = []any{value}
			}
			for _, v := range list {
				if allowed := ecsAllowed[name]; allowed != nil && !slices.Contains(allowed, v.(string)) {
					t.Errorf("%s is %v, want one of %v", name, v, allowed)
				}
			}
		}
	}
}

// same are the fields of EVE with the same value in ECS.
var same = map[string]string{
	"timestamp": "@timestamp", "src_ip": "source.ip", "src_name": "source.domain", "src_port": "source.port",
	"dest_ip": "destination.ip", "dest_port": "destination.port", "community_id": "network.community_id",
	"scan.first_seen": "event.start", "scan.last_seen": "event.end", "scan.allowed": "event.reason", "scan_summary.since": "event.start",
}

// TestFormatsSayTheSame compares ECS and CEF with EVE, value by value.
func TestFormatsSayTheSame(t *testing.T) {
	for _, e := range everyForm() {
		var eve map[string]any
		if err := json.Unmarshal(JSON(e), &eve); err != nil {
			t.Fatal(err)
		}
		ecs := leaves("", ecsObject(t, e))
		cef := map[string]bool{}
		for _, value := range mustParseCEF(t, string(appendCEF(nil, e, testHeader()))).extensions {
			cef[value] = true
		}
		for name, value := range leaves("", eve) {
			own := strings.HasPrefix(name, "scan")
			if own && !reflect.DeepEqual(ecs["edgescan."+name], value) {
				t.Errorf("edgescan.%s is %v in ECS, want %v", name, ecs["edgescan."+name], value)
			}
			if other := same[name]; other != "" && !reflect.DeepEqual(ecs[other], value) {
				t.Errorf("%s is %v in ECS, want %v", other, ecs[other], value)
			}
			if text := cefWant(name, value); text != "" && !cef[text] {
				t.Errorf("no value of CEF is %q, as %s is", text, name)
			}
		}
		if score, ok := ecs["edgescan.scan.score"].(float64); ok && ecs["event.risk_score"].(float64)-score*100 > 1e-9 {
			t.Errorf("event.risk_score is %v, want %v times 100", ecs["event.risk_score"], score)
		}
	}
}

// cefWant returns a value of EVE as CEF writes it, nothing where it has none.
func cefWant(name string, value any) string {
	_, last, _ := strings.Cut(name, ".")
	switch {
	case name == "event_type" || strings.HasPrefix(name, "scan_summary.kinds"):
		return ""
	case name == "timestamp" || last == "first_seen" || last == "last_seen" || last == "since":
		when, _ := time.Parse(time.RFC3339Nano, value.(string))
		return textOf(when.UnixMilli())
	case last == "state":
		return "scan-" + value.(string)
	case last == "allowed":
		return strings.ReplaceAll(value.(string), "\u00e4", "??")
	}
	switch v := value.(type) {
	case []any:
		var parts []string
		for _, one := range v {
			parts = append(parts, textOf(one))
		}
		return strings.Join(parts, ",")
	case float64:
		if v == float64(int64(v)) {
			return textOf(int64(v))
		}
	}
	return textOf(value)
}

func TestECSKind(t *testing.T) {
	end := vertical()
	end.State = detect.End
	for name, test := range map[string]struct {
		e         detect.Event
		kind      string
		types     []any
		action    string
		direction any
	}{
		"start":   {vertical(), "alert", []any{"info", "start"}, "scan-start", nil},
		"update":  {horizontal(), "alert", []any{"info"}, "scan-update", nil},
		"end":     {end, "alert", []any{"info", "end"}, "scan-end", nil},
		"summary": {flooded(), "alert", []any{"info"}, "scan-summary", nil},
		"allowed": {allowed(), "event", []any{"allowed"}, "scan-start", "external"},
	} {
		got := leaves("", ecsObject(t, test.e))
		if got["event.kind"] != test.kind || !reflect.DeepEqual(got["event.type"], test.types) || got["event.action"] != test.action || got["network.direction"] != test.direction {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzJSON puts any text where a user's stands: both lines are one object each
// that says it.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"x", `"},"forged":{"`, "a\nb\r\u2028", "\x00\xff\\", "<script>&"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, h := allowed(), testHeader()
		e.Allowed, h.Version = text, text
		for name, line := range map[string][]byte{"scan.allowed": JSON(e), "edgescan.scan.allowed": ECS(e, h)} {
			var object map[string]any
			if err := json.Unmarshal(line, &object); err != nil || bytes.ContainsAny(line, "\r\n") {
				t.Fatalf("%v in %q", err, line)
			}
			got, _ := leaves("", object)[name].(string)
			if want := strings.ToValidUTF8(text, "\ufffd"); strings.ToValidUTF8(got, "") != got || len([]rune(got)) != len([]rune(text)) || want == text && got != text {
				t.Errorf("%s is %q, want %q", name, got, text)
			}
		}
	})
}
