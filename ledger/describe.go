package ledger

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bongsu/errs"
)

// Sizes says where a ledger's bytes are.
type Sizes struct {
	Rows, Txs, Accounts uint64
	Segments            int
	Bytes               int64 // all files that the manifest names
	HashBytes           int64 // of these, transaction ids and their lookup
	HeadBytes           int64
	UTXOTxs             uint64 // transactions with inputs and outputs
	Inputs, Outputs     uint64 // theirs
	UTXOBytes           int64  // of Bytes, inputs and outputs without the transactions' ids and places
	Parts               []Part // segments' sections and the dictionary
}

// Part is a part of the files and its bytes.
type Part struct {
	Name  string
	Bytes int64
}

// Describe adds up what the ledger's files hold. It reads no rows.
func Describe(ctx context.Context, dir string) (Sizes, error) {
	var s Sizes
	m, _, err := readManifest(dir)
	if err != nil {
		return s, err
	}
	if info, err := os.Stat(filepath.Join(dir, m.Head)); err == nil {
		s.HeadBytes = info.Size()
		s.Bytes += info.Size()
	}
	parts := map[string]int64{}
	for _, n := range m.Dictionaries {
		f, err := openDictionary(dir, n)
		if err != nil {
			return s, err
		}
		s.Accounts += f.Count
		s.Bytes += int64(len(f.sheet.data))
		parts["accounts' dictionary"] += int64(len(f.sheet.data))
	}
	for _, info := range m.Segments {
		seg, err := openSegment(dir, info.Number)
		if err != nil {
			return s, err
		}
		s.Segments++
		s.Rows += seg.Rows
		s.Txs += seg.Txs
		seg.sizes(&s, parts)
	}
	for name, n := range parts {
		s.Parts = append(s.Parts, Part{name, n})
	}
	slices.SortFunc(s.Parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	return s, errs.Wrap("ledger stats", dir, ctx.Err())
}

func (s *segment) sizes(out *Sizes, parts map[string]int64) {
	ids := int64(s.Txs) * int64(s.idLen)
	out.HashBytes += ids
	if s.coins != nil {
		out.Inputs, out.Outputs = out.Inputs+s.Inputs, out.Outputs+s.Outputs
		out.UTXOTxs += s.Coins
		for name, sec := range s.coins.sheet.trailer.Sections {
			out.UTXOBytes += sec.Len
			parts[coinTitles[name]] += sec.Len
		}
		size := int64(len(s.coins.sheet.data))
		out.Bytes += size
		parts["checksums and trailers"] += size - s.coins.sheet.trailer.Size
	}
	for _, sh := range []*sheet{s.rows, s.txs, s.idx} {
		out.Bytes += int64(len(sh.data))
		for name, sec := range sh.trailer.Sections {
			n := sec.Len
			switch name {
			case "txs":
				n -= ids
			case "txorder", "txbuckets":
				out.HashBytes += n
				continue
			}
			parts[sectionTitles[name]] += n
		}
		parts["checksums and trailers"] += int64(len(sh.data)) - sh.trailer.Size
	}
}

var sectionTitles = map[string]string{
	"rows": "rows", "at": "where blocks of rows and transactions begin", "txs": "transactions' places", "blocks": "blocks", "hashes": "blocks' hashes",
	"extraat": "call inputs and logs", "extras": "call inputs and logs", "common": "common amounts", "bitmap": "directory of accounts",
	"dir": "directory of accounts", "postings": "postings, both directions",
	"skips": "running balances and skips", "marks": "postings, both directions", "balances": "running balances and skips",
}

var coinTitles = map[string]string{
	"txs": "inputs and outputs: which are whose", "txat": "inputs and outputs: which are whose",
	"ins": "inputs", "insat": "inputs", "points": "inputs: spent outputs of other segments",
	"pointbuckets": "inputs: spent outputs of other segments", "pointorder": "inputs: spent outputs of other segments",
	"outs": "outputs", "outsat": "outputs", "spenders": "outputs' spenders", "spendersat": "outputs' spenders",
	"dataat": "OP_RETURN payloads", "data": "OP_RETURN payloads", "bitmap": "outputs by account",
	"dir": "outputs by account", "postings": "outputs by account", "skips": "outputs by account",
}
