package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bongsu/chain"
	"bongsu/data"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/stix"
	"bongsu/trace"
)

// demoDoc is the document of `demo --headless --json`.
type demoDoc struct {
	Theft struct {
		ID      string         `json:"id"`
		Title   string         `json:"title"`
		Amounts []trace.Amount `json:"amounts"`
	} `json:"theft"`
	Trace      trace.Result    `json:"trace"`
	Statements int             `json:"statements"`
	Withheld   int             `json:"withheld"`
	Share      demoShare       `json:"share"`
	Screening  []demoScreening `json:"screening"`
	Sighting   struct {
		Returned bool   `json:"returned"`
		Verified bool   `json:"verified"`
		ID       string `json:"id"`
	} `json:"sighting"`
	FBI struct {
		List              int      `json:"list"`
		HoldingsListed    int      `json:"holdings_listed"`
		HoldingsNotListed []string `json:"holdings_not_listed"`
	} `json:"fbi"`
	Journal struct {
		Entries    uint64 `json:"entries"`
		Checkpoint string `json:"checkpoint"`
		Verified   bool   `json:"verified"`
	} `json:"journal"`
}

type demoShare struct {
	Delivered int            `json:"delivered"`
	Singly    int            `json:"singly"`
	P50       float64        `json:"p50_ms"`
	P99       float64        `json:"p99_ms"`
	Receipts  map[string]int `json:"receipts"`
}

type demoScreening struct {
	Value   string            `json:"value"`
	Before  string            `json:"before"`
	After   string            `json:"after"`
	Reasons []json.RawMessage `json:"reasons"`
}

// screened is one result of POST /api/v1/screen.
type screened struct {
	Value   string            `json:"value"`
	Verdict string            `json:"verdict"`
	Reasons []json.RawMessage `json:"reasons"`
}

func (d *demo) screen(values ...string) ([]screened, error) {
	var got struct{ Results []screened }
	err := d.exchange.post(d.a.ctx, "/api/v1/screen", map[string]any{"values": values}, &got)
	if err == nil && len(got.Results) != len(values) {
		err = errs.New("screen", errs.Internal, "", "not one result for each value", "")
	}
	return got.Results, err
}

// demoFanOut is the first of the forty accounts that received 10,000 ETH.
const demoFanOut = "0x36ed3c0213565530c35115d93a80f9c04d94e4cb"

func (d *demo) screenBefore() (err error) {
	d.before, err = d.screen(demoFanOut)
	return err
}

// follow traces the theft, which states the findings, and notes down what only
// the agency may know.
func (d *demo) follow() error {
	if err := d.agency.run(&d.doc.Trace, "trace", d.theft); err != nil {
		return err
	}
	now := d.a.now()
	note, err := stix.Note{
		Common: stix.Common{Author: identity.OrgID(d.agency.ID), Created: now, Modified: now, Marking: stix.TLPRed},
		Text:   "Line of inquiry of the investigating team, not to leave the agency.", Of: []string{d.theft},
	}.Object()
	if err != nil {
		return err
	}
	var done struct{ Statements []struct{ ID string } }
	return d.agency.post(d.a.ctx, "/api/v1/statements", map[string]any{"objects": []any{note.Raw}}, &done)
}

type demoStatus struct {
	Shared, Withheld, Unanswered int
	Receipts                     map[string]int
	Fault                        string
}

func (d *demo) status() (demoStatus, error) {
	var got struct{ Partners []demoStatus }
	if err := d.agency.run(&got, "share", "status"); err != nil {
		return demoStatus{}, err
	}
	if len(got.Partners) != 1 {
		return demoStatus{}, errs.New("demo", errs.Internal, "share status", fmt.Sprintf("%d partners instead of one", len(got.Partners)), "")
	}
	return got.Partners[0], nil
}

// await waits until the exchange confirmed every statement on its feed.
func (d *demo) await() error {
	return poll(d.a.ctx, 30*time.Second, func() (bool, error) {
		st, err := d.status()
		if err == nil && st.Fault != "" {
			err = errs.New("share", errs.Unavailable, d.exchange.Name, st.Fault, "")
		}
		d.doc.Statements, d.doc.Withheld = st.Shared+st.Withheld, st.Withheld
		return st.Shared > 0 && st.Unanswered == 0, err
	})
}

func (d *demo) screenAfter() error {
	var after []screened
	err := poll(d.a.ctx, 10*time.Second, func() (bool, error) {
		var err error
		after, err = d.screen(demoFanOut)
		return err == nil && after[0].Verdict == "block", err
	})
	for i, s := range after {
		d.doc.Screening = append(d.doc.Screening, demoScreening{s.Value, d.before[i].Verdict, s.Verdict, s.Reasons})
	}
	return err
}

