package screen

import (
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		in   string
		typ  Type
		text string
	}{
		{"0x47666fab8bd0ac7003bce3f5c3585383f09486e2", TypeAccount, "eip155:1:0x47666fab8bd0ac7003bce3f5c3585383f09486e2"},
		{"0x47666FAB8BD0AC7003BCE3F5C3585383F09486E2", TypeAccount, "eip155:1:0x47666fab8bd0ac7003bce3f5c3585383f09486e2"},
		{" 0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045\n", TypeAccount, "eip155:1:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"},
		{"eip155:137:0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", TypeAccount, "eip155:137:0xd8da6bf26964af9d7eed9e03e53415d37aa96045"},
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", TypeAccount, "bip122:000000000019d6689c085ae165831e93:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
		{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", TypeAccount, "bip122:000000000019d6689c085ae165831e93:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"},
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", TypeAccount, "tron:0x2b6653dc:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"},
		{"So11111111111111111111111111111111111111112", TypeAccount, "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:So11111111111111111111111111111111111111112"},
		{"Evil.Example.", TypeDomain, "evil.example"},
		{"https://user:pw@Evil.Example:8443/login?next=http://other.example", TypeDomain, "evil.example"},
		{"evil.example:443", TypeDomain, "evil.example"},
		{"b\u00fccher.example", TypeDomain, "xn--bcher-kva.example"},
		{"xn--BCHER-kva.example", TypeDomain, "xn--bcher-kva.example"},
		{"b\u00fccher\u3002example", TypeDomain, "xn--bcher-kva.example"},
		{"\uff45\uff56\uff49\uff4c.example", TypeDomain, "evil.example"},
		{"r3---sn-4g5.example", TypeDomain, "r3---sn-4g5.example"},
		{"Payments@Evil.Example", TypeEmail, "payments@evil.example"},
		{"mailto:a@b.example", TypeEmail, "a@b.example"},
		{"D41D8CD98F00B204E9800998ECF8427E", TypeHash, "md5:d41d8cd98f00b204e9800998ecf8427e"},
		{"da39a3ee5e6b4b0d3255bfef95601890afd80709", TypeHash, "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"SHA-256:" + strings.Repeat("Ab", 32), TypeHash, "sha256:" + strings.Repeat("ab", 32)},
		{strings.Repeat("ab", 64), TypeHash, "sha512:" + strings.Repeat("ab", 64)},
		{"192.0.2.1", TypeIP, "192.0.2.1"},
		{"192.0.2.1:80", TypeIP, "192.0.2.1"},
		{"::ffff:192.0.2.1", TypeIP, "192.0.2.1"},
		{"http://[2001:DB8::1]:80/x", TypeIP, "2001:db8::1"},
	} {
		r, err := Read(c.in)
		if err != nil || r.Type != c.typ || r.Text != c.text || r.Key == (Key{}) {
			t.Errorf("%q: %+v, %v; want %s %s", c.in, r, err, c.typ, c.text)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, in := range []string{
		"", "   ", "0x", "0x47666fab8bd0ac7003bce3f5c3585383f09486e", "0x47666fab8bd0ac7003bce3f5c3585383f09486eg",
		"0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045", // one letter's case changed
		"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u",
		"0x" + strings.Repeat("ab", 32), "localhost", "hello", "a..b", ".example", "-a.example", "a b.example",
		"1.2.3", "1.2.3.4.5", "999.1.1.1", "@b.example", "a@", "a@b", "a b@c.example", "x://", "eip155:1:", "eip155:1:0x12",
		"cosmos:cosmoshub-3:cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0", "\xff.example", "a\x00.example",
		strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 130) + "example", strings.Repeat("x", MaxValue+1),
		"evil.example:port", "md5:" + strings.Repeat("ab", 20),
	} {
		r, err := Read(in)
		if err == nil {
			t.Errorf("%.60q was read as %+v", in, r)
		} else if errs.Is(err) != errs.Invalid {
			t.Errorf("%.60q: kind %v", in, errs.Is(err))
		}
	}
}

func TestUnreadableIsNeverClear(t *testing.T) {
	x := newTest(t, Config{})
	for _, r := range x.Screen([]string{"", "0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "hello"}) {
		if r.Verdict != Invalid || r.ReadAs != "invalid" || r.Error == nil || r.Error.Message == "" || r.Error.Hint == "" {
			t.Errorf("%+v", r)
		}
	}
}

// A value of a form that bongsu does not know is found by its exact text.
func TestExactText(t *testing.T) {
	const monero = "888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H"
	x := newTest(t, Config{})
	if got := x.Screen([]string{monero})[0]; got.Verdict != Invalid {
		t.Fatalf("%+v", got)
	}
	s := listing(1, "identity--a", epoch)
	s.Readings = []Reading{textReading(monero)}
	x.Put(s)
	if got := x.Screen([]string{" " + monero})[0]; got.Verdict != Block || got.ReadAs != monero || got.Type != TypeText || got.Error != nil {
		t.Fatalf("%+v", got)
	}
}

// Forty hexadecimal digits are a SHA-1, or an address that lost its 0x.
func TestBareFortyDigits(t *testing.T) {
	x := newTest(t, Config{})
	x.Put(listing(1, "identity--a", epoch, address(0xabc)))
	got := x.Screen([]string{address(0xabc)[2:], "sha1:" + address(0xabc)[2:]})
	if got[0].Verdict != Block || got[0].ReadAs != "eip155:1:"+address(0xabc) || got[0].Type != TypeAccount {
		t.Errorf("%+v", got[0])
	}
	if got[1].Verdict != Clear || got[1].Type != TypeHash {
		t.Errorf("%+v", got[1])
	}
}

// Base58 addresses of testnet and regtest are the same text.
func TestTestnetTextMeetsRegtest(t *testing.T) {
	x := newTest(t, Config{})
	const addr = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn"
	x.Put(listing(1, "identity--a", epoch, "bitcoin-regtest:"+addr))
	if got := x.Screen([]string{addr})[0]; got.Verdict != Block {
		t.Errorf("%+v", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"0x47666fab8bd0ac7003bce3f5c3585383f09486e2", "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "b\u00fccher.example.", "a@b.example",
		"http://[::1]:80", "sha256:" + strings.Repeat("0", 64), "xn--a.example", "eip155:1:0x", "::", "\u3002", "%",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Read(s)
		if err != nil {
			return
		}
		if r.Key == (Key{}) || r.Text == "" {
			t.Fatalf("%q: empty reading %+v", s, r)
		}
		again, err := Read(r.Text)
		if err != nil || again.Key != r.Key || again.Text != r.Text || again.Type != r.Type {
			t.Fatalf("%q reads as %q, and that as %+v, %v", s, r.Text, again, err)
		}
	})
}

// The fast way to read an EVM address accepts what package chain accepts.
func TestReadEVMIsChainsReading(t *testing.T) {
	const mixed = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
	texts := []string{mixed, strings.ToLower(mixed), "0x" + strings.ToUpper(mixed[2:]), "0X" + strings.ToUpper(mixed[2:]), "0X" + mixed[2:], "0x" + strings.Repeat("1", 40)}
	for i := 2; i < len(mixed); i++ { // each letter in the other case, each digit changed
		other := mixed[i] ^ 0x20
		if mixed[i] <= '9' {
			other = mixed[i] ^ 1
		}
		texts = append(texts, mixed[:i]+string(other)+mixed[i+1:])
	}
	texts = append(texts, mixed[:41]+"g", mixed[:41], "1x"+mixed[2:], mixed[:41]+"\x80")
	for _, s := range texts {
		want, err := chain.ParseAccount(s, "")
		a, k, ok := readEVM(s)
		if err != nil {
			if ok {
				t.Errorf("%s was read, chain says %v", s, err)
			}
			continue
		}
		if !ok || k != accountKey(want) || evmPrefix+string(a[:]) != want.String() {
			// The prefix 0X with a checksum is left to package chain.
			if r, err := Read(s); err != nil || r.Key != accountKey(want) {
				t.Errorf("%s: %v, %s; chain reads %v", s, ok, a, want)
			}
		}
	}
}
