package journal_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

const (
	me   = identity.OrgID("identity--825ee3a1-ab1d-570a-a8ce-a2332b7505bd")
	them = identity.OrgID("identity--925ee3a1-ab1d-570a-a8ce-a2332b7505bd")
)

func sample() journal.Entry {
	at := time.Date(2026, 11, 23, 11, 0, 0, 123456000, time.UTC)
	return journal.Entry{
		Log: "feed/a-1", Seq: 7, Act: journal.State, ID: "note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", Type: "note",
		Version: "2026-11-23T11:00:00.000000000Z", Revoked: true, Author: me, Actor: "kim", Marking: stix.TLPAmberStrict,
		Recipients: []identity.OrgID{them}, Basis: "basis \u20ac", Purpose: "purpose", Time: at,
		Commit: journal.Commitment{1, 2, 3}, From: &journal.Source{Org: them, Log: "feed/b", Seq: 3, Time: at},
	}
}

// The envelope of one entry, byte for byte: what is signed must not change by
// accident.
func TestEnvelopeGolden(t *testing.T) {
	b, err := sample().MarshalEnvelope()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"act":"state","actor":"kim","author":"` + string(me) + `","basis":"basis ` + "\u20ac" + `","commit":"010203` + strings.Repeat("0", 58) +
		`","from":{"leaf":"` + strings.Repeat("0", 64) + `","log":"feed/b","org":"` + string(them) + `","seq":3,"time":"2026-11-23T11:00:00.123456Z"},` +
		`"id":"note--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","log":"feed/a-1","marking":"AMBER+STRICT","purpose":"purpose","recipients":["` + string(them) +
		`"],"revoked":true,"seq":7,"time":"2026-11-23T11:00:00.123456Z","type":"note","v":1,"version":"2026-11-23T11:00:00.000000000Z"}`
	if string(b) != want {
		t.Errorf("envelope\n got %s\nwant %s", b, want)
	}
	e, err := journal.ParseEnvelope(b)
	if err != nil || !reflect.DeepEqual(e, sample()) {
		t.Errorf("read back %+v, %v", e, err)
	}
}

func TestEnvelopeRefuses(t *testing.T) {
	good, err := sample().MarshalEnvelope()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{`"v":1`, `"v":2`},
		{`"v":1`, `"v":1.0`},
		{`{`, `{ `},
		{`"seq":7`, `"seq":-7`},
		{`"seq":7`, `"seq":9007199254740993`},
		{`"act":"state"`, `"act":"delete"`},
		{`"act":"state",`, ``},
		{`"act":"state"`, `"act":"state","act":"state"`},
		{`"act":"state"`, `"aCt":"state"`},
		{`"actor":"kim"`, `"actor":"kim","admin":true`},
		{`"actor":"kim"`, `"actor":""`},
		{`"actor":"kim"`, `"actor":"k\u0069m"`},
		{`"actor":"kim"`, `"actor":"` + strings.Repeat("k", journal.MaxText+1) + `"`},
		{`"actor":"kim"`, `"actor":"` + strings.Repeat("k", journal.MaxEnvelope) + `"`},
		{`"type":"note"`, `"type":"report"`},
		{`"AMBER+STRICT"`, `"amber+strict"`},
		{`"AMBER+STRICT"`, `""`},
		{`"010203`, `"01020`},
		{`"log":"feed/a-1"`, `"log":"../x"`},
		{`.123456Z","type"`, `.1234560Z","type"`},
		{`.123456Z","type"`, `.123456+00:00","type"`},
		{`.000000000Z"`, `Z"`},
		{`["` + string(them) + `"]`, `[]`},
		{`["` + string(them) + `"]`, `["them"]`},
		{`"author":"` + string(me) + `"`, `"author":"me"`},
		{`"revoked":true`, `"revoked":false`},
	} {
		if !bytes.Contains(good, []byte(c[0])) {
			t.Fatalf("%q is not in %s", c[0], good)
		}
		bad := bytes.Replace(good, []byte(c[0]), []byte(c[1]), 1)
		if _, err := journal.ParseEnvelope(bad); errs.Is(err) != errs.Invalid && errs.Is(err) != errs.Limit {
			t.Errorf("%.60s for %s: %v", c[1], c[0], err)
		}
	}
}

func FuzzParseEnvelope(f *testing.F) {
	b, err := sample().MarshalEnvelope()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := journal.ParseEnvelope(b)
		if err != nil {
			return
		}
		again, err := e.MarshalEnvelope()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q was read, and is written as %q, %v", b, again, err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"kind":"bongsu statements with proofs","v":1,"statements":[{"payload":"{}","salt":"AAAA","stated":{"organisation":"x","envelope":{},"proof":["AA=="],"checkpoint":"x"}}],"organisations":[{}]}` + "\n"))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Nothing that was not signed verifies, so nothing a fuzzer makes does.
		if v, err := journal.Verify(b, journal.VerifyOptions{}); err == nil {
			t.Fatalf("verified %+v", v)
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	f.Add([]byte(string(me) + "/journal\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-11-23T11:00:00.000000Z\n\n\u2014 x AAAA\n"))
	keys, err := identity.Create(f.TempDir(), "Agency", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		f.Fatal(err)
	}
	org := keys.Org()
	f.Add([]byte(string(org.ID) + "/journal\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\ntime 2026-11-23T11:00:00.000000Z\n\n\u2014 " + string(org.ID) + "/journal AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if cp, err := journal.OpenCheckpoint(org, "journal", b); err == nil || errs.Is(err) != errs.Forged {
			t.Fatalf("opened %+v, %v", cp, err)
		}
	})
}