// sight has the exchange say that it saw the account, and the agency prove
// that it did.
func (d *demo) sight() error {
	var reason struct{ Statement string }
	if err := json.Unmarshal(d.doc.Screening[0].Reasons[0], &reason); err != nil {
		return err
	}
	now := d.a.now()
	org := identity.OrgID(d.exchange.ID)
	o, err := stix.Sighting{
		Common: stix.Common{Author: org, Created: now, Modified: now, Marking: stix.TLPAmber},
		Of:     reason.Statement, At: []identity.OrgID{org}, First: now, Last: now, Count: 1,
		Text: "Deposit from " + demoFanOut + " stopped.",
	}.Object()
	if err != nil {
		return err
	}
	var done struct{ Statements []struct{ ID string } }
	if err := d.exchange.post(d.a.ctx, "/api/v1/statements", map[string]any{"objects": []any{o.Raw}}, &done); err != nil {
		return err
	}
	d.doc.Sighting.ID = o.ID
	file := filepath.Join(d.root, "sighting.json")
	err = poll(d.a.ctx, 20*time.Second, func() (bool, error) {
		err := d.agency.run(nil, "journal", "export", o.ID, "--out", file)
		if errs.Is(err) == errs.NotExist {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	d.doc.Sighting.Returned = true
	var proof struct {
		Statements []struct{ Author, Fingerprint string }
	}
	if err := d.agency.run(&proof, "verify", file, "--fingerprint", d.exchange.Fingerprint); err != nil {
		return err
	}
	d.doc.Sighting.Verified = len(proof.Statements) == 1 && proof.Statements[0].Author == d.exchange.ID
	return os.Remove(file)
}

// singly sends listings of different accounts one by one, each timed from its
// commit at the agency until the exchange's verdict on that account changed.
func (d *demo) singly(n int) error {
	times := make([]time.Duration, n)
	for i := range times {
		took, err := d.one(i)
		if err != nil {
			return errs.Wrap("demo", fmt.Sprintf("listing %d", i+1), err)
		}
		times[i] = took
	}
	slices.Sort(times)
	d.doc.Share.Singly = n
	d.doc.Share.P50, d.doc.Share.P99 = ms(times[n/2]), ms(times[min(n-1, n*99/100)])
	return poll(d.a.ctx, 30*time.Second, func() (bool, error) {
		st, err := d.status()
		d.doc.Share.Delivered, d.doc.Share.Receipts = st.Receipts["arrived"], st.Receipts
		return st.Unanswered == 0 && st.Receipts["acted"] > 0, err
	})
}

// one lists an account of its own, made from its number: no one's address.
func (d *demo) one(i int) (time.Duration, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "bongsu demo listing %d of %s", i, d.theft))
	value := chain.EVM(chain.Ethereum, [20]byte(sum[:20])).Address()
	var done struct {
		Statements []struct {
			ID        string
			Committed time.Time
		}
	}
	list := map[string]any{"list": map[string]string{"value": value, "reason": "made-up account of the demo, for measuring", "marking": "green"}}
	if err := d.agency.post(d.a.ctx, "/api/v1/statements", list, &done); err != nil {
		return 0, err
	}
	if len(done.Statements) != 1 {
		return 0, errors.New("not one statement")
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		got, err := d.screen(value)
		if err != nil {
			return 0, err
		}
		if got[0].Verdict == "block" {
			return time.Since(done.Statements[0].Committed), nil
		}
		if time.Now().After(deadline) {
			return 0, errs.New("share", errs.Unavailable, done.Statements[0].ID, "its verdict did not change within 20 s", "")
		}
	}
}

// compare holds the holdings against the FBI's public list, which no node has.
func (d *demo) compare() error {
	b, err := data.Files.ReadFile("bybit-2025/fbi-51.txt")
	if err != nil {
		return err
	}
	listed := map[chain.Account]bool{}
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		acct, err := chain.ParseAccount(s.Text(), chain.Ethereum)
		if err != nil {
			return err
		}
		listed[acct] = true
	}
	d.doc.FBI.List = len(listed)
	d.doc.FBI.HoldingsNotListed = []string{}
	for _, h := range d.doc.Trace.Holdings {
		if listed[h.Account] {
			d.doc.FBI.HoldingsListed++
		} else {
			d.doc.FBI.HoldingsNotListed = append(d.doc.FBI.HoldingsNotListed, h.Account.String())
		}
	}
	return nil
}

func (d *demo) check() error {
	if err := d.exchange.run(nil, "journal", "check"); err != nil {
		return err
	}
	return d.agency.run(&d.doc.Journal, "journal", "check")
}
