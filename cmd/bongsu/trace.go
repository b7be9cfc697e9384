package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/durable"
	"bongsu/errs"
	"bongsu/labels"
	"bongsu/ledger"
	"bongsu/stix"
	"bongsu/trace"
	"bongsu/trace/findings"
	"bongsu/trace/watch"
)

type traceCmd struct {
	Thefts       []string `arg:"" name:"theft" optional:"" help:"The theft's id, as theft state printed it. Several are followed at once: what one takes of another stays with the earlier, and nothing is stated."`
	Source       []string `help:"Follow everything that these accounts sent, instead of a stated theft." placeholder:"ACCOUNT"`
	Since        string   `help:"With --source: from this time on." placeholder:"T"`
	Asset        string   `help:"With --source: this asset only: CAIP-19, a symbol, or a token contract." placeholder:"A"`
	Method       string   `default:"fifo" help:"fifo, lifo, haircut, poison or tiho."`
	Backward     bool     `help:"Where did it come from, instead of where did it go."`
	Deposit      []string `help:"With --backward: the deposit, by its transaction and the account that it paid." placeholder:"TX[/ACCOUNT]"`
	MaxDegree    int      `help:"Do not follow an account that sent more often than this." placeholder:"N"`
	MinAmount    string   `help:"Do not follow tainted arrivals under this amount, in whole units of each stolen asset." placeholder:"X"`
	MaxHops      int      `help:"Do not follow further than this many transfers from the theft." placeholder:"N"`
	Until        string   `help:"Do not read transfers after this time." placeholder:"T"`
	Fees         string   `default:"sink" help:"What becomes of taint that pays a Bitcoin fee: sink or coinbase."`
	ObservedOnly bool     `help:"Leave out what only a rule infers."`
	PathTo       []string `help:"Show the shortest and the widest path to these accounts, too." placeholder:"ACCOUNT"`
	PathFrom     string   `help:"With --path-to: from this account on, instead of from the theft." placeholder:"ACCOUNT"`
	Prices       []string `help:"Show what the money was worth on the day of each transfer, too, by these CSV files of prices: day,asset,currency,price,source." placeholder:"FILE" type:"existingfile"`
	Chain        string   `help:"Chain of bare addresses and transactions." placeholder:"C"`
	Dry          bool     `help:"State nothing in the journal."`
	CSV          string   `name:"csv" help:"Write the result as CSV, too." placeholder:"FILE"`
	Tagpack      string   `help:"Write where the money lies as a GraphSense TagPack, too." placeholder:"FILE"`
	Stix         string   `help:"Write a STIX 2.1 bundle for others' tools, too: wallets, transactions, relationships, observed-data." placeholder:"FILE"`
	Timeline     string   `help:"Write the timeline as JSON, too." placeholder:"FILE"`
	Replay       string   `help:"Run a stored trace again on this ledger; fails when one byte differs." placeholder:"FILE" type:"existingfile"`
}

func (traceCmd) Help() string {
	return `Follows money transfer by transfer, clean money included, and accounts for every unit: where it rests, where it entered a labelled service, what our own bounds left unfollowed, what the ledger lacks. The run is kept under DIR/traces; its findings are stated in the journal, and go wherever an agreement lets them.

Examples:
  bongsu trace incident--0b0f...
  bongsu trace incident--0b0f... --method haircut --max-degree 1000
  bongsu trace incident--0b0f... incident--77a1...
  bongsu trace --source 0x47666Fab8bd0Ac7003bce3f5C3585383F09486E2 --since 2025-02-21T14:00:00Z --asset ETH
  bongsu trace incident--0b0f... --path-to 0xdD90071D52F20e85c89802e5Dc1eC0A7B6475f92 --prices prices.csv
  bongsu trace --backward --deposit f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16/1Q2TWHE3GMdB6BZKafqwxXtWAWgFt5Jvm3
  bongsu trace incident--0b0f... --dry --csv result.csv --tagpack result.yaml --stix bundle.json
  bongsu trace --replay run.json`
}

func (c *traceCmd) Run(a *app) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // Append reported its own errors
	r, err := n.ledger.Reader(a.ctx)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // nothing was written
	set, err := n.labels.Load()
	if err != nil {
		return err
	}
	if c.Replay != "" {
		return a.replay(n, r, c.Replay)
	}
	req, stated, err := c.request(a, n, r)
	if err != nil {
		return err
	}
	view, err := c.view()
	if err != nil {
		return err
	}
	run, err := trace.Follow(a.ctx, r, set, req)
	if err != nil {
		return err
	}
	view.look(run)
	file, err := n.traces.Save(run)
	if err != nil {
		return err
	}
	if err := c.export(a, n, run, stated); err != nil {
		return err
	}
	said := 0
	if len(c.Thefts) == 1 && !c.Dry && !c.Backward {
		if said, err = n.stateRun(a, stated[0].Marking, r, run); err != nil {
			return err
		}
	}
	a.note("kept as %s; %d statements made", file, said)
	return a.print(view, func(w io.Writer) { view.write(w, run) })
}

