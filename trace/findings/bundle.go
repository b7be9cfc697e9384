package findings

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/stix"
	"bongsu/trace"

	"github.com/google/uuid"
)

// extTransaction is the community's extension that makes a
// cryptocurrency-transaction an observable.
const extTransaction = "extension-definition--151d042d-4dcf-5e44-843f-1024440318e5"

// exported is the name space of the bundle's deterministic ids.
var exported = uuid.MustParse("6f2c3b1e-5a0d-5c1f-9a64-0b8f5d7e2a11")

// WriteBundle writes a run as a STIX 2.1 bundle for others' tools: the markings,
// who says so (the author c, called name), what was stated of the thefts (their
// incidents), the definitions of the extensions in use, the findings as indicators, every account as a wallet, every transaction that
// carried stolen money, an observed-data for each with where it comes from, and
// a relationship between the wallets, because not every tool knows
// transactions. The same arguments give the same bytes.
func WriteBundle(w io.Writer, c stix.Common, name string, stated []stix.Object, run *trace.Run) error {
	b := bundle{c: c, run: run, seen: map[string]bool{}, alike: map[string]int{}}
	if b.c.Marking == stix.TLPNone {
		b.c.Marking = stix.DefaultTLP
	}
	if err := b.head(name, stated); err != nil {
		return err
	}
	for _, f := range All(run) {
		f.Common = b.c
		if err := b.add(f.Object()); err != nil {
			return errs.Wrap("export", f.Account.String(), err)
		}
	}
	for _, e := range run.Timeline() {
		if err := b.event(&e); err != nil {
			return errs.Wrap("export", e.Tx, err)
		}
	}
	if err := b.definitions(); err != nil {
		return err
	}
	out := map[string]any{"type": "bundle", "id": "bundle--" + b.id(run.Result.Digest), "objects": b.objects}
	data, err := json.Marshal(out)
	if err != nil {
		return errs.Wrap("export", "bundle", err)
	}
	_, err = w.Write(append(data, '\n'))
	return errs.Wrap("export", "bundle", err)
}

type bundle struct {
	c       stix.Common
	run     *trace.Run
	objects []json.RawMessage
	seen    map[string]bool
	alike   map[string]int // how many events there were that differ in nothing
}

// head writes what the rest refers to: markings, author, incidents.
func (b *bundle) head(name string, stated []stix.Object) error {
	markings := []stix.TLP{b.c.Marking, stix.TLPClear} // the definitions of extensions are clear
	for _, o := range stated {
		if o.Marking != stix.TLPNone {
			markings = append(markings, o.Marking)
		}
	}
	for _, m := range markings {
		if err := b.add(m.MarkingDefinition()); err != nil {
			return err
		}
	}
	if b.c.Author != "" {
		who := stix.Organisation{Common: b.c, Name: name}
		who.ID, who.Author = string(b.c.Author), ""
		if err := b.add(who.Object()); err != nil {
			return err
		}
	}
	for _, o := range stated {
		if err := b.add(o, nil); err != nil {
			return err
		}
	}
	return nil
}

