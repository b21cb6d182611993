package alert

import (
	"fmt"
	"strings"

	"edgescan/internal/detect"
)

// summaryKinds are the kinds in the order in which a line names them.
var summaryKinds = []detect.Kind{detect.Vertical, detect.Horizontal, detect.Block}

// examples returns addresses of some sources. It never returns nil.
func examples(f *detect.Folded) []string {
	return addresses(f.Examples[:min(len(f.Examples), maxExamples)])
}

// summaryMessage is the line about many incidents, such as
//
//	scan summary: 312 more sources began to scan, such as 198.51.100.7, 203.0.113.9 (10 vertical, 302 horizontal), most of them on ports telnet 23, ssh 22; of those not named 5 ended, 307 go on
func summaryMessage(f *detect.Folded) string {
	var b strings.Builder
	b.WriteString("scan summary: ")
	if f.Started > 0 {
		fmt.Fprintf(&b, "%s began to scan", plural(f.Started, "more source"))
		if such := examples(f); len(such) > 0 {
			fmt.Fprintf(&b, ", such as %s", strings.Join(such, ", "))
		}
		var kinds []string
		for _, k := range summaryKinds {
			if n := f.Kinds[k]; n > 0 {
				kinds = append(kinds, fmt.Sprintf("%d %s", n, kindWord(k)))
			}
		}
		if len(kinds) > 0 {
			fmt.Fprintf(&b, " (%s)", strings.Join(kinds, ", "))
		}
		if ports := portNamesOf(f.TopPorts); ports != "" {
			fmt.Fprintf(&b, ", most of them on ports %s", ports)
		}
		b.WriteString("; ")
	}
	fmt.Fprintf(&b, "of those not named %d ended, %d go on", f.Ended, f.Ongoing)
	return b.String()
}

func portNamesOf(ports []uint16) string {
	var names []string
	for _, p := range topPorts(ports) {
		names = append(names, PortName(p))
	}
	return strings.Join(names, ", ")
}
