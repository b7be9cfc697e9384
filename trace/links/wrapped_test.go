package links

import (
	"strings"
	"testing"

	"bongsu/chain"

	"golang.org/x/crypto/sha3"
)

// The topics are those of the events' signatures.
func TestEvents(t *testing.T) {
	for text, topic := range map[string][32]byte{"Deposit(address,uint256)": Deposit, "Withdrawal(address,uint256)": Withdrawal} {
		h := sha3.NewLegacyKeccak256()
		h.Write([]byte(text))
		if [32]byte(h.Sum(nil)) != topic {
			t.Errorf("%s: %x", text, topic)
		}
	}
}

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
