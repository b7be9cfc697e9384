package ledger

import (
	"cmp"
	"context"
	"slices"
	"sort"
)

// A transaction is in one block. Files are merged by block, so that what two
// sources put into different ones does not meet there: when segments have been
// written, their ids are looked up in one another and in those that stayed,
// and the segments that hold one twice are written again, with all that is
// known of it in the lowest block. What was committed before holds each once,
// so only new segments are looked through.

// maxDisplaced is how many transactions are brought to their blocks at once,
// in 24 bytes each; what is more takes another round.
const maxDisplaced = 1 << 22

// displaced is a transaction that is known in a lower block too.
type displaced struct {
	to   uint64 // that block
	from int    // its segment, by place
	n    uint32
}

// unite makes every transaction of the chain be in one of the segments once:
// those kept, and those just written, which infos describe. It gives all that
// the chain has then.
func (j *rewriteJob) unite(ctx context.Context, kept []*segment, infos []segmentInfo) ([]segmentInfo, error) {
	all := slices.Clone(kept)
	for {
		fresh := map[*segment]bool{}
		for i := range infos {
			s, err := openSegment(j.l.dir, infos[i].Number)
			if err != nil {
				return nil, err
			}
			fresh[s] = true
			all = append(all, s)
		}
		slices.SortFunc(all, func(a, b *segment) int { return cmp.Compare(a.From, b.From) })
		moves, err := findDisplaced(ctx, all, fresh)
		if err != nil {
			return nil, err
		}
		if len(moves) == 0 {
			break
		}
		if all, infos, err = j.displace(ctx, all, moves); err != nil {
			return nil, err
		}
		for s := range fresh {
			if !slices.Contains(all, s) {
				if err := j.discard(s); err != nil {
					return nil, err
				}
			}
		}
	}
	out := make([]segmentInfo, 0, len(all))
	for _, s := range all {
		out = append(out, s.segmentInfo)
	}
	return out, nil
}

// discard removes a segment that no manifest names.
func (j *rewriteJob) discard(s *segment) error {
	for _, part := range s.parts() {
		if err := j.disk.remove(j.l.path(segmentFile(s.Number, part))); err != nil {
			return err
		}
	}
	return nil
}

// findDisplaced looks the transactions of fresh segments up in all, and gives
// each that a lower block has too, with the lowest.
func findDisplaced(ctx context.Context, all []*segment, fresh map[*segment]bool) ([]displaced, error) {
	var out []displaced
	for i, s := range all {
		if !fresh[s] {
			continue
		}
		for k, o := range all {
			if k > i && fresh[o] {
				continue // o is looked up in s
			}
			err := s.twins(ctx, o, func(n, m uint32) {
				here, there := s.blockOf(n), o.blockOf(m)
				switch {
				case len(out) >= maxDisplaced:
				case here > there:
					out = append(out, displaced{there, i, n})
				default:
					out = append(out, displaced{here, k, m})
				}
			})
			if err != nil {
				return nil, err
			}
			if fresh[o] {
				o.forgetIDs()
			}
		}
		s.forgetIDs()
	}
	slices.SortFunc(out, func(a, b displaced) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.n, b.n), cmp.Compare(a.to, b.to))
	})
	return slices.CompactFunc(out, func(a, b displaced) bool { return a.from == b.from && a.n == b.n }), nil
}

// blockOf is the number of the block that transaction n is in.
func (s *segment) blockOf(n uint32) uint64 {
	var t segmentTxn
	s.txn(n, &t, false)
	return s.blockNumber(int(t.block))
}

// displace writes the segments again that moves touch. It gives those that
// stay and what was written.
func (j *rewriteJob) displace(ctx context.Context, all []*segment, moves []displaced) (stay []*segment, infos []segmentInfo, err error) {
	gone := make([][]uint32, len(all))
	touched := make([]bool, len(all))
	for _, m := range moves {
		gone[m.from] = append(gone[m.from], m.n)
		touched[m.from] = true
		touched[sort.Search(len(all), func(i int) bool { return all[i].To >= m.to })] = true
	}
	slices.SortStableFunc(moves, func(a, b displaced) int { return cmp.Compare(a.to, b.to) })
	sources := []blockSource{&displacedSource{all: all, list: moves}}
	for i, s := range all {
		if touched[i] {
			sources = append(sources, &thinnedSource{segmentSource{s: s}, gone[i]})
		} else {
			stay = append(stay, s)
		}
	}
	out := &segmentOutput{job: j, id: all[0].Chain, kept: stay}
	err = mergeBlocks(sources, placeSorter{j.names}, func(b *mergedBlock) error {
		if out.blocks++; out.blocks&0xff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return out.add(b)
	})
	infos, ferr := out.finish()
	return stay, infos, cmpErr(err, ferr)
}

// thinnedSource is a segment without some of its transactions.
type thinnedSource struct {
	segmentSource
	gone []uint32 // ascending
}

func (t *thinnedSource) advance() error {
	n := t.tx
	if err := t.segmentSource.advance(); err != nil {
		return err
	}
	txs, left := t.next.txs, 0
	for i := range txs {
		if len(t.gone) > 0 && t.gone[0] == n+uint32(i) {
			t.gone = t.gone[1:]
			continue
		}
		txs[left], txs[i] = txs[i], txs[left] // each keeps memory of its own
		left++
	}
	t.next.txs = txs[:left]
	return nil
}

// displacedSource gives transactions of segments in other blocks than there.
type displacedSource struct {
	all  []*segment
	list []displaced // by block
	next mergedBlock
	more bool
}

func (d *displacedSource) head() (*mergedBlock, bool) { return &d.next, d.more }

func (d *displacedSource) advance() error {
	d.next = mergedBlock{}
	if d.more = len(d.list) > 0; !d.more {
		return nil
	}
	d.next.state.number = d.list[0].to
	for len(d.list) > 0 && d.list[0].to == d.next.state.number {
		m := d.list[0]
		t, err := d.all[m.from].adopt(m.n)
		if err != nil {
			return err
		}
		d.next.txs = append(d.next.txs, mergedTx{id: t.name.id, index: t.index, status: t.status, moves: t.moves, notes: t.notes, coins: t.coins})
		d.list = d.list[1:]
	}
	return nil
}
