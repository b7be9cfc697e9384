package trace

import (
	"context"
	"errors"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
)

// Watch is a trace that goes on with each new block, by the same code as a
// batch: after every Advance its run is the one that Follow would give on the
// same ledger, digest included. When the ledger changed behind it (a
// reorganisation, an import of older blocks) it starts over. A Watch is owned
// by one goroutine and lives in memory: after a restart a new one catches up.
type Watch struct {
	req  Request
	set  *labels.Set
	sims []*sim
	seen map[chain.ID]seenChain
	run  *Run
}

// seenChain is what a Watch has read of a chain.
type seenChain struct {
	last uint64
	hash ledger.Hash
	rows uint64
	txs  uint64
}

// NewWatch traces to the ledger's end and is ready to go on. A bound in time
// is refused: a watched theft has no end.
func NewWatch(ctx context.Context, r ledger.Reader, set *labels.Set, req Request) (*Watch, error) {
	if req.Bounds.Until != 0 || len(req.Heads) != 0 || req.Backward {
		return nil, errs.New("trace", errs.Usage, "", "a watched theft cannot have an end", "leave out --until and --backward")
	}
	w := &Watch{req: req, set: set}
	return w, w.start(ctx, r)
}

// Run is the run as of the last Advance.
func (w *Watch) Run() *Run { return w.run }

func (w *Watch) start(ctx context.Context, r ledger.Reader) (err error) {
	defer caught(&err)
	req := w.req
	sims, err := simulate(ctx, r, w.set, &req)
	if err != nil {
		return err
	}
	run, err := draw(ctx, r, w.set, &req, sims)
	if err != nil {
		return err
	}
	seen, err := look(ctx, r, sims)
	if err != nil {
		return err
	}
	w.req, w.sims, w.run, w.seen = req, sims, run, seen
	return nil
}

// look notes how far the ledger reaches.
func look(ctx context.Context, r ledger.Reader, sims []*sim) (map[chain.ID]seenChain, error) {
	out := map[chain.ID]seenChain{}
	for id := range readsOf(sims).chains() {
		c, err := r.Coverage(ctx, id)
		if err != nil {
			return nil, err
		}
		b, err := r.Blocks(ctx, id, []uint64{c.LastBlock})
		if err != nil {
			return nil, err
		}
		out[id] = seenChain{last: c.LastBlock, hash: b[0].Hash, rows: c.Rows, txs: c.Txs}
	}
	return out, nil
}

// Advance goes on with what a newer Reader of the same ledger shows, and says
// whether it had to start over.
//
// After an error the Watch is spent: make a new one.
func (w *Watch) Advance(ctx context.Context, r ledger.Reader) (started bool, err error) {
	defer caught(&err)
	fresh, ok, err := w.fresh(ctx, r)
	if err != nil {
		return false, err
	}
	if !ok {
		return true, w.start(ctx, r)
	}
	for _, s := range w.sims {
		defer s.reads.join()
		if ok, err = s.rewrap(ctx, r); err != nil {
			return false, err
		} else if !ok {
			return true, w.start(ctx, r)
		}
		s.r, s.last, s.inTx = r, ledger.Key{}, nil
		if err := s.settle(ctx); err != nil {
			return false, err
		}
		if err := s.resume(ctx, fresh, w.seen); err != nil {
			return false, err
		}
		if err := s.follow(ctx); err != nil {
			return false, err
		}
	}
	run, err := draw(ctx, r, w.set, &w.req, w.sims)
	if err != nil {
		return false, err
	}
	if w.seen, err = look(ctx, r, w.sims); err != nil {
		return false, err
	}
	w.run = run
	return false, nil
}

var errTooFresh = errors.New("more new rows than are held")

