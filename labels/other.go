package labels

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/go-json-experiment/json"
)

// readCSV reads our own CSV: a header with at least account, label and source;
// then category, concepts (separated by ";"), actor, abuse, confidence,
// lastmod in any order. account is CAIP-10 or a bare address.
func readCSV(raw []byte, name string) (pack, error) {
	p := pack{format: FormatCSV, title: name}
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return p, errs.New("labels import", errs.Invalid, "line 1", "the file has no header", "give it the header account,label,source,category,confidence,lastmod")
	}
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
	}
	for _, need := range []string{"account", "label", "source"} {
		if !slices.Contains(head, need) {
			return p, errs.New("labels import", errs.Invalid, "line 1", "the header lacks "+need, "give it the header account,label,source,category,confidence,lastmod")
		}
	}
	for len(p.labels)+len(p.rejects) < MaxTags {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			var bad *csv.ParseError
			if errors.As(err, &bad) {
				line = bad.Line
			}
			p.reject(line, "", "not a CSV row: "+err.Error())
			continue
		}
		p.addRow(line, head, row)
	}
	return p, errs.New("labels import", errs.Limit, name, "too many rows", "split the file")
}

func (p *pack) addRow(line int, head, row []string) {
	t := tag{line: line, text: map[string]string{}}
	for i, name := range head {
		if i >= len(row) || len(row[i]) > maxField {
			p.reject(line, row[0], "the row has fewer fields than the header, or one of them is too long")
			return
		}
		switch v := strings.TrimSpace(row[i]); name {
		case "account":
			a, err := chain.ParseAccount(v, "")
			if err != nil {
				p.reject(line, v, why(err))
				return
			}
			t.text["address"], t.text["network"] = a.Address(), string(a.Chain())
		case "concepts":
			for _, c := range strings.Split(v, ";") {
				if c = strings.TrimSpace(c); c != "" {
					t.concepts = append(t.concepts, c)
				}
			}
			slices.Sort(t.concepts)
		default:
			t.text[name] = v
		}
	}
	p.add(&t)
}

// etherscanConcepts are the labels of etherscan-labels that say what TagPack
// concepts say.
func etherscanConcept(label string) string {
	switch label {
	case "exchange", "bridge", "gambling":
		return label
	case "tornado-cash":
		return "mixing_service"
	case "payments":
		return "payment_processor"
	case "defi":
		return "defi"
	case "dex":
		return "defi_dex"
	}
	return ""
}

// readEtherscan reads combinedAccountLabels.json of etherscan-labels: an
// object of address to {name, labels}. It gives neither dates nor confidence:
// it was crawled from the web.
func readEtherscan(raw []byte) (pack, error) {
	p := pack{format: FormatEtherscan, title: "etherscan-labels", creator: "etherscan-labels"}
	var all map[string]struct {
		Name   string   `json:"name"`
		Labels []string `json:"labels"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return p, &errs.Error{Op: "labels import", Kind: errs.Invalid, Why: "not the JSON of etherscan-labels", Hint: "give combinedAccountLabels.json", Err: err}
	}
	if len(all) > MaxTags {
		return p, errs.New("labels import", errs.Limit, "", "too many accounts", "split the file")
	}
	addresses := make([]string, 0, len(all))
	for a := range all {
		addresses = append(addresses, a)
	}
	slices.Sort(addresses)
	for _, a := range addresses {
		v := all[a]
		account, err := chain.ParseAccount(a, chain.Ethereum)
		if err != nil {
			p.reject(0, a, why(err))
			continue
		}
		l := Label{
			Account: account, Label: v.Name, Source: "https://etherscan.io/labelcloud", Creator: p.creator,
			Confidence: "web_crawl", Score: 20,
		}
		if l.Label == "" {
			l.Label = strings.Join(v.Labels, ", ")
		}
		for _, x := range v.Labels {
			if c := etherscanConcept(x); c != "" && l.Category == "" {
				l.Category = c
			}
			l.Concepts = append(l.Concepts, "etherscan:"+x)
			if c := etherscanConcept(x); c != "" {
				l.Concepts = append(l.Concepts, c)
			}
		}
		slices.Sort(l.Concepts)
		l.Concepts = slices.Compact(l.Concepts)
		p.labels = append(p.labels, l)
	}
	return p, nil
}
