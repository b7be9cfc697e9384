package bitcoin

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"bongsu/chain"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestClassify(t *testing.T) {
	const (
		key    = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
		secret = "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
	)
	for _, c := range []struct {
		name, script, want string // want "" : the account of the script itself
		kind               ScriptType
		id                 chain.ID
	}{
		{"the first block's key", "41" + secret + "ac", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", P2PK, chain.Bitcoin},
		{"a compressed key", "21" + key + "ac", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", P2PK, chain.Bitcoin},
		{"BIP 173, key", "0014751e76e8199196d454941c45d1b3a323f1433bd6", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", P2WPKH, chain.Bitcoin},
		{"BIP 173, script", "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", P2WSH, chain.BitcoinTest},
		{"BIP 350, taproot", "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", P2TR, chain.Bitcoin},
		{"BIP 350, version 16", "6002751e", "bc1sw50qgdz25j", UnknownWitness, chain.Bitcoin},
		{"BIP 350, version 2", "5210751e76e8199196d454941c45d1b3a323", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", UnknownWitness, chain.Bitcoin},
		{"pay to anchor", "51024e73", "bc1pfeessrawgf", P2A, chain.Bitcoin},
		{"key hash", "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", P2PKH, chain.Bitcoin},
		{"script hash", "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG", P2SH, chain.Bitcoin},
		{"regtest", "0014751e76e8199196d454941c45d1b3a323f1433bd6", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", P2WPKH, chain.BitcoinRegtest},
		{"bare multisig, 1 of 2", "51 21" + key + "41" + secret + "52ae", "", Multisig, chain.Bitcoin},
		{"multisig that lacks a key", "51 21" + key + "52ae", "", Nonstandard, chain.Bitcoin},
		{"multisig, more needed than there are", "52 21" + key + "51ae", "", Nonstandard, chain.Bitcoin},
		{"version 0 of another length", "0004751e76e8", "", Nonstandard, chain.Bitcoin},
		{"a program too long", "5129" + strings.Repeat("00", 41), "", Nonstandard, chain.Bitcoin},
		{"a key that is none", "2105" + key[2:] + "ac", "", Nonstandard, chain.Bitcoin},
		{"data", "6a0b68656c6c6f20776f726c64", "", NullData, chain.Bitcoin},
		{"empty", "", "", Nonstandard, chain.Bitcoin},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, kind := Classify(c.id, unhex(t, c.script))
			if kind != c.kind {
				t.Errorf("is %s, want %s", kind, c.kind)
			}
			if c.want == "" {
				if a.Form() != chain.FormScript {
					t.Errorf("pays %s, want the script's own account", a)
				}
				return
			}
			if a.Address() != c.want {
				t.Errorf("pays %s, want %s", a.Address(), c.want)
			}
			if back, err := chain.ParseAccount(a.String(), ""); err != nil || back != a {
				t.Errorf("%s reads back as %v, %v", a, back, err)
			}
		})
	}
}

func TestPayload(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 300)
	for _, c := range []struct{ name, script, want string }{
		{"one push", "6a0568656c6c6f", "68656c6c6f"},
		{"two pushes", "6a0268650166", "686566"},
		{"small numbers", "6a52604f00", "021081"},
		{"PUSHDATA1", "6a4c03010203", "010203"},
		{"PUSHDATA2", "6a4d2c01" + hex.EncodeToString(long), hex.EncodeToString(long)},
		{"PUSHDATA4", "6a4e03000000010203", "010203"},
		{"a push cut short", "6a05aabb", "05aabb"},
		{"a length cut short", "6a4d01", "4d01"},
		{"a length beyond all bytes", "6a4effffffff00", "4effffffff00"},
		{"no push", "6aac", "ac"},
		{"nothing", "6a", ""},
	} {
		if got := hex.EncodeToString(Payload(unhex(t, c.script))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if Payload([]byte{opReturn}) == nil {
		t.Error("an output without data cannot be told from one without OP_RETURN")
	}
}

func TestStatedHeight(t *testing.T) {
	for _, c := range []struct {
		script string
		want   uint64
		ok     bool
	}{
		{"038f3c04", 277647, true},
		{"51", 1, true},
		{"60", 16, true},
		{"0111", 17, true},
		{"020001", 256, true},
		{"", 0, false},
		{"0380", 0, false},
		{"0180", 0, false},
		{"06000000000001", 0, false},
	} {
		if h, ok := statedHeight(unhex(t, c.script)); h != c.want || ok != c.ok {
			t.Errorf("%s: %d, %v", c.script, h, ok)
		}
	}
}
