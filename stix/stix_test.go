package stix_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"
)

const (
	author  = identity.OrgID("identity--825ee3a1-ab1d-570a-a8ce-a2332b7505bd")
	theftID = "incident--3f2b0a52-3c43-4f8e-9d0e-7c2f1a6b4e01"
	digest  = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

var now = time.Date(2026, 11, 23, 11, 0, 0, 123e6, time.UTC)

func account(t testing.TB, s string) chain.Account {
	t.Helper()
	a, err := chain.ParseAccount(s, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func eth(t testing.TB, decimal string) stix.Amount {
	t.Helper()
	info, _ := chain.NewRegistry().Info(chain.Ethereum.Native())
	a, err := chain.ParseDecimal(decimal, info.Decimals)
	if err != nil {
		t.Fatal(err)
	}
	return stix.NewAmount(info, a)
}

// The vectors of OpenCTI's ids, which others' data carries.
func TestObservableIDs(t *testing.T) {
	if got := stix.WalletID(account(t, "1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY")); got != "cryptocurrency-wallet--27fadc91-1e1c-5474-988f-07a16840be45" {
		t.Errorf("wallet id %s", got)
	}
	got, err := stix.TransactionID("BTC", "3FZbgi29cpjq2GjdwV8eyHuJJnkLtktZc5")
	if err != nil || got != "cryptocurrency-transaction--4175ade4-96dc-5ef3-9cc1-3597db264589" {
		t.Errorf("transaction id %s, %v", got, err)
	}
}

// Ids that every STIX tool gives the specification's example values.
func TestObservableIDsOfOthers(t *testing.T) {
	for want, properties := range map[string]map[string]any{
		"domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7": {"value": "example.com"},
		"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4":   {"value": "198.51.100.3"},
		"ipv6-addr--85a85a8c-ee99-5722-946d-3c3a3270fc6f":   {"value": "2001:0db8:85a3:0000:0000:8a2e:0370:7334"},
	} {
		typ, _, _ := strings.Cut(want, "--")
		if got, err := stix.ObservableID(typ, properties); err != nil || got != want {
			t.Errorf("%v: %s, %v, want %s", properties, got, err, want)
		}
	}
}

// The examples of RFC 8785, sections 3.2.2, 3.2.3 and appendix B.
func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		"{\"\u20ac\":1,\"\\r\":2,\"\ufb33\":3,\"1\":4,\"\U0001f600\":5,\"\u0080\":6,\"\u00f6\":7}":                                                                            "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"\u00f6\":7,\"\u20ac\":1,\"\U0001f600\":5,\"\ufb33\":3}",
		`[-0,1e21,1e-7,9007199254740993,5e-324,-1.7976931348623157e308]`:                                                                                                      `[0,1e+21,1e-7,9007199254740992,5e-324,-1.7976931348623157e+308]`,
		` { "b" : [ ] , "a" : { } } `: `{"a":{},"b":[]}`,
	} {
		if got, err := stix.Canonical([]byte(in)); err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", in, got, err, want)
		}
	}
	for _, in := range []string{`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, "\"\xff\"", `"\ud800"`, `[1,]`, `01`, ``} {
		if got, err := stix.Canonical([]byte(in)); errs.Is(err) != errs.Invalid {
			t.Errorf("%q became %s, %v", in, got, err)
		}
	}
}

func TestWalletSpellings(t *testing.T) {
	lower := account(t, "0x5290d6dd9f0dd3f3bb4c4dc4d0a8bf0d8a469ee7")
	upper := account(t, lower.Checksummed())
	if stix.WalletID(lower) != stix.WalletID(upper) {
		t.Error("the case of an EVM address changes the id")
	}
	ids := stix.WalletIDs(lower)
	other, err := stix.ObservableID("cryptocurrency-wallet", map[string]any{"value": lower.Checksummed()})
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != 2 || ids[0] != stix.WalletID(lower) || ids[1] != other {
		t.Errorf("aliases %v, want the checksum case's %s second", ids, other)
	}
	if n := len(stix.WalletIDs(account(t, "1KFHE7w8BhaENAswwryaoccDb6qcT6DbYY"))); n != 1 {
		t.Errorf("base58 has %d spellings", n)
	}
}

// roundTrip builds, parses and reads back a value and compares.
func roundTrip[T interface{ Object() (stix.Object, error) }](t *testing.T, v T, read func(stix.Object) (T, error), fix func(T, stix.Object) T) {
	t.Helper()
	o, err := v.Object()
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	again, err := stix.Parse(o.Raw)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	got, err := read(again)
	if err != nil {
		t.Fatalf("%T: %v", v, err)
	}
	if want := fix(v, o); !reflect.DeepEqual(got, want) {
		t.Errorf("%T:\n got %+v\nwant %+v", v, got, want)
	}
	c, err := stix.Canonical(o.Raw)
	if err != nil || !bytes.Equal(c, o.Raw) {
		t.Errorf("%T is not written canonically", v)
	}
}

func TestRoundTrips(t *testing.T) {
	c := stix.Common{Author: author, Created: now, Modified: now.Add(time.Second), Marking: stix.TLPAmber}
	evm := account(t, "0x47666fab8bd0ac7003bce3f5c3585383f09486e2")
	block := uint64(21895238)
	tr := stix.TheftTransfer{
		Chain: chain.Ethereum, Tx: "0xb61413c495fdad6114a7aa863a00b2e3c28945979a10885b12b30316ea9f072c",
		Time: chain.TimeOf(now), Block: &block, From: evm, To: evm, Kind: "native", Asset: chain.Ethereum.Native(), Amount: "401346768858404671846374",
	}
	common := func(o stix.Object) stix.Common { r := c; r.ID = o.ID; return r }
	roundTrip(t, stix.Theft{Common: c, Title: "Bybit 'hack' \\ \"2025\"", Text: "text", Amounts: []stix.Amount{eth(t, "1.5")}, Transfers: []stix.TheftTransfer{tr}},
		stix.ReadTheft, func(v stix.Theft, o stix.Object) stix.Theft { v.Common = common(o); return v })
	listing := func(v stix.Listing, o stix.Object) stix.Listing { v.Common = common(o); return v }
	roundTrip(t, stix.Listing{Common: c, Account: evm, Reason: "FBI", Since: now, Theft: theftID}, stix.ReadListing, listing)
	roundTrip(t, stix.Listing{Common: c, Domain: "o'b\\ad.example", Reason: "phishing", Since: now}, stix.ReadListing, listing)
	roundTrip(t, stix.Listing{Common: c, SHA256: digest[7:], Since: now}, stix.ReadListing, listing)
	roundTrip(t, stix.Finding{
		Common: c, Theft: theftID, Place: stix.Holding, Account: evm, Amount: eth(t, "10000"), Origin: eth(t, "9999.5"),
		Basis: stix.Observed, Provisional: true, Since: now, First: now, Last: now.Add(time.Hour), Label: "x", Trace: digest,
	}, stix.ReadFinding, func(v stix.Finding, o stix.Object) stix.Finding { v.Common = common(o); return v })
	sent := stix.Movement{
		Common: c, Theft: theftID, Event: stix.Woke, Account: evm, From: []chain.Account{evm}, Senders: 2, Amount: eth(t, "10000"),
		Origin: eth(t, "9999.5"), Tx: tr.Tx, Block: block, At: now, IdleDays: 9, Basis: stix.Inferred, Rule: "known-first", Provisional: true, Trace: digest,
	}
	turned := sent
	turned.From, turned.Senders, turned.Link, turned.Via = nil, 0, stix.LinkUnwrap, account(t, "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2")
	for _, m := range []stix.Movement{sent, turned} {
		roundTrip(t, m, stix.ReadMovement, func(v stix.Movement, o stix.Object) stix.Movement { v.Common = common(o); return v })
	}
	if stix.MovementID(sent) == stix.MovementID(turned) {
		t.Error("what was sent and what was turned into the asset have one id")
	}
	roundTrip(t, stix.Run{Common: c, Theft: theftID, Method: "fifo", Digest: digest, Ledger: "l", Labels: []string{digest}, Totals: []stix.Amount{eth(t, "1")}},
		stix.ReadRun, func(v stix.Run, o stix.Object) stix.Run { v.Common = common(o); return v })
	roundTrip(t, stix.Sighting{Common: c, Of: stix.FindingID(stix.Finding{}), At: []identity.OrgID{author}, First: now, Last: now, Count: 2},
		stix.ReadSighting, func(v stix.Sighting, o stix.Object) stix.Sighting { v.Common = common(o); return v })
	roundTrip(t, stix.Receipt{Common: c, Statement: theftID, Version: "v", Feed: "feed/x", Position: 7, State: stix.Active, At: now, CommittedAt: now, Ms: 1.25},
		stix.ReadReceipt, func(v stix.Receipt, o stix.Object) stix.Receipt { v.Common = common(o); return v })
	roundTrip(t, stix.Agreement{Common: c, Title: "t", Parties: []identity.OrgID{author}, State: "active", From: now, To: now, Document: []byte("{}")},
		stix.ReadAgreement, func(v stix.Agreement, o stix.Object) stix.Agreement { v.Common = common(o); return v })
	roundTrip(t, stix.Partner{Common: c, Org: author, Name: "n", Fingerprint: "11111 22222 33333 44444 55555 66666", Address: "127.0.0.1:1", Document: []byte("{}")},
		stix.ReadPartner, func(v stix.Partner, o stix.Object) stix.Partner { v.Common = common(o); return v })
	roundTrip(t, stix.LabelList{Common: c, Source: "s", Name: "n", Digest: digest, Count: 3, Dated: now},
		stix.ReadLabelList, func(v stix.LabelList, o stix.Object) stix.LabelList { v.Common = common(o); return v })
	roundTrip(t, stix.Erasure{Common: c, Statement: theftID, Log: "journal", Seq: 1, Commitment: digest[7:], Reason: "GDPR"},
		stix.ReadErasure, func(v stix.Erasure, o stix.Object) stix.Erasure { v.Common = common(o); return v })
	roundTrip(t, stix.Sealed{Common: c, To: []identity.OrgID{author}, Data: []byte{1, 2, 3}},
		stix.ReadSealed, func(v stix.Sealed, o stix.Object) stix.Sealed { v.Common = common(o); return v })
	roundTrip(t, stix.Note{Common: c, Text: "t", Of: []string{theftID}},
		stix.ReadNote, func(v stix.Note, o stix.Object) stix.Note { v.Common = common(o); return v })
}

func TestDeterministicIDs(t *testing.T) {
	a := account(t, "0x47666fab8bd0ac7003bce3f5c3585383f09486e2")
	f := stix.Finding{Common: stix.Common{Author: author, Modified: now}, Theft: theftID, Place: stix.Holding, Account: a, Amount: eth(t, "1"), Basis: stix.Observed}
	same := f
	same.Modified, same.Amount, same.Trace = now.Add(time.Hour), eth(t, "2"), digest
	if stix.FindingID(f) != stix.FindingID(same) {
		t.Error("a re-run changes the finding's id")
	}
	seen := map[string]string{stix.FindingID(f): "the finding"}
	for name, change := range map[string]func(*stix.Finding){
		"author":  func(f *stix.Finding) { f.Author = "identity--00000000-0000-4000-8000-000000000000" },
		"theft":   func(f *stix.Finding) { f.Theft = "incident--00000000-0000-4000-8000-000000000000" },
		"place":   func(f *stix.Finding) { f.Place = stix.Passed },
		"account": func(f *stix.Finding) { f.Account = a.On("eip155:10") },
		"asset":   func(f *stix.Finding) { f.Amount.Asset = "eip155:1/erc20:0xae7ab96520de3a18e5e111b5eaab095312d7fe84" },
	} {
		g := f
		change(&g)
		if other, ok := seen[stix.FindingID(g)]; ok {
			t.Errorf("another %s gives the id of %s", name, other)
		}
		seen[stix.FindingID(g)] = "another " + name
	}
}

func TestExposure(t *testing.T) {
	a := account(t, "0x47666fab8bd0ac7003bce3f5c3585383f09486e2")
	c := stix.Common{Author: author, Modified: now, Marking: stix.TLPGreen}
	o, err := stix.Finding{Common: c, Theft: theftID, Place: stix.Exit, Account: a, Amount: eth(t, "5"), Basis: stix.Inferred, Provisional: true, Since: now.Add(-time.Hour), Label: "Exch"}.Object()
	if err != nil {
		t.Fatal(err)
	}
	e, err := stix.ReadExposure(o)
	if err != nil {
		t.Fatal(err)
	}
	if e.Kind != stix.KindExposure || len(e.Accounts) != 1 || e.Accounts[0] != a || e.Place != stix.Exit || e.Basis != stix.Inferred ||
		!e.Provisional || e.Theft != theftID || !e.Since.Equal(now.Add(-time.Hour)) || e.Amount.Amount != "5" || e.Marking != stix.TLPGreen || e.Label != "Exch" {
		t.Errorf("exposure %+v", e)
	}
	foreign := func(pattern string) stix.Object {
		o, err := stix.Parse([]byte(fmt.Sprintf(`{"type":"indicator","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-01T00:00:00Z",
			"modified":"2020-01-01T00:00:00Z","revoked":true,"name":"n","pattern":%q,"pattern_type":"stix","valid_from":"2020-01-01T00:00:00Z"}`, pattern)))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	e, err = stix.ReadExposure(foreign("[cryptocurrency-wallet:value = '" + a.Checksummed() + "' OR domain-name:value='x.example'] OR [file:hashes.SHA-256 IN ('aa','bb')]"))
	if err != nil {
		t.Fatal(err)
	}
	want := []stix.Value{{stix.PathDomain, "x.example"}, {stix.PathSHA256, "aa"}, {stix.PathSHA256, "bb"}}
	if e.Kind != stix.KindListing || !e.Revoked || e.Reason != "n" || len(e.Accounts) != 1 || e.Accounts[0] != a || !reflect.DeepEqual(e.Values, want) {
		t.Errorf("foreign exposure %+v", e)
	}
	for _, p := range []string{
		"", "[", "[a:b = 'c'", "[a:b = 'c'] x", "[a:b != 'c']", "[a:b = 'c' AND d:e = 'f']", "[a:b = 'c'] FOLLOWEDBY [a:b = 'c']",
		"[a:b = 'c'] WITHIN 5 SECONDS", "[a:b = 'c\\n']", "[a:b = 'c", "[a = 'c']", "[a:b = 1]", "[a:b IN ()]", "[a:b LIKE 'c%']", "[a:b = 'c']OR", "[NOT a:b = 'c']",
	} {
		if _, err := stix.ReadExposure(foreign(p)); errs.Is(err) != errs.Invalid {
			t.Errorf("pattern %q: %v", p, err)
		}
	}
}

// A partner's extension must not say another account than the pattern.
func TestExposureContradiction(t *testing.T) {
	l := stix.Listing{Common: stix.Common{Author: author, Modified: now}, Account: account(t, "0x47666fab8bd0ac7003bce3f5c3585383f09486e2")}
	o, err := l.Object()
	if err != nil {
		t.Fatal(err)
	}
	bad, err := stix.Parse(bytes.Replace(o.Raw, []byte("value = '0x47666fab"), []byte("value = '0x57666fab"), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stix.ReadExposure(bad); errs.Is(err) != errs.Invalid {
		t.Errorf("contradiction: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	const good = `{"type":"note","spec_version":"2.1","id":"note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-01T00:00:00.000Z","modified":"2020-01-01T00:00:00.000Z","content":"c","object_refs":[]}`
	if _, err := stix.Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	swap := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the object", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	for name, c := range map[string]struct {
		text string
		kind errs.Kind
		why  string
	}{
		"empty":                 {"", errs.Invalid, "JSON"},
		"array":                 {"[]", errs.Invalid, "JSON"},
		"trailing":              {good + "{}", errs.Invalid, "JSON"},
		"duplicate key":         {swap(`"content"`, `"type":"note","content"`), errs.Invalid, "twice"},
		"nested duplicate key":  {swap(`"c"`, `{"a":1,"a":2}`), errs.Invalid, "twice"},
		"escaped duplicate key": {swap(`"content"`, `"typ\u0065":"note","content"`), errs.Invalid, "twice"},
		"invalid UTF-8":         {swap(`"c"`, "\"\xff\""), errs.Invalid, "UTF-8"},
		"lone surrogate":        {swap(`"c"`, `"\ud800"`), errs.Invalid, ""},
		"too deep":              {swap(`"c"`, strings.Repeat("[", stix.MaxDepth)+strings.Repeat("]", stix.MaxDepth)), errs.Limit, "nested"},
		"too long":              {good + strings.Repeat(" ", stix.MaxObject), errs.Limit, "bytes"},
		"no type":               {swap(`"type":"note"`, `"x":1`), errs.Invalid, "type"},
		"other type":            {swap(`"type":"note"`, `"type":"report"`), errs.Invalid, "id"},
		"upper case id":         {swap("note--8e2e2d2b", "note--8E2E2D2B"), errs.Invalid, "id"},
		"short id":              {swap("8e2e2d2b", "8e2e2d2"), errs.Invalid, "id"},
		"no modified":           {swap(`"modified":"2020-01-01T00:00:00.000Z",`, ""), errs.Invalid, "required"},
		"modified too early":    {swap(`"modified":"2020`, `"modified":"2019`), errs.Invalid, "before"},
		"local time":            {swap(`"modified":"2020-01-01T00:00:00.000Z"`, `"modified":"2020-01-01T00:00:00+01:00"`), errs.Invalid, "modified"},
		"marking":               {swap(`"content"`, `"object_marking_refs":["TLP:RED"],"content"`), errs.Invalid, "marking"},
		"author":                {swap(`"content"`, `"created_by_ref":"me","content"`), errs.Invalid, "created_by_ref"},
		"version":               {swap(`"2.1"`, `"3.0"`), errs.Invalid, "spec_version"},
	} {
		_, err := stix.Parse([]byte(c.text))
		if errs.Is(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.why) {
			t.Errorf("%s: %v (%v)", name, err, errs.Is(err))
		}
	}
}

func TestSchemas(t *testing.T) {
	o, err := stix.Finding{
		Common: stix.Common{Author: author, Modified: now}, Theft: theftID, Place: stix.Holding, Basis: stix.Observed,
		Account: account(t, "0x47666fab8bd0ac7003bce3f5c3585383f09486e2"), Amount: eth(t, "10000.5"),
	}.Object()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"holding"`, `"everywhere"`},
		{`"observed"`, `"guessed"`},
		{`"10000.5"`, `"10000.50"`},
		{`"10000500000000000000000"`, `"1e22"`},
		{`"provisional":false`, `"provisional":"no"`},
		{`"provisional":false`, `"provisional":false,"smuggled":1`},
		{`"property-extension"`, `"new-sdo"`},
	} {
		if !bytes.Contains(o.Raw, []byte(c[0])) {
			t.Fatalf("%s is not in %s", c[0], o.Raw)
		}
		if _, err := stix.Parse(bytes.Replace(o.Raw, []byte(c[0]), []byte(c[1]), 1)); errs.Is(err) != errs.Invalid || errs.Where(err) != o.ID {
			t.Errorf("%s for %s: %v", c[1], c[0], err)
		}
	}
	m := stix.Movement{
		Common: stix.Common{Author: author, Modified: now}, Theft: theftID, Event: stix.Moved, Basis: stix.Observed, Tx: "0x" + strings.Repeat("0d", 32),
		Account: account(t, "0x47666fab8bd0ac7003bce3f5c3585383f09486e2"), Amount: eth(t, "1"), Link: stix.LinkWrap,
	}
	if _, err := m.Object(); errs.Is(err) != errs.Invalid {
		t.Errorf("a link without a contract: %v", err)
	}
	m.Via = m.Account.On("eip155:10")
	if o, err = m.Object(); err != nil {
		t.Fatal(err)
	}
	if _, err := stix.ReadMovement(o); errs.Is(err) != errs.Invalid {
		t.Errorf("a contract on another chain: %v", err)
	}
	r, err := stix.Receipt{Common: stix.Common{Author: author, Modified: now}, Statement: theftID, Feed: "f", State: stix.Arrived, At: now}.Object()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stix.Parse(bytes.Replace(r.Raw, []byte(stix.ExtReceipt), []byte(stix.ExtRun), 1)); errs.Is(err) != errs.Invalid {
		t.Errorf("our type without its extension: %v", err)
	}
}

