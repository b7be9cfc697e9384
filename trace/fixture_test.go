package trace_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bongsu/chain"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/ledger/model"
	"bongsu/trace"
	"bongsu/trace/links"

	"github.com/cockroachdb/datadriven"
)

// TestFixtures runs the files under testdata/fixtures. Their language is
// described in testdata/fixtures/README.md; a new laundering pattern needs a
// new file and no Go.
func TestFixtures(t *testing.T) {
	datadriven.Walk(t, "testdata/fixtures", func(t *testing.T, path string) {
		if strings.HasSuffix(path, ".md") {
			return
		}
		w := &world{t: t, names: map[chain.Account]string{}, assets: map[chain.Asset]string{weth.Token(): "WETH"}}
		datadriven.RunTest(t, path, w.command)
	})
}

// weth is the contract that wraps the chain's coin in fixtures and histories.
var weth = links.AllWrapped()[0]

// world is what one fixture file has said so far.
type world struct {
	t         *testing.T
	transfers []chain.Transfer
	stolen    map[string][]int // theft name to lines
	labels    []labels.Label
	names     map[chain.Account]string
	assets    map[chain.Asset]string
	txs       []ledger.UTXOTx
	coins     map[string]ledger.OutPoint
}

func (w *world) command(t *testing.T, d *datadriven.TestData) string {
	w.t = t
	switch d.Cmd {
	case "transfers":
		w.transfers, w.stolen, w.labels = nil, map[string][]int{}, nil
		w.more(d)
	case "more":
		w.more(d)
	case "labels":
		for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
			f := strings.Fields(line)
			at := w.account(f[0])
			if len(w.txs) > 0 {
				at = w.output(f[0])
			}
			l := labels.Label{Account: at, Label: f[0], Category: f[1], Source: "fixture", Score: 50}
			for _, x := range f[2:] {
				k, v, _ := strings.Cut(x, "=")
				switch k {
				case "score":
					n, _ := strconv.Atoi(v)
					l.Score = uint8(n)
				case "source":
					l.Source = v
				case "name":
					l.Label = v
				case "concepts":
					l.Concepts = strings.Split(v, ",")
				}
			}
			w.labels = append(w.labels, l)
		}
	case "utxo":
		w.transfers, w.stolen, w.labels, w.txs = nil, map[string][]int{}, nil, nil
		w.utxo(d)
	case "trace":
		return w.trace(d)
	default:
		t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	}
	return ""
}

// more reads lines of the form
//
//	PLACE FROM -> TO AMOUNT [ASSET] [KIND] [!THEFT]
func (w *world) more(d *datadriven.TestData) {
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) < 5 || f[2] != "->" {
			w.t.Fatalf("%s: %q is not PLACE FROM -> TO AMOUNT", d.Pos, line)
		}
		tr := chain.Transfer{
			Chain: chain.Ethereum, Ordinal: uint32(len(w.transfers)), From: w.account(f[1]), To: w.account(f[3]),
			Kind: chain.KindInternal, Asset: chain.Ethereum.Native(),
		}
		w.place(&tr, f[0])
		var err error
		if tr.Amount, err = chain.ParseBase(f[4]); err != nil {
			w.t.Fatal(err)
		}
		for _, x := range f[5:] {
			if theft, ok := strings.CutPrefix(x, "!"); ok {
				w.stolen[theft] = append(w.stolen[theft], len(w.transfers))
			} else if k, err := chain.ParseKind(x); err == nil {
				tr.Kind = k
			} else {
				tr.Kind, tr.Asset = chain.KindToken, chain.Token(w.account("token:"+x))
				if x == "WETH" {
					tr.Asset = weth.Token()
				}
				w.assets[tr.Asset] = x
			}
		}
		w.transfers = append(w.transfers, tr)
	}
}

// place reads BLOCK, BLOCK.INDEX, BLOCK.- (index unknown) or ~BLOCK (no block,
// but its time). Lines of one place are one transaction.
func (w *world) place(tr *chain.Transfer, s string) {
	sum := sha256.Sum256([]byte(s))
	tr.Tx, _ = chain.NewTxID(sum[:])
	tr.Index = 0
	block, index, has := strings.Cut(strings.TrimPrefix(s, "~"), ".")
	n, err := strconv.ParseUint(block, 10, 32)
	if err != nil {
		w.t.Fatalf("%q is not a place", s)
	}
	tr.Block, tr.Time = n, chain.Time(n*12_000)
	if has {
		if i, err := strconv.ParseUint(strings.TrimRight(index, "abc"), 10, 31); err == nil {
			tr.Index = uint32(i)
		} else {
			tr.Index = chain.NoIndex
		}
	}
	if s[0] == '~' {
		tr.Block, tr.Index = chain.NoBlock, chain.NoIndex
	}
}

