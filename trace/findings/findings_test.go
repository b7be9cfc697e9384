package findings_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/labels"
	"bongsu/ledger/model"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"
	"bongsu/trace/links"
)

const (
	theftID = "incident--7d6e4c3a-0f0b-4d8e-9a55-0d9d1f2b3c4d"
	author  = "identity--11111111-2222-4333-8444-555555555555"
)

func acct(n byte) chain.Account { return chain.EVM(chain.Ethereum, [20]byte{n, 19: n}) }

// move is a transfer of whole ETH in a block of its own.
func move(block uint64, from, to byte, eth uint64) chain.Transfer {
	tx, _ := chain.NewTxID(append(make([]byte, 31), byte(block)))
	wei, _ := chain.Units(eth).MulDiv(chain.Units(1_000_000_000_000_000_000), chain.Units(1))
	return chain.Transfer{
		Chain: chain.Ethereum, Time: chain.Time(1_700_000_000_000 + block*12_000), Block: block, Index: 1, Tx: tx, Kind: chain.KindNative,
		Ordinal: chain.NoOrdinal, From: acct(from), To: acct(to), Asset: chain.Ethereum.Native(), Amount: wei,
	}
}

func run(t *testing.T, set *labels.Set, transfers ...chain.Transfer) *trace.Run {
	t.Helper()
	r, err := model.Of(transfers...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := trace.Follow(context.Background(), r, set, trace.Request{Thefts: []trace.Theft{{ID: theftID, Transfers: transfers[:1]}}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func drafts(t *testing.T, at time.Time, r *trace.Run, previous ...stix.Object) (all []journal.Draft, byAccount map[string]stix.Finding) {
	t.Helper()
	all, err := findings.Drafts(stix.Common{Author: author, Modified: at, Marking: stix.TLPGreen}, r, nil, said(t, previous), nil)
	if err != nil {
		t.Fatal(err)
	}
	byAccount = map[string]stix.Finding{}
	for _, d := range all {
		if f, err := stix.ReadFinding(d.Object); err == nil {
			byAccount[f.Account.Address()[:4]+" "+string(f.Place)] = f
		}
	}
	return all, byAccount
}

// said is what previous objects say, the newest version of each.
func said(t *testing.T, previous []stix.Object) findings.Said {
	t.Helper()
	newest := map[string]stix.Object{}
	out := findings.Said{Statements: map[string]findings.Version{}}
	for _, o := range previous {
		v := findings.Version{Created: o.Created, Modified: o.Modified, Revoked: o.Revoked}
		if f, err := stix.ReadFinding(o); err == nil {
			v.Says = f.Says()
		} else if m, err := stix.ReadMovement(o); err == nil {
			v.Says = m.Says()
		} else {
			continue
		}
		if old, ok := newest[o.ID]; !ok || o.Version() > old.Version() {
			newest[o.ID], out.Statements[o.ID] = o, v
		}
	}
	out.Get = func(id string) (stix.Object, error) {
		if o, ok := newest[id]; ok {
			return o, nil
		}
		return stix.Object{}, errs.New("test", errs.NotExist, id, "", "")
	}
	return out
}

func objects(ds []journal.Draft) (out []stix.Object) {
	for _, d := range ds {
		out = append(out, d.Object)
	}
	return out
}

// A finding moves with the money: what held before is revoked, what holds now
// is stated, what did not change is left alone.
func TestFindingsFollowTheMoney(t *testing.T) {
	day := time.Date(2025, 2, 21, 15, 0, 0, 0, time.UTC)
	first := run(t, nil, move(1, 9, 1, 100), move(2, 1, 2, 60))
	before, was := drafts(t, day, first)
	if len(was) != 2 || was["0x01 holding"].Amount.Amount != "40" || was["0x02 holding"].Amount.Amount != "60" {
		t.Fatalf("first run: %+v", was)
	}
	if f := was["0x02 holding"]; f.Basis != stix.Observed || f.Provisional || f.Theft != theftID || f.Trace != first.Result.Digest {
		t.Errorf("finding: %+v", f)
	}
	second := run(t, nil, move(1, 9, 1, 100), move(2, 1, 2, 60), move(3, 2, 3, 60))
	_, now := drafts(t, day.Add(time.Hour), second, objects(before)...)
	if len(now) != 3 {
		t.Fatalf("second run: %+v", now)
	}
	if f := now["0x02 holding"]; !f.Revoked || f.ID != was["0x02 holding"].ID || !f.Modified.After(was["0x02 holding"].Modified) {
		t.Errorf("the old holding is not revoked: %+v", f)
	}
	if f := now["0x02 passed"]; f.Revoked || f.Amount.Amount != "60" {
		t.Errorf("not said to have passed through: %+v", f)
	}
	if f := now["0x03 holding"]; f.Amount.Amount != "60" {
		t.Errorf("new holding: %+v", f)
	}
}

// The same run states nothing new but the run itself.
func TestUnchangedIsNotRestated(t *testing.T) {
	day := time.Date(2025, 2, 21, 15, 0, 0, 0, time.UTC)
	r := run(t, nil, move(1, 9, 1, 100), move(2, 1, 2, 60))
	before, _ := drafts(t, day, r)
	_, now := drafts(t, day.Add(time.Hour), r, objects(before)...)
	if len(now) != 0 {
		t.Fatalf("restated: %+v", now)
	}
}

// What an account wraps and what it is sent of the token in the same
// transaction are two movements: nobody sent the first.
func TestWrapBesideArrival(t *testing.T) {
	weth := links.AllWrapped()[0]
	wrap := func(block uint64, by byte, eth uint64) chain.Transfer {
		x := move(block, by, 0, eth)
		x.To = weth.Contract
		return x
	}
	send := move(4, 1, 2, 10)
	send.Kind, send.Asset, send.Ordinal = chain.KindToken, weth.Token(), 5
	before := []chain.Transfer{move(1, 9, 1, 100), wrap(2, 1, 40), move(3, 1, 2, 30)}
	was, is := run(t, nil, before...), run(t, nil, append(before, wrap(4, 2, 30), send)...)
	all, err := findings.Drafts(stix.Common{Author: author, Modified: time.Unix(1_800_000_000, 0), Marking: stix.TLPGreen}, is, was, said(t, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, d := range all {
		if m, err := stix.ReadMovement(d.Object); err == nil {
			got[m.ID] = fmt.Sprintf("%s %s %s %q from %d at %s", m.Event, m.Amount.Amount, m.Amount.Symbol, m.Link, m.Senders, m.Account.Address()[:4])
		}
	}
	want := []string{`moved 10 WETH "" from 1 at 0x02`, `moved 30 WETH "wrap" from 0 at 0x02`}
	if lines := slices.Sorted(maps.Values(got)); !slices.Equal(lines, want) {
		t.Errorf("movements %q, want %q", lines, want)
	}
}

// A revoked finding that comes back is stated anew under its id.
func TestFindingComesBack(t *testing.T) {
	day := time.Date(2025, 2, 21, 15, 0, 0, 0, time.UTC)
	holding := run(t, nil, move(1, 9, 1, 100))
	gone := run(t, nil, move(1, 9, 1, 100), move(2, 1, 2, 100))
	a, was := drafts(t, day, holding)
	b, revoked := drafts(t, day, gone, objects(a)...)
	if !revoked["0x01 holding"].Revoked {
		t.Fatal("not revoked")
	}
	_, again := drafts(t, day, holding, objects(b)...)
	f := again["0x01 holding"]
	if f.Revoked || f.ID != was["0x01 holding"].ID || !f.Modified.After(revoked["0x01 holding"].Modified) || f.Created != was["0x01 holding"].Created {
		t.Fatalf("not stated anew: %+v", f)
	}
}

func TestExitsAndIncomplete(t *testing.T) {
	set := labels.NewSet([]labels.Label{{Account: acct(5), Label: "Exchange X", Category: "exchange", Source: "s", Score: 50}})
	r := run(t, set, move(1, 9, 1, 100), move(2, 1, 5, 30), move(3, 1, 2, 200))
	_, fs := drafts(t, time.Unix(1_800_000_000, 0), r)
	if f := fs["0x05 exit"]; f.Label != "Exchange X" || f.Category != "exchange" || f.Amount.Amount != "30" || f.First.IsZero() {
		t.Errorf("exit: %+v", f)
	}
	if f := fs["0x01 incomplete"]; f.Amount.Amount != "130" || f.Basis != stix.Inferred {
		t.Errorf("incomplete: %+v", f)
	}
	if f := fs["0x02 holding"]; f.Amount.Amount != "70" || f.Basis != stix.Inferred || f.Rule != string(trace.RuleKnownFirst) {
		t.Errorf("inferred holding: %+v", f)
	}
}

func TestTheftAndBack(t *testing.T) {
	tr := move(1, 9, 1, 100)
	o, err := findings.Incident(stix.Common{Author: author, Modified: time.Unix(1_800_000_000, 0), ID: theftID}, trace.Theft{Title: "T", Transfers: []chain.Transfer{tr}}, chain.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	back, err := findings.Theft(o)
	if err != nil {
		t.Fatal(err)
	}
	if back.ID != theftID || back.Title != "T" || len(back.Transfers) != 1 || !back.Transfers[0].SameMovement(tr) || back.Transfers[0].Block != 1 {
		t.Fatalf("read back: %+v", back)
	}
	if len(back.Amounts) != 1 || back.Amounts[0].Amount != tr.Amount {
		t.Fatalf("amounts: %+v", back.Amounts)
	}
}

func TestFires(t *testing.T) {
	set := labels.NewSet([]labels.Label{
		{Account: acct(5), Label: "Exchange X", Category: "exchange", Source: "s", Score: 50},
		{Account: acct(6), Label: "Mixer Y", Category: "mixing_service", Source: "s", Score: 50},
	})
	fresh := move(3, 0, 0, 0).Time
	later := fresh + chain.Time((40*24*time.Hour)/time.Millisecond)
	for _, c := range []struct {
		name string
		run  *trace.Run
		at   chain.Time
		want int
	}{
		{"not traced", nil, fresh, findings.FiresStated},
		{"not moved", run(t, set, move(1, 9, 1, 100)), fresh, findings.FiresStated},
		{"moving", run(t, set, move(1, 9, 1, 100), move(2, 1, 2, 1)), fresh, findings.FiresMoving},
		{"long ago", run(t, set, move(1, 9, 1, 100), move(2, 1, 2, 1)), later, findings.FiresQuiet},
		{"in a mixer", run(t, set, move(1, 9, 1, 100), move(2, 1, 6, 1)), fresh, findings.FiresService},
		{"at an exchange", run(t, set, move(1, 9, 1, 100), move(2, 1, 5, 1)), fresh, findings.FiresCashing},
		{"at an exchange two days ago", run(t, set, move(1, 9, 1, 100), move(2, 1, 5, 1)), fresh + 2*24*3600*1000, findings.FiresService},
	} {
		if got := findings.Fires(c.run, theftID, c.at); got != c.want {
			t.Errorf("%s: %d fires, want %d", c.name, got, c.want)
		}
	}
}

// The bundle parses object by object, refers only to what is in it, its
// author, markings and extensions included, and is the same each time.
func TestBundle(t *testing.T) {
	r := run(t, nil, move(1, 9, 1, 100), move(2, 1, 2, 60), move(3, 2, 3, 20))
	c := stix.Common{Author: author, Modified: time.Unix(1_800_000_000, 0), Marking: stix.TLPAmber}
	var a, b bytes.Buffer
	incident, err := findings.Incident(stix.Common{Author: author, Created: c.Modified, Modified: c.Modified, Marking: stix.TLPGreen}, r.Request.Thefts[0], chain.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	incident.Marking = stix.TLPGreen
	stated := []stix.Object{incident}
	if err := errors.Join(findings.WriteBundle(&a, c, "Agency", stated, r), findings.WriteBundle(&b, c, "Agency", stated, r)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two exports differ")
	}
	var w struct {
		Type    string            `json:"type"`
		Objects []json.RawMessage `json:"objects"`
	}
	if err := json.Unmarshal(a.Bytes(), &w); err != nil {
		t.Fatal(err)
	}
	count, ids := map[string]int{}, map[string]bool{}
	for _, raw := range w.Objects {
		o, err := stix.Parse(raw)
		if err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		if ids[o.ID] {
			t.Errorf("twice: %s", o.ID)
		}
		ids[o.ID] = true
		count[o.Type]++
	}
	want := map[string]int{"marking-definition": 3, "identity": 2, "incident": 1, "extension-definition": 3, "indicator": 3, "cryptocurrency-wallet": 4, "cryptocurrency-transaction": 3, "observed-data": 3, "relationship": 3}
	if w.Type != "bundle" || !maps.Equal(count, want) {
		t.Errorf("%v, want %v", count, want)
	}
	for _, raw := range w.Objects {
		var refs struct {
			Source string   `json:"source_ref"`
			Target string   `json:"target_ref"`
			Author string   `json:"created_by_ref"`
			Of     []string `json:"object_refs"`
			Marks  []string `json:"object_marking_refs"`
		}
		if err := json.Unmarshal(raw, &refs); err != nil {
			t.Fatal(err)
		}
		for _, ref := range append(slices.Concat(refs.Of, refs.Marks), refs.Source, refs.Target, refs.Author) {
			if ref != "" && !ids[ref] {
				t.Errorf("refers to %s, which is not in the bundle", ref)
			}
		}
	}
}

// Two transfers of one transaction that differ in their place alone are two.
func TestBundleOfEqualTransfers(t *testing.T) {
	first := move(2, 1, 2, 20)
	first.Kind, first.Ordinal = chain.KindInternal, 1
	second := first
	second.Ordinal, second.Nth = 2, 1
	r := run(t, nil, move(1, 9, 1, 100), first, second)
	var out bytes.Buffer
	if err := findings.WriteBundle(&out, stix.Common{Author: author, Modified: time.Unix(1_800_000_000, 0), Marking: stix.TLPAmber}, "Agency", nil, r); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out.Bytes(), []byte(`"type":"relationship"`)); n != 3 {
		t.Errorf("%d relationships: the theft and two transfers are three", n)
	}
}
