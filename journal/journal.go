package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"bongsu/errs"
	"bongsu/identity"
)

// Options of Open. The zero of each field has a good default.
type Options struct {
	Views []View             // applied in this order
	Now   func() time.Time   // time.Now
	Rand  func([]byte) error // salts; crypto/rand
	Poll  time.Duration      // how often other processes' commits are looked for; DefaultPoll
}

// DefaultPoll is Options.Poll when none is given.
const DefaultPoll = 10 * time.Millisecond

// Journal is open on one store. Its methods may be called from any goroutine.
type Journal struct {
	store Store
	keys  *identity.Keys
	own   identity.OrgID
	opt   Options

	followers atomic.Int64 // the poller rests while there are none
	stop      context.CancelFunc
	ended     <-chan struct{} // closed by stop: followers end
	polling   sync.WaitGroup

	mu   sync.Mutex
	wake chan struct{} // owned by mu; closed and replaced after every commit

	known orgCache
}

// orgCache keeps documents that were verified, so that each batch of a partner
// need not verify them again. An entry counts only for the very same bytes.
type orgCache struct {
	mu sync.Mutex // owns m
	m  map[identity.OrgID]knownOrg
}

type knownOrg struct {
	doc []byte
	org identity.Org
}

// maxKnown bounds the cache; beyond it, it starts anew.
const maxKnown = 1000

// parse is identity.ParseOrg, remembered.
func (c *orgCache) parse(id identity.OrgID, doc []byte) (identity.Org, error) {
	c.mu.Lock()
	k, ok := c.m[id]
	c.mu.Unlock()
	if ok && bytes.Equal(k.doc, doc) {
		return k.org, nil
	}
	org, err := identity.ParseOrg(doc)
	if err != nil {
		return org, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) >= maxKnown {
		c.m = map[identity.OrgID]knownOrg{}
	}
	c.m[id] = knownOrg{doc, org}
	return org, nil
}

// Open opens a journal over a store, makes or brings up to date the views, and
// starts to notice other processes' commits. Close ends it; the store stays
// open. A store that another organisation wrote is refused.
func Open(ctx context.Context, store Store, keys *identity.Keys, opt Options) (*Journal, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Rand == nil {
		opt.Rand = func(b []byte) error { _, err := rand.Read(b); return err }
	}
	if opt.Poll <= 0 {
		opt.Poll = DefaultPoll
	}
	j := &Journal{store: store, keys: keys, own: keys.ID(), opt: opt, wake: make(chan struct{})}
	err := j.Update(ctx, func(ctx context.Context, tx *Tx) error {
		if err := tx.claim(ctx); err != nil {
			return err
		}
		if err := tx.putOrg(ctx, keys.Org()); err != nil {
			return err
		}
		if err := tx.resign(ctx); err != nil {
			return err
		}
		return tx.prepareViews(ctx)
	})
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	j.stop, j.ended = stop, life.Done()
	j.polling.Add(1)
	go j.poll(life)
	return j, nil
}

// claim writes whose journal this is, or compares.
func (tx *Tx) claim(ctx context.Context) error {
	var org string
	err := tx.st.QueryRow(ctx, "SELECT value FROM meta WHERE key='org'").Scan(&org)
	if errors.Is(err, sql.ErrNoRows) {
		return tx.st.Exec(ctx, "INSERT INTO meta (key, value) VALUES ('org', ?)", string(tx.j.own))
	}
	if err == nil && org != string(tx.j.own) {
		return errs.New("journal", errs.Conflict, org, "this journal belongs to another organisation than the keys", "keep keys and journal of one data folder together")
	}
	return err
}

