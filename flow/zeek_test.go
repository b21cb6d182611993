package flow

import (
	"strings"
	"testing"
)

const zeekHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2026-11-25-06-00-00\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n" +
	"#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]\n"

// zeekLine writes a line of conn.log, of whose connection only the port differs.
func zeekLine(port, proto, duration, outPayload, backPayload, state, history, counts string) string {
	return "1795586404.124537\tCHhAvVGS1DHFjwGM9\t10.0.0.7\t40000\t10.0.0.1\t" + port + "\t" + proto + "\t-\t" + duration + "\t" + outPayload + "\t" + backPayload + "\t" +
		state + "\tT\tF\t0\t" + history + "\t" + strings.ReplaceAll(counts, " ", "\t") + "\t-\n"
}

var zeekLog = zeekHeader +
	zeekLine("1", "tcp", "-", "-", "-", "S0", "S", "1 60 0 0") +
	zeekLine("2", "tcp", "0.000021", "0", "0", "REJ", "Sr", "1 60 1 40") +
	zeekLine("3", "tcp", "0.4", "78", "1200", "SF", "ShADadFf", "6 402 5 1480") +
	zeekLine("4", "tcp", "0.0001", "0", "0", "RSTO", "ShR", "2 84 1 44") +
	zeekLine("5", "tcp", "0.0001", "0", "0", "RSTR", "Fr", "1 40 1 40") +
	zeekLine("6", "tcp", "-", "-", "-", "SH", "F", "1 40 0 0") +
	zeekLine("7", "tcp", "0.0001", "0", "0", "RSTRH", "Ar", "1 40 1 40") +
	zeekLine("8", "tcp", "-", "-", "-", "OTH", "-", "1 40 0 0") +
	zeekLine("9", "tcp", "9.0", "0", "0", "S1", "ShA", "2 112 1 60") +
	zeekLine("10", "tcp", "0.1", "0", "0", "RSTOS0", "SR", "2 100 0 0") +
	zeekLine("11", "tcp", "3.0", "500", "0", "OTH", "D", "5 760 0 0") +
	zeekLine("12", "tcp", "0.1", "0", "0", "SF", "Ff", "1 52 1 52") + // the end of a connection that Zeek had forgotten
	zeekLine("13", "tcp", "0.1", "0", "0", "SH", "Fa", "1 52 1 52") +
	zeekLine("22", "tcp", "0.1", "0", "0", "RSTR", "Fr", "1 40 1 40") +
	zeekLine("23", "tcp", "-", "-", "-", "RSTR", "FAr", "2 104 1 40") + // a segment of a connection that nobody knows is odd as well
	zeekLine("14", "tcp", "3.0", "0", "0", "S0", "SW", "2 120 0 0") +
	zeekLine("15", "tcp", "-", "-", "-", "OTH", "R", "1 40 0 0") + // strays, of which no packet makes a contact
	zeekLine("16", "tcp", "-", "-", "-", "OTH", "^r", "0 0 1 40") +
	zeekLine("17", "tcp", "-", "-", "-", "OTH", "C", "0 0 0 0") + // with a checksum that is wrong
	zeekLine("18", "tcp", "0.1", "0", "0", "RSTRH", "^hr", "0 0 2 84") +
	zeekLine("19", "tcp", "0.1", "0", "0", "SHR", "^hf", "0 0 2 84") +
	zeekLine("20", "tcp", "0.1", "900", "0", "S0", "SAD", "4 1100 0 0") + // of which the answers are not captured
	zeekLine("21", "tcp", "0.1", "0", "0", "REJ", "SrR", "2 100 1 40") +
	zeekLine("53", "udp", "0.01", "30", "120", "SF", "Dd", "1 58 1 148") +
	zeekLine("161", "udp", "-", "-", "-", "S0", "D", "1 70 0 0") +
	"1795586404.124537\tCHhAvVGS1DHFjwGM9\t10.0.0.7\t8\t10.0.0.1\t0\ticmp\t-\t0.001\t56\t56\tOTH\tT\tF\t0\t-\t1\t84\t1\t84\t-\n" +
	"1795586404.124537\tCHhAvVGS1DHFjwGM9\tfe80::7\t128\tfe80::1\t0\ticmp\t-\t-\t-\t-\tOTH\tT\tF\t0\t-\t1\t104\t0\t0\t-\n" +
	"1795586404.124537\tCHhAvVGS1DHFjwGM9\t10.0.0.7\t0\t10.0.0.1\t0\tunknown_transport\t-\t-\t-\t-\tOTH\tT\tF\t0\t-\t1\t104\t0\t0\t-\n" +
	"#close\t2026-11-25-07-00-00\n"