// definitions writes the definitions of those extensions of ours that some
// object has.
func (b *bundle) definitions() error {
	all, err := stix.ExtensionDefinitions()
	if err != nil {
		return err
	}
	text := bytes.Join(rawBytes(b.objects), nil)
	for i, o := range all {
		if i == 0 || bytes.Contains(text, []byte(o.ID)) { // the first is their author
			if err := b.add(o, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func rawBytes(objects []json.RawMessage) [][]byte {
	out := make([][]byte, len(objects))
	for i, o := range objects {
		out[i] = o
	}
	return out
}

func (b *bundle) id(parts ...string) string {
	text := string(b.c.Author)
	for _, p := range parts {
		text += "\x00" + p
	}
	return uuid.NewSHA1(exported, []byte(text)).String()
}

// add appends an object once.
func (b *bundle) add(o stix.Object, err error) error {
	if err != nil {
		return err
	}
	if !b.seen[o.ID] {
		b.seen[o.ID] = true
		b.objects = append(b.objects, json.RawMessage(slices.Clone(o.Raw)))
	}
	return nil
}

// parsed appends an object given by its members, validated like one from
// outside.
func (b *bundle) parsed(m map[string]any) error {
	m["spec_version"] = "2.1"
	m["object_marking_refs"] = []string{b.c.Marking.MarkingID()}
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if raw, err = stix.Canonical(raw); err != nil {
		return err
	}
	return b.add(stix.Parse(raw))
}

// event writes one transfer of stolen money.
func (b *bundle) event(e *trace.Event) error {
	refs := []string{}
	for _, a := range []chain.Account{e.From, e.To} {
		if a.IsZero() {
			continue
		}
		if err := b.add(stix.Wallet{Account: a, Marking: b.c.Marking}.Object()); err != nil {
			return err
		}
		if id := stix.WalletID(a); !slices.Contains(refs, id) {
			refs = append(refs, id)
		}
	}
	if e.Tx != "" {
		id, err := b.transaction(e)
		if err != nil {
			return err
		}
		refs = append(refs, id)
	}
	at := stix.FormatTime(b.c.Modified) // seen when it was traced, if nobody dates the block
	if e.Time != 0 {
		at = stix.FormatTime(e.Time.Std())
	}
	key := []string{e.Theft, e.Tx, e.From.String(), e.To.String(), string(e.Asset), e.Base.Base(), string(e.Basis)}
	text := strings.Join(key, "\x00")
	if n := b.alike[text]; n > 0 {
		key = append(key, strconv.Itoa(n+1))
	}
	b.alike[text]++
	observed := map[string]any{
		"type": "observed-data", "id": "observed-data--" + b.id(append([]string{"observed"}, key...)...),
		"created": stix.FormatTime(b.c.Modified), "modified": stix.FormatTime(b.c.Modified),
		"first_observed": at, "last_observed": at, "number_observed": 1, "object_refs": refs,
		"external_references": []any{map[string]any{
			"source_name": "ledger",
			"description": basisOf(e) + " in block " + strconv.FormatUint(e.Block, 10) + "; trace " + b.run.Result.Digest,
		}},
	}
	b.author(observed)
	if err := b.parsed(observed); err != nil {
		return err
	}
	if e.From.IsZero() || e.To.IsZero() || e.Link != trace.LinkNone {
		return nil
	}
	sent := map[string]any{
		"type": "relationship", "id": "relationship--" + b.id(append([]string{"sent"}, key...)...),
		"created": stix.FormatTime(b.c.Modified), "modified": stix.FormatTime(b.c.Modified), "relationship_type": "related-to",
		"source_ref": stix.WalletID(e.From), "target_ref": stix.WalletID(e.To), "start_time": at,
		"description": e.Amount.Amount + " " + e.Symbol + " of stolen money, " + string(e.Basis) + ", transaction " + e.Tx,
	}
	b.author(sent)
	return b.parsed(sent)
}

// basisOf says what an event rests on.
func basisOf(e *trace.Event) string {
	if e.Link == trace.LinkNone {
		return string(e.Basis)
	}
	return string(e.Basis) + ", turned into " + e.Symbol + " by the rule " + string(e.Link)
}

func (b *bundle) author(m map[string]any) {
	if b.c.Author != "" {
		m["created_by_ref"] = string(b.c.Author)
	}
}

// transaction writes a transaction with the exact amount of stolen money that
// it carried; the community's own amounts are floating point and are left out.
func (b *bundle) transaction(e *trace.Event) (string, error) {
	symbol := e.Symbol
	if symbol == "" {
		symbol = string(e.Asset)
	}
	id, err := stix.TransactionID(symbol, e.Tx)
	if err != nil {
		return "", err
	}
	object := map[string]any{
		"type": "cryptocurrency-transaction", "id": id, "symbol": symbol, "value": e.Tx,
		"extensions": map[string]any{extTransaction: map[string]any{"extension_type": "new-sco"}},
	}
	if e.Time != 0 {
		object["execution_time"] = stix.FormatTime(e.Time.Std())
	}
	return id, b.parsed(object)
}
