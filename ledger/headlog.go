package ledger

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"bongsu/chain"
	"bongsu/errs"
)

// The head log: commits that are not in a segment yet. FORMAT.md draws it.
const (
	headMagic    = "bongsuH1"
	headSlots    = 512           // offset of the first slot; the second is one sector on
	headSector   = 512           // what a disk writes whole or not at all
	headData     = 2048          // offset of the first record
	recordHeader = 24            // length, checksum, sequence
	maxRecord    = 1 << 30       // bytes of one commit in the head
	slotLen      = 8 + 8 + 8 + 4 // sequence, end, generation, checksum
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// recordKind is the first byte of a record's payload. Append only.
type recordKind byte

const (
	recordFacts    recordKind = 1 // an import's facts
	recordLive     recordKind = 2 // a live block
	recordRollback recordKind = 3
	recordFinal    recordKind = 4
)

// record is one commit of the head, decoded.
type record struct {
	kind   recordKind
	facts  *Facts
	block  BlockFact // recordLive
	what   Cover     // recordLive
	chain  chain.ID  // recordRollback, recordFinal
	number uint64
	cursor []byte // recordCursor
	runs   []byte // recordCursor: the runs so far, as JSON
}

func (r *record) encode() []byte {
	e := &encoder{b: make([]byte, recordHeader, 4096)}
	e.byte(byte(r.kind))
	switch r.kind {
	case recordFacts:
		encodeFacts(e, r.facts)
	case recordLive:
		encodeBlock(e, &r.block)
		e.byte(byte(r.what))
		encodeFacts(e, r.facts)
	case recordCursor:
		e.bytes(r.cursor)
		e.bytes(r.runs)
		encodeFacts(e, r.facts)
	default:
		e.string(string(r.chain))
		e.uint(r.number)
	}
	return e.b
}

func decodeRecord(b []byte) (*record, error) {
	d := &decoder{b: b}
	r := &record{kind: recordKind(d.byte())}
	switch r.kind {
	case recordFacts:
		r.facts = decodeFacts(d)
	case recordLive:
		r.block = decodeBlock(d)
		r.what = Cover(d.byte())
		r.facts = decodeFacts(d)
	case recordCursor:
		r.cursor = append([]byte{}, d.bytes()...)
		r.runs = append([]byte{}, d.bytes()...)
		r.facts = decodeFacts(d)
	case recordRollback, recordFinal:
		r.chain, r.number = chain.ID(d.string()), d.uint()
	default:
		d.fail(fmt.Sprintf("record kind %d is not known here", r.kind))
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail("bytes after the end of a record")
	}
	return r, d.err
}

// decodeBrief decodes of a record what others take back, or what takes back.
func decodeBrief(b []byte) (r record, err error) {
	d := &decoder{b: b}
	switch r.kind = recordKind(d.byte()); r.kind {
	case recordLive:
		r.block = decodeBlock(d)
	case recordRollback:
		r.chain, r.number = chain.ID(d.string()), d.uint()
	}
	return r, d.err
}

// headLog is an open head log. Its owner serialises appends.
type headLog struct {
	f      file
	name   string
	gen    uint64
	seq    uint64 // of the last record inside end
	end    int64  // where committed records end
	room   int64  // up to where this process has made the file longer than that
	slotAt int    // the slot that says so; the next commit writes the other
}

// How much longer: by half, or as far as the log before it came, within bounds.
const (
	leastRoom = 64 << 10
	mostRoom  = 16 << 20
)

// file is what the head log needs of an *os.File; tests put faults into it.
type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
	Stat() (os.FileInfo, error)
}

// createHead makes an empty log that is durable when it returns (its folder
// is the caller's to sync). seq goes on from the log before it.
func createHead(f file, name string, gen, seq uint64) (*headLog, error) {
	h := &headLog{f: f, name: name, gen: gen, seq: seq, end: headData}
	return h, h.finish()
}

// finish makes a new log, in which every record written counts, durable.
func (h *headLog) finish() error {
	b := make([]byte, headData)
	copy(b, headMagic)
	copy(b[headSlots:], h.slot())
	copy(b[headSlots+headSector:], h.slot())
	if _, err := h.f.WriteAt(b, 0); err != nil {
		return errs.Wrap("make head log", h.name, err)
	}
	return errs.Wrap("make head log", h.name, h.f.Sync())
}

