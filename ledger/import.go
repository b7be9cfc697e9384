package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"bongsu/durable"
	"bongsu/errs"
)

// maxCursor bounds what a Checkpoint keeps for its caller.
const maxCursor = 64 << 10

// Import gathers facts of one source. Nothing of it is visible before Commit.
// Not safe for several goroutines.
type Import struct {
	l       *Ledger
	lock    *durable.Lock
	spool   string // the file's name
	log     *headLog
	facts   Facts // added since the last Checkpoint
	cursor  []byte
	resumed bool
	done    bool
}

// recordCursor follows the facts of a Checkpoint in a spool. Append only.
const recordCursor recordKind = 5

// Begin starts an import or resumes the one of the same source that a crash
// interrupted: Import.Cursor then tells where. The ledger's writer lock is
// held until Commit or Abort.
func (l *Ledger) Begin(ctx context.Context, source string) (*Import, error) {
	if l.opt.ReadOnly {
		return nil, errs.New("import", errs.Usage, l.dir, "the ledger is open for reading only", "open it for writing")
	}
	lock, err := durable.WaitLock(l.path("LOCK"))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(source))
	im := &Import{l: l, lock: lock, spool: "import-" + hex.EncodeToString(sum[:8]) + ".log"}
	if exists(l.path(im.spool)) {
		if err := im.resume(); err != nil {
			lock.Unlock()
			return nil, err
		}
	}
	return im, ctx.Err()
}

// resume opens the spool and finds the last checkpoint. A spool that is hurt
// was never acknowledged to hold more than what can be read again: it is
// dropped and the import starts over.
func (im *Import) resume() error {
	f, err := im.l.opt.disk.open(im.l.path(im.spool), true)
	if err != nil {
		return err
	}
	log, err := openHead(f, im.spool, 1)
	if err == nil {
		err = log.read(headData, 0, func(r *record) error {
			if r.kind == recordCursor {
				im.cursor = r.cursor
			}
			return nil
		})
	}
	if err != nil {
		f.Close()
		im.cursor = nil
		return im.l.opt.disk.remove(im.l.path(im.spool))
	}
	im.log, im.resumed = log, im.cursor != nil
	return nil
}

// Add gathers facts; the slices are the caller's again when it returns.
func (im *Import) Add(f *Facts) error {
	if err := checkFacts(f); err != nil {
		return err
	}
	im.facts.append(f)
	return nil
}

func (f *Facts) append(g *Facts) {
	f.Transfers = append(f.Transfers, g.Transfers...)
	f.Txs = append(f.Txs, g.Txs...)
	f.Blocks = append(f.Blocks, g.Blocks...)
	f.Notes = append(f.Notes, g.Notes...)
	f.UTXOs = append(f.UTXOs, g.UTXOs...)
	f.Assets = append(f.Assets, g.Assets...)
	f.Claims = append(f.Claims, g.Claims...)
}

// Checkpoint makes what was added so far survive a crash of this process,
// together with cursor (opaque to the ledger, at most 64 KB): a Begin of the
// same source gives the cursor back and goes on after it.
func (im *Import) Checkpoint(cursor []byte) error {
	if len(cursor) > maxCursor {
		return errs.New("import", errs.Limit, im.spool, "a cursor of more than 64 KB", "keep less in it")
	}
	if im.log == nil {
		f, err := im.l.opt.disk.create(im.l.path(im.spool))
		if err != nil {
			return err
		}
		if im.log, err = createHead(f, im.spool, 1, 0); err != nil {
			f.Close()
			return err
		}
		if err := im.l.opt.disk.syncDir(im.l.dir); err != nil {
			return err
		}
	}
	// Facts and cursor are one record: a crash between them would import the
	// facts twice, which is harmless, or lose them, which is not.
	if err := im.log.append((&record{kind: recordCursor, facts: &im.facts, cursor: cursor}).encode()); err != nil {
		return err
	}
	im.facts = Facts{}
	return nil
}

// Cursor is the cursor of the last Checkpoint of an interrupted import, or nil.
func (im *Import) Cursor() []byte {
	if !im.resumed {
		return nil
	}
	return im.cursor
}

// Commit makes all facts durable and visible at once.
func (im *Import) Commit(ctx context.Context) (stats Stats, err error) {
	if im.done {
		return stats, errs.New("import", errs.Usage, im.spool, "the import has ended", "begin another")
	}
	all := &Facts{}
	if im.log != nil {
		err := im.log.read(headData, 0, func(r *record) error {
			all.append(r.facts)
			return nil
		})
		if err != nil {
			return stats, err
		}
	}
	all.append(&im.facts)
	err = im.l.locked(ctx, func() error {
		if err := im.l.checkAssets(all.Assets); err != nil {
			return err
		}
		if err := im.l.head.checkLoose(all); err != nil {
			return err
		}
		stats, err = im.l.commit(&record{kind: recordFacts, facts: all})
		return err
	})
	if err != nil {
		return stats, errs.Wrap("import", fmt.Sprintf("%d transfers", len(all.Transfers)), err)
	}
	return stats, im.end()
}

// Abort drops the import and its checkpoints. A no-op after Commit.
func (im *Import) Abort() error {
	if im.done {
		return nil
	}
	return im.end()
}

// Suspend leaves the import's checkpoints for a later Begin of the same
// source, as a crash would. A no-op after Commit.
func (im *Import) Suspend() error {
	if im.done {
		return nil
	}
	im.done = true
	if im.log != nil {
		im.log.f.Close()
	}
	return im.lock.Unlock()
}

func (im *Import) end() error {
	im.done = true
	var err error
	if im.log != nil {
		im.log.f.Close()
		err = im.l.opt.disk.remove(im.l.path(im.spool))
	}
	if uerr := im.lock.Unlock(); err == nil {
		err = uerr
	}
	return err
}
