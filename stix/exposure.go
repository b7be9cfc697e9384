package stix

import (
	"fmt"
	"strings"
	"time"

	"bongsu/chain"
	"bongsu/errs"
)

// ExposureKind tells a value that is named itself from one that stolen funds
// touched.
type ExposureKind string

// The kinds, as screening's reasons call them.
const (
	KindListing  ExposureKind = "listing"
	KindExposure ExposureKind = "exposure"
)

// Exposure is what one indicator says about screened values.
type Exposure struct {
	Kind        ExposureKind
	Accounts    []chain.Account // values that are accounts
	Values      []Value         // other values of the pattern: domains, hashes
	Statement   string          // the indicator's id
	Author      string          // created_by_ref as the object says; who vouches for it is the journal entry's author
	Marking     TLP
	Revoked     bool      // takes the earlier version back
	From, Until time.Time // valid_from, valid_until (zero: open)
	Since       time.Time
	Reason      string
	Theft       string
	Place       Place  // for exposures
	Basis       string // Observed or Inferred; a listing is observed
	Rule        string // by which rule, when inferred
	Provisional bool
	Amount      Amount
	Origin      Amount
	Label       string
}

// Value is one equality of a pattern.
type Value struct {
	Path  string // "domain-name:value", "file:hashes.'SHA-256'"
	Value string
}

// MaxEqualities is how many values one pattern may name here.
const MaxEqualities = 10_000

// ReadExposure reads an indicator for screening, without looking anything up:
// our listings, findings and movements, and any indicator whose pattern is an equality or
// an OR of equalities. Another indicator gives errs.Invalid; a revoked one
// reads the same with Revoked set. An EVM address without a chain is read on
// chain.Ethereum.
func ReadExposure(o Object) (Exposure, error) {
	var w indicatorWire
	if err := read(o, "indicator", &w); err != nil {
		return Exposure{}, err
	}
	e := Exposure{
		Kind: KindListing, Statement: o.ID, Author: o.CreatedBy, Marking: o.Marking, Revoked: o.Revoked,
		From: optTime(w.ValidFrom), Until: optTime(w.ValidUntil), Basis: Observed,
	}
	e.Since = e.From
	if _, ok := w.Extensions[ExtFinding]; ok {
		f, err := readFinding(o, w)
		if err != nil {
			return Exposure{}, err
		}
		e.Kind, e.Accounts, e.Theft, e.Place = KindExposure, []chain.Account{f.Account}, f.Theft, f.Place
		e.Basis, e.Rule, e.Provisional, e.Amount, e.Origin, e.Label, e.Reason = f.Basis, f.Rule, f.Provisional, f.Amount, f.Origin, f.Label, f.Reason
		if !f.Since.IsZero() {
			e.Since = f.Since
		}
		return e, nil
	}
	if _, ok := w.Extensions[ExtMovement]; ok {
		return e.fromMovement(o, w)
	}
	if _, ok := w.Extensions[ExtListing]; ok {
		l, err := readListing(o, w)
		if err != nil {
			return Exposure{}, err
		}
		e.Reason, e.Theft = l.Reason, l.Theft
		if !l.Account.IsZero() {
			e.Accounts = []chain.Account{l.Account}
			return e, nil
		}
	}
	return e.fromPattern(o, w)
}

// fromMovement fills what a movement says: funds came to the account then.
// Where they lie now is for a finding to say.
func (e Exposure) fromMovement(o Object, w indicatorWire) (Exposure, error) {
	m, err := readMovement(o, w)
	if err != nil {
		return Exposure{}, err
	}
	e.Kind, e.Accounts, e.Theft, e.Place = KindExposure, []chain.Account{m.Account}, m.Theft, Passed
	if m.Event == ReachedService {
		e.Place = Exit
	}
	e.Basis, e.Rule, e.Provisional, e.Amount, e.Origin, e.Label, e.Reason = m.Basis, m.Rule, m.Provisional, m.Amount, m.Origin, m.Label, w.Name
	if !m.At.IsZero() {
		e.Since = m.At
	}
	return e, nil
}

// fromPattern fills the values of any simple pattern.
func (e Exposure) fromPattern(o Object, w indicatorWire) (Exposure, error) {
	if w.PatternType != "stix" {
		return Exposure{}, errs.New("indicator", errs.Invalid, o.ID, fmt.Sprintf("pattern_type %.40q is not read", w.PatternType), "give a STIX pattern")
	}
	values, err := Equalities(w.Pattern)
	if err != nil {
		return Exposure{}, errs.Wrap("indicator", o.ID, err)
	}
	if e.Reason == "" {
		e.Reason = w.Name
	}
	for _, v := range values {
		if v.Path == PathWallet {
			if a, err := chain.ParseAccount(v.Value, ""); err == nil {
				e.Accounts = append(e.Accounts, a)
				continue
			}
		}
		e.Values = append(e.Values, v)
	}
	return e, nil
}

