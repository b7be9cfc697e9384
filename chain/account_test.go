package chain

import (
	"encoding/hex"
	"strings"
	"testing"

	"bongsu/errs"

	"pgregory.net/rapid"
)

// TestEIP55 holds the addresses that EIP-55 gives as test cases.
func TestEIP55(t *testing.T) {
	for _, s := range []string{
		"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D", // all upper case
		"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26", // all lower case
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
		"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
	} {
		a, err := ParseAccount(s, "")
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if a.Checksummed() != s {
			t.Errorf("%s is written as %s", s, a.Checksummed())
		}
		if a.Address() != strings.ToLower(s) || a.String() != "eip155:1:"+strings.ToLower(s) {
			t.Errorf("%s is named %s", s, a)
		}
		// One case changed breaks the checksum.
		for i := 2; i < len(s); i++ {
			c := s[i]
			if c >= '0' && c <= '9' || s == strings.ToLower(s) || s[2:] == strings.ToUpper(s[2:]) {
				continue
			}
			broken := s[:i] + string(c^0x20) + s[i+1:]
			if _, err := ParseAccount(broken, ""); errs.Is(err) != errs.Invalid || !strings.Contains(err.Error(), "EIP-55") {
				t.Fatalf("%s: %v", broken, err)
			}
		}
	}
}

// TestSegwit holds the valid addresses of BIP 173 and BIP 350 with their output
// scripts, and the invalid ones.
func TestSegwit(t *testing.T) {
	for _, c := range []struct{ address, script string }{
		{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"},
		{"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"},
		{"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"},
		{"BC1SW50QGDZ25J", "6002751e"},
		{"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"},
		{"tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"},
		{"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"},
		{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
	} {
		a, err := ParseAccount(c.address, "")
		if err != nil {
			t.Errorf("%s: %v", c.address, err)
			continue
		}
		raw := a.Raw()
		op := raw[0]
		if op > 0 {
			op += 0x50
		}
		script := append([]byte{op, byte(len(raw) - 1)}, raw[1:]...)
		if got := hex.EncodeToString(script); got != c.script {
			t.Errorf("%s pays %s, want %s", c.address, got, c.script)
		}
		if a.Address() != strings.ToLower(c.address) {
			t.Errorf("%s is written as %s", c.address, a.Address())
		}
	}
	for _, s := range []string{
		"tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", // another prefix
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", // bech32 instead of bech32m
		"tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", // the same
		"BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", // the same
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",                     // bech32m instead of bech32
		"tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", // the same
		"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", // a character that is none
		"BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", // version 17
		"bc1pw5dgrnzv", // one byte
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", // 41 bytes
		"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",                                         // version 0 with 16 bytes
		"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",               // mixed case
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",             // more than four padding bits
		"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",               // padding that is not zero
		"bc1gmk9yu", // no data
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", // a changed checksum
	} {
		if a, err := ParseAccount(s, ""); err == nil {
			t.Errorf("%s is read as %s", s, a)
		}
	}
}

func TestBase58Addresses(t *testing.T) {
	for _, c := range []struct {
		address string
		chain   ID
		form    Form
		raw     string
	}{
		{"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", Bitcoin, FormP2PKH, "62e907b15cbf27d5425399ebf6f0fb50ebb88f18"},     // the first coinbase's
		{"1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", Bitcoin, FormP2PKH, "751e76e8199196d454941c45d1b3a323f1433bd6"},     // the key 1
		{"3JvL6Ymt8MVWiCNHC7oWU6nLeHNJKLZGLN", Bitcoin, FormP2SH, "bcfeb728b584253d5f3f70bcb780e9ef218a68f4"},      // BIP 49's kin
		{"1111111111111111111114oLvT2", Bitcoin, FormP2PKH, "0000000000000000000000000000000000000000"},            // leading zeros
		{"mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", BitcoinTest, FormP2PKH, "751e76e8199196d454941c45d1b3a323f1433bd6"}, // the key 1
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Tron, FormTron, "a614f803b6fd780986a42c78ec9c7f77e6ded13c"},         // USDT's contract
		{"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA", Solana, FormSolana, "06ddf6e1d765a193d9cbe146ceeb79ac1cb485ed5f5b37913a8cf5857eff00a9"},
		{"11111111111111111111111111111111", Solana, FormSolana, strings.Repeat("00", 32)}, // the system program
	} {
		a, err := ParseAccount(c.address, "")
		if err != nil {
			t.Errorf("%s: %v", c.address, err)
			continue
		}
		if a.Chain() != c.chain || a.Form() != c.form || hex.EncodeToString(a.Raw()) != c.raw {
			t.Errorf("%s: %s, form %d, %x", c.address, a.Chain(), a.Form(), a.Raw())
		}
		if a.Address() != c.address {
			t.Errorf("%s is written as %s", c.address, a.Address())
		}
	}
	for _, s := range []string{
		"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T",
		"0A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3", "1", "T", "", ":", "bc1", "0x", "\x00", "eip155:1:", "Token", "5Kb8kLf9zgWQnogidDA76MzPL6TsZZY36hWXMssSzNydYXYB9KF",
		strings.Repeat("1", 300),
	} {
		if a, err := ParseAccount(s, ""); err == nil {
			t.Errorf("%q is read as %s", s, a)
		}
	}
}

func TestAccountChains(t *testing.T) {
	const evm = "0x47666fab8bd0ac7003bce3f5c3585383f09486e2"
	for _, c := range []struct {
		text  string
		def   ID
		want  string
		wrong string
	}{
		{evm, "", "eip155:1:" + evm, ""},
		{evm, "eip155:56", "eip155:56:" + evm, ""},
		{"eip155:137:" + evm, "eip155:56", "eip155:137:" + evm, ""},
		{"ethereum:" + evm, "", "eip155:1:" + evm, ""},
		{" " + evm + "\n", "", "eip155:1:" + evm, ""},
		{"0X" + strings.ToUpper(evm[2:]), "", "eip155:1:" + evm, ""},
		{"bip122:000000000019d6689c085ae165831e93:1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "", "bip122:000000000019d6689c085ae165831e93:1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", ""},
		{"41a614f803b6fd780986a42c78ec9c7f77e6ded13c", Tron, "tron:0x2b6653dc:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", ""},
		{evm, Bitcoin, "", "not an address of chain"},
		{"1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "eip155:1", "", "40 hexadecimal digits"},
		{"1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", BitcoinTest, "", "not an address of chain"},
		{"cosmos:cosmoshub-4:cosmos1", "", "", "not a chain"},
		{"eip155:01:" + evm, "", "", "not a chain"},
		{"47666fab8bd0ac7003bce3f5c3585383f09486e2", "", "", "no chain that bongsu knows"},
	} {
		a, err := ParseAccount(c.text, c.def)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q on %q: %v, %v; want %q", c.text, c.def, a, err, c.wrong)
			}
			continue
		}
		if err != nil || a.String() != c.want {
			t.Errorf("%q on %q: %v, %v; want %s", c.text, c.def, a, err, c.want)
		}
	}
}

// accounts draws accounts of every form.
func accounts() *rapid.Generator[Account] {
	return rapid.Custom(func(t *rapid.T) Account {
		bytes := func(n int) []byte { return rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "raw") }
		btc := rapid.SampledFrom([]ID{Bitcoin, BitcoinTest, BitcoinRegtest, BitcoinSimnet}).Draw(t, "chain")
		var id ID
		var form Form
		var raw []byte
		switch rapid.IntRange(0, 6).Draw(t, "form") {
		case 0:
			id, form, raw = rapid.SampledFrom([]ID{Ethereum, "eip155:56", "eip155:137"}).Draw(t, "evm"), FormEVM, bytes(20)
		case 1:
			id, form, raw = btc, FormP2PKH, bytes(20)
		case 2:
			id, form, raw = btc, FormP2SH, bytes(20)
		case 3:
			version := rapid.ByteRange(0, 16).Draw(t, "version")
			n := rapid.IntRange(2, 40).Draw(t, "length")
			if version == 0 {
				n = rapid.SampledFrom([]int{20, 32}).Draw(t, "length of version 0")
			}
			id, form, raw = btc, FormWitness, append([]byte{version}, bytes(n)...)
		case 4:
			id, form, raw = btc, FormScript, bytes(32)
		case 5:
			id, form, raw = Tron, FormTron, bytes(20)
		case 6:
			id, form, raw = Solana, FormSolana, bytes(32)
		}
		a, ok := NewAccount(id, form, raw)
		if !ok {
			t.Fatalf("no account of form %d with %d bytes", form, len(raw))
		}
		return a
	})
}

