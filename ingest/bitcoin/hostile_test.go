package bitcoin

import (
	"context"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest/follow/inmemory"
	"bongsu/ingest/jsonrpc"
	"bongsu/ledger"

	"github.com/go-json-experiment/json"
)

// TestShortItems: an answer of next to nothing, which would take many times its
// bytes, is refused at its first item.
func TestShortItems(t *testing.T) {
	for _, answer := range []string{
		`{"tx":[{}` + strings.Repeat(",{}", 1000) + `]}`,
		`{"tx":[{"txid":"` + strings.Repeat("a", 64) + `","vin":[{}` + strings.Repeat(",{}", 1000) + `]}]}`,
		`{"tx":[{"txid":"` + strings.Repeat("a", 64) + `","vin":[null]}]}`,
	} {
		if err := json.Unmarshal([]byte(answer), new(spending)); err == nil || !strings.Contains(err.Error(), "too few") {
			t.Errorf("%.40s: %v", answer, err)
		}
	}
}

// TestEasyTarget: a block that states a target easier than its chain's easiest
// costs nothing to make, and is refused.
func TestEasyTarget(t *testing.T) {
	s := newServer(t)
	s.grow(1, 1)
	client, err := jsonrpc.New(s.config(&inmemory.Ledger{}).URL, jsonrpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for id, kind := range map[chain.ID]errs.Kind{chain.Bitcoin: errs.Forged, chain.BitcoinTest: errs.Forged, chain.BitcoinRegtest: errs.Other} {
		_, err := (&Node{rpc: client, id: id}).ByHash(context.Background(), ledger.Hash(s.best[1]))
		if errs.Is(err) != kind || kind != errs.Other && !strings.Contains(err.Error(), "easier than any of its chain") {
			t.Errorf("%s: %v", id, err)
		}
	}
	if easier(chain.Bitcoin, 0x1d00ffff) || !easier(chain.Bitcoin, 0x1d010000) || easier(chain.BitcoinSimnet, 0x207fffff) {
		t.Error("the easiest target of a chain is drawn elsewhere")
	}
}