// export writes the files that the flags ask for, each whole or not at all,
// marked as the strictest of the thefts' incidents.
func (c *traceCmd) export(a *app, n *node, run *trace.Run, stated []stix.Object) error {
	org := n.keys.Org()
	marking := stix.TLPNone
	for i := range stated {
		marking = max(marking, stated[i].Marking)
	}
	if marking == stix.TLPNone {
		marking = stix.DefaultTLP
	}
	common := stix.Common{Author: org.ID, Created: a.now(), Modified: a.now(), Marking: marking}
	for _, x := range []struct {
		file  string
		write func(io.Writer) error
	}{
		{c.CSV, run.Result.WriteCSV},
		{c.Tagpack, func(w io.Writer) error { return run.WriteTagPack(w, org.Name) }},
		{c.Stix, func(w io.Writer) error { return findings.WriteBundle(w, common, org.Name, stated, run) }},
		{c.Timeline, func(w io.Writer) error { return writeJSON(w, nonNil(run.Timeline())) }},
	} {
		if x.file == "" {
			continue
		}
		var b bytes.Buffer
		if err := x.write(&b); err != nil {
			return errs.Wrap("trace", x.file, err)
		}
		if err := durable.WriteFile(x.file, b.Bytes(), 0o644); err != nil {
			return err
		}
		a.note("wrote %s", x.file)
	}
	return nil
}

// replay runs a stored trace again, with the labels that it knew.
func (a *app) replay(n *node, r ledger.Reader, file string) error {
	raw, err := readAll(a, file, trace.MaxRunBytes)
	if err != nil {
		return err
	}
	old, err := trace.Decode(raw)
	if err != nil {
		return errs.Wrap("trace", file, err)
	}
	set := labels.NewSet(nil)
	if lists := old.Result.Labels; len(lists) > 0 {
		if set, err = n.labels.Load(lists...); err != nil {
			return err
		}
	}
	again, err := trace.Replay(a.ctx, r, set, raw)
	if err != nil {
		return err
	}
	digest := old.Result.Digest
	return a.print(map[string]any{"same": true, "digest": digest, "bytes": len(again)}, func(w io.Writer) {
		fmt.Fprintf(w, "the same %d bytes again; digest %s\n", len(again), digest)
	})
}

// request is what the flags ask for; stated are the incidents of the thefts.
// Findings are of one theft, followed alone: what several followed at once leave
// each is read, and not stated.
func (c *traceCmd) request(a *app, n *node, r ledger.Reader) (req trace.Request, stated []stix.Object, err error) {
	if err := c.once(); err != nil {
		return req, nil, err
	}
	req = trace.Request{
		ObservedOnly: c.ObservedOnly, Backward: c.Backward,
		Bounds: trace.Bounds{MaxDegree: c.MaxDegree, MaxHops: c.MaxHops},
	}
	if req.Method, err = trace.ParseMethod(c.Method); err != nil {
		return req, nil, err
	}
	if req.Fees, err = trace.ParseFeeRule(c.Fees); err != nil {
		return req, nil, err
	}
	if c.Until != "" {
		if req.Bounds.Until, err = chain.ParseTime(c.Until); err != nil {
			return req, nil, badFlag("--until", err)
		}
	}
	var assets []chain.Asset
	switch {
	case len(c.Thefts) > 0:
		assets, stated, err = n.thefts(a.ctx, c.Thefts, &req)
	case len(c.Deposit) > 0:
		assets, err = n.deposits(a.ctx, c, &req)
	default:
		assets, err = c.sources(r, &req)
	}
	if err != nil {
		return req, nil, err
	}
	req.Bounds.MinAmount, err = floor(r.Registry(), assets, c.MinAmount)
	return req, stated, err
}

// once says whether the flags name one thing to follow.
func (c *traceCmd) once() error {
	named := 0
	for _, is := range []bool{len(c.Thefts) > 0, len(c.Source) > 0, len(c.Deposit) > 0} {
		if is {
			named++
		}
	}
	switch {
	case named != 1:
		return errs.New("trace", errs.Usage, "", "name what to follow once", "give a theft's id, or --source ACCOUNT, or --backward --deposit TX/ACCOUNT, or --replay FILE")
	case len(c.Deposit) > 0 && !c.Backward:
		return errs.New("trace", errs.Usage, "", "a deposit is looked back from", "add --backward")
	case len(c.Source) == 0 && (c.Since != "" || c.Asset != ""):
		return errs.New("trace", errs.Usage, "", "--since and --asset are of a source", "name it with --source ACCOUNT")
	case c.PathFrom != "" && len(c.PathTo) == 0:
		return errs.New("trace", errs.Usage, "", "a path needs an end", "add --path-to ACCOUNT")
	}
	return nil
}

