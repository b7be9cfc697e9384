package stix

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/go-json-experiment/json"
)

// MovementEvent says what a movement of stolen funds means.
type MovementEvent string

// The events.
const (
	Moved          MovementEvent = "moved"           // they went on to another account, or by a link to another asset
	ReachedService MovementEvent = "reached-service" // they entered a labelled service
	Woke           MovementEvent = "woke"            // they went on after lying for IdleDays days
)

// MaxSenders bounds the senders that a movement names.
const MaxSenders = 100

// The links: rules by which funds changed their asset and not their holder.
const (
	LinkWrap   = "wrap"   // coin became the token of the contract that wraps it
	LinkUnwrap = "unwrap" // the token became coin again
)

// Movement is an indicator by which a watched theft says that stolen funds
// just moved: what one transaction brought to one account in one asset. Its id
// is deterministic: author, theft, event, transaction, account, asset, basis
// and, if there is one, link; never the block. So a transaction that a reorganisation takes back and
// another block brings again is one statement in several versions. Who knows no
// extension of ours reads an indicator for the receiving account, with the
// transaction as an external reference.
type Movement struct {
	Common
	Theft       string // incident id
	Event       MovementEvent
	Account     chain.Account   // where the funds arrived
	From        []chain.Account // the senders, sorted; the first MaxSenders of them
	Senders     int             // how many senders there are
	Amount      Amount
	Origin      Amount    // the part of the theft it stands for; the zero where a method carries none
	Tx          string    // as the chain writes it
	Block       uint64    // 0 where Tx has no known block
	At          time.Time // of the block; valid_from
	IdleDays    int       // how long the funds had lain, in whole days; with Woke
	Label       string    // of the service, with ReachedService
	Category    string
	Source      string        // of the label
	Basis       string        // Observed or Inferred
	Rule        string        // by which rule, when inferred
	Link        string        // LinkWrap or LinkUnwrap: the account turned what it had into this asset, and nobody sent it
	Via         chain.Account // the contract that did; with Link
	Provisional bool          // the block is not final
	Trace       string        // digest of the trace, "sha256:..."
}

type movementExt struct {
	ExtensionType string          `json:"extension_type"`
	Theft         string          `json:"theft_ref"`
	Event         MovementEvent   `json:"event"`
	Account       chain.Account   `json:"account"`
	From          []chain.Account `json:"from,omitempty"`
	Senders       int             `json:"senders,omitempty"`
	Amount        Amount          `json:"amount"`
	Origin        Amount          `json:"origin,omitzero"`
	Chain         chain.ID        `json:"chain"`
	Tx            string          `json:"tx"`
	Block         uint64          `json:"block,omitempty"`
	At            string          `json:"time,omitempty"`
	IdleDays      int             `json:"idle_days,omitempty"`
	Label         string          `json:"label,omitempty"`
	Category      string          `json:"category,omitempty"`
	Source        string          `json:"source,omitempty"`
	Basis         string          `json:"basis"`
	Rule          string          `json:"rule,omitempty"`
	Link          string          `json:"link,omitempty"`
	Via           chain.Account   `json:"via,omitzero"`
	Provisional   bool            `json:"provisional"`
	Trace         string          `json:"trace,omitempty"`
}

func (m *Movement) ext() movementExt {
	return movementExt{
		ExtensionType: "property-extension", Theft: m.Theft, Event: m.Event, Account: m.Account, From: m.From, Senders: m.Senders,
		Amount: m.Amount, Origin: m.Origin, Chain: m.Account.Chain(), Tx: m.Tx, Block: m.Block, At: exactTime(m.At), IdleDays: m.IdleDays,
		Label: m.Label, Category: m.Category, Source: m.Source, Basis: m.Basis, Rule: m.Rule, Link: m.Link, Via: m.Via,
		Provisional: m.Provisional, Trace: m.Trace,
	}
}

// MovementID is the id under which an author states one movement.
func MovementID(m Movement) string {
	parts := []string{string(m.Author), m.Theft, string(m.Event), string(m.Account.Chain()), m.Tx, m.Account.String(), string(m.Amount.Asset), m.Basis}
	if m.Link != "" {
		parts = append(parts, m.Link)
	}
	return statementID("indicator", "movement", parts...)
}

// Says is a digest of all that a movement says but for who says it, when, and
// by which run.
func (m Movement) Says() [sha256.Size]byte {
	m.Trace = ""
	return digestOf(m.ext())
}

// Says is a digest of all that a finding says but for who says it, when, and
// by which run.
func (f Finding) Says() [sha256.Size]byte {
	f.Trace = ""
	return digestOf(f.ext())
}

func digestOf(ext any) [sha256.Size]byte {
	b, err := json.Marshal(ext, json.Deterministic(true))
	if err != nil { // invalid UTF-8: Object refuses the same
		return sha256.Sum256(fmt.Append(nil, ext))
	}
	return sha256.Sum256(b)
}

