package evaluate_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"slices"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/trace"
	"bongsu/trace/evaluate"
)

func load(t *testing.T, name string) evaluate.Case {
	t.Helper()
	c, err := evaluate.Load("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The figures that were computed independently of this program.
func TestKnownFigures(t *testing.T) {
	for _, want := range []struct {
		name                             string
		arrived, attributed              string // to the cent
		bound, reachability, attribution float64
		reach                            float64
	}{
		{"txphish-2024", "19130104.55", "16071451.84", .87487, .97902, .84011, 1},
		{"lifi-2024", "8609332.90", "8538835.10", .99314, .99504, .99181, .99998},
	} {
		c := load(t, want.name)
		scores, _, err := evaluate.Run(context.Background(), c, evaluate.Options{Traffic: []int{0}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scores {
			switch s.Method {
			case trace.FIFO:
				if s.Reachability != want.reachability || *s.Attribution != want.attribution || *s.Bound != want.bound || s.Precision != 1 {
					t.Errorf("%s fifo: %+v attribution %v bound %v", want.name, s, *s.Attribution, *s.Bound)
				}
				if cents(s.Arrived) != want.arrived || cents(s.Attributed) != want.attributed {
					t.Errorf("%s: arrived %s attributed %s", want.name, s.Arrived, s.Attributed)
				}
			}
			if s.Reach != want.reach {
				t.Errorf("%s: time-ordered reach %v, want %v", want.name, s.Reach, want.reach)
			}
			if s.Reachability > s.Reach || s.Attribution != nil && *s.Attribution > *s.Bound {
				t.Errorf("%s %s: beyond its bound: %+v", want.name, s.Method, s)
			}
		}
	}
}

// cents rounds decimal text to the cent.
func cents(s string) string {
	v, err := chain.ParseDecimal(s, 6)
	if err != nil {
		return err.Error()
	}
	n, _ := v.Uint64()
	n = (n + 5_000) / 10_000
	whole := chain.Units(n).Decimal(2)
	if i := bytes.IndexByte([]byte(whole), '.'); i >= 0 && len(whole)-i == 2 {
		whole += "0"
	}
	return whole
}

func TestTraffic(t *testing.T) {
	c := load(t, "lifi-2024")
	scores, mixed, err := evaluate.Run(context.Background(), c, evaluate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := evaluate.Run(context.Background(), c, evaluate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(scores) != 10 || len(mixed) != 2 || mixed[1].Rows == nil || len(mixed[1].Rows) != 21*len(c.Rows) {
		t.Fatalf("%d scores, %d mixes, %d rows", len(scores), len(mixed), len(mixed[1].Rows))
	}
	for i, s := range scores {
		if s.Precision < 0 || s.Precision > 1 || s.Reachability > 1 || s.Precision != again[i].Precision {
			t.Errorf("%+v", s)
		}
		if s.Traffic == 0 && s.Precision != 1 {
			t.Errorf("without traffic everything is known: %+v", s)
		}
	}
	var known []evaluate.Row
	for _, r := range mixed[1].Rows {
		if r.Truth {
			known = append(known, r)
		}
	}
	if !slices.Equal(known, c.Rows) {
		t.Error("mixing changed the known rows")
	}
	var b bytes.Buffer
	if err := mixed[1].WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 1+len(mixed[1].Rows) || rows[0][7] != "x_fifo" {
		t.Fatalf("CSV: %v, %d rows, %v", err, len(rows), rows[0])
	}
	// Whoever computes the figures again from this file orders it by Block,
	// Tx_hash, row.
	if !slices.IsSortedFunc(mixed[1].Rows, func(a, b evaluate.Row) int { return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Tx, b.Tx)) }) {
		t.Error("the mixed rows are not in the order of a case's rows")
	}
}

// A file without blocks and terminals: reachability only.
func TestReachabilityOnly(t *testing.T) {
	c := load(t, "ronin-2022")
	scores, _, err := evaluate.Run(context.Background(), c, evaluate.Options{Traffic: []int{0}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scores {
		if s.Attribution != nil || s.Bound != nil || s.Reachability <= 0 || s.Reachability > 1 {
			t.Errorf("%+v", s)
		}
	}
}

func TestNotACase(t *testing.T) {
	if _, err := evaluate.Load(t.TempDir()); errs.Is(err) != errs.Invalid {
		t.Errorf("empty folder: %v", err)
	}
	if _, err := evaluate.Load("testdata/none"); err == nil {
		t.Error("no folder: no error")
	}
}
