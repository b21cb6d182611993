package capture

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The shape of the ring. A trickle of frames uses up a block per ringRetire:
// with the default ring, the reader may be away for six seconds before that
// loses any. Blocks of 256 KiB would leave it a quarter of the time.
const (
	ringBlock     = 64 << 10 // the preferred size of a block, bytes
	ringMinBlocks = 4        // with less memory blocks get smaller, so that the kernel always has one to fill
	ringRetire    = 100      // milliseconds after which a block is handed over, full or not
	ringAlign     = 16       // TPACKET_ALIGNMENT
)

// ring is the memory that the kernel fills with blocks of frames (Linux,
// Documentation/networking/packet_mmap.rst). A block is either the kernel's or
// ours; its status word says whose, and is the only word that both write.
type ring struct {
	memory []byte
	size   int  // of a block
	block  int  // which is ours, or will be next
	held   bool // it is ours
	left   int  // frames of it that are yet to be read
	at     int  // offset in memory of the next
}

// open sets the ring up on a socket. Frames are at most snaplen bytes.
func (r *ring) open(fd, memory, snaplen int) error {
	if memory == 0 {
		memory = DefaultRingBytes
	}
	if memory < MinRingBytes || memory > MaxRingBytes {
		return fmt.Errorf("%d bytes: %w", memory, ErrRing)
	}
	smallest := max(os.Getpagesize(), 4096)
	for smallest < 2*snaplen {
		smallest *= 2
	}
	r.size = ringBlock
	for r.size > smallest && memory/r.size < ringMinBlocks {
		r.size /= 2
	}
	r.size = max(r.size, smallest)
	blocks := max(memory/r.size, ringMinBlocks)
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("%w: the kernel has no TPACKET_V3: %w", ErrUnsupported, err)
	}
	request := unix.TpacketReq3{
		Block_size:     uint32(r.size),
		Block_nr:       uint32(blocks),
		Frame_size:     uint32(r.size), // counts for nothing in version 3, but must divide
		Frame_nr:       uint32(blocks),
		Retire_blk_tov: ringRetire,
	}
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return fmt.Errorf("set up a ring of %d bytes: %w", r.size*blocks, err)
	}
	mapped, err := unix.Mmap(fd, 0, r.size*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		_ = unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{}) // so that it can be tried again
		return fmt.Errorf("map a ring of %d bytes: %w", r.size*blocks, err)
	}
	r.memory = mapped
	return nil
}

// close unmaps the ring.
func (r *ring) close() error {
	if r.memory == nil {
		return nil
	}
	memory := r.memory
	*r = ring{}
	return unix.Munmap(memory)
}

// header returns the header of the current block.
func (r *ring) header() *unix.TpacketHdrV1 {
	description := (*unix.TpacketBlockDesc)(unsafe.Pointer(&r.memory[r.block*r.size]))
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&description.Hdr))
}

// advance gives the block that has been read back to the kernel, and takes the
// next if the kernel is through with it. A ring without memory has none.
func (r *ring) advance() bool {
	if r.memory == nil {
		return false
	}
	if r.held {
		atomic.StoreUint32(&r.header().Block_status, unix.TP_STATUS_KERNEL)
		r.held = false
		r.block = (r.block + 1) % (len(r.memory) / r.size)
	}
	h := r.header()
	if atomic.LoadUint32(&h.Block_status)&unix.TP_STATUS_USER == 0 {
		return false
	}
	r.held = true
	r.left = int(h.Num_pkts)
	r.at = r.block*r.size + int(h.Offset_to_first_pkt)
	return true
}

// next reads the next frame of the current block, if it has one. from says
// which way it went and the hardware type of its interface at that time; like
// the frame's bytes it is valid until the next advance.
func (r *ring) next(f *Frame) (from *unix.RawSockaddrLinklayer, ok bool) {
	if r.left == 0 {
		return nil, false
	}
	h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&r.memory[r.at]))
	from = (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&r.memory[r.at+(unix.SizeofTpacket3Hdr+ringAlign-1)&^(ringAlign-1)]))
	data := r.at + int(h.Mac)
	end := data + int(h.Snaplen)
	f.Time = int64(h.Sec)*1e9 + int64(h.Nsec)
	f.Data = r.memory[data:end:end]
	f.Wire = wireLength(h.Len, int(h.Snaplen))
	f.Tag = Tag{}
	if h.Status&unix.TP_STATUS_VLAN_VALID != 0 {
		f.Tag = Tag{TPID: etherVLAN, TCI: uint16(h.Hv1.Vlan_tci)}
		if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
			f.Tag.TPID = h.Hv1.Vlan_tpid
		}
	}
	r.left--
	r.at += int(h.Next_offset)
	return from, true
}