// TestAccountRoundTrip: what is written is read back as the same account, with
// and without its chain, and orders agree with equality.
func TestAccountRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := accounts().Draw(t, "a"), accounts().Draw(t, "b")
		for _, s := range []string{a.String(), a.Address(), a.Checksummed()} {
			got, err := ParseAccount(s, a.Chain())
			if err != nil || got != a {
				t.Fatalf("%s: %v, %v", s, got, err)
			}
		}
		var back Account
		text, _ := a.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != a {
			t.Fatalf("%s: %v, %v", text, back, err)
		}
		again, ok := NewAccount(a.Chain(), a.Form(), a.Raw())
		if !ok || again != a {
			t.Fatalf("%v: %v", a, again)
		}
		if (a.Compare(b) == 0) != (a == b) || a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%v and %v compare as %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
	})
}

func FuzzParseAccount(f *testing.F) {
	for _, s := range []string{
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "BC1SW50QGDZ25J", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "eip155:1:0x", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
		"11111111111111111111111111111111", "script-" + strings.Repeat("ab", 32), "tron:0x2b6653dc:41a614f803b6fd780986a42c78ec9c7f77e6ded13c",
	} {
		f.Add(s, "")
		f.Add(s, string(Bitcoin))
	}
	f.Fuzz(func(t *testing.T, s, def string) {
		a, err := ParseAccount(s, ID(def))
		if err != nil {
			if errs.Is(err) != errs.Invalid {
				t.Fatalf("%q: %v is of kind %v", s, err, errs.Is(err))
			}
			return
		}
		if a.IsZero() {
			t.Fatalf("%q is read as no account", s)
		}
		back, err := ParseAccount(a.String(), "")
		if err != nil || back != a {
			t.Fatalf("%q is read as %s, and that as %v, %v", s, a, back, err)
		}
	})
}
