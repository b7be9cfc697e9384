package tables

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ledger"
)

// frame is one row of traces that belongs to a transaction.
type frame struct {
	path     []uint32 // the trace address; empty for the root
	place    chain.Transfer
	kind     frameKind
	failed   bool
	told     bool   // the row says how the frame ended, its callers included
	unread   bool   // rejected, and here for its rank alone
	input    []byte // of a call that links need
	from, to chain.Account
	line     int64
}

type frameKind uint8

const (
	frameCall frameKind = iota
	frameCreate
	frameSuicide
	frameStill // delegatecall, callcode, staticcall: moves nothing
)

// frame reads a row of traces. The frames of a transaction stand together, as
// ethereum-etl writes them, and are stated when the last has been read: only
// then is it known which failed with a caller of theirs, and which rank each
// has in the order of trace addresses.
func (e *etl) frame(r record) error {
	kind := string(r[trType])
	if kind == "reward" || kind == "genesis" || kind == "daofork" {
		if err := e.endTransaction(); err != nil {
			return err
		}
		return e.issue(r, kind)
	}
	f := frame{place: chain.Transfer{Chain: e.id}, line: e.at.Line}
	if err := e.framePlace(&f, r); err != nil {
		return err
	}
	if n := len(e.frames); n > 0 && !f.beside(&e.frames[0]) {
		if err := e.endTransaction(); err != nil {
			return err
		}
	}
	if len(e.frames) >= e.in.Limits.Frames {
		return wrongf("trace_address", clip(string(r[trAddress])), "the transaction has more than %d frames", "mend the file", e.in.Limits.Frames)
	}
	err := e.frameCells(&f, r)
	f.unread = err != nil
	e.frames = append(e.frames, f)
	return err
}

// framePlace reads which frame of which transaction a row is. One that does not
// name its transaction has to say its place.
func (e *etl) framePlace(f *frame, r record) (err error) {
	t := &f.place
	if len(r[trHash]) > 0 {
		if t.Tx, err = e.hash(r[trHash], "transaction_hash"); err != nil {
			return err
		}
	}
	if f.path, err = tracePath(r[trAddress]); err != nil {
		return err
	}
	if t.Block, err = e.uint(r[trBlock], "block_number", chain.NoBlock); err != nil {
		return err
	}
	if t.Index, err = e.uint32(r[trIndex], "transaction_index", chain.NoIndex); err != nil {
		return err
	}
	if !f.named() && (t.Block == chain.NoBlock || t.Index == chain.NoIndex) {
		return wrongf("transaction_hash", "", "the frame does not say which transaction it belongs to",
			"export the traces again, with the hash of the transaction or the numbers of its block and its place there")
	}
	return nil
}

// named says whether a frame names its transaction.
func (f *frame) named() bool { return !f.place.Tx.IsZero() }

// beside says whether two frames are read together: those of one transaction, or
// of one block where they do not name theirs.
func (f *frame) beside(g *frame) bool {
	return f.place.Tx == g.place.Tx && (f.named() || f.place.Block == g.place.Block)
}

func (e *etl) frameCells(f *frame, r record) (err error) {
	t := &f.place
	if t.Time, err = e.when(r[trTime], "block_timestamp", t.Block); err != nil {
		return err
	}
	if t.Block == chain.NoBlock && t.Time == 0 {
		return wrongf("block_number", "", "the row has no block", "mend the row or export it again")
	}
	if f.from, err = e.account(r[trFrom], "from_address"); err != nil {
		return err
	}
	if f.to, err = e.account(r[trTo], "to_address"); err != nil {
		return err
	}
	if t.Amount, err = e.amount(r[trValue], "value"); err != nil {
		return err
	}
	status, err := ending(r[trStatus], "status")
	if err != nil {
		return err
	}
	f.failed = status == ledger.StatusFailed || len(r[trError]) > 0
	f.told = status != ledger.StatusUnknown
	switch kind, call := string(r[trType]), string(r[trCall]); {
	case kind == "call" && (call == "delegatecall" || call == "callcode" || call == "staticcall"):
		f.kind = frameStill
	case kind == "call":
		f.kind = frameCall
	case kind == "create" || kind == "create2":
		f.kind = frameCreate
	case kind == "suicide" || kind == "selfdestruct":
		f.kind = frameSuicide
	default:
		return wrongf("trace_type", clip(kind), "not a type of trace", "expected call, create, suicide, reward, genesis or daofork")
	}
	if f.kind == frameCall && keepsInput(e.out, r[trInput]) {
		f.input = bytes.Clone(r[trInput])
	}
	return nil
}

// tracePath reads a trace address: indexes joined by commas.
func tracePath(v []byte) ([]uint32, error) {
	if len(v) == 0 {
		return nil, nil
	}
	path := make([]uint32, 0, 4)
	for part := range bytes.SplitSeq(v, []byte{','}) {
		n, err := strconv.ParseUint(string(bytes.TrimSpace(part)), 10, 31)
		if err != nil || len(path) > maxDepth {
			return nil, wrongf("trace_address", clip(string(v)), "not a list of indexes", "mend the row or export it again")
		}
		path = append(path, uint32(n))
	}
	return path, nil
}

