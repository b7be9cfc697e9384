package trace

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"bongsu/errs"
	"bongsu/labels"
)

// CSVHeader is the header of WriteCSV.
var csvHeader = []string{
	"place", "theft", "account", "asset", "symbol", "amount", "base", "origin_asset", "origin_base", "basis", "rule", "provisional",
	"first", "last", "label", "category", "source", "reason",
}

// WriteCSV writes a result's rows: place is holding, exit, unfollowed, fee,
// adjustment, collided, turned, missing (of an incomplete book) or aside: what
// was set aside, with what it imitates as label and whom it names as source.
func (r *Result) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	row := func(place, theft, account string, a Amount, o *Amount, rest ...string) {
		f := []string{place, theft, account, string(a.Asset), a.Symbol, a.Amount, a.Base.Base(), "", ""}
		if o != nil {
			f[7], f[8] = string(o.Asset), o.Base.Base()
		}
		f = append(f, rest...)
		for len(f) < len(csvHeader) {
			f = append(f, "")
		}
		for i := range f {
			f[i] = plainCell(f[i])
		}
		_ = c.Write(f) // the writer keeps its first error for Error
	}
	_ = c.Write(csvHeader)
	for _, x := range r.Holdings {
		row("holding", x.Theft, x.Account.String(), x.Amount, x.Origin, string(x.Basis), string(x.Rule), strconv.FormatBool(x.Provisional), x.Since.String(), "")
	}
	for _, x := range r.Exits {
		row("exit", x.Theft, x.Account.String(), x.Amount, x.Origin, string(x.Basis), string(x.Rule), strconv.FormatBool(x.Provisional), x.First.String(), x.Last.String(), x.Label, x.Category, x.Source)
	}
	for _, x := range r.Unfollowed {
		row("unfollowed", x.Theft, x.Account.String(), x.Amount, x.Origin, string(x.Basis), string(x.Rule), strconv.FormatBool(x.Provisional), x.Since.String(), "", "", "", "", string(x.Reason))
	}
	for _, x := range r.Incomplete {
		row("missing", "", x.Account.String(), x.Missing, nil)
	}
	for _, p := range []struct {
		place string
		rows  []Part
	}{{"fee", r.Fees}, {"adjustment", r.Adjustments}, {"collided", r.Collided}} {
		for _, x := range p.rows {
			row(p.place, x.Theft, "", x.Amount, x.Origin, string(x.Basis))
		}
	}
	for _, x := range r.Turned {
		row("turned", "", "", x, nil)
	}
	for _, x := range r.Aside {
		a := []string{"aside", "", x.Account.String(), string(x.Asset), plainCell(x.Symbol), "", "", "", "", "", "", "", x.First.String(), x.Last.String(), x.Like, "", x.Touched.String(), string(x.Reason)}
		_ = c.Write(a)
	}
	c.Flush()
	return errs.Wrap("trace", "CSV", c.Error())
}

// plainCell keeps a spreadsheet from reading a label as a formula: labels come
// from strangers.
func plainCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// WriteTagPack writes where stolen money lies as a GraphSense TagPack: one tag
// for each holding. Observed holdings have confidence forensic, inferred ones
// heuristic, so that they are shown and never decide.
func (r *Run) WriteTagPack(w io.Writer, creator string) error {
	titles := map[string]string{}
	for _, t := range r.Request.Thefts {
		titles[t.ID] = t.Title
	}
	var b strings.Builder
	line := func(indent, key, value string) { b.WriteString(indent + key + ": " + yamlText(value) + "\n") }
	line("", "title", "Stolen funds, trace "+r.Result.Digest)
	line("", "creator", creator)
	line("", "description", "Where a trace by "+string(r.Result.Method)+" found stolen funds")
	line("", "source", "bongsu trace "+r.Result.Digest)
	b.WriteString("is_cluster_definer: false\nabuse: service_hack\ntags:")
	if len(r.Result.Holdings) == 0 {
		b.WriteString(" []")
	}
	b.WriteString("\n")
	for _, h := range r.Result.Holdings {
		title := titles[h.Theft]
		if title == "" {
			title = h.Theft
		}
		line("- ", "address", h.Account.Address())
		line("  ", "label", h.Amount.Amount+" "+h.Symbol+" stolen: "+title)
		currency, network := labels.TagPackChain(h.Account.Chain())
		line("  ", "currency", currency)
		line("  ", "network", network)
		confidence := "forensic"
		if h.Basis == Inferred {
			confidence = "heuristic"
		}
		line("  ", "confidence", confidence)
		if h.Since != 0 {
			b.WriteString("  lastmod: " + h.Since.Std().Format("2006-01-02") + "\n") // a date: quoted it would be text
		}
	}
	_, err := io.WriteString(w, b.String())
	return errs.Wrap("trace", "TagPack", err)
}

// yamlText is a YAML 1.2 double-quoted scalar, which JSON strings are.
func yamlText(s string) string { return strconv.QuoteToGraphic(strings.ToValidUTF8(s, "?")) }
