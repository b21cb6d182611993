package metrics

import (
	"bytes"
	"math"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// parse reads a page as Prometheus does.
func parse(t *testing.T, page []byte) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, page)
	}
	return families
}

func TestTextIsReadByPrometheus(t *testing.T) {
	var text Text
	text.One("drops_total", Counter, "Packets that were lost.", 1<<53)
	text.Family("up", Gauge, "Whether it is up.")
	text.Sample("up", 1, "interface", "eth0", "kind", "real")
	text.Sample("up", 0, "interface", "eth1", "kind", "virtual")
	families := parse(t, text.Bytes())
	if len(families) != 2 {
		t.Errorf("%d families, want 2", len(families))
	}
	drops := families["drops_total"]
	if drops.GetType() != dto.MetricType_COUNTER || drops.GetHelp() != "Packets that were lost." || drops.Metric[0].Counter.GetValue() != 1<<53 {
		t.Errorf("read as %v", drops)
	}
	up := families["up"]
	if up.GetType() != dto.MetricType_GAUGE || len(up.Metric) != 2 {
		t.Fatalf("read as %v", up)
	}
	second := up.Metric[1]
	if second.Label[0].GetValue() != "eth1" || second.Label[1].GetValue() != "virtual" || second.Gauge.GetValue() != 0 {
		t.Errorf("read as %v", second)
	}
}

func TestTextEscapes(t *testing.T) {
	for name, s := range map[string]string{
		"plain":         "eth0",
		"empty":         "",
		"quote":         `a"b`,
		"backslash":     `a\b\`,
		"backslash n":   `a\nb`,
		"new line":      "a\nb 1\n# TYPE c counter",
		"braces":        `a",b="c"} 5`,
		"other letters": "wlan-Küche",
	} {
		t.Run(name, func(t *testing.T) {
			var text Text
			text.Family("a", Gauge, s)
			text.Sample("a", 1, "label", s)
			families := parse(t, text.Bytes())
			if len(families) != 1 || len(families["a"].Metric) != 1 {
				t.Fatalf("read as %v", families)
			}
			if got := families["a"].Metric[0].Label[0].GetValue(); got != s {
				t.Errorf("label %q, want %q", got, s)
			}
			if got := families["a"].GetHelp(); got != s {
				t.Errorf("help %q, want %q", got, s)
			}
		})
	}
}

func TestTextValues(t *testing.T) {
	for _, v := range []float64{0, 1, -1.5, 1e21, 1e-9, math.MaxFloat64, math.Inf(1), math.Inf(-1)} {
		var text Text
		text.One("a", Gauge, "A figure.", v)
		if got := parse(t, text.Bytes())["a"].Metric[0].Gauge.GetValue(); got != v {
			t.Errorf("%v is read as %v", v, got)
		}
	}
}

func TestTextOfNothing(t *testing.T) {
	var text Text
	if families := parse(t, text.Bytes()); len(families) != 0 {
		t.Errorf("read as %v", families)
	}
}
