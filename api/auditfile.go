package api

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"bongsu/durable"
	"bongsu/errs"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"
)

const (
	auditMagic = "bongsu-audit v1\n"
	auditHead  = len(auditMagic) + 32 // magic, then the chain's hash before the first frame
	frameHead  = 4 + 4 + 32           // payload length, records, the chain's hash after it
	maxFrame   = 2 * auditPending     // no payload is longer
)

func auditName(dir string, index uint64) string {
	return filepath.Join(dir, fmt.Sprintf("audit-%06d.log", index))
}

// open makes the folder or finds its newest file, checks that file and gets
// ready to append.
func (a *Audit) open() error {
	if err := durable.MkdirAll(a.dir, 0o700); err != nil {
		return err
	}
	names, err := auditFiles(a.dir)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return a.begin(1)
	}
	last := names[len(names)-1]
	if _, err := fmt.Sscanf(filepath.Base(last), "audit-%06d.log", &a.index); err != nil {
		return errs.Wrap("audit", last, err)
	}
	f, err := os.OpenFile(last, os.O_RDWR, 0o600)
	if err != nil {
		return errs.Wrap("audit", last, err)
	}
	if err := own(f); err != nil {
		f.Close()
		return err
	}
	if err := a.resume(f); err != nil {
		f.Close()
		return err
	}
	return nil
}

// own locks the file for as long as it is open.
func own(f *os.File) error {
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errs.New("audit", errs.Unavailable, f.Name(), "another process writes this audit", "stop the other serve on this data folder")
	}
	return nil
}

// resume checks f and sets a half-written tail aside.
func (a *Audit) resume(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	if info.Size() < int64(auditHead) { // a crash while the file was begun: nothing was ever recorded in it
		return a.restart(f)
	}
	chain, good, err := scanAudit(f, nil, nil)
	if err != nil {
		return err
	}
	if good < info.Size() {
		if err := setAside(f, good, info.Size()); err != nil {
			return err
		}
	}
	if _, err := f.Seek(good, io.SeekStart); err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	a.file, a.size, a.chain = f, good, chain
	return nil
}

// restart writes the head of the newest file again, chained to the one before.
func (a *Audit) restart(f *os.File) error {
	if a.index > 1 {
		prev, err := os.Open(auditName(a.dir, a.index-1))
		if err != nil {
			return errs.Wrap("audit", f.Name(), err)
		}
		chain, _, err := scanAudit(prev, nil, nil)
		prev.Close()
		if err != nil {
			return err
		}
		a.chain = chain
	}
	if err := f.Truncate(0); err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	return a.writeHead(f)
}

func (a *Audit) writeHead(f *os.File) error {
	if _, err := f.WriteAt(append([]byte(auditMagic), a.chain[:]...), 0); err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	if err := f.Sync(); err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	if _, err := f.Seek(int64(auditHead), io.SeekStart); err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	a.file, a.size = f, int64(auditHead)
	return nil
}

// begin starts file number index: head, fsync, then the folder's fsync, before
// any frame.
func (a *Audit) begin(index uint64) error {
	f, err := os.OpenFile(auditName(a.dir, index), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errs.Wrap("audit", a.dir, err)
	}
	err = own(f)
	old := a.file
	if err == nil {
		err = a.writeHead(f)
	}
	if err == nil {
		err = durable.SyncDir(a.dir)
	}
	if err != nil {
		f.Close()
		return err
	}
	a.index = index
	if old != nil {
		old.Close()
	}
	return nil
}

func (a *Audit) shut() { a.file.Close() }

// setAside copies a torn tail to a file of its own, then cuts it off.
func setAside(f *os.File, good, size int64) error {
	tail := make([]byte, size-good)
	if _, err := f.ReadAt(tail, good); err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	if err := durable.WriteFile(fmt.Sprintf("%s.torn-%d", f.Name(), good), tail, 0o600); err != nil {
		return err
	}
	if err := f.Truncate(good); err != nil {
		return errs.Wrap("audit", f.Name(), err)
	}
	return errs.Wrap("audit", f.Name(), f.Sync())
}

func auditFiles(dir string) ([]string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "audit-*.log"))
	if err != nil {
		return nil, errs.Wrap("audit", dir, err)
	}
	slices.Sort(names)
	return names, nil
}

// ReadAudit calls each for every record in the log at dir, oldest first, and
// verifies the chain across its files. A broken chain is errs.Corrupt; a tail
// that a crash tore is not an error.
func ReadAudit(dir string, each func(Asked) error) error { return readAudit(dir, each, nil) }