// maxDepth is how deep calls nest (EIP-150 keeps the bound of 1024).
const maxDepth = 1025

// endTransaction states the frames gathered.
func (e *etl) endTransaction() error {
	list := e.frames
	e.frames = list[:0]
	if len(list) > 0 && !list[0].named() {
		return e.stateUnnamed(list)
	}
	return e.stateFrames(list)
}

// stateFrames states the frames of one transaction.
func (e *etl) stateFrames(list []frame) error {
	slices.SortStableFunc(list, func(a, b frame) int {
		switch c := slices.Compare(a.path, b.path); {
		case c != 0 || a.unread == b.unread:
			return c
		case a.unread:
			return 1
		}
		return -1
	})
	list = slices.CompactFunc(list, func(a, b frame) bool { return slices.Equal(a.path, b.path) }) // a place holds one frame
	failed := -1                                                                                   // the length of the path under which everything failed
	for rank := range list {
		f := &list[rank]
		if failed >= 0 && len(f.path) > failed {
			continue
		}
		failed = -1
		if f.failed {
			failed = len(f.path)
		}
		if f.moves() && !called(list, f) {
			if err := e.rejectFrame(f, "", "frames that called it are missing, and nothing says whether they failed",
				"export the traces whole, or with the column status"); err != nil {
				return err
			}
			continue
		}
		if err := e.stateFrame(f, uint32(rank)); err != nil {
			return err
		}
	}
	return nil
}

// moves says whether a frame may move value.
func (f *frame) moves() bool {
	return !f.failed && !f.unread && f.kind != frameStill && !f.place.Amount.IsZero()
}

// called says whether the frames that called one are known not to have failed:
// by its own word, which ethereum-etl passes down, or because all of them are
// there, in order of their paths.
func called(list []frame, f *frame) bool {
	for path := f.path; !f.told && len(path) > 0; {
		path = path[:len(path)-1]
		i, ok := slices.BinarySearchFunc(list, path, func(c frame, p []uint32) int { return slices.Compare(c.path, p) })
		if !ok || list[i].unread {
			return false
		}
		f = &list[i]
	}
	return true
}

func (e *etl) rejectFrame(f *frame, column, why, hint string) error {
	return e.out.Reject(ingest.Place{Line: f.line, Column: column}, []byte(f.place.Tx.Text(e.id)), errs.New("", errs.Invalid, "", why, hint))
}

// stateFrame states one frame, whose callers did not fail.
func (e *etl) stateFrame(f *frame, rank uint32) error {
	t := f.place
	t.Asset, t.From, t.To, t.Ordinal = e.id.Native(), f.from, f.to, rank
	t.Kind = chain.KindInternal
	if len(f.path) == 0 && !f.unread {
		t.Kind = chain.KindNative
		status := ledger.StatusSucceeded
		if f.failed {
			status = ledger.StatusFailed
		}
		fact := ledger.TxFact{Chain: e.id, Tx: t.Tx, Block: t.Block, Index: t.Index, Time: t.Time, HasTime: t.Time != 0, Status: status}
		if err := cmp.Or(e.out.Tx(fact), e.join.addRoot(t.Tx, status)); err != nil {
			return err
		}
	}
	if f.failed || f.unread || f.kind == frameStill {
		return nil
	}
	if f.input != nil && !f.to.IsZero() {
		if err := note(e.out, t.Tx, t.Block, rank, f.from, f.to, f.input); err != nil {
			return err
		}
	}
	if f.kind == frameSuicide && f.to.IsZero() && t.Amount.IsZero() {
		e.silent++
		return nil
	}
	if t.Amount.IsZero() {
		return nil
	}
	if t.From.IsZero() || t.To.IsZero() {
		return e.rejectFrame(f, "to_address", "a frame that moves value does not say from whom to whom", "export the traces again")
	}
	return e.out.Transfer(&t)
}

// issue states what a block makes without a transaction: rewards, the genesis
// and the one irregular change of balances (block 1,920,000).
func (e *etl) issue(r record, kind string) error {
	t := chain.Transfer{Chain: e.id, Kind: chain.KindAdjustment, Index: chain.NoIndex, Ordinal: chain.NoOrdinal, Asset: e.id.Native()}
	var err error
	if t.Block, err = e.uint(r[trBlock], "block_number", chain.NoBlock); err != nil {
		return err
	}
	if t.Time, err = e.when(r[trTime], "block_timestamp", t.Block); err != nil {
		return err
	}
	if t.Block == chain.NoBlock || t.Time == 0 && t.Block != 0 {
		return wrongf("block_number", "", "it belongs to no transaction, so its block's time identifies it, which is not known",
			"import the blocks of the range in the same command")
	}
	if t.To, err = e.account(r[trTo], "to_address"); err != nil {
		return err
	}
	if t.Amount, err = e.amount(r[trValue], "value"); err != nil {
		return err
	}
	if t.To.IsZero() {
		return wrongf("to_address", "", "the row names no account", "mend the row or export it again")
	}
	if kind == "daofork" {
		t.Kind = chain.KindInternal
		if t.From, err = e.account(r[trFrom], "from_address"); err != nil {
			return err
		}
	}
	if t.Amount.IsZero() {
		return nil
	}
	return e.out.Transfer(&t)
}
