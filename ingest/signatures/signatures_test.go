package signatures

import (
	"strings"
	"testing"

	"golang.org/x/crypto/sha3"
)

// TestList recomputes every signature and holds that no two are alike.
func TestList(t *testing.T) {
	for _, list := range [][]Signature{calls, events} {
		seen := map[[4]byte]string{}
		for _, s := range list {
			if s.Protocol == "" || s.Name == "" || s.Source == "" || s.Role.String() == "unknown" {
				t.Errorf("%+v lacks something", s)
			}
			if other, twice := seen[s.ID]; twice {
				t.Errorf("%s and %s are both %x", other, s.Name, s.ID)
			}
			seen[s.ID] = s.Name
			if s.Text == "" {
				continue
			}
			h := sha3.NewLegacyKeccak256()
			h.Write([]byte(s.Text))
			if got := [4]byte(h.Sum(nil)); got != s.ID || !strings.HasPrefix(s.Text, s.Name+"(") {
				t.Errorf("%s %s is %x, listed as %x", s.Protocol, s.Text, got, s.ID)
			}
		}
	}
}

func TestKeep(t *testing.T) {
	for text, want := range map[string]bool{
		"\xd0\xe3\x0d\xb0": true, "\xa9\x05\x9c\xbb": false, "=:BT": true, "=<:E": true, "s:b:": true, "SWAP": true, "swap": true,
		"OUT:": true, "REFU": true, "OUT ": false, "\x00\x00\x00\x00": false, "ADD:": false, "a=:b": false,
	} {
		if got := KeepCall([4]byte([]byte(text))); got != want {
			t.Errorf("KeepCall(%q) = %v", text, got)
		}
	}
	if !KeepLog([32]byte{0xe1, 0xff, 0xfc, 0xc4, 1}) || KeepLog([32]byte{0xdd, 0xf2, 0x52, 0xad}) || KeepLog([32]byte{}) {
		t.Error("WETH's Deposit is kept, a token's Transfer and nothing are not")
	}
	if s, ok := Call([4]byte{0x2d, 0xda, 0x5e, 0x99}); !ok || s.Name != "batchTransferOut" || s.Role != Bridge {
		t.Errorf("%+v, %v", s, ok)
	}
	if s, ok := Event([32]byte{0xa9, 0x45, 0xe5, 0x1e}); !ok || s.Protocol != "Tornado Cash" || s.Role.String() != "mixer" {
		t.Errorf("%+v, %v", s, ok)
	}
}
