package ledger

import "context"

// Degrees takes long lists' counts as they are written, and reads the sides of
// short ones.
func (v *view) Degrees(ctx context.Context, accounts []AccountRef) (_ []Degree, err error) {
	defer v.guard(&err)
	out := make([]Degree, len(accounts))
	g := v.gatherer(nil)
	for at := 0; at < len(accounts); at += waveQueries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		end := min(at+waveQueries, len(accounts))
		if err := g.degrees(ctx, accounts[at:end], out[at:end]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// degrees answers a wave.
func (g *gatherer) degrees(ctx context.Context, accounts []AccountRef, out []Degree) error {
	g.begin(len(accounts))
	for i, a := range accounts {
		switch {
		case a == 0:
		case !g.v.small(a):
			if err := g.v.eachOf(ctx, Query{Account: a}, func(w *Row) bool {
				out[i].add(w.From, w.To, a)
				return true
			}); err != nil {
				return err
			}
		default:
			g.probe(i, a, false)
		}
	}
	g.find()
	g.spans = g.spans[:0]
	for i := range g.probes {
		p := &g.probes[i]
		from := len(g.rows)
		if !g.plain(p, 0) {
			books := p.s.openBooks(p.at)
			d := &out[p.query]
			d.Out += books.outs
			d.In += uint64(books.count) - books.outs + books.selfs
		}
		g.spans = append(g.spans, wave{from: from, to: len(g.rows)})
	}
	g.locate(g.rows)
	var b rowBlock
	for i := range g.probes {
		query := g.probes[i].query
		for _, r := range g.rows[g.spans[i].from:g.spans[i].to] {
			b.parse(r.s.rowData[r.block:])
			from, to, _, _ := b.sidesOf(int(r.row%blockRows), int(r.at))
			out[query].add(from, to, accounts[query])
		}
	}
	return nil
}

// add counts a row of an account.
func (d *Degree) add(from, to, account AccountRef) {
	if from == account {
		d.Out++
	}
	if to == account {
		d.In++
	}
}