// fresh reads the rows of the new blocks and says whether the ledger only grew
// by them: the last block that was read is still there, and nothing was added
// below it. So many rows that memory would suffer, an import's, are as good as
// another ledger.
func (w *Watch) fresh(ctx context.Context, r ledger.Reader) ([]ledger.Row, bool, error) {
	var out []ledger.Row
	for id, seen := range w.seen {
		c, err := r.Coverage(ctx, id)
		if err != nil {
			return nil, false, err
		}
		b, err := r.Blocks(ctx, id, []uint64{seen.last})
		if err != nil {
			return nil, false, err
		}
		if c.LastBlock < seen.last || b[0].Hash != seen.hash || c.Unplaced > 0 && c.Rows != seen.rows ||
			c.LastBlock == seen.last && c.Txs != seen.txs {
			return nil, false, nil
		}
		n := uint64(0)
		err = r.Scan(ctx, id, ledger.AtBlock(id, seen.last+1), ledger.Key{}, func(rows []ledger.Row) error {
			n += uint64(len(rows))
			if len(out)+len(rows) > w.req.maxFlows() {
				return errTooFresh
			}
			out = append(out, rows...)
			return nil
		})
		if errors.Is(err, errTooFresh) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if seen.rows+n != c.Rows {
			return nil, false, nil
		}
	}
	return out, true, nil
}

// settle makes haircut's lots final that came in blocks which are final by now,
// and joins them: a book that money reaches in every block would keep a lot of
// each, and every spend would draw on all of them. Amounts stay as they are.
func (s *sim) settle(ctx context.Context) error {
	h, ok := s.method.(haircut)
	if !ok || s.utxo != nil { // an output's lots came in one block
		return nil
	}
	final, err := s.finals(ctx)
	if err != nil {
		return err
	}
	for _, b := range s.shelf.books {
		last, settled := final[s.parties[b.owner].account.Chain()], false
		for i := range b.lots {
			if l := &b.lots[i]; l.prov && l.block() <= last {
				l.settle(false, 0)
				settled = true
			}
		}
		if settled {
			h.joinBefore(b, last+1)
		}
	}
	return nil
}

// resume gives the books that the new rows touch their cursors back.
func (s *sim) resume(ctx context.Context, fresh []ledger.Row, seen map[chain.ID]seenChain) error {
	s.heap.entries, s.heap.sources = nil, nil
	if s.utxo != nil {
		return s.utxo.resume(ctx, seen)
	}
	again := map[bookKey]bool{}
	for i := range fresh {
		w := &fresh[i]
		from, to := s.wrappers.sides(w.From, w.To, w.Asset)
		for _, key := range []bookKey{from, to} {
			b := s.shelf.get(key.account, key.asset)
			if b == nil || again[key] {
				continue
			}
			again[key] = true
			if err := s.recall(ctx, b); err != nil {
				return err
			}
			id := s.parties[b.owner].account.Chain()
			b.cur = s.cursorOf(b, ledger.AtBlock(id, seen[id].last+1), ledger.Key{})
			if err := s.stream(ctx, b.cur); err != nil {
				return err
			}
		}
	}
	for _, at := range s.sources {
		id := s.parties[at].account.Chain()
		if err := s.streamSource(ctx, at, ledger.AtBlock(id, seen[id].last+1), ledger.Key{}); err != nil {
			return err
		}
	}
	return nil
}

// resume looks for spenders of the outputs that were unspent, and for what
// sources sent since.
func (u *utxo) resume(ctx context.Context, seen map[chain.ID]seenChain) error {
	var names []ledger.Tx
	var keys []coinKey
	for k := range u.coins {
		keys = append(keys, k)
		names = append(names, ledger.Tx{Chain: k.chain, ID: k.point.Tx})
	}
	clear(u.queued) // references do not outlive a Reader, and a spent output has no coin
	clear(u.prov)
	refs, err := u.r.TxRefs(ctx, names)
	if err != nil {
		return err
	}
	txs, err := u.r.UTXOs(ctx, refs)
	if err != nil {
		return err
	}
	for i, k := range keys {
		if int(k.point.Index) >= len(txs[i].Outputs) || txs[i].Outputs[k.point.Index].Spender.Tx.IsZero() {
			continue
		}
		spender, err := u.r.TxRefs(ctx, []ledger.Tx{{Chain: k.chain, ID: txs[i].Outputs[k.point.Index].Spender.Tx}})
		if err != nil {
			return err
		}
		if err := u.queue(ctx, spender[0]); err != nil {
			return err
		}
	}
	for _, at := range u.sources {
		if err := u.queueSends(ctx, at, seen); err != nil {
			return err
		}
	}
	return nil
}
