package trace

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bongsu/chain"
	"bongsu/durable"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"

	jsonv2 "github.com/go-json-experiment/json"
)

// MaxRunBytes bounds a run as it is written, and so as it is read back: what
// can be stored can be read. A run of MaxFlows flows takes some 600 bytes a flow
// and 100 for its parents, 2.9 GB.
const MaxRunBytes int64 = 4 << 30

// The written form of a request. Field names and forms are those of the
// contract: accounts CAIP-10, times RFC 3339, amounts in base units.
type (
	requestText struct {
		Thefts   []theftText         `json:"thefts"`
		Sources  []sourceText        `json:"sources"`
		Method   Method              `json:"method"`
		Fees     FeeRule             `json:"fees"`
		Bounds   boundsText          `json:"bounds"`
		Heads    map[chain.ID]uint64 `json:"heads"`
		Observed bool                `json:"observed_only"`
		Backward bool                `json:"backward"`
		Skip     bool                `json:"skip_aside"`
	}
	theftText struct {
		ID        string         `json:"id"`
		Title     string         `json:"title"`
		Amounts   []moneyText    `json:"amounts"`
		Transfers []TransferText `json:"transfers"`
	}
	sourceText struct {
		Account chain.Account `json:"account"`
		Since   chain.Time    `json:"since,omitzero"`
		Asset   chain.Asset   `json:"asset,omitempty"`
	}
	boundsText struct {
		MaxDegree int         `json:"max_degree"`
		MinAmount []moneyText `json:"min_amount"`
		MaxHops   int         `json:"max_hops"`
		Until     chain.Time  `json:"until,omitzero"`
	}
	moneyText struct {
		Asset chain.Asset  `json:"asset"`
		Base  chain.Amount `json:"base"`
	}
)

// TransferText is the written form of a theft's transfer.
type TransferText struct {
	Chain   chain.ID      `json:"chain"`
	Tx      string        `json:"tx"`
	Time    chain.Time    `json:"time,omitzero"`
	Block   *uint64       `json:"block,omitempty"`
	Index   *uint32       `json:"index,omitempty"`
	Kind    string        `json:"kind"`
	Ordinal *uint32       `json:"ordinal,omitempty"`
	Row     uint32        `json:"row,omitzero"`
	Nth     uint32        `json:"nth,omitzero"`
	From    chain.Account `json:"from,omitzero"`
	To      chain.Account `json:"to,omitzero"`
	Asset   chain.Asset   `json:"asset"`
	Amount  chain.Amount  `json:"amount"` // base units
}

// TextOf is the written form of t.
func TextOf(t chain.Transfer) TransferText {
	out := TransferText{
		Chain: t.Chain, Tx: t.Tx.Text(t.Chain), Time: t.Time, Kind: t.Kind.String(), Row: t.Row, Nth: t.Nth,
		From: t.From, To: t.To, Asset: t.Asset, Amount: t.Amount,
	}
	if t.Block != chain.NoBlock {
		out.Block = &t.Block
	}
	if t.Index != chain.NoIndex {
		out.Index = &t.Index
	}
	if t.Ordinal != chain.NoOrdinal {
		out.Ordinal = &t.Ordinal
	}
	return out
}

// Transfer reads the written form back.
func (x TransferText) Transfer() (chain.Transfer, error) {
	t := chain.Transfer{
		Chain: x.Chain, Time: x.Time, Block: chain.NoBlock, Index: chain.NoIndex, Ordinal: chain.NoOrdinal,
		Row: x.Row, Nth: x.Nth, From: x.From, To: x.To, Amount: x.Amount,
	}
	var err error
	if _, err = chain.ParseID(string(x.Chain)); err != nil {
		return t, err
	}
	if t.Kind, err = chain.ParseKind(x.Kind); err != nil {
		return t, err
	}
	if t.Asset, err = chain.ParseAsset(string(x.Asset)); err != nil {
		return t, err
	}
	if x.Tx != "" {
		if t.Tx, err = chain.ParseTxID(x.Tx, x.Chain); err != nil {
			return t, err
		}
	}
	if x.Block != nil {
		t.Block = *x.Block
	}
	if x.Index != nil {
		t.Index = *x.Index
	}
	if x.Ordinal != nil {
		t.Ordinal = *x.Ordinal
	}
	return t, nil
}

