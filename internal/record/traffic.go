package record

// maxBuckets is in how many parts a Traffic divides its time at most.
const maxBuckets = 256

// Traffic counts what came over time, in at most maxBuckets parts of equal length:
// when they do not suffice, each two of them become one.
type Traffic struct {
	Start   int64    // of the first part, capture time
	Width   int64    // of a part, nanoseconds
	Buckets []uint64 // what came in each

	total uint64 // that was counted up to now
}

// Count takes how many there were up to a time. Times do not fall.
func (t *Traffic) Count(at int64, total uint64) {
	if t.Width == 0 {
		t.Start, t.Width = at, int64(1e9)
	}
	i := max(0, at-t.Start) / t.Width
	for ; i >= maxBuckets; i /= 2 {
		t.halve()
	}
	for int64(len(t.Buckets)) <= i {
		t.Buckets = append(t.Buckets, 0)
	}
	t.Buckets[i] += total - t.total
	t.total = total
}

// halve puts each two parts together.
func (t *Traffic) halve() {
	half := t.Buckets[:0]
	for i, n := range t.Buckets {
		if i%2 == 0 {
			half = append(half, n)
		} else {
			half[i/2] += n
		}
	}
	t.Buckets, t.Width = half, 2*t.Width
}