// account makes an account of a name; "-" is the zero account.
func (w *world) account(name string) chain.Account {
	if name == "-" {
		return chain.Account{}
	}
	sum := sha256.Sum256([]byte(name))
	a := chain.EVM(chain.Ethereum, [20]byte(sum[:20]))
	if name == "wrapper" {
		a = weth.Contract
	}
	w.names[a] = name
	return a
}

func (w *world) reader() ledger.Reader {
	var m model.Model
	reg := chain.NewRegistry()
	f := ledger.Facts{Transfers: w.transfers, UTXOs: w.txs}
	if len(w.txs) > 0 {
		f.Transfers = nil // they only say what was stolen
	}
	for a, s := range w.assets {
		if _, ok := reg.Info(a); !ok {
			f.Assets = append(f.Assets, chain.AssetInfo{Asset: a, Symbol: s, Decimals: 0, Source: "fixture"})
		}
	}
	if err := m.Add(&f); err != nil {
		w.t.Fatal(err)
	}
	r, err := m.Reader()
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// utxo reads lines of the form
//
//	NAME BLOCK: INPUT ... => ACCOUNT:AMOUNT[!THEFT] ...
//
// where an input is NAME.INDEX, "coinbase", or "unknown".
func (w *world) utxo(d *datadriven.TestData) {
	w.coins = map[string]ledger.OutPoint{}
	for n, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		line, _, _ = strings.Cut(line, "#")
		head, body, ok := strings.Cut(line, ":")
		ins, outs, ok2 := strings.Cut(body, "=>")
		name, block, ok3 := strings.Cut(head, " ")
		if !ok || !ok2 || !ok3 {
			w.t.Fatalf("%s: %q is not NAME BLOCK: INPUT => ACCOUNT:AMOUNT", d.Pos, line)
		}
		sum := sha256.Sum256([]byte(name))
		tx := ledger.UTXOTx{Chain: chain.Bitcoin, Index: uint32(n)}
		tx.Tx, _ = chain.NewTxID(sum[:])
		b, err := strconv.ParseUint(block, 10, 32)
		if err != nil {
			w.t.Fatal(err)
		}
		tx.Block, tx.Time = b, chain.Time(b*12_000)
		for _, in := range strings.Fields(ins) {
			switch {
			case in == "coinbase":
				tx.Coinbase = true
				tx.Inputs = append(tx.Inputs, ledger.UTXOIn{})
			case in == "unknown":
				other := sha256.Sum256([]byte(name + "unknown"))
				id, _ := chain.NewTxID(other[:])
				tx.Inputs = append(tx.Inputs, ledger.UTXOIn{Prev: ledger.OutPoint{Tx: id}})
			default:
				tx.Inputs = append(tx.Inputs, ledger.UTXOIn{Prev: w.coins[in]})
			}
		}
		for i, out := range strings.Fields(outs) {
			who, rest, _ := strings.Cut(out, ":")
			amount, theft, stolen := strings.Cut(rest, "!")
			value, err := chain.ParseBase(amount)
			if err != nil {
				w.t.Fatal(err)
			}
			tx.Outputs = append(tx.Outputs, ledger.UTXOOut{Account: w.output(who), Value: value})
			w.coins[fmt.Sprintf("%s.%d", name, i)] = ledger.OutPoint{Tx: tx.Tx, Index: uint32(i)}
			if stolen {
				w.stolen[theft] = append(w.stolen[theft], len(w.transfers))
				w.transfers = append(w.transfers, chain.Transfer{
					Chain: chain.Bitcoin, Time: tx.Time, Block: b, Index: tx.Index, Tx: tx.Tx, Kind: chain.KindNative, Ordinal: uint32(i),
					To: w.output(who), Asset: chain.Bitcoin.Native(), Amount: value,
				})
			}
		}
		w.txs = append(w.txs, tx)
	}
}

// output makes a Bitcoin account of a name; "-" is an output without one.
func (w *world) output(name string) chain.Account {
	if name == "-" {
		return chain.Account{}
	}
	sum := sha256.Sum256([]byte(name))
	a, _ := chain.NewAccount(chain.Bitcoin, chain.FormP2PKH, sum[:20])
	w.names[a] = name
	return a
}

