package capture

import (
	"encoding/binary"
	"errors"
	"net"
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
	var udp [][]byte
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
	} {
		b.Run(test.name, func(b *testing.B) {
			inNamespace(b)
			newPair(b)
			s := newSender(b, "scan1", "scan0")
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

// sender sends frames as fast as Linux can without a driver: the kernel runs a
// program for XDP on one frame again and again, which redirects it to the
// interface (BPF_PROG_TEST_RUN with BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18). With a
// packet socket one core sends half as many, whether each frame is a system call or
// a slot of a ring. It is for little-endian machines.
type sender struct{ program, namespace int }

// newSender sends out of one of a pair of interfaces; the other has to take frames
// in by NAPI for that, as it does with GRO.
func newSender(b *testing.B, name, peer string) *sender {
	b.Helper()
	enableGRO(b, peer)
	device, err := net.InterfaceByName(name)
	if err != nil {
		b.Fatal(err)
	}
	code := make([]byte, 0, 32)
	for _, i := range []struct {
		op, registers uint8
		value         uint32
	}{
		{0xb7, 1, uint32(device.Index)}, // r1 = index
		{0xb7, 2, 0},                    // r2 = 0
		{0x85, 0, 23},                   // call bpf_redirect
		{0x95, 0, 0},                    // exit
	} {
		code = append(code, i.op, i.registers, 0, 0)
		code = binary.NativeEndian.AppendUint32(code, i.value)
	}
	license := []byte("GPL\x00")
	load := struct {
		kind, count     uint32
		code, license   uint64
		level, size     uint32
		log             uint64
		version, flags  uint32
		name            [16]byte
		ifindex, attach uint32
	}{kind: 6, count: uint32(len(code) / 8), code: address(code), license: address(license)} // BPF_PROG_TYPE_XDP
	program, err := bpfCall(5, unsafe.Pointer(&load), unsafe.Sizeof(load)) // BPF_PROG_LOAD
	runtime.KeepAlive(code)
	runtime.KeepAlive(license)
	if err != nil {
		b.Skipf("cannot load a program for XDP: %v", err)
	}
	b.Cleanup(func() { unix.Close(program) })
	namespace, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(namespace) })
	return &sender{program, namespace}
}

func address(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }

func bpfCall(command int, arguments unsafe.Pointer, size uintptr) (int, error) {
	r, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(command), uintptr(arguments), size)
	if errno != 0 {
		return 0, errno
	}
	return int(r), nil
}

// enableGRO does what ethtool -K NAME gro on does.
func enableGRO(b *testing.B, name string) {
	b.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	value := [2]uint32{unix.ETHTOOL_SGRO, 1}
	var request struct {
		name [unix.IFNAMSIZ]byte
		data uintptr
		_    [16]byte
	}
	copy(request.name[:], name)
	request.data = uintptr(unsafe.Pointer(&value))
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		b.Skipf("cannot switch GRO on: %v", errno)
	}
	runtime.KeepAlive(&value)
}

// send sends n frames, rate a second or as fast as it can: of each kind many on
// end, ten times a second if there is a rate, for each system call takes a
// millisecond beside. It moves the thread into the interface's namespace.
func (s *sender) send(b *testing.B, frames [][]byte, n, rate int) {
	if err := unix.Setns(s.namespace, unix.CLONE_NEWNET); err != nil {
		b.Error(err)
		return
	}
	many := (n + len(frames) - 1) / len(frames)
	if rate > 0 {
		many = max(rate/10, 1)
	}
	start := time.Now()
	for sent, kind := 0, 0; sent < n; kind++ {
		frame := frames[kind%len(frames)]
		run := struct {
			program, result    uint32
			inSize, outSize    uint32
			in, out            uint64
			repeat, took       uint32
			ctxIn, ctxOut      uint32
			ctxInAt, ctxOutAt  uint64
			flags, core, batch uint32
			_                  uint32
		}{
			program: uint32(s.program),
			inSize:  uint32(len(frame)),
			in:      address(frame),
			repeat:  uint32(min(many, n-sent)),
			flags:   1 << 1, // BPF_F_TEST_XDP_LIVE_FRAMES
			batch:   256,
		}
		if _, err := bpfCall(10, unsafe.Pointer(&run), unsafe.Sizeof(run)); err != nil { // BPF_PROG_TEST_RUN
			b.Errorf("send: %v", err)
			return
		}
		runtime.KeepAlive(frame)
		sent += int(run.repeat)
		for rate > 0 && time.Since(start) < time.Duration(sent)*time.Second/time.Duration(rate) {
			time.Sleep(time.Millisecond)
		}
	}
}
