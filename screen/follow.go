package screen

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// Journal is what the index reads; *journal.Journal is one.
type Journal interface {
	Size(ctx context.Context, log string) (uint64, error)
	Read(ctx context.Context, log string, from uint64, limit int) ([]journal.Statement, error)
	Versions(ctx context.Context, id string) ([]journal.Statement, error)
	Follow(ctx context.Context, log string, from uint64, limit int) iter.Seq2[[]journal.Statement, error]
	Org() identity.Org
	OrgByID(ctx context.Context, id identity.OrgID) (identity.Org, error)
}

// followBatch is how many statements are taken in together.
const followBatch = 1000

// Position is the sequence of the next journal entry to take in.
func (x *Index) Position() uint64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.position
}

// Load takes in what the journal holds now and returns: the index of a command,
// or of a node before it begins to answer.
func (x *Index) Load(ctx context.Context, j Journal) error {
	size, err := j.Size(ctx, journal.LogJournal)
	if err != nil {
		return errs.Wrap("screen", "", err)
	}
	for x.Position() < size {
		batch, err := j.Read(ctx, journal.LogJournal, x.Position(), followBatch)
		if err != nil {
			return errs.Wrap("screen", "", err)
		}
		if len(batch) == 0 {
			return errs.New("screen", errs.Corrupt, "", "the journal ends before its size", "run bongsu journal check")
		}
		if err := x.take(ctx, j, batch); err != nil {
			return err
		}
	}
	return nil
}

// Follow takes in the journal from Position on, past and live, until ctx ends
// (nil) or the journal fails. One Follow at a time.
func (x *Index) Follow(ctx context.Context, j Journal) error {
	for batch, err := range j.Follow(ctx, journal.LogJournal, x.Position(), followBatch) {
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return errs.Wrap("screen", "", err)
		}
		if err := x.take(ctx, j, batch); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
	}
	return nil
}

// take takes in statements of the journal in order. One that cannot be read is
// somebody's mistake, not ours: it is logged and left out, and the rest counts.
func (x *Index) take(ctx context.Context, j Journal, batch []journal.Statement) error {
	if len(batch) == 0 {
		return nil
	}
	changes := make([]Statement, 0, len(batch))
	read := readAll(batch)
	for i := range batch {
		st := &batch[i]
		if st.Act == journal.Erase || st.Type == stix.TypeErasure {
			gone, err := erased(ctx, j, st)
			if err != nil {
				return err
			}
			changes = append(changes, gone...)
			continue
		}
		r := &read[i]
		if r.err != nil {
			x.log.Warn("a statement is not screened with", "statement", st.ID, "author", st.Author, "err", r.err)
		}
		if r.ok {
			changes = append(changes, r.change)
			x.learnName(ctx, j, st.Author)
		}
	}
	x.putAll(changes, batch[len(batch)-1].Seq+1)
	if x.active == nil {
		return nil
	}
	for i := range changes {
		if c := &changes[i]; !c.Revoked && len(c.Readings) > 0 {
			x.active(c.ID, c.Author)
		}
	}
	return nil
}

// change is what changeOf made of one journal entry.
type change struct {
	change Statement
	ok     bool
	err    error
}