var zeekOutcomes = map[string]string{
	"10.0.0.7 10.0.0.1 tcp/1": "silent", "10.0.0.7 10.0.0.1 tcp/2": "refused", "10.0.0.7 10.0.0.1 tcp/3": "answered data",
	"10.0.0.7 10.0.0.1 tcp/4": "answered", "10.0.0.7 10.0.0.1 tcp/5": "odd", "10.0.0.7 10.0.0.1 tcp/6": "odd",
	"10.0.0.7 10.0.0.1 tcp/7": "odd", "10.0.0.7 10.0.0.1 tcp/8": "odd", "10.0.0.7 10.0.0.1 tcp/9": "answered",
	"10.0.0.7 10.0.0.1 tcp/10": "silent", "10.0.0.7 10.0.0.1 tcp/11": "answered data",
	"10.0.0.7 10.0.0.1 tcp/12": "answered", "10.0.0.7 10.0.0.1 tcp/13": "answered", "10.0.0.7 10.0.0.1 tcp/14": "silent",
	"10.0.0.7 10.0.0.1 tcp/18": "answered", "10.0.0.7 10.0.0.1 tcp/19": "answered", "10.0.0.7 10.0.0.1 tcp/20": "answered data",
	"10.0.0.7 10.0.0.1 tcp/21": "refused", "10.0.0.7 10.0.0.1 tcp/22": "odd", "10.0.0.7 10.0.0.1 tcp/23": "odd",
	"10.0.0.7 10.0.0.1 udp/53": "answered data", "10.0.0.7 10.0.0.1 udp/161": "silent",
	"10.0.0.7 10.0.0.1 icmp/8": "answered data", "fe80::7 fe80::1 icmp6/128": "silent",
}