// thefts reads stated thefts into a request: the assets that they took, and
// their incidents.
func (n *node) thefts(ctx context.Context, ids []string, req *trace.Request) (assets []chain.Asset, stated []stix.Object, err error) {
	for _, id := range ids {
		t, incident, err := n.theft(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		req.Thefts, stated = append(req.Thefts, t), append(stated, *incident)
		for _, m := range t.Amounts {
			if !slices.Contains(assets, m.Asset) {
				assets = append(assets, m.Asset)
			}
		}
	}
	return assets, stated, nil
}

// theft reads a stated theft.
func (n *node) theft(ctx context.Context, id string) (trace.Theft, *stix.Object, error) {
	st, err := n.journal.Get(ctx, id)
	if errs.Is(err) == errs.NotExist {
		return trace.Theft{}, nil, errs.New("trace", errs.NotExist, id, "nobody stated this theft here", "state it with: bongsu theft state")
	}
	if err != nil {
		return trace.Theft{}, nil, err
	}
	if st.Revoked {
		return trace.Theft{}, nil, errs.New("trace", errs.Invalid, id, "this theft was taken back", "state it again with: bongsu theft state")
	}
	o, err := st.Object()
	if err != nil {
		return trace.Theft{}, nil, err
	}
	o.Marking = st.Marking
	t, err := findings.Theft(o)
	return t, &o, err
}

func (c *traceCmd) sources(r ledger.Reader, req *trace.Request) ([]chain.Asset, error) {
	var since chain.Time
	if c.Since != "" {
		var err error
		if since, err = chain.ParseTime(c.Since); err != nil {
			return nil, badFlag("--since", err)
		}
	}
	var assets []chain.Asset
	for _, text := range c.Source {
		acct, err := parseAccount(text, c.Chain)
		if err != nil {
			return nil, badFlag("--source", err)
		}
		src := trace.Source{Account: acct, Since: since}
		if c.Asset != "" {
			if src.Asset, err = parseAsset(r.Registry(), acct.Chain(), c.Asset); err != nil {
				return nil, err
			}
		}
		req.Sources = append(req.Sources, src)
		if src.Asset != "" {
			assets = append(assets, src.Asset)
		} else {
			assets = append(assets, acct.Chain().Native())
		}
	}
	return assets, nil
}

// parseAsset reads CAIP-19, a registered symbol, or a token contract. The
// chain's own coin keeps its symbol, whatever tokens bear it.
func parseAsset(reg *chain.Registry, id chain.ID, text string) (chain.Asset, error) {
	if strings.Contains(text, "/") {
		return chain.ParseAsset(text)
	}
	if info, ok := reg.Info(id.Native()); ok && info.Symbol == text {
		return info.Asset, nil
	}
	if info, ok := reg.BySymbol(id, text); ok {
		return info.Asset, nil
	}
	if acct, err := chain.ParseAccount(text, id); err == nil {
		return chain.Token(acct), nil
	}
	return "", errs.New("asset", errs.Invalid, text, "no asset of this symbol, or more than one, on "+string(id), "write its CAIP-19 name or its contract")
}

// floor is --min-amount for each asset.
func floor(reg *chain.Registry, assets []chain.Asset, text string) ([]chain.Money, error) {
	if text == "" {
		return nil, nil
	}
	var out []chain.Money
	for _, asset := range assets {
		info, ok := reg.Info(asset)
		if !ok {
			return nil, errs.New("trace", errs.Invalid, string(asset), "its decimals are not known", "leave --min-amount out")
		}
		amount, err := least(text, info.Decimals)
		if err != nil {
			return nil, badFlag("--min-amount", err)
		}
		out = append(out, chain.Money{Asset: asset, Amount: amount})
	}
	return out, nil
}

// finest is more decimals than any asset of use has.
const finest = 60

// least is the smallest amount of an asset that is not under text: of several
// stolen assets one may not know as many decimals as the bound has.
func least(text string, decimals uint8) (chain.Amount, error) {
	amount, err := chain.ParseDecimal(text, decimals)
	if err == nil || decimals >= finest {
		return amount, err
	}
	fine, wrong := chain.ParseDecimal(text, finest)
	if wrong != nil {
		return amount, err
	}
	unit, err := chain.ParseDecimal("1", finest-decimals)
	if err != nil {
		return amount, err
	}
	amount, _ = fine.MulDiv(chain.Units(1), unit)                        // fits: it divides
	if down, _ := amount.MulDiv(unit, chain.Units(1)); down.Less(fine) { // fits: down <= fine
		amount = amount.MustAdd(chain.Units(1))
	}
	return amount, nil
}

// stateRun appends what a run found and what moved since the last, and takes
// back what earlier runs found and this one does not. All is marked as the
// theft is.
func (n *node) stateRun(a *app, marking stix.TLP, r ledger.Reader, run *trace.Run) (int, error) {
	said, err := watch.State(a.ctx, watch.Saying{
		Journal: n.journal, View: n.watched, Traces: n.traces, Now: a.now(), Actor: a.config.User, Marking: marking, Even: true,
	}, r, run)
	return len(said), err
}
