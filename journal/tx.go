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
)

// Tx is one transaction on the journal. It is valid until the function that
// got it returns, on that goroutine.
type Tx struct {
	j     *Journal
	st    StoreTx
	write bool
	now   time.Time
	logs  map[logKey]*logState // those this transaction touched
	order []*logState          // own logs in the order of first touch
	fresh []Statement          // appended to LogJournal, not yet seen by the views
	count int                  // statements appended
	bytes int                  // of their payloads
	depth int                  // rounds of views appending
}

type logKey struct {
	org  identity.OrgID
	name string
}

// maxRounds bounds views that answer statements with statements.
const maxRounds = 16

// log returns a log's state, making the log when this transaction writes.
func (tx *Tx) log(ctx context.Context, org identity.OrgID, name string) (*logState, error) {
	k := logKey{org, name}
	if l, ok := tx.logs[k]; ok {
		return l, nil
	}
	if !validLog(name) {
		return nil, errs.New("journal", errs.Usage, fmt.Sprintf("%.60q", name), "not the name of a log", "use letters, digits and . _ - /")
	}
	l, err := loadLog(ctx, tx.st, org, name)
	if err != nil {
		return nil, err
	}
	if l == nil && tx.write {
		if l, err = makeLog(ctx, tx.st, org, name); err != nil {
			return nil, err
		}
	}
	if l != nil {
		tx.logs[k] = l
		tx.order = append(tx.order, l)
	}
	return l, nil
}