type runText struct {
	Version int         `json:"version"`
	Request requestText `json:"request"`
	Stolen  []Part      `json:"stolen"`
	Result  Result      `json:"result"`
	Flows   []Flow      `json:"flows"`
	Read    uint64      `json:"read"`
	Lots    []Lot       `json:"lots"`
	Assets  []Asset     `json:"assets"`

	Finals map[chain.ID]uint64 `json:"finals"`
}

// Encode writes the run down: JSON, deterministic, without the time it took.
// errs.Limit refuses one larger than MaxRunBytes.
func (r *Run) Encode() ([]byte, error) { return r.encode(MaxRunBytes) }

func (r *Run) encode(most int64) ([]byte, error) {
	t := runText{Version: r.Version, Request: textOfRequest(&r.Request), Stolen: r.Stolen, Result: r.Result, Flows: r.Flows, Read: r.Read, Lots: r.Lots, Assets: r.Assets, Finals: r.Finals}
	t.Result.ElapsedMS = 0
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(t); err != nil {
		return nil, errs.Wrap("trace", "encode", err)
	}
	if int64(b.Len()) > most {
		return nil, tooLarge(int64(b.Len()), most)
	}
	return b.Bytes(), nil
}

func tooLarge(size, most int64) error {
	return errs.New("trace", errs.Limit, "", fmt.Sprintf("written down, the run has %d bytes, more than the %d that it may", size, most),
		"bound the trace with --max-hops, --max-degree or --min-amount")
}

func textOfRequest(q *Request) requestText {
	t := requestText{
		Thefts: []theftText{}, Sources: []sourceText{}, Method: q.Method, Fees: q.Fees, Heads: q.Heads,
		Bounds:   boundsText{q.Bounds.MaxDegree, textOfMoney(q.Bounds.MinAmount), q.Bounds.MaxHops, q.Bounds.Until},
		Observed: q.ObservedOnly, Backward: q.Backward, Skip: q.SkipAside,
	}
	if t.Heads == nil {
		t.Heads = map[chain.ID]uint64{}
	}
	for _, x := range q.Thefts {
		theft := theftText{ID: x.ID, Title: x.Title, Amounts: textOfMoney(x.Amounts), Transfers: []TransferText{}}
		for _, tr := range x.Transfers {
			theft.Transfers = append(theft.Transfers, TextOf(tr))
		}
		t.Thefts = append(t.Thefts, theft)
	}
	for _, s := range q.Sources {
		t.Sources = append(t.Sources, sourceText(s))
	}
	return t
}

func textOfMoney(ms []chain.Money) []moneyText {
	out := []moneyText{}
	for _, m := range ms {
		out = append(out, moneyText{m.Asset, m.Amount})
	}
	return out
}

func moneyOf(ms []moneyText) (out []chain.Money) {
	for _, m := range ms {
		out = append(out, chain.Money{Asset: m.Asset, Amount: m.Base})
	}
	return out
}

// Decode reads a run back and checks its digest.
func Decode(raw []byte) (*Run, error) {
	if int64(len(raw)) > MaxRunBytes {
		return nil, tooLarge(int64(len(raw)), MaxRunBytes)
	}
	var t runText
	if err := jsonv2.Unmarshal(raw, &t, jsonv2.RejectUnknownMembers(true)); err != nil {
		return nil, &errs.Error{Op: "trace", Kind: errs.Invalid, Why: "not a stored run", Hint: "give the file that a trace wrote", Err: err}
	}
	if t.Version != RunVersion && t.Version != RunVersionLinks {
		return nil, errs.New("trace", errs.Invalid, "", "the run is of a version that this program does not know", "use the program that wrote it, or a newer one")
	}
	q := Request{
		Method: t.Request.Method, Fees: t.Request.Fees, Heads: t.Request.Heads, ObservedOnly: t.Request.Observed, Backward: t.Request.Backward, SkipAside: t.Request.Skip,
		Bounds: Bounds{t.Request.Bounds.MaxDegree, moneyOf(t.Request.Bounds.MinAmount), t.Request.Bounds.MaxHops, t.Request.Bounds.Until},
	}
	for _, x := range t.Request.Thefts {
		theft := Theft{ID: x.ID, Title: x.Title, Amounts: moneyOf(x.Amounts)}
		for _, tr := range x.Transfers {
			v, err := tr.Transfer()
			if err != nil {
				return nil, errs.Wrap("trace", x.ID, err)
			}
			theft.Transfers = append(theft.Transfers, v)
		}
		q.Thefts = append(q.Thefts, theft)
	}
	for _, s := range t.Request.Sources {
		q.Sources = append(q.Sources, Source(s))
	}
	if err := t.Result.Verify(); err != nil {
		return nil, err
	}
	return &Run{Version: t.Version, Request: q, Stolen: t.Stolen, Result: t.Result, Flows: t.Flows, Read: t.Read, Lots: t.Lots, Assets: t.Assets, Finals: t.Finals}, nil
}

