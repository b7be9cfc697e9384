package labels

import (
	"cmp"
	"slices"

	"bongsu/chain"
)

// MinDeciding is the confidence under which a label never decides.
const MinDeciding = 20

// Label is one attribution of one account by one source.
type Label struct {
	Account    chain.Account `json:"account"`
	Label      string        `json:"label"`
	Category   string        `json:"category,omitempty"` // TagPack concept id: "exchange", "mixing_service", "defi_dex"
	Concepts   []string      `json:"concepts,omitempty"` // further ones, sorted
	Actor      string        `json:"actor,omitempty"`
	Abuse      string        `json:"abuse,omitempty"`
	Source     string        `json:"source"`               // URL or name, as the list says
	Creator    string        `json:"creator,omitempty"`    // of the list
	Confidence string        `json:"confidence,omitempty"` // TagPack confidence id
	Score      uint8         `json:"score"`                // 0 to 100, of Confidence
	Lastmod    chain.Time    `json:"lastmod,omitzero"`     // zero when the list gives none
	Definer    bool          `json:"cluster_definer,omitempty"`
	List       string        `json:"list,omitempty"` // digest of the list it came in
}

// Service categories and concepts: taint that arrives at an account whose
// deciding label has one of them is an exit.
var services = [...]string{"exchange", "wallet_service", "mixing_service", "gambling", "payment_processor", "bridge"}

// Service is the first service category or concept of the label, the category
// before the concepts, or "".
func (l Label) Service() string {
	if slices.Contains(services[:], l.Category) {
		return l.Category
	}
	for _, c := range l.Concepts {
		if slices.Contains(services[:], c) {
			return c
		}
	}
	return ""
}

// Contract says that the label names a decentralised finance contract: its
// category or a concept starts with "defi".
func (l Label) Contract() bool {
	return isDefi(l.Category) || slices.ContainsFunc(l.Concepts, isDefi)
}

func isDefi(c string) bool { return len(c) >= 4 && c[:4] == "defi" }

// Compare orders labels of one account, the deciding one first: highest
// confidence, latest lastmod, source name, then content, so that the order
// never depends on who imported what first.
func (l Label) Compare(m Label) int {
	return cmp.Or(
		cmp.Compare(m.Score, l.Score), cmp.Compare(m.Lastmod, l.Lastmod), cmp.Compare(l.Source, m.Source),
		cmp.Compare(l.Label, m.Label), cmp.Compare(l.Category, m.Category), cmp.Compare(l.Actor, m.Actor),
		slices.Compare(l.Concepts, m.Concepts), cmp.Compare(l.List, m.List),
	)
}

// Rule names what chose the deciding label among several.
type Rule string

// The rules, in the order in which they are tried.
const (
	RuleNone       Rule = ""           // no label decides
	RuleOnly       Rule = "only"       // no other label could
	RuleConfidence Rule = "confidence" // the highest confidence
	RuleLastmod    Rule = "lastmod"    // equal confidence, the latest date
	RuleSource     Rule = "source"     // equal in both, the first source by name
	RuleContent    Rule = "content"    // equal in all three, the first by content
)

// Shown is everything that is said of one account.
type Shown struct {
	Account  chain.Account `json:"account"`
	Labels   []Label       `json:"labels"`   // the deciding one first; empty, never nil
	Deciding int           `json:"deciding"` // index into Labels, or -1
	Rule     Rule          `json:"rule"`
	Conflict bool          `json:"conflict"` // labels disagree about service, category or actor
}