// Append adds drafts to a log in this transaction. Statements appended to
// LogJournal reach the views before the commit, those that a view appends
// included.
func (tx *Tx) Append(ctx context.Context, drafts ...Draft) ([]Entry, error) {
	if !tx.write {
		return nil, errs.New("journal append", errs.Internal, "", "this transaction only reads", "use Update")
	}
	out := make([]Entry, 0, len(drafts))
	for _, d := range drafts {
		e, err := tx.append(ctx, d)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// append adds one draft of our own.
func (tx *Tx) append(ctx context.Context, d Draft) (Entry, error) {
	if d.Log == "" {
		d.Log = LogJournal
	}
	e, err := d.entry(tx.j.own)
	if err != nil {
		return Entry{}, err
	}
	l, err := tx.log(ctx, tx.j.own, d.Log)
	if err != nil {
		return Entry{}, err
	}
	var payload []byte
	var salt Salt
	if d.Of != nil {
		e.Commit = d.Of.Commit
		if payload, salt, err = tx.payload(ctx, e.Commit); err != nil {
			return Entry{}, errs.Wrap("journal append", e.ID, err)
		}
	} else {
		payload = d.Object.Raw
		if err := tx.j.opt.Rand(salt[:]); err != nil {
			return Entry{}, errs.Wrap("journal append", e.ID, err)
		}
		e.Commit = Commit(salt, payload)
	}
	if old, ok, err := tx.standing(ctx, l, e, payload); err != nil || ok {
		return old, err
	}
	return tx.put(ctx, l, e, salt, payload)
}

// entry checks a draft and fills what it determines.
func (d Draft) entry(author identity.OrgID) (Entry, error) {
	e := Entry{
		Log: d.Log, Act: State, Author: author, Actor: d.Actor, Marking: d.Marking,
		Recipients: d.Recipients, Basis: d.Basis, Purpose: d.Purpose,
	}
	own := d.Object.Marking
	switch {
	case !d.Object.IsZero():
		e.ID, e.Type, e.Version, e.Revoked = d.Object.ID, d.Object.Type, d.Object.Version(), d.Object.Revoked
	case d.Of != nil:
		e.ID, e.Type, e.Version, e.Revoked, e.Act, own = d.Of.ID, d.Of.Type, d.Of.Version, d.Of.Revoked, d.Of.Act, d.Of.Marking
	default:
		return e, errs.New("journal append", errs.Usage, "", "the draft states nothing", "give an object")
	}
	bad := func(why, hint string) (Entry, error) {
		return e, errs.New("journal append", errs.Invalid, e.ID, why, hint)
	}
	if d.Of != nil && (e.ID != d.Of.ID || e.Version != d.Of.Version) {
		return bad("the draft repeats another object than it names", "leave Object empty")
	}
	if e.Marking == stix.TLPNone {
		if e.Marking = own; own == stix.TLPNone {
			e.Marking = stix.DefaultTLP
		}
	}
	if e.Marking < own {
		return bad(fmt.Sprintf("marking %v is below the object's own, %v", e.Marking, own), "raise it, or state the object with another marking")
	}
	if e.Marking == stix.TLPRed && len(e.Recipients) == 0 && e.Log != LogJournal && e.Log != LogAudit {
		return bad("TLP:RED goes into a feed only for named recipients", "name them")
	}
	if len(e.Recipients) > MaxRecipients {
		return bad(fmt.Sprintf("more than %d recipients", MaxRecipients), "name fewer")
	}
	for _, r := range e.Recipients {
		if !validOrg(r) {
			return bad("a recipient is not the id of an organisation", "name organisations by their ids")
		}
	}
	if why := textFault(e.Actor, e.Basis, e.Purpose); why != "" {
		return bad(why, "shorten it")
	}
	return e, nil
}

// standing looks for the newest version of the same (author, id) in the log:
// the same content again stands already; what cannot follow it is a conflict.
func (tx *Tx) standing(ctx context.Context, l *logState, e Entry, payload []byte) (Entry, bool, error) {
	found, err := queryStatements(ctx, tx.st, selectStatements+
		"WHERE e.id=? AND e.log=? AND e.author=? ORDER BY e.version DESC, e.seq DESC LIMIT 1", e.ID, l.row, string(e.Author))
	if err != nil || len(found) == 0 {
		return Entry{}, false, err
	}
	old := found[0]
	conflict := func(why, hint string) (Entry, bool, error) {
		return Entry{}, false, errs.New("journal append", errs.Conflict, e.ID, why, hint)
	}
	switch {
	case e.Version > old.Version:
		return Entry{}, false, nil
	case e.Version < old.Version:
		return conflict("version "+e.Version+" is older than the newest, "+old.Version, "state a version with a later modified time")
	case old.Erased:
		return conflict("this version was erased", "state a version with a later modified time, when that is allowed")
	case bytes.Equal(old.Payload, payload):
		return old.Entry, true, nil
	case e.Version == "":
		return Entry{}, false, nil // observables have no versions: the newest statement counts
	}
	return conflict("another content stands under version "+e.Version, "give the new content a later modified time")
}

// put appends a complete entry: payload, leaf, hashes.
func (tx *Tx) put(ctx context.Context, l *logState, e Entry, salt Salt, payload []byte) (Entry, error) {
	tx.count, tx.bytes = tx.count+1, tx.bytes+len(payload)
	if tx.count > MaxBatch || tx.bytes > MaxBatchBytes {
		return e, errs.New("journal append", errs.Limit, e.ID, fmt.Sprintf("more than %d statements or %d bytes in one transaction", MaxBatch, MaxBatchBytes), "append in smaller batches")
	}
	if tx.now.After(l.time) {
		l.time = tx.now
	}
	e.Log, e.Seq, e.Time = l.name, l.size(), l.time
	if err := tx.insert(ctx, l, e, salt, payload); err != nil {
		return e, err
	}
	if l.name == LogJournal && l.org == tx.j.own {
		tx.fresh = append(tx.fresh, Statement{Entry: e, Payload: payload, Salt: salt, Erased: payload == nil})
	}
	return e, nil
}

func (tx *Tx) insert(ctx context.Context, l *logState, e Entry, salt Salt, payload []byte) error {
	env, err := e.MarshalEnvelope()
	if err != nil {
		return err
	}
	if payload != nil {
		if err := insertPayload(ctx, tx.st, e.Commit, salt, payload); err != nil {
			return err
		}
	}
	return insertLeaf(ctx, tx.st, l, e, env)
}

// payload reads a payload that stands; an erased one gives errs.NotExist.
func (tx *Tx) payload(ctx context.Context, c Commitment) (payload []byte, salt Salt, err error) {
	var s []byte
	err = tx.st.QueryRow(ctx, "SELECT salt, payload FROM payloads WHERE commitment=?", c[:]).Scan(&s, &payload)
	if err == sql.ErrNoRows {
		return nil, salt, errs.New("journal", errs.NotExist, c.String(), "no payload stands for this commitment; it may have been erased", "")
	}
	copy(salt[:], s)
	return payload, salt, err
}

// finish applies the views and signs one checkpoint for each own log that
// grew.
func (tx *Tx) finish(ctx context.Context) error {
	for len(tx.fresh) > 0 {
		if tx.depth++; tx.depth > maxRounds {
			return errs.New("journal", errs.Internal, "", "views keep answering each other's statements", "")
		}
		fresh := tx.fresh
		tx.fresh = nil
		if err := tx.applyViews(ctx, fresh); err != nil {
			return err
		}
	}
	for _, l := range tx.order {
		if !l.dirty {
			continue
		}
		if l.org != tx.j.own {
			return errs.New("journal", errs.Internal, origin(l.org, l.name), "a mirror grew without its author's checkpoint", "")
		}
		if err := tx.seal(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

// seal signs and writes a log's new head.
func (tx *Tx) seal(ctx context.Context, l *logState) error {
	root, err := l.tree.root()
	if err != nil {
		return err
	}
	note, err := signCheckpoint(tx.j.keys, Checkpoint{Org: l.org, Log: l.name, Size: l.size(), Root: root, Time: l.time})
	if err != nil {
		return err
	}
	return saveLog(ctx, tx.st, l, note)
}

// Get is Journal.Get in this transaction.
func (tx *Tx) Get(ctx context.Context, id string) (Statement, error) {
	l, err := tx.log(ctx, tx.j.own, LogJournal)
	if err != nil || l == nil {
		return Statement{}, notStated(id, err)
	}
	all, err := queryStatements(ctx, tx.st, selectStatements+"WHERE e.id=? AND e.log=? ORDER BY e.seq", id, l.row)
	if err != nil || len(all) == 0 {
		return Statement{}, notStated(id, err)
	}
	author := all[0].Author
	for _, s := range all {
		if s.Author == tx.j.own {
			author = s.Author
		}
	}
	return newestBy(all, author), nil
}

// newestBy is the newest version by one author, who has stated one.
func newestBy(all []Statement, author identity.OrgID) (best Statement) {
	found := false
	for _, s := range all {
		if s.Author == author && (!found || s.Version >= best.Version) {
			best, found = s, true
		}
	}
	return best
}

// GetBy is Journal.GetBy in this transaction.
func (tx *Tx) GetBy(ctx context.Context, author identity.OrgID, id string) (Statement, error) {
	l, err := tx.log(ctx, tx.j.own, LogJournal)
	if err != nil || l == nil {
		return Statement{}, notStated(id, err)
	}
	found, err := queryStatements(ctx, tx.st, selectStatements+
		"WHERE e.id=? AND e.log=? AND e.author=? ORDER BY e.version DESC, e.seq DESC LIMIT 1", id, l.row, string(author))
	if err != nil || len(found) == 0 {
		return Statement{}, notStated(id, err)
	}
	return found[0], nil
}

func notStated(id string, err error) error {
	if err != nil {
		return err
	}
	return errs.New("journal", errs.NotExist, fmt.Sprintf("%.120s", id), "no statement has this id", "check the id")
}

// Versions is Journal.Versions in this transaction.
func (tx *Tx) Versions(ctx context.Context, id string) ([]Statement, error) {
	l, err := tx.log(ctx, tx.j.own, LogJournal)
	if err != nil || l == nil {
		return nil, err
	}
	return queryStatements(ctx, tx.st, selectStatements+"WHERE e.id=? AND e.log=? ORDER BY e.seq", id, l.row)
}

// Read is Journal.Read in this transaction.
func (tx *Tx) Read(ctx context.Context, log string, from uint64, limit int) ([]Statement, error) {
	l, err := tx.log(ctx, tx.j.own, log)
	if err != nil || l == nil || from >= l.size() {
		return nil, err
	}
	if limit < 1 || limit > MaxBatch {
		limit = MaxBatch
	}
	return statementsFrom(ctx, tx.st, l.row, from, limit)
}

// Size is Journal.Size in this transaction.
func (tx *Tx) Size(ctx context.Context, log string) (uint64, error) {
	l, err := tx.log(ctx, tx.j.own, log)
	if err != nil || l == nil {
		return 0, err
	}
	return l.size(), nil
}

// Now is the transaction's time, which its entries carry unless a log's time
// is ahead of it.
func (tx *Tx) Now() time.Time { return tx.now }

// Exec runs one statement of SQL on a view's tables. Parameters are "?".
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) error {
	return tx.st.Exec(ctx, query, args...)
}

// Query reads a view's tables. Close the rows before running the same query
// again: a query's text is compiled once.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.st.Query(ctx, query, args...)
}

// QueryRow reads one row of a view's tables.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.st.QueryRow(ctx, query, args...)
}
