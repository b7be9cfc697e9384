package books

import (
	"cmp"
	"slices"
	"time"

	"bongsu/api"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// news is the newest version of what a watch stated.
type news struct {
	told    stix.Movement
	author  identity.OrgID
	marking stix.TLP
	stated  time.Time
}

const maxNews = 1000 // of a theft in one answer

func (c *Cases) takeNews(key string, st *journal.Statement, m stix.Movement) {
	if c.news[m.Theft] == nil {
		c.news[m.Theft] = map[string]news{}
	}
	c.news[m.Theft][key] = news{m, st.Author, st.Marking, st.Time}
}

// newsOf lists what watches stated of a theft, the newest first. c.mu is held.
func (c *Cases) newsOf(theft string) []api.News {
	all := make([]news, 0, len(c.news[theft]))
	for _, n := range c.news[theft] {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b news) int {
		return cmp.Or(b.told.At.Compare(a.told.At), cmp.Compare(b.told.Block, a.told.Block), cmp.Compare(a.told.ID, b.told.ID),
			cmp.Compare(a.author, b.author))
	})
	out := make([]api.News, 0, min(len(all), maxNews))
	for i := range all[:min(len(all), maxNews)] {
		out = append(out, c.showNews(&all[i]))
	}
	return out
}

func (c *Cases) showNews(n *news) api.News {
	m := &n.told
	out := api.News{
		Statement: m.ID, Author: string(n.author), AuthorName: c.names[string(n.author)], Marking: "TLP:" + n.marking.String(), Stated: n.stated,
		Event: string(m.Event), Account: m.Account.String(), From: []string{}, Senders: max(m.Senders, len(m.From)), Amount: api.Amount(m.Amount),
		Tx: m.Tx, Block: m.Block, Time: m.At, IdleDays: m.IdleDays, Label: m.Label, LabelSource: m.Source,
		Basis: m.Basis, Rule: m.Rule, Link: m.Link, Provisional: m.Provisional,
	}
	if !m.Via.IsZero() {
		out.Via = m.Via.String()
	}
	for _, a := range m.From {
		out.From = append(out.From, a.String())
	}
	if m.Origin != (stix.Amount{}) {
		origin := api.Amount(m.Origin)
		out.Origin = &origin
	}
	return out
}
