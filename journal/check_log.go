package journal

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"golang.org/x/mod/sumdb/tlog"
)

// logCheck walks one log.
type logCheck struct {
	*checker
	row   logRow
	name  string
	org   identity.Org
	known bool // org is a valid document
	tree  tree
	last  time.Time

	note     []byte // the checkpoint in hand, or nil
	noteSize int64
	noted    bool // all checkpoints were taken

	tombs   map[Commitment]bool // commitments that tombstones of this log name
	missing []Entry             // entries without payload
}

func (w *logCheck) run(ctx context.Context) error {
	notes, err := w.st.Query(ctx, "SELECT size, note FROM checkpoints WHERE log=? ORDER BY size", w.row.id)
	if err != nil {
		return err
	}
	defer notes.Close()
	if w.org, w.known = w.orgs[identity.OrgID(w.row.org)]; !w.known {
		w.problem(w.name, -1, "", "no valid document of its organisation is stored")
	}
	rows, err := w.st.Query(ctx, "SELECT e.seq, e.id, e.author, e.version, e.commitment, e.envelope, p.salt, p.payload FROM entries e "+
		"LEFT JOIN payloads p ON p.commitment = e.commitment WHERE e.log=? ORDER BY e.seq", w.row.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	stored, err := w.st.Query(ctx, "SELECT pos, hash FROM hashes WHERE log=? ORDER BY pos", w.row.id)
	if err != nil {
		return err
	}
	defer stored.Close()
	hashes := &hashCursor{rows: stored, pos: -1}
	for rows.Next() {
		var r entryRow
		if err := rows.Scan(&r.seq, &r.id, &r.author, &r.version, &r.commitment, &r.envelope, &r.salt, &r.payload); err != nil {
			return err
		}
		w.entry(ctx, r, hashes)
		if err := w.mark(notes); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := w.end(hashes, notes); err != nil {
		return err
	}
	return stored.Err()
}

// nextNote takes the next stored checkpoint in hand.
func (w *logCheck) nextNote(rows *sql.Rows) error {
	w.note = nil
	if !rows.Next() {
		w.noted = true
		return rows.Err()
	}
	w.report.Checkpoints++
	return rows.Scan(&w.noteSize, &w.note)
}

// mark compares the tree with the checkpoint of its size, where there is one.
func (w *logCheck) mark(rows *sql.Rows) error {
	for !w.noted && (w.note == nil || w.noteSize < w.tree.size) {
		if w.note != nil {
			w.problem(w.name, -1, "", fmt.Sprintf("the checkpoint of size %d cannot be compared: entries are missing", w.noteSize))
		}
		if err := w.nextNote(rows); err != nil {
			return err
		}
	}
	if w.noted || w.noteSize != w.tree.size {
		return nil
	}
	w.compare()
	w.note = nil
	return nil
}

// compare verifies the checkpoint in hand against the tree.
func (w *logCheck) compare() {
	newest := w.noteSize == w.row.size
	if newest && w.row.org == string(w.own) && w.row.name == LogJournal {
		w.report.Checkpoint = bytes.Clone(w.note)
	}
	cp, holds, err := openCheckpoint(w.org, w.row.name, w.note)
	if err == nil && int64(cp.Size) != w.noteSize {
		err = errs.New("checkpoint", errs.Corrupt, "", fmt.Sprintf("it is one of size %d", cp.Size), "")
	}
	if err == nil && !holds {
		w.report.Superseded++
		if newest {
			err = errs.New("checkpoint", errs.Forged, "", "its key was revoked, and nothing newer covers the same entries", "")
		}
	}
	if err != nil {
		w.problem(w.name, -1, "", fmt.Sprintf("the checkpoint of size %d: %v", w.noteSize, err))
		return
	}
	if root, err := w.tree.root(); err != nil || root != cp.Root {
		w.problem(w.name, w.tree.size-1, "", fmt.Sprintf("the first %d entries are not those that the checkpoint of %s signed", w.tree.size, cp.Time.Format(time.RFC3339)))
	}
}

type entryRow struct {
	seq                  int64
	id, author, version  string
	commitment, envelope []byte
	salt, payload        []byte
}

// entry verifies one row and adds its leaf to the tree.
func (w *logCheck) entry(ctx context.Context, r entryRow, hashes *hashCursor) {
	w.report.Entries++
	bad := func(what string) { w.problem(w.name, r.seq, r.id, what) }
	if r.seq < 0 || r.seq >= maxSeq {
		bad("it stands at a position that cannot be")
		return
	}
	if r.seq != w.tree.size {
		bad(fmt.Sprintf("entry %d should stand here: one is missing or out of order", w.tree.size))
		w.resume(ctx, r.seq)
	}
	e, err := ParseEnvelope(r.envelope)
	if err != nil {
		bad(err.Error())
	} else {
		w.envelope(ctx, r, e)
	}
	pos, want, err := w.tree.add(leafHash(r.envelope))
	if err != nil {
		bad("what is stored of the tree before it does not carry it")
		w.resume(ctx, r.seq+1)
		return
	}
	for i, h := range want {
		if !hashes.match(pos+int64(i), h) {
			bad("its stored hash is not that of its envelope, or the entry was changed")
			break
		}
	}
}

// resume goes on at a size after a gap, with the stored hashes for an edge, so
// that the entries after it are still compared one by one.
func (w *logCheck) resume(ctx context.Context, size int64) {
	w.tree = tree{size: size, edge: map[int64]tlog.Hash{}}
	for _, idx := range edgeAt(size) {
		if h, err := storedHashes(ctx, w.st, w.row.id).ReadHashes([]int64{idx}); err == nil {
			w.tree.edge[idx] = h[0]
		}
	}
}

// hashCursor walks a log's stored hashes in order of position.
type hashCursor struct {
	rows *sql.Rows
	pos  int64 // of the hash in hand; -1 before the first
	hash []byte
	done bool
}

func (c *hashCursor) advance() {
	if c.done = !c.rows.Next() || c.rows.Scan(&c.pos, &c.hash) != nil; c.done {
		c.hash = nil
	}
}

// match moves to a position and compares.
func (c *hashCursor) match(pos int64, want tlog.Hash) bool {
	for !c.done && c.pos < pos {
		c.advance()
	}
	return !c.done && c.pos == pos && bytes.Equal(c.hash, want[:])
}

// more says whether there are hashes after the last position matched.
func (c *hashCursor) more(last int64) bool {
	for !c.done && c.pos <= last {
		c.advance()
	}
	return !c.done
}

// envelope compares an envelope with its row, its neighbours and its payload.
func (w *logCheck) envelope(ctx context.Context, r entryRow, e Entry) {
	bad := func(what string) { w.problem(w.name, r.seq, e.ID, what) }
	switch {
	case e.Log != w.row.name || int64(e.Seq) != r.seq:
		bad(fmt.Sprintf("its envelope was written for %s/%d", e.Log, e.Seq))
	case e.ID != r.id || string(e.Author) != r.author || e.Version != r.version || !bytes.Equal(e.Commit[:], r.commitment):
		bad("its columns say something else than its envelope")
	case e.Time.Before(w.last):
		bad("its time is before that of the entry before it")
	case w.row.org != string(w.own) && string(e.Author) != w.row.org:
		bad("a mirrored entry by another author")
	case w.row.org == string(w.own) && e.From == nil && e.Author != w.own:
		bad("another author's statement without its source")
	}
	w.last = e.Time
	if w.row.org == string(w.own) && e.From != nil {
		w.source(ctx, e)
	}
	w.payload(r, e)
}

// source checks that a received statement has its leaf in the mirror.
func (w *logCheck) source(ctx context.Context, e Entry) {
	var b []byte
	err := w.st.QueryRow(ctx, "SELECT h.hash FROM hashes h JOIN logs l ON l.id = h.log WHERE l.org=? AND l.name=? AND h.pos=?",
		string(e.From.Org), e.From.Log, tlog.StoredHashIndex(0, int64(e.From.Seq))).Scan(&b)
	if err != nil || !bytes.Equal(b, e.From.Leaf[:]) || e.From.Org != e.Author {
		w.problem(w.name, int64(e.Seq), e.ID, "the partner's entry that it was received by is missing or another")
	}
}

// payload checks the commitment and that the object is the one named.
func (w *logCheck) payload(r entryRow, e Entry) {
	bad := func(what string) { w.problem(w.name, r.seq, e.ID, what) }
	if r.payload == nil {
		w.missing = append(w.missing, e)
		return
	}
	if len(r.salt) != len(Salt{}) || Commit(Salt(r.salt), r.payload) != e.Commit {
		bad("its payload or salt was changed")
		return
	}
	w.report.Payloads++
	o, err := stix.Reparse(r.payload)
	if err != nil || o.ID != e.ID || o.Type != e.Type || o.Version() != e.Version || o.Revoked != e.Revoked {
		bad("its payload is not the object that its envelope names")
		return
	}
	if e.Act != Erase {
		return
	}
	er, err := stix.ReadErasure(o)
	var c Commitment
	if err != nil || !fromHex(c[:], er.Commitment) {
		bad("its tombstone cannot be read")
		return
	}
	w.tombs[c] = true
}

// end checks what only the whole log tells.
func (w *logCheck) end(hashes *hashCursor, notes *sql.Rows) error {
	if w.tree.size != w.row.size {
		w.problem(w.name, -1, "", fmt.Sprintf("%d entries stand; the log says %d", w.tree.size, w.row.size))
	}
	if hashes.more(tlog.StoredHashCount(w.tree.size) - 1) {
		w.problem(w.name, -1, "", "it has more stored hashes than entries")
	}
	for {
		if w.note != nil {
			w.problem(w.name, -1, "", fmt.Sprintf("a checkpoint signs %d entries; %d stand: entries were removed", w.noteSize, w.tree.size))
		}
		if err := w.nextNote(notes); err != nil {
			return err
		}
		if w.noted {
			break
		}
	}
	if !bytes.Equal(w.tree.pack(), w.row.edge) {
		w.problem(w.name, -1, "", "the edge of its tree is not that of its entries")
	}
	if w.row.micros < w.last.UnixMicro() && !w.last.IsZero() {
		w.problem(w.name, -1, "", "its time is before that of its newest entry")
	}
	for _, e := range w.missing {
		switch {
		case w.tombs[e.Commit]:
			w.report.Erased++
		case w.row.org != string(w.own):
			w.report.Withheld++
		default:
			w.problem(w.name, int64(e.Seq), e.ID, "its payload is missing, and no tombstone says that it was erased")
		}
	}
	return nil
}