// Replay traces again what a written run asked, on the same range of the
// ledger and with finality as it was, and checks that the same bytes come out;
// they are returned. set holds the lists that the run's result names and no
// others. errs.Conflict says that they differ, and where.
func Replay(ctx context.Context, r ledger.Reader, set *labels.Set, raw []byte) ([]byte, error) {
	old, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	heads := old.Request.Heads
	req := old.Request
	req.Heads = map[chain.ID]uint64{}
	for id, b := range heads {
		req.Heads[id] = b
	}
	for _, g := range old.Result.Ledger {
		req.Heads[g.Chain] = g.To
	}
	run, err := Follow(ctx, newAsOf(r, old.Finals), set, req)
	if err != nil {
		return nil, err
	}
	run.Request.Heads = heads
	again, err := run.Encode()
	if err == nil && !bytes.Equal(raw, again) {
		return nil, differs(old, run)
	}
	return again, err
}

// differs says in what a replayed run is another one.
func differs(old, run *Run) error {
	why := "the result is the same, but the record of the run is not: another version of this program wrote it"
	if old.Result.Digest != run.Result.Digest {
		why = "the same transfers give another result: another version of this program wrote it, or with other labels"
	}
	for i := range old.Result.Ledger {
		if g := &old.Result.Ledger[i]; i >= len(run.Result.Ledger) || run.Result.Ledger[i] != *g {
			why = "the ledger holds other transfers of " + string(g.Chain) + " in the blocks that were read"
			break
		}
	}
	return errs.New("trace", errs.Conflict, old.Result.Digest, why, "the new result is "+run.Result.Digest+"; compare the two, and what was imported since")
}

// Store keeps runs as content-addressed files, found by the digest of their
// result: Dir/<result>.<file>.json, both 64 hexadecimal digits. A file appears
// whole or not at all and never changes, so that several processes may use one
// folder.
type Store struct{ Dir string }

// Save writes a run and returns its result's digest, by which Load finds it.
func (s Store) Save(r *Run) (string, error) {
	raw, err := r.Encode()
	if err != nil {
		return "", err
	}
	if err := durable.MkdirAll(s.Dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(s.Dir, strings.TrimPrefix(r.Result.Digest, "sha256:")+"."+hexSum(raw)+".json")
	if _, err := os.Stat(path); err == nil {
		return r.Result.Digest, nil
	}
	return r.Result.Digest, durable.WriteFile(path, raw, 0o600)
}

func hexSum(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Bytes returns a stored run as it was written, after checking its bytes. Of
// several runs with one result (thefts with other titles) it is the first by
// name.
func (s Store) Bytes(digest string) ([]byte, error) {
	name, ok := strings.CutPrefix(digest, "sha256:")
	if raw, err := hex.DecodeString(name); !ok || err != nil || len(raw) != sha256.Size || name != strings.ToLower(name) {
		return nil, errs.New("trace", errs.Invalid, digest, "not the digest of a trace", "write sha256: and 64 hexadecimal digits")
	}
	found, err := filepath.Glob(filepath.Join(s.Dir, name+".*.json"))
	if err != nil || len(found) == 0 {
		return nil, errs.New("trace", errs.NotExist, digest, "no such trace is stored here", "trace again")
	}
	raw, err := os.ReadFile(found[0])
	if err != nil {
		return nil, errs.Wrap("trace", found[0], err)
	}
	if hexSum(raw) != strings.TrimSuffix(strings.TrimPrefix(filepath.Base(found[0]), name+"."), ".json") {
		return nil, errs.New("trace", errs.Corrupt, found[0], "the file's bytes are not those that were written", "restore it from a backup, or delete it and trace again")
	}
	return raw, nil
}

// Load reads a stored run by its result's digest.
func (s Store) Load(digest string) (*Run, error) {
	raw, err := s.Bytes(digest)
	if err != nil {
		return nil, err
	}
	return Decode(raw)
}
