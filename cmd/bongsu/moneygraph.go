package main

import (
	"context"
	"encoding/json"

	"bongsu/api"
	"bongsu/api/books"
	"bongsu/web/graph"
)

// layout draws the money graph of a theft: the rooms of one floor do not know
// each other, so the material passes through here.
func layout(cases *books.Cases) api.Layout {
	return func(ctx context.Context, theft, axis string) (api.JSON, error) {
		p, err := cases.Picture(ctx, theft)
		if err != nil {
			return nil, err
		}
		in := graph.Input{Sources: p.Sources, Assets: p.Assets}
		for _, a := range p.Accounts {
			in.Accounts = append(in.Accounts, graph.Account{
				Account: a.Account, Kind: graph.Kind(a.Kind), Label: a.Label, LabelSource: a.LabelSource,
				Amounts: a.Amounts, Origin: a.Origin, Since: a.Since,
			})
		}
		for _, f := range p.Flows {
			in.Flows = append(in.Flows, graph.Flow{
				From: f.From, To: f.To, Money: f.Money, Tx: f.Tx, Time: f.Time, Inferred: f.Inferred, Rule: f.Rule,
			})
		}
		return json.Marshal(graph.Layout(in, graph.ParseAxis(axis)))
	}
}