// resign signs the newest state of an own log anew when the key that signed it
// was revoked from before that time.
func (tx *Tx) resign(ctx context.Context) error {
	names, err := tx.ownLogs(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		note, err := tx.newestNote(ctx, tx.j.own, name)
		if errs.Is(err) == errs.NotExist || errors.Is(err, sql.ErrNoRows) {
			continue // an empty log; or Check reports the missing checkpoint
		}
		if err != nil {
			return err
		}
		if _, holds, err := openCheckpoint(tx.j.keys.Org(), name, note); err != nil || holds {
			continue // a broken one is for Check to report, not to paint over
		}
		l, err := tx.log(ctx, tx.j.own, name)
		if err != nil {
			return err
		}
		if err := tx.st.Exec(ctx, "DELETE FROM checkpoints WHERE log=? AND size=?", l.row, l.tree.size); err != nil {
			return err
		}
		if tx.now.After(l.time) {
			l.time = tx.now
		}
		if err := tx.seal(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) ownLogs(ctx context.Context) ([]string, error) {
	rows, err := tx.st.Query(ctx, "SELECT name FROM logs WHERE org=? ORDER BY id", string(tx.j.own))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}

// Close ends followers and releases what Open started.
func (j *Journal) Close() error {
	j.stop()
	j.polling.Wait()
	return nil
}

// Append commits drafts in one transaction and returns their entries, in
// order. When it returns, they are on the disk, proven by one checkpoint a log
// and seen by every view.
//
// A draft that repeats the latest version of its (author, id) byte for byte
// appends nothing and gives the entry that stands. Another content under an id
// and version that stand is errs.Conflict; a version older than the latest too.
func (j *Journal) Append(ctx context.Context, drafts []Draft) ([]Entry, error) {
	var out []Entry
	err := j.Update(ctx, func(ctx context.Context, tx *Tx) (err error) {
		out, err = tx.Append(ctx, drafts...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Update runs fn in one write transaction; what it appends and writes commits
// whole, or not at all when fn fails. fn must not call j.
func (j *Journal) Update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	inner := context.WithoutCancel(ctx) // see Store.Write
	err := j.store.Write(ctx, func(st StoreTx) error {
		tx := &Tx{j: j, st: st, write: true, now: j.opt.Now().UTC().Truncate(time.Microsecond), logs: map[logKey]*logState{}}
		if j.stop != nil { // not while Open still makes the views
			if err := tx.catchUp(inner); err != nil {
				return err
			}
		}
		if err := fn(inner, tx); err != nil {
			return err
		}
		return tx.finish(inner)
	})
	if err == nil {
		j.bump()
	}
	return err
}

// Query runs fn over one unchanging snapshot of the journal and its views. fn
// must not call j: snapshots open at once are few.
func (j *Journal) Query(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return j.store.Read(ctx, func(st StoreTx) error {
		return fn(ctx, &Tx{j: j, st: st, now: j.opt.Now().UTC().Truncate(time.Microsecond), logs: map[logKey]*logState{}})
	})
}

// Get returns the latest version of an object in LogJournal: our own statement
// of it when there is one, else that of whoever stated it first. errs.NotExist
// when nobody did.
func (j *Journal) Get(ctx context.Context, id string) (s Statement, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { s, err = tx.Get(ctx, id); return err })
	return s, err
}

// GetBy returns the latest version that one author stated.
func (j *Journal) GetBy(ctx context.Context, author identity.OrgID, id string) (s Statement, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { s, err = tx.GetBy(ctx, author, id); return err })
	return s, err
}

// Versions returns every statement of an object in LogJournal, by all authors,
// in order of sequence; a tombstone is an object of its own.
func (j *Journal) Versions(ctx context.Context, id string) (out []Statement, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { out, err = tx.Versions(ctx, id); return err })
	return out, err
}

// Read returns up to limit statements of an own log from sequence `from` on
// (the first is 0), in order; a limit below 1 or above MaxBatch is MaxBatch.
// Past the end it returns none.
func (j *Journal) Read(ctx context.Context, log string, from uint64, limit int) (out []Statement, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { out, err = tx.Read(ctx, log, from, limit); return err })
	return out, err
}

// Size is the number of entries of an own log; 0 for one that has none.
func (j *Journal) Size(ctx context.Context, log string) (n uint64, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { n, err = tx.Size(ctx, log); return err })
	return n, err
}

// Org returns our own public document.
func (j *Journal) Org() identity.Org { return j.keys.Org() }

// PutOrg stores a partner's (or our own renewed) public document, after
// checking its signatures and that it supersedes the stored one. The same
// again is no error; an older one is errs.Conflict.
func (j *Journal) PutOrg(ctx context.Context, org identity.Org) error {
	if err := org.Verify(); err != nil {
		return err
	}
	return j.Update(ctx, func(ctx context.Context, tx *Tx) error { return tx.putOrg(ctx, org) })
}

// PutOrg is Journal.PutOrg in this transaction.
func (tx *Tx) PutOrg(ctx context.Context, org identity.Org) error {
	if err := org.Verify(); err != nil {
		return err
	}
	return tx.putOrg(ctx, org)
}

func (tx *Tx) putOrg(ctx context.Context, org identity.Org) error {
	doc, err := org.Marshal()
	if err != nil {
		return err
	}
	old, err := tx.OrgByID(ctx, org.ID)
	if err == nil {
		if same, err := old.Marshal(); err == nil && string(same) == string(doc) {
			return nil
		}
		if !org.Supersedes(old) {
			return errs.New("organisation document", errs.Conflict, string(org.ID), "it does not replace the one that is here, which is as new or newer, or it leaves out what that one says",
				"ask "+old.Name+" for its newest document")
		}
	} else if errs.Is(err) != errs.NotExist {
		return err
	}
	return tx.st.Exec(ctx, "INSERT INTO orgs (id, number, doc) VALUES (?, ?, ?)", string(org.ID), int64(org.Number), doc)
}

// OrgByID returns the newest stored document of an organisation.
func (j *Journal) OrgByID(ctx context.Context, id identity.OrgID) (o identity.Org, err error) {
	err = j.Query(ctx, func(ctx context.Context, tx *Tx) error { o, err = tx.OrgByID(ctx, id); return err })
	return o, err
}

// OrgByID is Journal.OrgByID in this transaction.
func (tx *Tx) OrgByID(ctx context.Context, id identity.OrgID) (identity.Org, error) {
	var doc []byte
	err := tx.st.QueryRow(ctx, "SELECT doc FROM orgs WHERE id=? ORDER BY number DESC LIMIT 1", string(id)).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.Org{}, errs.New("journal", errs.NotExist, string(id), "no document of this organisation is here", "invite it as a partner first")
	}
	if err != nil {
		return identity.Org{}, err
	}
	return tx.j.known.parse(id, doc)
}
