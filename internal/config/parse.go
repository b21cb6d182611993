package config

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds a file, in bytes: what is larger is none that somebody wrote.
const maxFile = 1 << 20

// maxErrors bounds what is said of one file.
const maxErrors = 20

// Parse reads a file, whose name is for errors. It returns all that is wrong,
// up to maxErrors, as one error.
func Parse(r io.Reader, name string, keys []Key) (Values, error) {
	p := &parser{file: name, keys: keys, values: Values{}, lines: map[string]int{}}
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, &Error{File: name, Problem: err.Error()}
	}
	if len(data) > maxFile {
		return nil, &Error{File: name, Problem: fmt.Sprintf("larger than %d bytes, which is no configuration", maxFile)}
	}
	if text := string(data); p.printable(text) {
		p.document(text)
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.values, nil
}

// parser goes through a file.
type parser struct {
	file   string
	keys   []Key
	values Values
	lines  map[string]int // where a key was first
	errs   []error
}

// fail notes what is wrong.
func (p *parser) fail(line int, key, format string, args ...any) {
	if len(p.errs) < maxErrors {
		p.errs = append(p.errs, &Error{p.file, line, key, fmt.Sprintf(format, args...)})
	}
}

// document reads the one document that a file holds.
func (p *parser) document(text string) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var root, more yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return // nothing but comments
	case err != nil:
		p.syntax(err)
		return
	}
	if len(root.Content) == 1 {
		p.mapping(root.Content[0])
	}
	switch err := decoder.Decode(&more); {
	case errors.Is(err, io.EOF):
	case err != nil:
		p.syntax(err)
	default:
		p.fail(more.Line, "", "a second document begins here (---): all settings go into one")
	}
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax notes an error of the YAML reader, whose text has a line. It counts them
// from 1 where the scanner fails, from 0 where the parser does, and leaves
// out 0.
func (p *parser) syntax(failure error) {
	at := syntaxLine.FindStringSubmatch(failure.Error())
	if at == nil {
		p.fail(0, "", "%v", failure)
		return
	}
	problem := failure.Error()[len(at[0]):]
	line, _ := strconv.Atoi(at[1]) // 0 where it is left out
	switch {
	case strings.HasPrefix(problem, "unknown anchor"): // has no line
	case strings.HasPrefix(problem, "did not find expected") || line == 0:
		line++
	}
	switch {
	case strings.Contains(problem, "block sequence entries"):
		problem += ` (a value that is a dash goes in quotes: "-")`
	case strings.Contains(problem, "cannot start any token") || strings.Contains(problem, "mapping values are not allowed"):
		problem += " (a text with special characters goes in quotes)"
	case strings.Contains(problem, "found a tab"):
		problem += " (indent with blanks)"
	}
	p.fail(line, "", "%s", problem)
}

// printable notes the first byte that is no text, of which the YAML reader does
// not tell the line, and reports whether there is none.
func (p *parser) printable(text string) bool {
	for i, r := range text {
		control := r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 && r != 0x85
		if invalid := r == utf8.RuneError && text[i] != 0xef; control || invalid {
			p.fail(1+strings.Count(text[:i], "\n"), "", "byte %#02x is no text in UTF-8", text[i])
			return false
		}
	}
	return true
}

// mapping reads the keys of a file.
func (p *parser) mapping(root *yaml.Node) {
	if isNull(root) {
		return
	}
	if root.Kind != yaml.MappingNode {
		p.fail(root.Line, "", "want lines of KEY: VALUE, not %s", kindOf(root))
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		p.entry(root.Content[i], root.Content[i+1])
	}
}

// entry reads one key and its value.
func (p *parser) entry(name, value *yaml.Node) {
	if name.Kind != yaml.ScalarNode {
		p.fail(name.Line, "", "want a key, not %s", kindOf(name))
		return
	}
	key := find(p.keys, name.Value)
	if key == nil {
		p.fail(name.Line, quoted(name.Value), "unknown key%s", didYouMean(p.keys, name.Value))
		return
	}
	if first, twice := p.lines[key.Name]; twice {
		p.fail(name.Line, key.Name, "is there twice, first in line %d", first)
		return
	}
	p.lines[key.Name] = name.Line
	texts, ok := p.texts(key, name.Line, value)
	if ok {
		p.values[key.Name] = Value{texts, fmt.Sprintf("%s:%d", p.file, name.Line)}
	}
}

