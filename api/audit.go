package api

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"sync"
	"time"

	"bongsu/errs"

	"github.com/klauspost/compress/zstd"
)

// Asked is one record of the audit: who asked for what, and what was answered.
type Asked struct {
	At      time.Time `json:"at"`
	Who     string    `json:"who"`            // "user:NAME", "token:ID", or "-" for nobody
	From    string    `json:"from,omitempty"` // remote address
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Status  int       `json:"status"`
	Values  []string  `json:"values,omitempty"`  // what was screened
	Hits    []Hit     `json:"hits,omitempty"`    // verdicts that were not clear
	Subject []string  `json:"subject,omitempty"` // ids that were appended or changed
	Left    int       `json:"left,omitempty"`    // records of strangers before this one that were left out
}

// Hit is one verdict that was not clear.
type Hit struct {
	Value   string `json:"value"`
	Verdict string `json:"verdict"`
}

// Bounds of the audit.
const (
	auditFlush   = 50 * time.Millisecond // records wait this long at most before they are written and synced
	auditPending = 64 << 20              // bytes of records that may wait; then callers wait
	auditEager   = 4 << 20               // bytes of pending records from which the next frame does not wait
	auditFile    = 256 << 20             // bytes from which a new file is begun
)

// Audit is the append-only log of who asked what: hash-chained, compressed
// frames in files of its own (FORMAT.md), apart from the journal because it
// holds others' customers.
//
// What it guarantees: a record is handed over before its request ends, and is
// on the disk within auditFlush and one fsync. A crash loses at most the
// records of that time, never an older one, and never leaves half a record.
// When records cannot be written, requests are refused from then on rather
// than answered unseen. Records that must not be lost wait for Sync.
type Audit struct {
	dir   string
	clock func() time.Time
	enc   *zstd.Encoder
	done  chan struct{} // closed when the writer has ended
	wake  chan struct{} // there is something to write
	quick chan struct{} // somebody waits for it

	mu      sync.Mutex // owns the fields below
	changed *sync.Cond // written, err or closed changed
	pending []byte     // records as NDJSON
	spare   []byte     // for the next pending, so that none is grown anew
	count   int        // of them
	taken   uint64     // records ever taken
	written uint64     // records ever made durable
	err     error
	closed  bool
	head    AuditHead // after what was written last

	file  *os.File // these five: the writer's alone
	frame []byte   // of the last write, for the next
	size  int64
	chain [32]byte
	index uint64 // of file
}

// OpenAudit opens the log in dir, making it when missing, checks the newest
// file and sets aside a frame that a crash left half written. clock may be
// nil. One process may have a log open at a time; another gets
// errs.Unavailable.
func OpenAudit(dir string, clock func() time.Time) (*Audit, error) {
	if clock == nil {
		clock = time.Now
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, errs.Wrap("audit", dir, err)
	}
	a := &Audit{dir: dir, clock: clock, enc: enc, done: make(chan struct{}), wake: make(chan struct{}, 1), quick: make(chan struct{}, 1)}
	a.changed = sync.NewCond(&a.mu)
	if err := a.open(); err != nil {
		return nil, err
	}
	go a.run()
	return a, nil
}

// Err says why the log takes no more records, or nil.
func (a *Audit) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// Record takes one record. It waits when too much is pending, and fails when
// the log cannot be written or is closed.
func (a *Audit) Record(r *Asked) error {
	line, err := json.Marshal(r)
	if err != nil {
		return errs.Wrap("audit", a.dir, err)
	}
	a.mu.Lock()
	for a.err == nil && !a.closed && len(a.pending)+len(line) >= auditPending {
		a.changed.Wait()
	}
	if err := a.refusal(); err != nil {
		a.mu.Unlock()
		return err
	}
	a.pending = append(append(a.pending, line...), '\n')
	a.count++
	a.taken++
	a.mu.Unlock()
	poke(a.wake)
	return nil
}

// refusal is why no record is taken. a.mu is held.
func (a *Audit) refusal() error {
	if a.err == nil && a.closed {
		return errs.New("audit", errs.Unavailable, a.dir, "the log is closed", "start the node again")
	}
	return a.err
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Sync returns when everything recorded before the call is durable.
func (a *Audit) Sync(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		a.mu.Lock()
		a.changed.Broadcast()
		a.mu.Unlock()
	})
	defer stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	target := a.taken
	poke(a.quick)
	for a.written < target && a.err == nil && ctx.Err() == nil {
		a.changed.Wait()
	}
	if a.err != nil {
		return a.err
	}
	if a.written < target {
		return context.Cause(ctx)
	}
	return nil
}

// Close writes what is pending and ends the writer.
func (a *Audit) Close() error {
	a.mu.Lock()
	was := a.closed
	a.closed = true
	a.changed.Broadcast()
	a.mu.Unlock()
	poke(a.quick)
	poke(a.wake)
	<-a.done
	if !was {
		a.enc.Close()
	}
	return a.Err()
}

// run writes frames until Close.
func (a *Audit) run() {
	defer close(a.done)
	defer a.shut()
	for {
		<-a.wake
		t := time.NewTimer(auditFlush)
		select {
		case <-t.C:
		case <-a.quick:
		}
		t.Stop()
		for a.flush() {
		}
		a.mu.Lock()
		end := a.closed && len(a.pending) == 0 || a.err != nil
		a.mu.Unlock()
		if end {
			return
		}
	}
}

// flush writes one frame of what is pending; more says that it left some.
func (a *Audit) flush() (more bool) {
	a.mu.Lock()
	batch, n := a.pending, a.count
	a.pending, a.count = a.spare, 0
	a.spare = nil
	a.mu.Unlock()
	if n == 0 {
		return false
	}
	err := a.write(batch, n)
	a.mu.Lock()
	defer a.mu.Unlock()
	if cap(batch) <= auditEager {
		a.spare = batch[:0]
	}
	if err != nil {
		a.err = err
	} else {
		a.written += uint64(n)
		a.head = AuditHead{a.index, a.size, a.chain}
	}
	a.changed.Broadcast()
	return err == nil && len(a.pending) > auditEager
}

// write appends a frame and syncs it. After a failed write the tail of the
// file is not known, so the log takes nothing more until it is opened again.
func (a *Audit) write(records []byte, n int) error {
	if a.size >= auditFile {
		if err := a.begin(a.index + 1); err != nil {
			return err
		}
	}
	frame := a.enc.EncodeAll(records, append(a.frame[:0], make([]byte, frameHead)...))
	if cap(frame) <= auditEager {
		a.frame = frame
	}
	payload := frame[frameHead:]
	next := chainHash(a.chain, payload)
	binary.LittleEndian.PutUint32(frame[0:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(frame[4:], uint32(n))
	copy(frame[8:], next[:])
	if _, err := a.file.Write(frame); err != nil {
		return errs.Wrap("audit", a.file.Name(), err)
	}
	if err := a.file.Sync(); err != nil {
		return errs.Wrap("audit", a.file.Name(), err)
	}
	a.chain, a.size = next, a.size+int64(len(frame))
	return nil
}

func chainHash(prev [32]byte, payload []byte) [32]byte {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(payload)
	return [32]byte(h.Sum(nil))
}
