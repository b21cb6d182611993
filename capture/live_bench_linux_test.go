package capture

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/google/gopacket"
	"golang.org/x/sys/unix"
)

// BenchmarkLive sends frames through a pair of interfaces from one core, and
// reads and decodes them on another. It prints what the sender reached, what
// was lost, and what the reader's thread took: CPU time (user and kernel) for
// each frame sent, and its share of a core.
//
// What the kernel does for each frame before the reader's thread has a part in
// it, filter included, it does on the sender's core: packets/s of "nobody", for
// which no one captures, tell how much that is.
func BenchmarkLive(b *testing.B) {
	syn := [][]byte{tcpFrame(1, SYN, 60)}
	bulk := [][]byte{tcpFrame(1, ACK|PSH, 1400), tcpFrame(2, ACK, 0)}
	var udp, some [][]byte
	for n := range 8 {
		f := bulkFlows[n%2]
		f.srcPort = uint16(n)
		packet := udpFlowPacket(f)
		kind := uint16(kind4)
		if !f.src.Is4() {
			kind = kind6
		}
		udp = append(udp, plain(kind, append(packet, make([]byte, 1100)...)))
	}
	for n := range 1000 {
		f := bulkFlows[0]
		f.srcPort = uint16(n)
		some = append(some, plain(kind4, udpFlowPacket(f)))
	}
	tunnel := [][]byte{plain(kind4, serialize(outer4(17), overlay(4789), vxlan, gopacket.Payload(bulk[0])))}
	for _, test := range []struct {
		name    string
		frames  [][]byte
		rate    int // frames a second; 0: as many as the sender can
		nobody  bool
		dropped bool // by the kernel
	}{
		{"probes", syn, 0, false, false},
		{"nobody", syn, 0, true, true},
		{"bulk TCP", bulk, 0, false, true},
		{"bulk TCP, 200000 a second", bulk, 200_000, false, true},
		{"bulk TCP in VXLAN, 200000 a second", tunnel, 200_000, false, true},
		{"bulk UDP, 8 flows, 200000 a second", udp, 200_000, false, true},
		{"UDP, 1000 flows, 200000 a second", some, 200_000, false, false},
	} {
		b.Run(test.name, func(b *testing.B) {
			inNamespace(b)
			newPair(b)
			s := newSender(b, "scan1")
			if test.nobody {
				onCore(b, 1)
				b.ResetTimer()
				s.send(b, test.frames, b.N, 0)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "packets/s")
				return
			}
			l, err := OpenLive(LiveConfig{Interface: "scan0"})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			var sent atomic.Int64 // nanoseconds that it took
			go func() {
				runtime.LockOSThread()
				onCore(b, 1)
				start := time.Now()
				s.send(b, test.frames, b.N, test.rate)
				sent.Store(int64(time.Since(start)))
			}()
			onCore(b, 0)
			var d Decoder
			var f Frame
			var p Packet
			before := threadTime(b)
			b.ResetTimer()
			for idle := false; ; {
				err := l.Next(&f)
				if err == nil {
					d.Decode(f.Link, f.Time, f.Data, f.Wire, &p)
					l.Decoded(&p)
					continue
				} else if !errors.Is(err, ErrTimeout) {
					b.Fatal(err)
				}
				if idle {
					break
				}
				idle = sent.Load() > 0 // what is still in the ring comes within one more interval
			}
			took := threadTime(b) - before
			stats := l.Stats()
			took1 := time.Duration(sent.Load()).Seconds()
			b.ReportMetric(0, "ns/op") // is the sender's
			b.ReportMetric(float64(b.N)/took1, "packets/s")
			b.ReportMetric(float64(stats.Dropped), "lost")
			b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "CPU-ns/packet")
			b.ReportMetric(100*took.Seconds()/took1, "%core")
			if got := d.Counts[ReasonOK]; !test.dropped && got+stats.Dropped < uint64(b.N) {
				b.Errorf("%d frames sent, %d read, %d lost", b.N, got, stats.Dropped)
			}
		})
	}
}

// onCore moves the thread to a core, if there is one of that number.
func onCore(b *testing.B, n int) {
	var set unix.CPUSet
	set.Set(n % runtime.NumCPU())
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		b.Log("not on a core of its own:", err)
	}
}

// threadTime is the CPU time that the thread has taken so far.
func threadTime(b *testing.B) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// sender sends frames through a ring of memory (PACKET_TX_RING): with a system
// call for each, one core sends less than half as many.
type sender struct {
	fd     int
	memory []byte
}

const (
	sendSlot  = 2048
	sendSlots = 512
	sendBatch = 64 // frames for one system call
)

func newSender(b *testing.B, name string) *sender {
	b.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	s := &sender{fd: fd}
	b.Cleanup(func() { unix.Munmap(s.memory); unix.Close(fd) })
	request := unix.TpacketReq{Block_size: sendSlot * sendSlots, Block_nr: 1, Frame_size: sendSlot, Frame_nr: sendSlots}
	var device int
	for _, err := range []error{
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1),
		unix.SetsockoptTpacketReq(fd, unix.SOL_PACKET, unix.PACKET_TX_RING, &request),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	if s.memory, err = unix.Mmap(fd, 0, sendSlot*sendSlots, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE); err != nil {
		b.Fatal(err)
	}
	devices, err := openDevices()
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(devices.fd)
	d, err := devices.named(name)
	if err != nil {
		b.Fatal(err)
	}
	device = d.index
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: device}); err != nil {
		b.Fatal(err)
	}
	return s
}

// send sends n frames in turn, rate a second, or as fast as it can.
func (s *sender) send(b *testing.B, frames [][]byte, n, rate int) {
	const data = (unix.SizeofTpacket2Hdr + 15) &^ 15
	start := time.Now()
	for i := range n {
		at := i % sendSlots * sendSlot
		h := (*unix.Tpacket2Hdr)(unsafe.Pointer(&s.memory[at]))
		for atomic.LoadUint32(&h.Status) != unix.TP_STATUS_AVAILABLE {
			s.flush(b)
		}
		frame := frames[i%len(frames)]
		if i < sendSlots || len(frames) > 1 {
			h.Len = uint32(copy(s.memory[at+data:at+sendSlot], frame))
		}
		atomic.StoreUint32(&h.Status, unix.TP_STATUS_SEND_REQUEST)
		if (i+1)%sendBatch != 0 && i+1 != n {
			continue
		}
		s.flush(b)
		for rate > 0 && time.Since(start) < time.Duration(i)*time.Second/time.Duration(rate) {
			runtime.Gosched()
		}
	}
}

func (s *sender) flush(b *testing.B) {
	if err := unix.Sendto(s.fd, nil, 0, nil); err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ENOBUFS) {
		b.Error(fmt.Errorf("send: %w", err))
	}
}