// Object builds the indicator.
func (m Movement) Object() (Object, error) {
	if m.Account.IsZero() || m.Tx == "" || m.Amount.Asset == "" {
		return Object{}, errs.New("movement", errs.Usage, m.Tx, "account, transaction and asset are needed", "give them")
	}
	o := m.indicator(MovementID(m), m.At)
	o["name"] = m.title()
	o["description"] = m.text()
	o["pattern"] = equality(PathWallet, m.Account.Address())
	o["external_references"] = []any{map[string]any{"source_name": string(m.Account.Chain()), "external_id": m.Tx}}
	o["extensions"] = map[string]any{ExtMovement: m.ext()}
	return build(o)
}

func (m *Movement) title() string {
	switch m.Event {
	case ReachedService:
		return "Stolen funds reached a service: " + m.Label
	case Woke:
		return fmt.Sprintf("Stolen funds woke after %d days", m.IdleDays)
	}
	switch m.Link {
	case LinkWrap:
		return "Stolen funds were wrapped"
	case LinkUnwrap:
		return "Stolen funds were unwrapped"
	}
	return "Stolen funds moved"
}

// text is the movement in one English sentence, for readers without our
// extension.
func (m *Movement) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s of stolen funds ", m.Amount.Amount, m.Amount.Symbol)
	switch m.Link {
	case LinkWrap:
		fmt.Fprintf(&b, "are what %s was credited with for coin by the contract %s", m.Account.Address(), m.Via.Address())
	case LinkUnwrap:
		fmt.Fprintf(&b, "are what %s was paid for tokens by the contract %s", m.Account.Address(), m.Via.Address())
	default:
		fmt.Fprintf(&b, "arrived at %s", m.Account.Address())
	}
	switch {
	case len(m.From) == 1:
		fmt.Fprintf(&b, " from %s", m.From[0].Address())
	case m.Senders > 1:
		fmt.Fprintf(&b, " from %d accounts", m.Senders)
	}
	fmt.Fprintf(&b, " on %s in transaction %s", m.Account.Chain(), m.Tx)
	if m.Block > 0 {
		fmt.Fprintf(&b, ", block %d", m.Block)
	}
	fmt.Fprintf(&b, " (%s", m.Basis)
	if m.Rule != "" {
		fmt.Fprintf(&b, " by rule %s", m.Rule)
	}
	if m.Provisional {
		b.WriteString("; the block is not final")
	}
	b.WriteString(").")
	return b.String()
}

// ReadMovement reads an indicator with the movement extension.
func ReadMovement(o Object) (Movement, error) {
	var w indicatorWire
	if err := read(o, "indicator", &w); err != nil {
		return Movement{}, err
	}
	return readMovement(o, w)
}

func readMovement(o Object, w indicatorWire) (Movement, error) {
	var e movementExt
	if err := readExt(o, w.Extensions, ExtMovement, &e); err != nil {
		return Movement{}, err
	}
	bad := func(why string) (Movement, error) {
		return Movement{}, errs.New("movement", errs.Invalid, o.ID, why, "correct the object at its source")
	}
	if values, err := Equalities(w.Pattern); err != nil || len(values) != 1 || values[0] != (Value{PathWallet, e.Account.Address()}) {
		return bad("its pattern names something else than its extension")
	}
	if e.Account.Chain() != e.Chain {
		return bad("its account is not on its chain")
	}
	if _, err := chain.ParseTxID(e.Tx, e.Chain); err != nil {
		return Movement{}, errs.Wrap("movement", o.ID, err)
	}
	if !e.Via.IsZero() && e.Via.Chain() != e.Chain {
		return bad("its contract is not on its chain")
	}
	if err := checkAmounts("movement", o.ID, e.Amount, e.Origin); err != nil {
		return Movement{}, err
	}
	return Movement{
		Common: common(o), Theft: e.Theft, Event: e.Event, Account: e.Account, From: e.From, Senders: e.Senders, Amount: e.Amount, Origin: e.Origin,
		Tx: e.Tx, Block: e.Block, At: optTime(e.At), IdleDays: e.IdleDays, Label: e.Label, Category: e.Category, Source: e.Source,
		Basis: e.Basis, Rule: e.Rule, Link: e.Link, Via: e.Via, Provisional: e.Provisional, Trace: e.Trace,
	}, nil
}

// checkAmounts holds that amounts that are given are exact ones.
func checkAmounts(op, where string, amounts ...Amount) error {
	for _, a := range amounts {
		if a == (Amount{}) {
			continue
		}
		if _, err := chain.ParseAsset(string(a.Asset)); err != nil {
			return errs.Wrap(op, where, err)
		}
		if _, err := a.Exact(); err != nil {
			return errs.Wrap(op, where, err)
		}
	}
	return nil
}

// exactTime writes a time with all its digits; the zero as "".
func exactTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
