package ledger

import (
	"bytes"
	"encoding/json"
	"os"

	"bongsu/errs"
)

// maxCursor bounds what a Checkpoint keeps for its caller.
const maxCursor = 64 << 10

// recordCursor follows the facts of a Checkpoint in a spool. Append only.
const recordCursor recordKind = 5

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
			if r.kind != recordCursor {
				return nil
			}
			im.cursor = r.cursor
			im.runs = nil
			d := json.NewDecoder(bytes.NewReader(r.runs))
			d.DisallowUnknownFields() // an earlier version's runs: its file is dropped below
			return d.Decode(&im.runs)
		})
	}
	for _, r := range im.runs {
		if info, serr := os.Stat(im.l.path(r.Name)); err == nil && (serr != nil || info.Size() != r.Bytes) {
			err = errs.New("import", errs.Corrupt, r.Name, "a run is missing or cut short", "")
		}
	}
	if err != nil {
		f.Close()
		im.cursor, im.runs = nil, nil
		return im.l.opt.disk.remove(im.l.path(im.spool))
	}
	im.log, im.resumed, im.bulk = log, im.cursor != nil, len(im.runs) > 0
	for _, r := range im.runs {
		im.epochs = max(im.epochs, r.Epoch)
	}
	return nil
}

// Checkpoint makes what was added so far survive a crash of this process,
// together with cursor (opaque to the ledger, at most 64 KB): a Begin of the
// same source gives the cursor back and goes on after it. In a large import it
// ends a run: call it every few million rows.
func (im *Import) Checkpoint(cursor []byte) error {
	if len(cursor) > maxCursor {
		return errs.New("import", errs.Limit, im.spool, "a cursor of more than 64 KB", "keep less in it")
	}
	if err := im.makeSpool(); err != nil {
		return err
	}
	im.expand()
	if err := im.flushAll(); err != nil {
		return err
	}
	if err := im.harden(); err != nil {
		return err
	}
	if err := im.l.opt.disk.syncDir(im.l.dir); err != nil {
		return err
	}
	runs, err := json.Marshal(im.runs)
	if err != nil {
		return errs.New("import", errs.Internal, im.spool, err.Error(), "")
	}
	// Facts, runs and cursor are one record: none is there without the others.
	if err := im.log.append((&record{kind: recordCursor, facts: &im.facts, runs: runs, cursor: cursor}).encode()); err != nil {
		return err
	}
	im.facts = Facts{}
	return nil
}

func (im *Import) makeSpool() error {
	if im.log != nil {
		return nil
	}
	f, err := im.l.opt.disk.create(im.l.path(im.spool))
	if err != nil {
		return err
	}
	if im.log, err = createHead(f, im.spool, 1, 0); err != nil {
		im.log = nil
		f.Close()
	}
	return err
}

// spill writes what goes to the head into the spool, where it counts from the next
// checkpoint on, so that it takes no memory until Commit.
func (im *Import) spill() error {
	if err := im.makeSpool(); err != nil {
		return err
	}
	if err := im.log.write((&record{kind: recordFacts, facts: &im.facts}).encode()); err != nil {
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
