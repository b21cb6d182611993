package model

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Confusion counts which class was taken for which.
type Confusion struct {
	Classes []string
	Counts  [][]int // [label][predicted]
}

// NewConfusion returns an empty matrix for the named classes.
func NewConfusion(classes []string) *Confusion {
	c := &Confusion{Classes: classes, Counts: make([][]int, len(classes))}
	for i := range c.Counts {
		c.Counts[i] = make([]int, len(classes))
	}
	return c
}

// Add counts one example.
func (c *Confusion) Add(label, predicted int) { c.Counts[label][predicted]++ }

// Accuracy returns the share of examples on the diagonal, 0 if there are none.
func (c *Confusion) Accuracy() float64 {
	right, all := 0, 0
	for i, row := range c.Counts {
		right += row[i]
		for _, n := range row {
			all += n
		}
	}
	return share(right, all)
}

// Precision returns the share of what was taken for class that is of it, 0 if
// nothing was.
func (c *Confusion) Precision(class int) float64 {
	all := 0
	for _, row := range c.Counts {
		all += row[class]
	}
	return share(c.Counts[class][class], all)
}

// Recall returns the share of class that was taken for it, 0 if there is none.
func (c *Confusion) Recall(class int) float64 {
	all := 0
	for _, n := range c.Counts[class] {
		all += n
	}
	return share(c.Counts[class][class], all)
}

func share(part, all int) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

// Print writes a table: a row for each class, a column for each class that it
// was taken for, and precision and recall in percent.
func (c *Confusion) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "is \\ taken for\t")
	for _, name := range c.Classes {
		fmt.Fprintf(t, "%s\t", name)
	}
	fmt.Fprint(t, "precision %\trecall %\t\n")
	for i, row := range c.Counts {
		fmt.Fprintf(t, "%s\t", c.Classes[i])
		for _, n := range row {
			fmt.Fprintf(t, "%d\t", n)
		}
		fmt.Fprintf(t, "%.2f\t%.2f\t\n", 100*c.Precision(i), 100*c.Recall(i))
	}
	fmt.Fprintf(t, "accuracy %%\t%.2f\t\n", 100*c.Accuracy())
	return t.Flush()
}

// Confuse runs f on d and counts what it takes for what.
func Confuse(f *Float, d *Dataset, classes []string) (*Confusion, error) {
	logits, err := f.Logits(d)
	if err != nil {
		return nil, err
	}
	c := NewConfusion(classes)
	n := f.Arch.Classes()
	for i := range d.Len() {
		c.Add(d.Label(i), argmax(logits[i*n:][:n]))
	}
	return c, nil
}
