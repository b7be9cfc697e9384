package ethereum

import (
	"context"
	"slices"
	"testing"

	"bongsu/ingest/follow"
	"bongsu/ingest/follow/inmemory"
	"bongsu/ledger"
)

// TestAssetsOfABlockThrownAway: what a token's contract said goes with every block
// until the ledger holds it, for a block that was fetched may never be applied.
func TestAssetsOfABlockThrownAway(t *testing.T) {
	s := newServer(t)
	s.chain.grow()
	s.chain.grow(rich()...)
	var l inmemory.Ledger
	c := config(s, &l)
	n, err := dial(t.Context(), &c)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	c.Event = func(follow.Event) {}
	n.begin(&c)
	ref, err := n.ByNumber(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	block := func() (*ledger.LiveBlock, []string) {
		t.Helper()
		b, err := n.Block(context.Background(), ref)
		if err != nil {
			t.Fatal(err)
		}
		var symbols []string
		for _, a := range b.Facts.Assets {
			symbols = append(symbols, a.Symbol)
		}
		return b, symbols
	}
	want := []string{"PEER", "OLD"}
	if _, got := block(); !slices.Equal(got, want) {
		t.Fatalf("first: %q, want %q", got, want)
	}
	b, got := block()
	if !slices.Equal(got, want) {
		t.Fatalf("once more, for the ledger holds nothing of them: %q, want %q", got, want)
	}
	if _, err := l.ApplyBlock(t.Context(), *b); err != nil {
		t.Fatal(err)
	}
	if _, got := block(); len(got) != 0 {
		t.Fatalf("the ledger holds them, told again: %q", got)
	}
}