func (h *headLog) slot() []byte {
	b := binary.LittleEndian.AppendUint64(nil, h.seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.end))
	b = binary.LittleEndian.AppendUint64(b, h.gen)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// openHead reads the slots of an existing log.
func openHead(f file, name string, gen uint64) (*headLog, error) {
	h := &headLog{f: f, name: name, gen: gen, end: headData}
	magic := make([]byte, len(headMagic))
	if _, err := f.ReadAt(magic, 0); err != nil || string(magic) != headMagic {
		return nil, errs.New("open head log", errs.Corrupt, name, "it does not begin as a head log does", "restore the file, or import again into an empty folder")
	}
	_, err := h.refresh()
	return h, err
}

// refresh takes over the newest good slot, and says whether it moved.
func (h *headLog) refresh() (bool, error) {
	seq, end, _, err := h.readSlots()
	if err != nil {
		return false, err
	}
	moved := seq != h.seq || end != h.end
	h.seq, h.end = seq, end
	return moved, nil
}

// readSlots returns the newest good slot and how many of the two are bad.
func (h *headLog) readSlots() (seq uint64, end int64, bad int, err error) {
	found := false
	for i := range 2 {
		b := make([]byte, slotLen)
		if _, err := h.f.ReadAt(b, int64(headSlots+i*headSector)); err != nil {
			return 0, 0, 0, errs.Wrap("read head log", h.name, err)
		}
		s, e, gen := binary.LittleEndian.Uint64(b), int64(binary.LittleEndian.Uint64(b[8:])), binary.LittleEndian.Uint64(b[16:])
		if crc32.Checksum(b[:24], castagnoli) != binary.LittleEndian.Uint32(b[24:]) || gen != h.gen || e < headData {
			bad++
			continue
		}
		if !found || s > seq {
			seq, end, found, h.slotAt = s, e, true, i
		}
	}
	if !found {
		return 0, 0, bad, errs.New("read head log", errs.Corrupt, h.name, "both of its commit slots are damaged", "run bongsu ledger check; restore the file from a copy")
	}
	return seq, end, bad, nil
}

// append commits a record: the record first, then the slot that makes it
// count, each synced. rec is record.encode's.
func (h *headLog) append(rec []byte) error {
	next := *h
	h.room = 0 // after an error
	if end := h.end + int64(len(rec)); end > next.room {
		if err := next.makeRoom(end, end/2); err != nil {
			return err
		}
	}
	if err := next.write(rec); err != nil {
		return err
	}
	if err := h.f.Sync(); err != nil {
		return errs.Wrap("commit", h.name, err)
	}
	if err := next.commitSlot(); err != nil {
		return err
	}
	*h = next
	return nil
}

// appendAll commits records at once: all of them first, then the slot that makes
// them count. each calls its argument with every one.
func (h *headLog) appendAll(each func(write func(*record) error) error) error {
	next := *h
	h.room = 0 // after an error
	if err := each(func(r *record) error { return next.write(r.encode()) }); err != nil {
		return err
	}
	if next.end > next.room {
		next.room = 0
	}
	if err := h.f.Sync(); err != nil {
		return errs.Wrap("commit", h.name, err)
	}
	if err := next.commitSlot(); err != nil {
		return err
	}
	*h = next
	return nil
}

// makeRoom writes some n zeros from byte from on, where records will come: to
// sync what lies inside a file takes no change of the file system's own.
func (h *headLog) makeRoom(from, n int64) error {
	h.room = from + min(max(n, leastRoom), mostRoom)
	for at := from; at < h.room; {
		n, err := h.f.WriteAt(zeros[:min(int64(len(zeros)), h.room-at)], at)
		if err != nil {
			return errs.Wrap("commit", h.name, err)
		}
		at += int64(n)
	}
	return nil
}

var zeros [1 << 20]byte

// write puts a record behind the end, where no slot says yet that it counts.
func (h *headLog) write(rec []byte) error {
	if len(rec) > maxRecord {
		return errs.New("commit", errs.Limit, h.name, "one commit of the head is larger than 1 GiB", "import the files one by one")
	}
	seal(rec, h.seq+1)
	if _, err := h.f.WriteAt(rec, h.end); err != nil {
		return errs.Wrap("commit", h.name, err)
	}
	h.seq, h.end = h.seq+1, h.end+int64(len(rec))
	return nil
}

