package stix

import (
	"strings"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

var (
	// observables is the namespace of deterministic ids (STIX 2.1 section 2.9).
	observables = uuid.MustParse("00abedb4-aa42-466c-9c01-fed23315a9b7")
	// statements is the namespace of our own deterministic ids: over the JCS
	// text of an array of a kind's name and its parts.
	statements = uuid.MustParse("c1a3a0c4-58f5-4c0e-9a35-7a3f6a1d9e02")
)

// Canonical returns the RFC 8785 (JCS) text of a JSON value. Duplicate keys
// and invalid UTF-8 are errs.Invalid.
func Canonical(b []byte) ([]byte, error) {
	v := jsontext.Value(b).Clone()
	if err := v.Canonicalize(); err != nil {
		return nil, &errs.Error{Op: "canonical JSON", Kind: errs.Invalid, Err: err, Hint: "correct the JSON at its source"}
	}
	return v, nil
}

func canonicalOf(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &errs.Error{Op: "canonical JSON", Kind: errs.Internal, Err: err}
	}
	return Canonical(b)
}

// ObservableID is the deterministic id of an observable, from its
// id-contributing properties.
func ObservableID(typ string, properties map[string]any) (string, error) {
	b, err := canonicalOf(properties)
	if err != nil {
		return "", err
	}
	return typ + "--" + uuid.NewSHA1(observables, b).String(), nil
}

// statementID is our deterministic id of a statement of a type.
func statementID(typ, kind string, parts ...string) string {
	b, err := canonicalOf(append([]string{kind}, parts...))
	if err != nil {
		// Only invalid UTF-8 gets here; build refuses the object itself.
		b = []byte(kind + "\x00" + strings.Join(parts, "\x00"))
	}
	return typ + "--" + uuid.NewSHA1(statements, b).String()
}

func randomID(typ string) string { return typ + "--" + uuid.NewString() }

// WalletID is the cryptocurrency-wallet id of an account's address, in its
// canonical spelling (EVM and bech32 in lower case, base58 exact).
func WalletID(a chain.Account) string { return walletID(a.Address()) }

// WalletIDs are the ids under which an account's address may be found in
// others' data: WalletID first, then those of spellings that others hash (the
// EIP-55 case of EVM, upper case of bech32).
func WalletIDs(a chain.Account) []string {
	out := []string{WalletID(a)}
	for _, s := range []string{a.Checksummed(), strings.ToUpper(a.Address())} {
		switch {
		case s == a.Address():
		case a.Form() == chain.FormEVM && s == a.Checksummed(), a.Form() == chain.FormWitness:
			if id := walletID(s); id != out[len(out)-1] {
				out = append(out, id)
			}
		}
	}
	return out
}

func walletID(value string) string {
	id, err := ObservableID("cryptocurrency-wallet", map[string]any{"value": value})
	if err != nil {
		return "" // addresses are ASCII; a test holds that
	}
	return id
}

// TransactionID is the cryptocurrency-transaction id of a transaction's hash
// as its chain writes it, paid in an asset with the given symbol.
func TransactionID(symbol, hash string) (string, error) {
	return ObservableID("cryptocurrency-transaction", map[string]any{"symbol": symbol, "value": hash})
}
