package journal

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"

	"golang.org/x/mod/sumdb/tlog"
)

// Problem is one thing that Check found wrong.
type Problem struct {
	Log   string `json:"log"`   // log name, for a mirror "<OrgID>/<name>"; "" for what belongs to no log
	Seq   int64  `json:"seq"`   // the entry; -1 when it is not about one
	ID    string `json:"id"`    // the object's id, when known
	What  string `json:"what"`  // what is wrong, in a sentence
	Where string `json:"where"` // "entry journal/17 (indicator--...)"
}

// MaxProblems is how many problems one report lists.
const MaxProblems = 1000

// Report is what Check saw.
type Report struct {
	Logs        int
	Entries     uint64
	Payloads    uint64 // present and matching their commitments
	Erased      uint64 // absent, with their tombstones
	Withheld    uint64 // leaves of mirrors without payload: refused by us, or erased before they came
	Checkpoints uint64
	Superseded  uint64 // checkpoints by a key that was later revoked from before their time; newer ones cover the same entries
	Checkpoint  []byte // newest signed note of LogJournal
	Problems    []Problem
}

// Err is nil for a clean report, else errs.Corrupt naming the first problem.
func (r Report) Err() error {
	if len(r.Problems) == 0 {
		return nil
	}
	p := r.Problems[0]
	why := p.What
	if n := len(r.Problems) - 1; n > 0 {
		why = fmt.Sprintf("%s (and %d more)", why, n)
	}
	return errs.New("journal check", errs.Corrupt, p.Where, why, "keep the file as evidence, and restore the journal from a backup")
}

// Check is CheckStore over this journal.
func (j *Journal) Check(ctx context.Context) (Report, error) { return CheckStore(ctx, j.store, j.own) }

// CheckStore recomputes every hash, tree, checkpoint, signature, certificate
// and commitment from what is stored of an organisation's journal, over one
// snapshot; it writes nothing, and does not need the journal to open.
// Problems are returned in the report; err is for what kept it from looking at
// all.
//
// What it cannot see from the file alone is a whole journal put back to an
// earlier state that was signed then: that is seen by partners, who hold later
// checkpoints of their feeds.
func CheckStore(ctx context.Context, store Store, own identity.OrgID) (Report, error) {
	c := &checker{own: own, orgs: map[identity.OrgID]identity.Org{}}
	faults, err := store.Integrity(ctx)
	if err != nil {
		faults = append(faults, err.Error())
	}
	for _, f := range faults {
		c.problem("", -1, "", "the database file: "+f)
	}
	err = store.Read(ctx, func(st StoreTx) error {
		c.st = st
		for _, step := range []func(context.Context) error{c.checkOrgs, c.checkLogs, c.checkStrays, c.checkViews} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if ctx.Err() != nil {
		return c.report, errs.Wrap("journal check", "", ctx.Err())
	}
	if err != nil {
		c.problem("", -1, "", "the database cannot be read on: "+err.Error())
	}
	return c.report, nil
}

type checker struct {
	st     StoreTx
	own    identity.OrgID
	orgs   map[identity.OrgID]identity.Org
	report Report
}

func (c *checker) problem(log string, seq int64, id, what string) {
	p := Problem{Log: log, Seq: seq, ID: id, What: what, Where: "journal"}
	if log != "" {
		p.Where = "log " + log
	}
	if seq >= 0 {
		p.Where = fmt.Sprintf("entry %s/%d", log, seq)
		if id != "" {
			p.Where += " (" + id + ")"
		}
	}
	if len(c.report.Problems) < MaxProblems {
		c.report.Problems = append(c.report.Problems, p)
	}
}

// checkOrgs verifies every stored document and that each number adds to the
// one before.
func (c *checker) checkOrgs(ctx context.Context) error {
	rows, err := c.st.Query(ctx, "SELECT id, number, doc FROM orgs ORDER BY id, number")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var number int64
		var doc []byte
		if err := rows.Scan(&id, &number, &doc); err != nil {
			return err
		}
		o, err := identity.ParseOrg(doc)
		switch {
		case err != nil:
			c.problem("", -1, id, fmt.Sprintf("document %d of organisation %s: %v", number, id, err))
			continue
		case string(o.ID) != id || int64(o.Number) != number:
			c.problem("", -1, id, fmt.Sprintf("document %d of organisation %s is another one", number, id))
			continue
		}
		if old, ok := c.orgs[o.ID]; ok && !o.Supersedes(old) {
			c.problem("", -1, id, fmt.Sprintf("document %d of organisation %s unsays what an older one says", number, id))
		}
		c.orgs[o.ID] = o
	}
	if _, ok := c.orgs[c.own]; !ok {
		c.problem("", -1, string(c.own), "our own organisation's document is missing")
	}
	return rows.Err()
}

// logRow is a row of logs.
type logRow struct {
	id, size, micros int64
	org, name        string
	edge             []byte
}

// label names a log in problems.
func (c *checker) label(l logRow) string {
	if l.org == string(c.own) {
		return l.name
	}
	return l.org + "/" + l.name
}

func (c *checker) checkLogs(ctx context.Context) error {
	rows, err := c.st.Query(ctx, "SELECT id, org, name, size, time, edge FROM logs ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	var logs []logRow
	for rows.Next() {
		var l logRow
		if err := rows.Scan(&l.id, &l.org, &l.name, &l.size, &l.micros, &l.edge); err != nil {
			return err
		}
		logs = append(logs, l)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	rows.Close()
	c.report.Logs = len(logs)
	for _, l := range logs {
		w := &logCheck{checker: c, row: l, name: c.label(l), tree: tree{edge: map[int64]tlog.Hash{}}, tombs: map[Commitment]bool{}}
		if err := w.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

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

// checkStrays finds rows that belong to nothing.
func (c *checker) checkStrays(ctx context.Context) error {
	for _, q := range []struct{ query, what string }{
		{"SELECT count(*) FROM entries WHERE log NOT IN (SELECT id FROM logs)", "entries of no log"},
		{"SELECT count(*) FROM hashes WHERE log NOT IN (SELECT id FROM logs)", "hashes of no log"},
		{"SELECT count(*) FROM checkpoints WHERE log NOT IN (SELECT id FROM logs)", "checkpoints of no log"},
		{"SELECT count(*) FROM payloads WHERE commitment NOT IN (SELECT commitment FROM entries)", "payloads of no entry"},
		{"SELECT count(*) FROM logs l WHERE l.size > 0 AND NOT EXISTS (SELECT 1 FROM checkpoints c WHERE c.log = l.id AND c.size = l.size)", "logs whose newest state no checkpoint signs"},
	} {
		var n int64
		if err := c.st.QueryRow(ctx, q.query).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			c.problem("", -1, "", fmt.Sprintf("%d %s", n, q.what))
		}
	}
	var org string
	err := c.st.QueryRow(ctx, "SELECT value FROM meta WHERE key='org'").Scan(&org)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if org != string(c.own) {
		c.problem("", -1, "", "the journal names another organisation as its owner")
	}
	return nil
}

// checkViews finds views that claim to have seen what does not stand.
func (c *checker) checkViews(ctx context.Context) error {
	var n int64
	err := c.st.QueryRow(ctx, "SELECT count(*) FROM views WHERE applied > (SELECT coalesce(max(size), 0) FROM logs WHERE org=? AND name=?)", string(c.own), LogJournal).Scan(&n)
	if err == nil && n > 0 {
		c.problem("", -1, "", fmt.Sprintf("%d views have seen more statements than stand", n))
	}
	return err
}