// equality writes the pattern [path = 'value'] (STIX 2.1 section 9.1: in a
// string literal, backslash and quote are escaped).
func equality(path, value string) string {
	return "[" + path + " = '" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "']"
}

// Equalities reads a pattern that is one equality or an OR of equalities:
// [a:b = 'v'], [a:b = 'v' OR c:d = 'w'], [a:b IN ('v', 'w')], [..] OR [..].
// Everything else is errs.Invalid, and left to stix/pattern. Paths come back
// in the spelling of the Path constants where they name the same.
func Equalities(pattern string) ([]Value, error) {
	s := scanner{rest: pattern}
	for {
		if !s.take("[") {
			return nil, s.fault("[")
		}
		for {
			if err := s.comparison(); err != nil {
				return nil, err
			}
			if !s.word("OR") {
				break
			}
		}
		if !s.take("]") {
			return nil, s.fault("]")
		}
		if s.space(); s.rest == "" {
			return s.out, nil
		}
		if !s.word("OR") {
			return nil, s.fault("OR")
		}
	}
}

type scanner struct {
	rest string
	out  []Value
}

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t\r\n") }

func (s *scanner) take(tok string) bool {
	s.space()
	rest, ok := strings.CutPrefix(s.rest, tok)
	if ok {
		s.rest = rest
	}
	return ok
}

// word takes a keyword that ends at a space or bracket.
func (s *scanner) word(w string) bool {
	s.space()
	rest, ok := strings.CutPrefix(s.rest, w)
	if ok && rest != "" && strings.ContainsRune(" \t\r\n[('", rune(rest[0])) {
		s.rest = rest
		return true
	}
	return false
}

func (s *scanner) fault(want string) error {
	return errs.New("pattern", errs.Invalid, fmt.Sprintf("%.60q", s.rest), "not a simple pattern: "+want+" is expected here", "use equalities joined by OR")
}

func (s *scanner) comparison() error {
	path, err := s.path()
	if err != nil {
		return err
	}
	if s.word("IN") {
		if !s.take("(") {
			return s.fault("(")
		}
		for {
			if err := s.value(path); err != nil {
				return err
			}
			if !s.take(",") {
				break
			}
		}
		if !s.take(")") {
			return s.fault(")")
		}
		return nil
	}
	if !s.take("=") {
		return s.fault("=")
	}
	s.take("=") // the grammar allows "=="
	return s.value(path)
}

// path reads type:property.property, quoted parts included.
func (s *scanner) path() (string, error) {
	s.space()
	i, quoted := 0, false
	for ; i < len(s.rest); i++ {
		c := s.rest[i]
		if c == '\'' {
			quoted = !quoted
		} else if !quoted && !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_:.", c) >= 0) {
			break
		}
	}
	path := s.rest[:i]
	typ, prop, ok := strings.Cut(path, ":")
	if !ok || typ == "" || prop == "" || quoted || len(path) > 250 {
		return "", s.fault("a path such as domain-name:value")
	}
	s.rest = s.rest[i:]
	switch path {
	case "file:hashes.SHA-256", "file:hashes.'SHA256'", "file:hashes.SHA256", "file:hashes.'sha256'":
		path = PathSHA256
	}
	return path, nil
}

// value reads a string literal and keeps it under path.
func (s *scanner) value(path string) error {
	if !s.take("'") {
		return s.fault("a text in single quotes")
	}
	if len(s.out) >= MaxEqualities {
		return errs.New("pattern", errs.Limit, "", fmt.Sprintf("more than %d values", MaxEqualities), "split the indicator")
	}
	var b strings.Builder
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; c {
		case '\\':
			if i++; i == len(s.rest) || (s.rest[i] != '\\' && s.rest[i] != '\'') {
				return s.fault(`\\ or \'`)
			}
			b.WriteByte(s.rest[i])
		case '\'':
			s.rest = s.rest[i+1:]
			s.out = append(s.out, Value{path, b.String()})
			return nil
		default:
			b.WriteByte(c)
		}
	}
	s.rest = ""
	return s.fault("a closing quote")
}
