package ledger

import (
	"encoding/binary"
	"maps"
	"slices"
	"sort"
)

// extent says which blocks hurt bytes of a segment's files tell of. What lies in
// chain order (rows, transactions, inputs and outputs, the table of blocks) is
// hurt where it lies; what is there for looking up (accounts' lists, balances,
// ids) is hurt for the whole segment.
type extent struct {
	info   *segmentInfo
	sheets map[string]*sheet // by part; one that cannot be opened is missing
	hurt   map[string][]bool // of each, by page
}

// stretch is some bytes of a sheet.
type stretch struct{ from, to int64 }

// hurtPages verifies every page and says which are hurt.
func (s *sheet) hurtPages() []bool {
	out := make([]bool, len(s.trailer.Pages))
	for i := range out {
		out[i] = s.page(i) != nil
	}
	return out
}

// stretches joins pages that follow one another.
func (s *sheet) stretches(hurt []bool) (out []stretch) {
	for i, bad := range hurt {
		from, to := int64(i)*sheetPage, min(int64(i+1)*sheetPage, s.trailer.Size)
		switch n := len(out); {
		case !bad:
		case n > 0 && out[n-1].to == from:
			out[n-1].to = to
		default:
			out = append(out, stretch{from, to})
		}
	}
	return out
}

// stretches are the hurt bytes of a part's sheet.
func (x *extent) stretches(part string) []stretch {
	if x.sheets[part] == nil {
		return nil
	}
	return x.sheets[part].stretches(x.hurt[part])
}

// intact is a section whose pages are all good.
func (x *extent) intact(part, name string) ([]byte, bool) {
	s := x.sheets[part]
	if s == nil {
		return nil, false
	}
	sec, ok := s.trailer.Sections[name]
	if !ok || sec.Len > 0 && slices.Contains(x.hurt[part][sec.At/sheetPage:(sec.At+sec.Len-1)/sheetPage+1], true) {
		return nil, false
	}
	return s.data[sec.At : sec.At+sec.Len], true
}

// of gives the sections that hurt bytes of a part's sheet touch, and the blocks
// that they tell of.
func (x *extent) of(part string, hurt stretch) (names []string, from, to uint64) {
	s := x.sheets[part]
	for _, name := range slices.Sorted(maps.Keys(s.trailer.Sections)) {
		sec := s.trailer.Sections[name]
		lo, hi := max(hurt.from, sec.At)-sec.At, min(hurt.to, sec.At+sec.Len)-sec.At
		if lo >= hi {
			continue
		}
		first, last, ok := x.blocks(part, name, lo, hi-1)
		if !ok {
			first, last = x.info.From, x.info.To
		}
		if len(names) == 0 {
			from, to = first, last
		}
		names, from, to = append(names, name), min(from, first), max(to, last)
	}
	if len(names) == 0 { // between sections
		return []string{"none"}, x.info.From, x.info.To
	}
	return names, from, to
}

// blocks are those that bytes lo to hi of a section tell of, when that can be
// said.
func (x *extent) blocks(part, name string, lo, hi int64) (from, to uint64, ok bool) {
	const rows, txs, inputs, outputs = 20, 16, 1, 5 // where the table of blocks, and those of coins, have them
	numbered := func(at string, element int) (uint32, uint32, bool) {
		switch {
		case name == at && part != "utxo":
			return uint32(lo/startsLine) * startsOf * blockRows, uint32(hi/startsLine+1)*startsOf*blockRows - 1, true
		case name == at:
			return uint32(lo/8) * blockRows, uint32(hi/8)*blockRows + blockRows - 1, true
		}
		return x.elements(part, at, element, lo, hi)
	}
	var a, b uint32
	switch part + "." + name {
	case "idx.blocks":
		return x.table(lo/blockEntry, hi/blockEntry)
	case "rows.rows", "rows.at":
		if a, b, ok = numbered("at", blockRows); ok {
			return x.holding(rows, a, b)
		}
	case "txs.txs", "txs.at", "utxo.txs", "utxo.txat":
		if a, b, ok = numbered(map[string]string{"txs": "at", "utxo": "txat"}[part], blockRows); ok {
			return x.holding(txs, a, b)
		}
	case "utxo.ins", "utxo.insat":
		if a, b, ok = numbered("insat", coinRows); ok {
			a, b, ok = x.spending(inputs, a, b)
		}
	case "utxo.outs", "utxo.outsat":
		if a, b, ok = numbered("outsat", coinRows); ok {
			a, b, ok = x.spending(outputs, a, b)
		}
	case "utxo.spenders", "utxo.spendersat":
		if a, b, ok = numbered("spendersat", coinRows); ok {
			a, b, ok = x.spending(outputs, a, b)
		}
	}
	if !ok {
		return 0, 0, false
	}
	return x.holding(txs, a, b)
}