// zeekAsJSON writes a conn.log as Zeek's JSON writer does: values that are not known
// are left out, and numbers are numbers.
func zeekAsJSON(log string) string {
	var b strings.Builder
	var names, types []string
	for line := range strings.Lines(log) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		switch fields[0] {
		case "#fields":
			names = fields[1:]
			continue
		case "#types":
			types = fields[1:]
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		b.WriteByte('{')
		for i, v := range fields {
			if v == "-" {
				continue
			}
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + names[i] + `":`)
			switch types[i] {
			case "time", "interval", "port", "count":
				b.WriteString(v)
			case "bool":
				b.WriteString(map[string]string{"T": "true", "F": "false"}[v])
			default:
				b.WriteString(`"` + v + `"`)
			}
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func TestZeekOutcomes(t *testing.T) {
	shuffled := "#fields\tproto\tid.resp_p\tid.resp_h\tid.orig_p\tid.orig_h\tconn_state\tts\n" +
		"tcp\t22\t10.0.0.1\t40000\t10.0.0.7\tREJ\t1795586404.1\n" + "udp\t53\t10.0.0.1\t40000\t10.0.0.7\tSF\t1795586404.1\n"
	testOutcomes(t, map[string]outcomes{
		"TSV":  {zeekLog, zeekOutcomes},
		"JSON": {zeekAsJSON(zeekLog), zeekOutcomes},
		"one log behind another": {zeekHeader + zeekLine("1", "tcp", "-", "-", "-", "S0", "S", "1 60 0 0") + "#close\n" + shuffled,
			map[string]string{"10.0.0.7 10.0.0.1 tcp/1": "silent", "10.0.0.7 10.0.0.1 tcp/22": "refused", "10.0.0.7 10.0.0.1 udp/53": "answered data"}},
		"another log behind it": {zeekHeader + zeekLine("1", "tcp", "-", "-", "-", "S0", "S", "1 60 0 0") + "#fields\tts\tuid\tquery\n1795586404.1\tC\texample.org\n",
			map[string]string{"10.0.0.7 10.0.0.1 tcp/1": "silent"}},
		"another sign for what is not known": {strings.ReplaceAll(zeekHeader, "#unset_field\t-", "#unset_field\tNULL") +
			strings.ReplaceAll(zeekLine("1", "tcp", "NULL", "NULL", "NULL", "S0", "S", "1 60 0 0"), "\t-\t", "\tNULL\t"),
			map[string]string{"10.0.0.7 10.0.0.1 tcp/1": "silent"}},
		"commas for separators": {strings.ReplaceAll(zeekHeader+zeekLine("1", "tcp", "-", "-", "-", "REJ", "Sr", "1 60 1 40"), "\t", ","),
			map[string]string{"10.0.0.7 10.0.0.1 tcp/1": "refused"}},
		"JSON with times in ISO 8601, and other logs' lines": {
			`{"ts":"2026-11-25T06:00:04.124537Z","id.orig_h":"10.0.0.7","id.orig_p":40000,"id.resp_h":"10.0.0.1","id.resp_p":22,"proto":"tcp","conn_state":"REJ","history":"Sr","orig_pkts":1,"resp_pkts":1}` + "\n" +
				`{"ts":"2026-11-25T06:00:04.124537Z","uid":"C","query":"x\"}"}` + "\n",
			map[string]string{"10.0.0.7 10.0.0.1 tcp/22": "refused"}},
	})
}

// Who sends a SYN-ACK to somebody who sends none answers what is not captured, or is
// the victim of a flood from forged addresses.
func TestZeekAnswerAlone(t *testing.T) {
	compare(t, outcomesOf(t, readAll(t, zeekHeader+zeekLine("50000", "tcp", "0.1", "0", "0", "REJ", "Hr", "1 44 1 40"))),
		map[string]string{"10.0.0.1 10.0.0.7 tcp/40000": "answered"})
}

func TestZeekTimes(t *testing.T) {
	tests := map[string]struct {
		start, duration string
		from            int64 // what is told of the start
		lasts           int64
	}{
		"seconds":                {"1795586404.124537", "2.5", 1795586404_124537000, 2_500_000_000},
		"few of them":            {"1795586404.124537", "9.5367431640625e-07", 1795586404_124537000, 953},
		"more digits than count": {"1795586404.124537", "0.004266023635864258", 1795586404_124537000, 4266023},
		"milliseconds":           {"1795586404124", "1", 1795586404_124000000, 1e9},
		"ISO 8601":               {"2026-11-25T06:00:04.124537Z", "-", 1795586404_124537000, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			line := zeekLine("3", "tcp", test.duration, "78", "1200", "SF", "ShADadFf", "6 402 5 1480")
			r := readAll(t, zeekHeader+strings.Replace(line, "1795586404.124537", test.start, 1))[0]
			if r.Start != test.from || r.Time != r.Start+test.lasts {
				t.Errorf("from %d to %d", r.Start, r.Time)
			}
		})
	}
}

// Zeek writes of datagrams that nobody answers a minute later, and of what refused
// them as well, while it goes on to write of others.
func TestZeekLate(t *testing.T) {
	now := zeekLine("1", "tcp", "60.0", "78", "1200", "SF", "ShADadFf", "6 402 5 1480")
	refused := zeekLine("161", "udp", "-", "-", "-", "S0", "D", "1 70 0 0")
	unreachable := "1795586404.124637\tC\t10.0.0.1\t3\t10.0.0.7\t3\ticmp\t-\t-\t-\t-\tOTH\tT\tF\t0\t-\t1\t98\t0\t0\t-\n"
	want := map[string]string{"10.0.0.7 10.0.0.1 tcp/1": "answered data", "10.0.0.7 10.0.0.1 udp/161": "refused"}
	for name, log := range map[string]string{
		"the datagram first": now + refused + now + unreachable + now,
		"the error first":    now + unreachable + now + refused + now,
	} {
		t.Run(name, func(t *testing.T) { compare(t, outcomesOf(t, readAll(t, zeekHeader+log)), want) })
	}
}

func TestZeekMalformed(t *testing.T) {
	good := zeekLine("3", "tcp", "2.5", "78", "1200", "SF", "ShADadFf", "6 402 5 1480")
	bad := map[string]badLine{
		"cut off":    {good[:60], 1},
		"no address": {strings.Replace(good, "10.0.0.7", "host", 1), 1},
		"no port":    {strings.Replace(good, "40000", "70000", 1), 1},
		"no time":    {strings.Replace(good, "1795586404.124537", "now", 1), 1},
		"no number":  {strings.Replace(good, "402", "4e2", 1), 1},
		"a comment":  {"#close\t2026-11-25-07-00-00", 0},
	}
	for name, line := range bad {
		line.line = strings.TrimSuffix(line.line, "\n")
		bad[name] = line
	}
	leftOut(t, zeekHeader, 0, bad)
	json := zeekAsJSON(zeekHeader + good)
	leftOut(t, json, 1, map[string]badLine{
		"JSON cut off":           {json[:60], 1},
		"JSON with more behind":  {strings.TrimSpace(json) + "}", 1},
		"no JSON":                {"hello", 1},
		"JSON of something else": {`{"a":[1,{"b":"]"}],"c":{}}`, 0},
		"JSON that goes deep":    {strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000), 0},
		"JSON that never ends":   {strings.Repeat(`{"a":`, 1000), 1},
	})
}

func TestZeekAllocations(t *testing.T) {
	header, lines, _ := strings.Cut(zeekLog, "#types")
	_, lines, _ = strings.Cut(lines, "\n")
	f := detectZeekTSV([]byte(header[strings.Index(header, "#fields") : len(header)-1]))
	if f == nil {
		t.Fatal("not recognised")
	}
	allocations(t, f, linesOf(lines))
	json := linesOf(zeekAsJSON(zeekLog))
	allocations(t, detectZeekJSON(json[0]), json)
}

func FuzzZeek(f *testing.F)     { fuzz(f, zeekHeader, zeekLog) }
func FuzzZeekJSON(f *testing.F) { fuzz(f, zeekAsJSON(zeekLog), zeekAsJSON(zeekLog)) }

func BenchmarkZeekLine(b *testing.B) {
	f := detectZeekTSV([]byte(strings.TrimSuffix(zeekHeader[strings.Index(zeekHeader, "#fields"):strings.Index(zeekHeader, "#types")], "\n")))
	benchmark(b, f, linesOf(strings.TrimPrefix(zeekLog, zeekHeader)))
}

func BenchmarkZeekJSONLine(b *testing.B) {
	lines := linesOf(zeekAsJSON(zeekLog))
	benchmark(b, detectZeekJSON(lines[0]), lines)
}
