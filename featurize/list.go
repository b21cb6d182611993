package featurize

// link and list make doubly linked lists inside pools: members are indices,
// 0 is none.
type link struct{ prev, next uint32 }

type list struct{ head, tail uint32 }

// pushFront puts i, which is on no such list, at the head.
func (l *list) pushFront(i uint32, at func(uint32) *link) {
	*at(i) = link{0, l.head}
	if l.head != 0 {
		at(l.head).prev = i
	} else {
		l.tail = i
	}
	l.head = i
}

// remove takes i, which must be on the list, off it.
func (l *list) remove(i uint32, at func(uint32) *link) {
	k := at(i)
	if k.prev != 0 {
		at(k.prev).next = k.next
	} else {
		l.head = k.next
	}
	if k.next != 0 {
		at(k.next).prev = k.prev
	} else {
		l.tail = k.prev
	}
	*k = link{}
}

// toFront moves i to the head.
func (l *list) toFront(i uint32, at func(uint32) *link) {
	if l.head != i {
		l.remove(i, at)
		l.pushFront(i, at)
	}
}