// CheckAudit verifies the log at dir: its chain, and that it still holds every
// head that was anchored somewhere else. errs.Corrupt names the first that is
// missing: records were removed or changed after it was anchored.
func CheckAudit(dir string, anchored []AuditHead) error {
	missing := map[AuditHead]bool{}
	for _, h := range anchored {
		missing[h] = true
	}
	if err := readAudit(dir, nil, func(h AuditHead) { delete(missing, h) }); err != nil {
		return err
	}
	for _, h := range anchored {
		if missing[h] {
			return corruptAudit(auditName(dir, h.File), h.Offset, "the log no longer holds what it held when this head was anchored")
		}
	}
	return nil
}

func readAudit(dir string, each func(Asked) error, mark func(AuditHead)) error {
	names, err := auditFiles(dir)
	if err != nil {
		return err
	}
	var chain [32]byte
	for i, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return errs.Wrap("audit", name, err)
		}
		head := make([]byte, auditHead)
		_, err = f.ReadAt(head, 0)
		if err == nil && [32]byte(head[len(auditMagic):]) != chain {
			err = corruptAudit(name, 0, "it does not continue the file before it")
		}
		if err == nil {
			chain, _, err = scanAudit(f, each, func(end int64, chain [32]byte) {
				if mark != nil {
					mark(AuditHead{uint64(i) + 1, end, chain})
				}
			})
		}
		f.Close()
		if errors.Is(err, io.EOF) && i == len(names)-1 {
			return nil // begun, not yet written
		}
		if err != nil {
			return errs.Wrap("audit", name, err)
		}
	}
	return nil
}

func corruptAudit(name string, at int64, why string) error {
	return errs.New("audit", errs.Corrupt, fmt.Sprintf("%s:%d", name, at), why, "keep the file as it is, and compare it with a backup")
}

// scanAudit verifies a file's frames and returns the chain after the last good
// one and where that ends. A bad frame is what a crash left of the last write,
// unless a whole frame continues it: then it was good once.
func scanAudit(f *os.File, each func(Asked) error, mark func(end int64, chain [32]byte)) (chain [32]byte, good int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return chain, 0, errs.Wrap("audit", f.Name(), err)
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, info.Size()), 1<<20)
	head := make([]byte, auditHead)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(auditMagic)]) != auditMagic {
		return chain, 0, corruptAudit(f.Name(), 0, "not an audit file")
	}
	chain, good = [32]byte(head[len(auditMagic):]), int64(auditHead)
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		return chain, good, errs.Wrap("audit", f.Name(), err)
	}
	defer dec.Close()
	var h [frameHead]byte
	for {
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return chain, good, nil // the end, or a torn head
		}
		n := int64(binary.LittleEndian.Uint32(h[:]))
		end := good + frameHead + n
		if n == 0 || n > maxFrame || end > info.Size() {
			return chain, good, nil // torn
		}
		payload := make([]byte, n)
		if _, err := io.ReadFull(r, payload); err != nil {
			return chain, good, errs.Wrap("audit", f.Name(), err)
		}
		next := chainHash(chain, payload)
		if next != [32]byte(h[8:]) {
			if !continues(f, end, info.Size(), [32]byte(h[8:])) {
				return chain, good, nil // written in part: the file grew, its bytes did not all come
			}
			return chain, good, corruptAudit(f.Name(), good, "a frame does not match the chain")
		}
		if err := eachRecord(dec, payload, binary.LittleEndian.Uint32(h[4:]), each); err != nil {
			return chain, good, errs.Wrap("audit", fmt.Sprintf("%s:%d", f.Name(), good), err)
		}
		chain, good = next, end
		if mark != nil {
			mark(end, chain)
		}
	}
}

// continues says whether a whole frame lies at off that follows on chain.
func continues(f *os.File, off, size int64, chain [32]byte) bool {
	var h [frameHead]byte
	if _, err := f.ReadAt(h[:], off); err != nil {
		return false
	}
	n := int64(binary.LittleEndian.Uint32(h[:]))
	if n == 0 || n > maxFrame || off+frameHead+n > size {
		return false
	}
	payload := make([]byte, n)
	if _, err := f.ReadAt(payload, off+frameHead); err != nil {
		return false
	}
	return chainHash(chain, payload) == [32]byte(h[8:])
}

func eachRecord(dec *zstd.Decoder, payload []byte, n uint32, each func(Asked) error) error {
	if each == nil {
		return nil
	}
	text, err := dec.DecodeAll(payload, nil)
	if err != nil {
		return err
	}
	seen := uint32(0)
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return errs.New("audit", errs.Corrupt, "", "a record has no end", "")
		}
		var rec Asked
		if err := json.Unmarshal(text[:i], &rec); err != nil {
			return err
		}
		if err := each(rec); err != nil {
			return err
		}
		text, seen = text[i+1:], seen+1
	}
	if seen != n {
		return errs.New("audit", errs.Corrupt, "", "a frame has another number of records than it says", "")
	}
	return nil
}