func TestTLP(t *testing.T) {
	order := []stix.TLP{stix.TLPNone, stix.TLPClear, stix.TLPGreen, stix.TLPAmber, stix.TLPAmberStrict, stix.TLPRed}
	for i, l := range order {
		if i > 0 && l <= order[i-1] {
			t.Errorf("%v is not above %v", l, order[i-1])
		}
		if got, err := stix.ParseTLP("tlp:" + strings.ToLower(l.String())); l != stix.TLPNone && (err != nil || got != l) {
			t.Errorf("%v reads as %v, %v", l, got, err)
		}
	}
	for id, want := range map[string]stix.TLP{
		"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": stix.TLPClear,
		"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": stix.TLPAmberStrict,
		"marking-definition--826578e1-40ad-459f-bc73-ede076f81f37": stix.TLPAmberStrict,
		"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": stix.TLPRed,
	} {
		if got, ok := stix.TLPOf(id); !ok || got != want {
			t.Errorf("%s is %v", id, got)
		}
	}
	if _, ok := stix.TLPOf("marking-definition--00000000-0000-4000-8000-000000000000"); ok {
		t.Error("an unknown marking is a TLP level")
	}
	o, err := stix.TLPRed.MarkingDefinition()
	if err != nil || !bytes.Contains(o.Raw, []byte(`"tlp_2_0":"red"`)) {
		t.Errorf("%s, %v", o.Raw, err)
	}
	// The highest of several markings counts.
	p, err := stix.Parse([]byte(`{"type":"note","id":"note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2020-01-01T00:00:00Z","modified":"2020-01-01T00:00:00Z",
		"object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed","marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]}`))
	if err != nil || p.Marking != stix.TLPRed {
		t.Errorf("marking %v, %v", p.Marking, err)
	}
}

