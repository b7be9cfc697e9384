package trace

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"unicode"

	"bongsu/chain"
	"bongsu/ledger"
)

// Bait is made to pull an investigator, or a clerk who copies addresses, to the
// wrong account: tokens that bear a genuine symbol on a foreign contract,
// zero-value transfers that anyone can write into anyone's history, dust, and
// addresses that agree with a genuine one where people look. None of it can
// carry taint here: another contract is another asset, nothing moves in a
// transfer of nothing, and dust is clean money of the book it reaches. What is
// recognised is listed.

// dustShift: dust is less than 10^-5 of a whole unit.
const dustShift = 5

// guard judges what may be bait on the touched accounts.
type guard struct {
	s       *sim
	names   *names
	genuine map[string][]chain.AssetInfo // built-in and stolen assets, by folded symbol
	looks   map[ledger.AssetRef]assetLook
	like    map[[5]byte][]chain.Account // touched accounts, by form and the ends of their addresses; nil until asked for
	touched []bool                      // by party; those known when the search began
	order   []uint32                    // the touched parties, as flows touched them
	found   map[asideKey]*Aside
}

// assetLook is what a guard asks of an asset, looked up once.
type assetLook struct {
	info     chain.AssetInfo
	imitates chain.Asset  // the genuine asset whose symbol it bears
	dust     chain.Amount // less is dust; zero where nothing is
}

type asideKey struct {
	account, touched ledger.AccountRef
	asset            ledger.AssetRef
	reason           AsideReason
}

// asides lists the bait of a finished simulation.
func (s *sim) asides(ctx context.Context, n *names) ([]Aside, error) {
	if s.req.SkipAside {
		return nil, nil
	}
	if s.utxo != nil {
		return nil, nil // an output that nobody asked for is a coin of its own: it mixes with nothing
	}
	sides := s.flowSides()
	if err := s.meet(ctx, sides); err != nil {
		return nil, err
	}
	g := &guard{s: s, names: n, touched: make([]bool, len(s.parties)), found: map[asideKey]*Aside{}}
	for _, ref := range sides {
		if at := s.byRef[ref]; !g.touched[at] {
			g.touched[at] = true
			g.order = append(g.order, at)
		}
	}
	bait := s.bait
	if s.bait = nil; bait == nil {
		bait = s.newBaitReader()
	}
	if err := bait.finish(ctx, s.arrivals()); err != nil {
		return nil, err
	}
	if err := g.learn(ctx, bait.rows); err != nil {
		return nil, err
	}
	for i := range bait.order {
		for _, w := range bait.of(i) {
			if err := g.row(ctx, bait.order[i].party, &w); err != nil {
				return nil, err
			}
		}
	}
	return g.list(), nil
}

// arrival is where taint reached a party first.
type arrival struct {
	party   uint32
	account ledger.AccountRef
	at      ledger.Key
}

// arrivals lists the parties whose books taint reached, in that order.
func (s *sim) arrivals() iter.Seq[arrival] {
	return func(yield func(arrival) bool) {
		reached := make([]bool, len(s.parties))
		for i := range s.flows {
			f := &s.flows[i].row
			if f.to == 0 {
				continue
			}
			if at := s.byRef[f.to]; !reached[at] && s.parties[at].role == roleBook {
				if reached[at] = true; !yield(arrival{at, f.to, f.Key}) {
					return
				}
			}
		}
	}
}

// wasTouched says whether taint reached an account.
func (g *guard) wasTouched(ref ledger.AccountRef) bool {
	at, ok := g.s.byRef[ref]
	return ok && int(at) < len(g.touched) && g.touched[at]
}

// lookAlike is a touched account that another is made to look like, if it is.
func (g *guard) lookAlike(a chain.Account) (like chain.Account, ok bool) {
	if g.like == nil {
		g.like = map[[5]byte][]chain.Account{}
		for _, at := range g.order {
			if e, ok := ends(g.s.parties[at].account); ok {
				g.like[e] = append(g.like[e], g.s.parties[at].account)
			}
		}
	}
	e, ok := ends(a)
	if !ok {
		return like, false
	}
	for _, x := range g.like[e] {
		if x != a {
			return x, true
		}
	}
	return like, false
}

// ends are the digits of an address that people compare: the first four and
// the last four.
func ends(a chain.Account) (e [5]byte, ok bool) {
	var buf [32]byte
	raw := a.AppendRaw(buf[:0])
	if a.Form() != chain.FormEVM && a.Form() != chain.FormTron || len(raw) != 20 {
		return e, false
	}
	return [5]byte{byte(a.Form()), raw[0], raw[1], raw[18], raw[19]}, true
}

func (g *guard) row(ctx context.Context, at uint32, w *ledger.Row) error {
	other := w.From
	if other == g.s.parties[at].ref {
		other = w.To
	}
	if g.s.wrappers.link(w.From, w.To, w.Asset).code != noLink {
		return nil
	}
	look := g.looks[w.Asset]
	reason, like, worthless := g.judge(w, other, &look)
	if reason == "" && !worthless {
		return nil
	}
	o, err := g.s.party(ctx, other)
	if err != nil {
		return err
	}
	account := g.s.parties[o].account
	if !g.wasTouched(other) {
		if x, ok := g.lookAlike(account); ok {
			reason, like = AsideLookLike, x.String()
		}
	}
	if reason == "" {
		return nil
	}
	k := asideKey{other, g.s.parties[at].ref, w.Asset, reason}
	a := g.found[k]
	if a == nil {
		a = &Aside{
			Account: account, Touched: g.s.parties[at].account, Reason: reason, Asset: look.info.Asset, Symbol: look.info.Symbol,
			First: w.Stated, Like: like,
		}
		g.found[k] = a
	}
	a.Count++
	a.Last = w.Stated
	return nil
}