func (w *world) request(d *datadriven.TestData) trace.Request {
	req := trace.Request{}
	for _, name := range sortedNames(w.stolen) {
		th := trace.Theft{ID: name}
		for _, i := range w.stolen[name] {
			th.Transfers = append(th.Transfers, w.transfers[i])
		}
		req.Thefts = append(req.Thefts, th)
	}
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			w.t.Fatal(err)
		}
		return n
	}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "max-hops":
			req.Bounds.MaxHops = number(a.Vals[0])
		case "max-degree":
			req.Bounds.MaxDegree = number(a.Vals[0])
		case "min-amount":
			for _, id := range []chain.ID{chain.Ethereum, chain.Bitcoin} {
				req.Bounds.MinAmount = append(req.Bounds.MinAmount, chain.Money{Asset: id.Native(), Amount: chain.Units(uint64(number(a.Vals[0])))})
			}
		case "until":
			req.Bounds.Until = chain.Time(number(a.Vals[0]) * 12_000)
		case "fees":
			req.Fees = trace.FeeRule(a.Vals[0])
		case "observed-only":
			req.ObservedOnly = true
		case "backward":
			req.Backward = true
		case "source":
			src := trace.Source{Account: w.account(a.Vals[0])}
			if len(w.txs) > 0 {
				src.Account = w.output(a.Vals[0])
			}
			if len(a.Vals) > 1 {
				src.Since = chain.Time(number(a.Vals[1]) * 12_000)
			}
			req.Sources, req.Thefts = append(req.Sources, src), nil
		default:
			req.Method = trace.Method(a.Key)
		}
	}
	return req
}

func sortedNames(m map[string][]int) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (w *world) trace(d *datadriven.TestData) string {
	run, err := trace.Follow(context.Background(), w.reader(), labels.NewSet(w.labels), w.request(d))
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	return w.print(&run.Result)
}

// print writes a result as lines, accounts by name.
func (w *world) print(r *trace.Result) string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	who := func(a chain.Account) string { return w.names[a] }
	money := func(a trace.Amount) string {
		if a.Asset == "" {
			return a.Base.Base() + " of no asset"
		}
		if name, ok := w.assets[a.Asset]; ok {
			return a.Base.Base() + " " + name
		}
		return a.Base.Base()
	}
	tail := func(a trace.Amount, o *trace.Amount, theft string, b trace.Basis, rule trace.Rule) string {
		if a, err := chain.ParseAccount(theft, ""); err == nil {
			theft = who(a)
		}
		s := " of " + theft
		if o != nil && (o.Base != a.Base || o.Asset != a.Asset) {
			s += " origin " + money(*o)
		}
		if b == trace.Inferred {
			s += " inferred"
			if rule != "" {
				s += " by " + string(rule)
			}
		}
		return s
	}
	at := func(t chain.Time) string { return strconv.Itoa(int(t) / 12_000) }
	for _, h := range r.Holdings {
		say("holding %s: %s%s since %s", who(h.Account), money(h.Amount), tail(h.Amount, h.Origin, h.Theft, h.Basis, h.Rule), at(h.Since))
	}
	for _, x := range r.Exits {
		say("exit %s (%s, %s): %s%s from %s to %s", who(x.Account), x.Label, x.Category, money(x.Amount), tail(x.Amount, x.Origin, x.Theft, x.Basis, x.Rule), at(x.First), at(x.Last))
	}
	for _, u := range r.Unfollowed {
		say("unfollowed %s (%s): %s%s since %s", who(u.Account), u.Reason, money(u.Amount), tail(u.Amount, u.Origin, u.Theft, u.Basis, u.Rule), at(u.Since))
	}
	for _, i := range r.Incomplete {
		say("incomplete %s: spent %s, known %s, missing %s", who(i.Account), money(i.Spent), money(i.Known), money(i.Missing))
	}
	for _, p := range []struct {
		name string
		rows []trace.Part
	}{{"fee", r.Fees}, {"adjustment", r.Adjustments}, {"collided", r.Collided}} {
		for _, x := range p.rows {
			say("%s: %s%s", p.name, money(x.Amount), tail(x.Amount, x.Origin, x.Theft, x.Basis, ""))
		}
	}
	for _, x := range r.Turned {
		say("turned: %s", money(x))
	}
	slices.SortStableFunc(out, func(a, b string) int { return strings.Compare(key(a), key(b)) })
	say("%d accounts, %d transfers", r.Accounts, r.Transfers)
	return strings.Join(out, "\n") + "\n"
}

// key sorts printed lines by their kind, then by account name: the addresses
// behind the names are arbitrary.
func key(line string) string {
	kind, rest, _ := strings.Cut(line, " ")
	order := strings.Index("holding exit unfollowed incomplete fee: adjustment: collided: turned:", kind)
	return fmt.Sprintf("%03d %s", order, rest)
}
