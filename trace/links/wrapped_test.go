package links

import (
	"strings"
	"testing"

	"bongsu/chain"
)

// One contract a chain, each with a coin and a source; the list is in order.
func TestWrapped(t *testing.T) {
	seen := map[chain.ID]bool{}
	for i := range AllWrapped() {
		w := &AllWrapped()[i]
		id := w.Contract.Chain()
		if seen[id] || w.Coin() == "" || w.Symbol == "" || w.Source == "" || w.Decimals != 18 {
			t.Errorf("%+v", w)
		}
		seen[id] = true
		if _, err := chain.ParseAsset(string(w.Token())); err != nil || !strings.HasSuffix(string(w.Token()), w.Contract.Address()) {
			t.Errorf("%s: %v", w.Token(), err)
		}
	}
	if d := Digest(); !strings.HasPrefix(d, "sha256:") || len(d) != 71 {
		t.Errorf("%s", d)
	}
	if i, ok := chain.NewRegistry().Info(AllWrapped()[0].Token()); !ok || i.Symbol != "WETH" || i.Decimals != 18 {
		t.Errorf("%+v", i)
	}
}