// elements are the numbers of those in a section of blocks, whose offsets stand
// in section at.
func (x *extent) elements(part, at string, each int, lo, hi int64) (first, last uint32, ok bool) {
	offsets, ok := x.intact(part, at)
	if !ok {
		return 0, 0, false
	}
	begin := func(i int) uint64 { return binary.LittleEndian.Uint64(offsets[8*i:]) }
	n := len(offsets) / 8
	if part != "utxo" {
		begin = func(i int) uint64 { return starts(offsets).of(uint32(i)) }
		n = min(len(offsets)/startsLine*startsOf, int(map[string]uint64{"rows": x.info.Rows, "txs": x.info.Txs}[part]+blockRows-1)/blockRows)
	}
	if n == 0 {
		return 0, 0, false
	}
	block := func(byte int64) int {
		return max(0, sort.Search(n, func(i int) bool { return begin(i) > uint64(byte) })-1)
	}
	return uint32(block(lo) * each), uint32(block(hi)*each + each - 1), true
}

// holding are the blocks that hold rows, or transactions, first to last; field
// is where an entry of the table of blocks has the first of its own.
func (x *extent) holding(field int, first, last uint32) (from, to uint64, ok bool) {
	table, ok := x.intact("idx", "blocks")
	n := len(table) / blockEntry
	if !ok || n == 0 {
		return 0, 0, false
	}
	number := func(of uint32) uint64 {
		i := max(0, sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint32(table[i*blockEntry+field:]) > of })-1)
		return binary.LittleEndian.Uint64(table[i*blockEntry:])
	}
	return number(first), number(last), true
}

// spending are the transactions that have inputs, or outputs, first to last;
// field is where a block of coins' transactions has the first of its own.
func (x *extent) spending(field int, first, last uint32) (uint32, uint32, bool) {
	offsets, ok := x.intact("utxo", "txat")
	data, good := x.intact("utxo", "txs")
	n := len(offsets) / 8
	if !ok || !good || n == 0 {
		return 0, 0, false
	}
	block := func(of uint32) int {
		return max(0, sort.Search(n, func(i int) bool {
			at := binary.LittleEndian.Uint64(offsets[8*i:])
			return at+coinTxHeader > uint64(len(data)) || binary.LittleEndian.Uint32(data[at+uint64(field):]) > of
		})-1)
	}
	return uint32(block(first) * blockRows), uint32(block(last)*blockRows + blockRows - 1), true
}

// table are the blocks between those around entries first to last of the table
// of blocks.
func (x *extent) table(first, last int64) (from, to uint64, ok bool) {
	s := x.sheets["idx"]
	sec := s.trailer.Sections["blocks"]
	entry := func(i int64) (uint64, bool) {
		at := sec.At + i*blockEntry
		if i < 0 || (i+1)*blockEntry > sec.Len || x.hurt["idx"][at/sheetPage] || x.hurt["idx"][(at+7)/sheetPage] {
			return 0, false
		}
		return binary.LittleEndian.Uint64(s.data[at:]), true
	}
	from, to = x.info.From, x.info.To
	if n, ok := entry(first - 1); ok {
		from = n + 1
	}
	if n, ok := entry(last + 1); ok {
		to = n - 1
	}
	return from, to, true
}
