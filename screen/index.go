package screen

import (
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Config is what an Index is made of; the zero has every default.
type Config struct {
	Rules  Rules            // DefaultRules when empty
	Clock  func() time.Time // time.Now
	Logger *slog.Logger     // slog.Default
	// OnActive is called by Follow, without any lock held, when a statement
	// counts in screening: every Screen that starts from now on sees it.
	OnActive func(statement, author string)
	// OverlayMax is the size of the overlay, in statements and keys, from
	// which it is merged into a new snapshot; 0 is 4,096 or an eighth of the
	// snapshot, whichever is more.
	OverlayMax int
}

// Statement is one version of what one author says about some values.
type Statement struct {
	ID       string    // STIX id
	Author   string    // STIX identity id, proven by whoever calls Put
	Version  time.Time // an older one never replaces a newer one
	From     time.Time // it does not count before; zero: at once
	Revoked  bool      // takes back what the author said under this id
	Readings []Reading // the values; empty as good as revoked
	Reason   Reason    // what it says; Statement, Author and Verdict are filled in by the index
}

// Index is the view of the journal that screening looks into. Its methods may
// be called from any goroutine.
type Index struct {
	rules   Rules
	clock   func() time.Time
	log     *slog.Logger
	active  func(statement, author string)
	max     int
	seed    maphash.Seed
	merging sync.WaitGroup

	mu       sync.RWMutex      // owns the fields below
	snap     *snapshot         // immutable; replaced whole
	frozen   *layer            // over snap while a merge runs, else nil; immutable
	over     *layer            // over frozen; what arrived last
	names    map[string]string // author to name
	position uint64            // of the next journal entry
	closed   bool
}

// New makes an empty index. Close it.
func New(cfg Config) *Index {
	x := &Index{
		rules: cfg.Rules, clock: cfg.Clock, log: cfg.Logger, active: cfg.OnActive, max: cfg.OverlayMax,
		seed: maphash.MakeSeed(), over: newLayer(), names: map[string]string{},
	}
	if len(x.rules) == 0 {
		x.rules = DefaultRules()
	}
	if x.clock == nil {
		x.clock = time.Now
	}
	if x.log == nil {
		x.log = slog.Default()
	}
	x.snap = newSnapshot(x.seed)
	return x
}

// Close waits for a merge in the background and starts no other. The index
// still answers.
func (x *Index) Close() {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.merging.Wait()
}

// Put takes in one version of a statement. When it returns, every Screen that
// starts sees it. It reports whether the version was taken: an older one than
// the index has of the same author and id is not.
func (x *Index) Put(s Statement) bool { return x.PutAll([]Statement{s}) == 1 }

// PutAll takes in statements in order, all visible at once, and returns how
// many were taken. An ID that is not a STIX id is not.
func (x *Index) PutAll(batch []Statement) int { return x.putAll(batch, 0) }

// putAll is PutAll, and moves the position on.
func (x *Index) putAll(batch []Statement, position uint64) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.position = max(x.position, position)
	taken := 0
	for i := range batch {
		s := &batch[i]
		id := statementID{s.ID, s.Author}
		if _, _, ok := splitID(s.ID); !ok {
			continue
		}
		if at, ok := x.version(id); ok && s.Version.UnixNano() < at {
			continue
		}
		x.over.put(id, s)
		taken++
	}
	x.freeze()
	return taken
}

// Erase takes back what author said under id up to version, because its
// payload was erased; a newer version stays.
func (x *Index) Erase(id, author string, version time.Time) bool {
	return x.Put(Statement{ID: id, Author: author, Version: version, Revoked: true})
}

// SetName sets the name that reasons show for an author.
func (x *Index) SetName(author, name string) {
	x.mu.Lock()
	x.names[author] = name
	x.mu.Unlock()
}

// version is the newest version known of a statement. x.mu is held.
func (x *Index) version(id statementID) (int64, bool) {
	for _, l := range []*layer{x.over, x.frozen} {
		if l != nil {
			if r, ok := l.stmts[id]; ok {
				return r.version, true
			}
		}
	}
	return x.snap.version(id)
}

// freeze starts a merge when the overlay is large. x.mu is held.
func (x *Index) freeze() {
	limit := x.max
	if limit <= 0 {
		limit = max(4096, x.snap.len()/8)
	}
	if x.frozen != nil || x.closed || x.over.size < limit {
		return
	}
	x.frozen, x.over = x.over, newLayer()
	snap, frozen := x.snap, x.frozen
	x.merging.Go(func() {
		began := time.Now()
		next := snap.merge(frozen)
		x.mu.Lock()
		x.snap, x.frozen = next, nil
		x.freeze() // what arrived meanwhile may be large already
		x.mu.Unlock()
		x.log.Debug("screening snapshot merged", "keys", next.len(), "statements", len(next.stmts), "elapsed", time.Since(began))
	})
}

