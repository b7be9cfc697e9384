package tables

import (
	"regexp"
	"slices"
	"strconv"

	"bongsu/chain"
	"bongsu/ingest"
	"bongsu/ledger"
)

// ethereum-etl's export_all says in a file's name, or in its folders', which
// blocks the file holds completely. Nothing inside a file says so.
var exportedRange = regexp.MustCompile(`start_block=(\d{1,12})/end_block=(\d{1,12})/[^/]*$|_(\d{8,12})_(\d{8,12})\.[a-z.]+[0-9]?$`)

// blockRange is what a file's name says, and what its rows showed.
type blockRange struct {
	named    bool
	from, to uint64
	broken   bool // a row lies outside
}

func rangeOf(name string) (r blockRange) {
	m := exportedRange.FindStringSubmatch(name)
	if m == nil {
		return r
	}
	first, last := m[1], m[2]
	if first == "" {
		first, last = m[3], m[4]
	}
	r.from, _ = strconv.ParseUint(first, 10, 63)
	r.to, _ = strconv.ParseUint(last, 10, 63)
	r.named = r.from <= r.to
	return r
}

// saw notes a row's block.
func (r *blockRange) saw(block uint64) {
	if block < r.from || block > r.to {
		r.broken = true
	}
}

// covers says what a table holds completely of its blocks. Transactions without
// their receipts hold nothing so: the join claims for both.
func covers(table string, joined bool) ledger.Cover {
	switch table {
	case "token_transfers", "logs":
		return ledger.CoverTokens
	case "traces":
		return ledger.CoverInternal | ledger.CoverNative
	case "transactions":
		if joined {
			return ledger.CoverNative | ledger.CoverFees
		}
	}
	return 0
}

// claim states what a source read to its end is complete for: the range of its
// name, when no row was rejected and none lies outside.
func (e *etl) claim(l *layout) {
	r := e.blocks
	if !r.named || r.broken || e.silent > 0 || e.out.Rejects() > 0 {
		return
	}
	if what := covers(l.name, !e.apart); what != 0 && !e.late {
		e.out.Claim(ledger.Claim{Chain: e.id, From: r.from, To: r.to, What: what})
		return
	}
	e.join.ranges = append(e.join.ranges, tableRange{l.name, e.id, r.from, r.to, e.out.Source(), !e.apart})
}

// tableRange is a range of one of the two tables that are joined.
type tableRange struct {
	table    string
	chain    chain.ID
	from, to uint64
	source   int
	joined   bool // transactions that had their receipts
}

// claim states the ranges of which transactions and receipts both came whole, in
// two tables or in one.
func (j *receiptJoin) claim(out *ingest.Output) {
	for _, t := range j.ranges {
		whole := t.joined || slices.ContainsFunc(j.ranges, func(r tableRange) bool {
			return r.table == "receipts" && t.chain == r.chain && t.from == r.from && t.to == r.to
		})
		if t.table == "transactions" && whole && out.RejectsOf(t.source) == 0 {
			out.Claim(ledger.Claim{Chain: t.chain, From: t.from, To: t.to, What: ledger.CoverNative | ledger.CoverFees})
		}
	}
}
