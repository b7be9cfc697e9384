package findings

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"bongsu/chain"

	"github.com/google/uuid"
)

// theftSpace is the namespace of thefts' ids.
var theftSpace = uuid.MustParse("b0d2c2f4-5a0e-5d3c-9a3f-6f2b54a0f8d1")

// TheftID is the incident id of a theft: a UUIDv5 over what identifies its
// transfers, whoever states them, in whatever order. So a trace of the same
// theft has the same digest on every node, and two organisations that state
// one theft speak of one incident.
func TheftID(transfers []chain.Transfer) string {
	lines := make([]string, len(transfers))
	for i, t := range transfers {
		when := ""
		if t.Tx.IsZero() {
			when = t.Time.String()
		}
		lines[i] = fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s|%s|%d\n", t.Chain, t.Tx.Text(t.Chain), when, t.Kind, t.From, t.To, t.Asset, t.Amount.Base(), t.Nth)
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, l := range lines {
		h.Write([]byte(l))
	}
	return "incident--" + uuid.NewSHA1(theftSpace, h.Sum(nil)).String()
}