// judge says why a row is bait, if it is, and what it imitates. A row that is
// worthless without being bait by itself (a call that moves nothing, dust of an
// asset that is not followed here) is bait where a look-alike wrote it.
func (g *guard) judge(w *ledger.Row, other ledger.AccountRef, look *assetLook) (reason AsideReason, like string, worthless bool) {
	zero := w.Amount.IsZero()
	dust := !zero && w.From == other && w.Amount.Less(look.dust) && !g.wasTouched(other)
	if look.imitates == "" && !zero && !dust {
		return "", "", false
	}
	followed := g.s.shelf.has(w.To, w.Asset) || g.s.shelf.has(w.From, w.Asset)
	switch {
	case !followed && look.imitates != "":
		return AsideFake, string(look.imitates), true
	case zero && w.Kind == chain.KindToken:
		return AsideZero, "", true
	case followed && dust:
		return AsideDust, "", true
	}
	return "", "", zero || dust
}

// learn looks the assets of rows up.
func (g *guard) learn(ctx context.Context, rows []ledger.Row) error {
	g.looks = map[ledger.AssetRef]assetLook{}
	var refs []ledger.AssetRef
	for i := range rows {
		a := rows[i].Asset
		if _, ok := g.looks[a]; !ok {
			g.looks[a] = assetLook{}
			refs = append(refs, a)
		}
	}
	names, err := g.s.r.Assets(ctx, refs)
	if err != nil {
		return err
	}
	for i, ref := range refs {
		look := assetLook{info: chain.AssetInfo{Asset: names[i]}}
		if info, ok := g.names.registry.Info(names[i]); ok {
			look = assetLook{info: info, imitates: g.imitated(info), dust: dustLimit(info.Decimals)}
		}
		g.looks[ref] = look
	}
	return nil
}

// dustLimit is the least amount that is no dust.
func dustLimit(decimals uint8) chain.Amount {
	if decimals < dustShift {
		return chain.Amount{}
	}
	limit := chain.Units(1)
	for range decimals - dustShift {
		limit, _ = limit.MulDiv(chain.Units(10), chain.Units(1)) // decimals are at most 77 where amounts fit
	}
	return limit
}

// imitated is the genuine asset of the same chain whose symbol another
// contract's asset bears.
func (g *guard) imitated(info chain.AssetInfo) chain.Asset {
	if g.genuine == nil {
		g.genuine = g.genuines()
	}
	for _, a := range g.genuine[fold(info.Symbol)] {
		if a.Asset == info.Asset {
			return ""
		}
	}
	for _, a := range g.genuine[fold(info.Symbol)] {
		if a.Asset.Chain() == info.Asset.Chain() {
			return a.Asset
		}
	}
	return ""
}

// genuines are the built-in and the stolen assets that are registered, by
// folded symbol and in the order of their names.
func (g *guard) genuines() map[string][]chain.AssetInfo {
	known := chain.NewRegistry().All()
	for _, c := range g.s.classes[1:] {
		known = append(known, chain.AssetInfo{Asset: g.names.assets[c.asset]})
	}
	slices.SortFunc(known, func(a, b chain.AssetInfo) int { return cmp.Compare(a.Asset, b.Asset) })
	out := map[string][]chain.AssetInfo{}
	for i := range known {
		if a, ok := g.names.registry.Info(known[i].Asset); ok && (i == 0 || known[i-1].Asset != a.Asset) {
			out[fold(a.Symbol)] = append(out[fold(a.Symbol)], a)
		}
	}
	return out
}

// looks lists, by the Latin letter that they look like, letters of other
// scripts and signs in which symbols are forged (Unicode's confusables, the
// letters that genuine symbols are written in).
var looks = func() map[rune]rune {
	m := map[rune]rune{}
	for latin, others := range map[rune]string{
		'a': "АаΑαɑ", 'b': "ВЬΒßƄ", 'c': "СсϹϲⅭⅽ", 'd': "ԁⅾɗ", 'e': "ЕеΕеєҽ", 'g': "ɡԌ", 'h': "НнΗһհ", 'i': "ІіΙιıӏ1l|", 'j': "Јј", 'k': "КкΚκ",
		'm': "МмΜⅯⅿ", 'n': "Ννո", 'o': "ОоΟο0Օօ", 'p': "РрΡρ", 's': "Ѕѕ$Ꮪ", 't': "ТтΤτ₮", 'u': "υսUᴜ", 'v': "Ѵѵ", 'w': "Ԝԝѡ", 'x': "ХхΧχ", 'y': "УуΥүγ", 'z': "Ζᴢ",
	} {
		for _, r := range others {
			m[r] = latin
		}
	}
	return m
}()

// fold brings symbols that look the same to the eye into one form.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(" .-_", r), unicode.In(r, unicode.Cf, unicode.Mn, unicode.Zs, unicode.Cc):
			return -1
		case r >= '！' && r <= '～': // full width
			r -= '！' - '!'
		}
		if latin, ok := looks[r]; ok {
			return latin
		}
		if r = unicode.ToLower(r); r == 'l' {
			return 'i' // beside an I
		}
		return r
	}, s)
}

func (g *guard) list() []Aside {
	out := make([]Aside, 0, len(g.found))
	for _, a := range g.found {
		out = append(out, *a)
	}
	return sorted(out, (*Aside).compare)
}

func (a *Aside) compare(b *Aside) int {
	return cmp.Or(a.Account.Compare(b.Account), cmp.Compare(a.Asset, b.Asset), a.Touched.Compare(b.Touched), cmp.Compare(a.Reason, b.Reason))
}
