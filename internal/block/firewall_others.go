//go:build !linux

package block

// Firewall is what only Linux has.
type Firewall struct{}

// OpenFirewall returns ErrUnsupported.
func OpenFirewall() (*Firewall, error) { return nil, ErrUnsupported }

// Block does nothing.
func (f *Firewall) Block(Record) error { return nil }

// Close does nothing.
func (f *Firewall) Close() error { return nil }