// readAll reads a batch, on all processors when it is large: reading JSON is
// most of the work of loading a journal.
func readAll(batch []journal.Statement) []change {
	out := make([]change, len(batch))
	part := max(64, (len(batch)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var readers sync.WaitGroup
	for from := 0; from < len(batch); from += part {
		to := min(from+part, len(batch))
		some := func() {
			for i := from; i < to; i++ {
				out[i].change, out[i].ok, out[i].err = changeOf(&batch[i])
			}
		}
		if to == len(batch) {
			some()
		} else {
			readers.Go(some)
		}
	}
	readers.Wait()
	return out
}

// erased are the changes that a tombstone brings: of each author's latest
// version of the statement it names, when that is what lost its payload.
func erased(ctx context.Context, j Journal, tombstone *journal.Statement) ([]Statement, error) {
	id := tombstone.ID
	if tombstone.Type == stix.TypeErasure {
		o, err := tombstone.Object()
		if err != nil {
			return nil, nil // a tombstone erased in its turn: it had its effect when it came
		}
		e, err := stix.ReadErasure(o)
		if err != nil {
			return nil, nil // not ours to judge; the payload's absence counts when it is loaded anew
		}
		id = e.Statement
	}
	versions, err := j.Versions(ctx, id)
	if err != nil && errs.Is(err) != errs.NotExist {
		return nil, errs.Wrap("screen", id, err)
	}
	latest := map[identity.OrgID]*journal.Statement{}
	for i := range versions {
		if v := &versions[i]; v.Act == journal.State && v.Type == indicator {
			if old := latest[v.Author]; old == nil || v.Version >= old.Version {
				latest[v.Author] = v
			}
		}
	}
	var out []Statement
	for _, v := range latest {
		if c, ok, err := changeOf(v); v.Erased && ok && err == nil {
			out = append(out, c)
		}
	}
	return out, nil
}

// learnName finds out how an author calls itself, once.
func (x *Index) learnName(ctx context.Context, j Journal, author identity.OrgID) {
	x.mu.RLock()
	_, known := x.names[string(author)]
	x.mu.RUnlock()
	if known {
		return
	}
	org := j.Org()
	if org.ID != author {
		var err error
		if org, err = j.OrgByID(ctx, author); err != nil {
			if !errors.Is(err, context.Canceled) && errs.Is(err) != errs.NotExist {
				x.log.Warn("an author's name is not known", "author", author, "err", err)
			}
			return
		}
	}
	x.SetName(string(author), org.Name)
}

// changeOf reads what one journal entry changes in screening; ok is false when
// nothing. The author is the one whom the journal has proven, never the one
// that the object names.
func changeOf(st *journal.Statement) (_ Statement, ok bool, _ error) {
	if st.Type != indicator {
		return Statement{}, false, nil
	}
	version, err := versionTime(st.Version)
	if err != nil {
		return Statement{}, false, err
	}
	c := Statement{ID: st.ID, Author: string(st.Author), Version: version, Revoked: true}
	if st.Erased || st.Revoked {
		return c, true, nil
	}
	o, err := st.Object()
	if err != nil {
		return Statement{}, false, err
	}
	e, err := stix.ReadExposure(o)
	if err != nil {
		// A version that cannot be screened with still replaces the one before.
		return c, true, err
	}
	c.Revoked = e.Revoked
	c.Readings = readingsOf(&e)
	c.From = e.From
	c.Reason = reasonOf(&e, st)
	return c, true, nil
}

func versionTime(v string) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return time.Time{}, &errs.Error{Op: "screen", Kind: errs.Invalid, Where: v, Why: "not a version", Err: err}
	}
	return t, nil
}

const indicator = "indicator" // the one type that names values

const pathURL = "url:value"

// readable are the pattern paths whose values are read as what they are. Any
// other path says that something else is meant by the text.
var readable = map[string]bool{
	stix.PathWallet: true, stix.PathDomain: true, stix.PathSHA256: true,
	"file:hashes.MD5": true, "file:hashes.'MD5'": true, "file:hashes.'SHA-1'": true, "file:hashes.'SHA-512'": true,
	"email-addr:value": true, "ipv4-addr:value": true, "ipv6-addr:value": true,
}

func readingsOf(e *stix.Exposure) []Reading {
	out := make([]Reading, 0, len(e.Accounts)+len(e.Values))
	for _, a := range e.Accounts {
		out = append(out, accountReading(a))
	}
	for _, v := range e.Values {
		if v.Path == pathURL && v.Value != "" { // one page, not the whole host
			out = append(out, textReading(v.Value))
			continue
		}
		if !readable[v.Path] || v.Value == "" {
			continue
		}
		r, err := Read(v.Value)
		if err != nil {
			r = textReading(v.Value)
		}
		out = append(out, r)
	}
	return out
}

func reasonOf(e *stix.Exposure, st *journal.Statement) Reason {
	r := Reason{
		Kind: string(e.Kind), Marking: "TLP:" + st.Marking.String(), Since: e.Since, Until: e.Until,
		Theft: e.Theft, Place: string(e.Place), Provisional: e.Provisional, Text: e.Reason,
		Amount: moneyOf(e.Amount), Origin: moneyOf(e.Origin),
	}
	if r.Since.IsZero() {
		r.Since = st.Time
	}
	if e.Kind == stix.KindExposure {
		r.Basis, r.Rule, r.Label = e.Basis, e.Rule, e.Label
	}
	// The account as its author named it, where that says more than the value
	// screened: an EVM address named on another chain than Ethereum.
	if len(e.Accounts) == 1 && e.Accounts[0].Chain() != chain.Ethereum {
		r.Account = e.Accounts[0].String()
	}
	return r
}

func moneyOf(a stix.Amount) *Money {
	if a.Asset == "" {
		return nil
	}
	return &Money{Asset: a.Asset, Symbol: a.Symbol, Amount: a.Amount, Base: a.Base}
}