func (h *headLog) commitSlot() error {
	at := 1 - h.slotAt
	if _, err := h.f.WriteAt(h.slot(), int64(headSlots+headSector*at)); err != nil {
		return errs.Wrap("commit", h.name, err)
	}
	if err := h.f.Sync(); err != nil {
		return errs.Wrap("commit", h.name, err)
	}
	h.slotAt = at
	return nil
}

// seal fills in a record's header.
func seal(rec []byte, seq uint64) {
	binary.LittleEndian.PutUint64(rec, uint64(len(rec)-recordHeader))
	binary.LittleEndian.PutUint64(rec[8:], seq)
	binary.LittleEndian.PutUint32(rec[20:], 0)
	binary.LittleEndian.PutUint32(rec[16:], 0)
	binary.LittleEndian.PutUint32(rec[16:], crc32.Checksum(rec, castagnoli))
}

// read decodes the committed records from offset from, which follows record
// seq, and calls use with each.
func (h *headLog) read(from int64, seq uint64, use func(*record) error) error {
	return h.scan(from, seq, func(rec []byte) error {
		r, err := decodeRecord(rec[recordHeader:])
		if err != nil {
			return errs.Wrap("read head log", fmt.Sprintf("%s, record %d", h.name, binary.LittleEndian.Uint64(rec[8:])), err)
		}
		return use(r)
	})
}

// scan calls use with the bytes of each of these records, headers included.
func (h *headLog) scan(from int64, seq uint64, use func(rec []byte) error) error {
	for from < h.end {
		rec, err := h.readOne(from, seq+1, h.end)
		if err != nil {
			return err
		}
		if err := use(rec); err != nil {
			return err
		}
		from, seq = from+int64(len(rec)), seq+1
	}
	if from != h.end || seq != h.seq {
		return h.corrupt(from, "records do not end where the slot says")
	}
	return nil
}

// readOne reads record seq, which begins at byte at, and verifies it.
func (h *headLog) readOne(at int64, seq uint64, end int64) ([]byte, error) {
	head := make([]byte, recordHeader)
	if _, err := h.f.ReadAt(head, at); err != nil {
		return nil, h.corrupt(at, "a record is cut short")
	}
	n := binary.LittleEndian.Uint64(head)
	if n > maxRecord || at+recordHeader+int64(n) > end {
		return nil, h.corrupt(at, "a record is longer than the log")
	}
	b := make([]byte, recordHeader+int(n))
	if _, err := h.f.ReadAt(b, at); err != nil {
		return nil, h.corrupt(at, "a record is cut short")
	}
	sum := binary.LittleEndian.Uint32(b[16:])
	binary.LittleEndian.PutUint32(b[16:], 0)
	if crc32.Checksum(b, castagnoli) != sum {
		return nil, h.corrupt(at, "a record's checksum does not match")
	}
	if binary.LittleEndian.Uint64(b[8:]) != seq {
		return nil, h.corrupt(at, "a record is out of sequence")
	}
	return b, nil
}

func (h *headLog) corrupt(at int64, why string) error {
	return errs.New("read head log", errs.Corrupt, fmt.Sprintf("%s at byte %d", h.name, at), why, "run bongsu ledger check; restore the file from a copy")
}

// recover is the writer's: it cuts off what lies behind the newest slot and is
// not room that it made: another's, or what a crash left, which nobody was told
// of and no reader has seen. Where a slot is damaged it may have been the newer
// one: then whole records behind the other are taken over first.
func (h *headLog) recover() error {
	info, err := h.f.Stat()
	if err != nil {
		return errs.Wrap("open head log", h.name, err)
	}
	_, _, bad, err := h.readSlots()
	if err != nil || bad == 0 && (info.Size() == h.end || info.Size() == h.room) {
		return err
	}
	before := h.end
	h.room = 0
	for bad > 0 && h.end < info.Size() {
		rec, err := h.readOne(h.end, h.seq+1, info.Size())
		if err != nil {
			break
		}
		h.seq, h.end = h.seq+1, h.end+int64(len(rec))
	}
	if h.end < info.Size() {
		if err := h.f.Truncate(h.end); err != nil {
			return errs.Wrap("open head log", h.name, err)
		}
	}
	if h.end != before {
		return h.commitSlot()
	}
	return nil
}