// texts reads the value of a key, which stands in a line.
func (p *parser) texts(key *Key, line int, value *yaml.Node) (texts []string, ok bool) {
	if one := value.Kind == yaml.ScalarNode && value.Tag != "!!null"; !key.List || one { // a list of one needs no brackets
		text, ok := p.item(key, value, line)
		return []string{text}, ok
	}
	if value.Kind != yaml.SequenceNode {
		p.fail(line, key.Name, "want a list, not %s: write each value in a line of its own behind a dash", kindOf(value))
		return nil, false
	}
	texts, ok = []string{}, true
	for _, node := range value.Content {
		text, good := p.item(key, node, node.Line)
		texts, ok = append(texts, text), ok && good
	}
	return texts, ok
}

// item reads one value, or one of a list.
func (p *parser) item(key *Key, node *yaml.Node, line int) (text string, ok bool) {
	switch {
	case node.Kind == yaml.MappingNode && key.List:
		text, ok = p.pairs(key, node)
		if !ok {
			return "", false
		}
	case node.Kind != yaml.ScalarNode:
		p.fail(line, key.Name, "want %s, not %s", wanted(key.Kind), kindOf(node))
		return "", false
	case !fits(key.Kind, node):
		p.fail(line, key.Name, "want %s, not %s", wanted(key.Kind), kindOf(node))
		return "", false
	default:
		text = node.Value
	}
	if err := key.check(text); err != nil {
		p.fail(line, key.Name, "%v", err)
		return "", false
	}
	return text, true
}

// pairs writes a mapping as the text that the flag takes: key=value with blanks
// between, lists with commas, in quotes what has blanks or quotes.
func (p *parser) pairs(key *Key, node *yaml.Node) (text string, ok bool) {
	var words []string
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if name.Kind != yaml.ScalarNode || name.Value == "" || strings.ContainsAny(name.Value, "= \t\n\"") {
			p.fail(name.Line, key.Name, "want NAME: VALUE, but the name is %s", kindOf(name))
			return "", false
		}
		if seen[name.Value] {
			p.fail(name.Line, key.Name, "%s is there twice", quoted(name.Value))
			return "", false
		}
		seen[name.Value] = true
		joined, ok := commas(value)
		if !ok {
			p.fail(name.Line, key.Name, "%s: want a value or a list of such, not %s", quoted(name.Value), kindOf(value))
			return "", false
		}
		words = append(words, name.Value+"="+quotePair(joined))
	}
	return strings.Join(words, " "), true
}

// commas returns a scalar, or a list of scalars with commas between.
func commas(node *yaml.Node) (text string, ok bool) {
	nodes := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		nodes = node.Content
	}
	var texts []string
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode || isNull(n) {
			return "", false
		}
		texts = append(texts, n.Value)
	}
	return strings.Join(texts, ","), true
}

// quotePair returns a value as it stands behind an equals sign: within quotes a
// backslash makes the next byte be itself.
func quotePair(value string) string {
	if value != "" && !strings.ContainsAny(value, " \t\r\n\"\\") {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// fits reports whether a scalar is of a kind.
func fits(kind Kind, node *yaml.Node) bool {
	tag := node.ShortTag()
	switch kind {
	case Bool:
		return tag == "!!bool"
	case Number:
		return tag == "!!int" || tag == "!!float"
	}
	return tag == "!!str" || tag == "!!int" || tag == "!!float" || tag == "!!timestamp"
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// wanted says what a kind is.
func wanted(kind Kind) string {
	switch kind {
	case Bool:
		return "true or false"
	case Number:
		return "a number without quotes"
	}
	return "a text"
}

// kindOf says what a node is.
func kindOf(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "keys with values"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Kind == yaml.AliasNode:
		return "an alias (*" + node.Value + "), which is not understood here"
	case isNull(node):
		return "nothing"
	case node.ShortTag() == "!!bool":
		return node.Value + " (put a text in quotes)"
	}
	return quoted(node.Value)
}

// quoted returns a text of the file for an error, in one line and not too long.
func quoted(text string) string {
	const most = 60
	if len(text) > most {
		text = text[:most] + "..."
	}
	return strconv.Quote(text)
}