// Stats says how large the index is.
type Stats struct {
	Keys       int `json:"keys"`       // of the snapshot
	Statements int `json:"statements"` // of the snapshot, taken-back ones included
	Overlay    int `json:"overlay"`    // statements not merged yet
	Bytes      int `json:"bytes"`      // of the snapshot's arrays
	IndexBytes int `json:"index_bytes"`
}

// Stats returns the sizes now.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := Stats{Keys: x.snap.len(), Statements: len(x.snap.stmts), Overlay: len(x.over.stmts)}
	if x.frozen != nil {
		s.Overlay += len(x.frozen.stmts)
	}
	s.IndexBytes = x.snap.indexBytes()
	s.Bytes = s.IndexBytes + x.snap.recordBytes()
	return s
}

// Flush merges what the overlay holds and waits for it: before a measurement,
// or after a bulk load.
func (x *Index) Flush() {
	for {
		x.merging.Wait()
		x.mu.Lock()
		if x.closed || x.frozen == nil && x.over.size == 0 {
			x.mu.Unlock()
			return
		}
		keep := x.max
		x.max = 1
		x.freeze()
		x.max = keep
		x.mu.Unlock()
	}
}

// Screen answers for each value, in order. It never fails: what cannot be read
// is Invalid.
func (x *Index) Screen(values []string) []Result {
	now := x.clock()
	out := make([]Result, len(values))
	x.mu.RLock()
	defer x.mu.RUnlock()
	for i, v := range values {
		r, err := Read(v)
		if err == nil && x.clear(&r) {
			out[i] = Result{Value: v, ReadAs: r.Text, Type: r.Type, Reasons: []Reason{}}
			continue
		}
		out[i] = x.answer(v, r, err, now)
	}
	return out
}

// clear is the fast way out: no statement ever named the reading. x.mu is held.
func (x *Index) clear(r *Reading) bool {
	return !x.has(&r.Key) && (r.Alt == Key{} || !x.has(&r.Alt))
}

// Named counts the keys that some statement names, whether it counts now or
// not: the bare lookup behind Screen.
func (x *Index) Named(keys []Key) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := 0
	for i := range keys {
		if x.has(&keys[i]) {
			n++
		}
	}
	return n
}

func (x *Index) has(k *Key) bool {
	if _, ok := x.snap.find(k); ok {
		return true
	}
	if x.frozen != nil && len(x.frozen.byKey[*k]) > 0 {
		return true
	}
	return len(x.over.byKey) > 0 && len(x.over.byKey[*k]) > 0
}

// answer gathers the reasons for one value. x.mu is held.
func (x *Index) answer(value string, r Reading, err error, now time.Time) Result {
	res := Result{Value: value, ReadAs: r.Text, Type: r.Type, Reasons: []Reason{}}
	if err != nil {
		r = textReading(value)
		res.ReadAs, res.Type = r.Text, r.Type
	}
	g := gathering{x: x, ms: now.UnixMilli(), reasons: res.Reasons}
	x.gather(&g, r.Key)
	if r.Alt != (Key{}) {
		n := len(g.reasons)
		x.gather(&g, r.Alt)
		if n == 0 && len(g.reasons) > 0 && r.Type == TypeHash {
			res.ReadAs, res.Type = evmPrefix+"0x"+r.Text[len("sha1:"):], TypeAccount
		}
	}
	if err != nil && len(g.reasons) == 0 {
		return invalid(value, err)
	}
	slices.SortFunc(g.reasons, compareReasons)
	res.Verdict, res.Reasons, res.More = g.verdict, g.reasons, g.more
	if n := len(res.Reasons) - MaxReasons; n > 0 {
		res.Reasons, res.More = res.Reasons[:MaxReasons], res.More+n
	}
	for i := range res.Reasons {
		res.Reasons[i].AuthorName = x.names[res.Reasons[i].Author]
	}
	return res
}

// skew is how far in the future a statement's beginning may lie and it counts
// already: partners' clocks are not ours, and a listing said a moment ago must
// not wait for ours to catch up.
const skew = 10 * time.Minute

// gather takes up what counts now against a key. x.mu is held.
func (x *Index) gather(g *gathering, k Key) {
	for _, r := range x.over.byKey[k] {
		g.takeRecord(r)
	}
	if x.frozen != nil {
		for _, r := range x.frozen.byKey[k] {
			if _, replaced := x.over.stmts[r.id]; !replaced {
				g.takeRecord(r)
			}
		}
	}
	x.snap.gather(g, &k)
}

// layered says whether anything lies over the snapshot. x.mu is held.
func (x *Index) layered() bool { return x.frozen != nil || len(x.over.stmts) > 0 }

// hidden says whether a layer over the snapshot replaced a statement. x.mu is
// held.
func (x *Index) hidden(id statementID) bool {
	if _, replaced := x.over.stmts[id]; replaced {
		return true
	}
	if x.frozen == nil {
		return false
	}
	_, replaced := x.frozen.stmts[id]
	return replaced
}