func FuzzParse(f *testing.F) {
	o, err := stix.Receipt{Common: stix.Common{Author: author, Modified: now}, Statement: theftID, Feed: "f", State: stix.Arrived, At: now}.Object()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(o.Raw))
	l, err := stix.Listing{Common: stix.Common{Author: author, Modified: now}, Domain: "x.example", Reason: "r"}.Object()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(l.Raw))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := stix.Parse(b)
		if err != nil {
			return
		}
		c, err := stix.Canonical(o.Raw)
		if err != nil {
			return // a number beyond float64 has no canonical text
		}
		p, err := stix.Parse(c)
		if err != nil || p.ID != o.ID || p.Version() != o.Version() || p.Marking != o.Marking {
			t.Fatalf("canonical text reads otherwise: %v", err)
		}
		if e, err := stix.ReadExposure(o); err == nil && len(e.Accounts)+len(e.Values) == 0 {
			t.Fatal("an exposure of nothing")
		}
	})
}

func FuzzEqualities(f *testing.F) {
	f.Add("[a:b = 'c' OR d:e IN ('f', 'g\\'')] OR [h:i.'j' == 'k\\\\']")
	f.Fuzz(func(t *testing.T, p string) {
		if v, err := stix.Equalities(p); err == nil && len(v) == 0 {
			t.Fatal("a pattern of nothing")
		}
	})
}
