package flow

import "bytes"

// maxDepth is how many objects within objects are looked into. Deeper ones are
// passed over.
const maxDepth = 4

// maxPath is the length of the longest name that may be wanted, with those of the
// objects around it, bytes.
const maxPath = 64

// object is a JSON object (RFC 8259) of which some values are wanted: those of
// names such as flow.start, of objects in it too. It is read without allocating;
// what is not wanted is passed over, and not checked further than that takes.
type object struct {
	known map[string]int8
	has   [maxWanted]bool
	value [maxWanted][]byte // strings without quotes, and as they are escaped

	path  [maxPath]byte
	depth int
}

// read reads an object that fills a line.
func (o *object) read(line []byte) bool {
	o.has = [maxWanted]bool{}
	o.depth = 0
	rest, ok := o.members(blank(line), 0)
	return ok && len(blank(rest)) == 0
}

// members reads an object whose name, with a dot, fills so many bytes of path, and
// returns what follows it.
func (o *object) members(b []byte, prefix int) (rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '{' {
		return nil, false
	}
	b = blank(b[1:])
	if len(b) > 0 && b[0] == '}' {
		return b[1:], true
	}
	for {
		var name []byte
		if name, b, ok = text(b); !ok {
			return nil, false
		}
		if b = blank(b); len(b) == 0 || b[0] != ':' {
			return nil, false
		}
		if b, ok = o.member(name, blank(b[1:]), prefix); !ok {
			return nil, false
		}
		b = blank(b)
		switch {
		case len(b) == 0:
			return nil, false
		case b[0] == '}':
			return b[1:], true
		case b[0] != ',':
			return nil, false
		}
		b = blank(b[1:])
	}
}

// member reads the value of a name.
func (o *object) member(name, b []byte, prefix int) (rest []byte, ok bool) {
	end := prefix + len(name)
	which := int8(-1)
	if end < maxPath {
		copy(o.path[prefix:], name)
		if known, ok := o.known[string(o.path[:end])]; ok && !o.has[known] {
			which = known
		}
	}
	if len(b) > 0 && b[0] == '{' && end+1 < maxPath && o.depth < maxDepth {
		o.path[end] = '.'
		o.depth++
		rest, ok = o.members(b, end+1)
		o.depth--
		return rest, ok
	}
	value, rest, ok := scalar(b)
	if ok && which >= 0 {
		o.has[which], o.value[which] = true, value
	}
	return rest, ok
}

// scalar returns the value that is next: a string without its quotes, or anything
// else up to what ends it. Of an object or array, it is empty.
func scalar(b []byte) (value, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	switch b[0] {
	case '"':
		return text(b)
	case '{', '[':
		rest, ok = nested(b)
		return nil, rest, ok
	}
	end := 0
	for end < len(b) && b[end] != ',' && b[end] != '}' && b[end] != ']' && b[end] > ' ' {
		end++
	}
	return b[:end], b[end:], end > 0
}

// text returns the string that is next, as it is escaped.
func text(b []byte) (value, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	b = b[1:]
	for from := 0; ; {
		end := bytes.IndexByte(b[from:], '"')
		if end < 0 {
			return nil, nil, false
		}
		end += from
		escapes := end
		for escapes > 0 && b[escapes-1] == '\\' {
			escapes--
		}
		if (end-escapes)%2 == 0 {
			return b[:end], b[end+1:], true
		}
		from = end + 1
	}
}

// nested returns what follows an object or array.
func nested(b []byte) (rest []byte, ok bool) {
	depth := 0
	for len(b) > 0 {
		switch b[0] {
		case '"':
			if _, b, ok = text(b); !ok {
				return nil, false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return b[1:], true
			}
		}
		b = b[1:]
	}
	return nil, false
}

// blank returns b without the blanks that it begins with.
func blank(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}
