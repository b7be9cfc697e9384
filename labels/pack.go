package labels

import (
	"errors"
	"slices"

	"bongsu/chain"
	"bongsu/errs"
)

// pack is what a file says, whatever its format.
type pack struct {
	format         Format
	title, creator string
	private        bool
	labels         []Label
	rejects        []Reject
}

func (p *pack) reject(line int, subject, reason string) {
	p.rejects = append(p.rejects, Reject{Line: line, Subject: clip(subject), Reason: reason})
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "..."
	}
	return s
}

// add makes a tag a label, or rejects it with its reason.
func (p *pack) add(t *tag) {
	f := t.text
	subject := f["address"]
	bad := func(reason string) { p.reject(t.line, subject, reason) }
	if subject == "" {
		if f["tx_hash"] != "" {
			subject = f["tx_hash"]
			bad("it names a transaction, and labels name accounts")
			return
		}
		bad("the required field address is missing")
		return
	}
	for _, need := range []string{"label", "source", "currency"} {
		if f[need] == "" && (need != "currency" || f["network"] == "") {
			bad("the required field " + need + " is missing")
			return
		}
	}
	id, ok := chainOf(f["currency"], f["network"], subject)
	if !ok {
		bad("bongsu does not follow currency " + f["currency"] + onNetwork(f["network"]))
		return
	}
	account, err := chain.ParseAccount(subject, id)
	if err != nil {
		bad(why(err))
		return
	}
	l := Label{
		Account: account, Label: f["label"], Category: f["category"], Concepts: t.concepts, Actor: f["actor"], Abuse: f["abuse"],
		Source: f["source"], Creator: p.creator, Confidence: f["confidence"], Definer: f["is_cluster_definer"] == "true",
	}
	if l.Confidence == "" {
		l.Confidence = "unknown"
	}
	if l.Score, ok = scoreOf(l.Confidence); !ok {
		bad("confidence " + l.Confidence + " is not one of the TagPack list")
		return
	}
	if s := f["lastmod"]; s != "" {
		if l.Lastmod, err = parseLastmod(s); err != nil {
			bad(why(err))
			return
		}
	}
	p.labels = append(p.labels, l)
}

func onNetwork(n string) string {
	if n == "" {
		return ""
	}
	return " on network " + n
}

// settle sorts the labels, so that the same contents give the same file.
func (p *pack) settle() {
	slices.SortFunc(p.labels, func(a, b Label) int {
		if c := a.Account.Compare(b.Account); c != 0 {
			return c
		}
		return a.Compare(b)
	})
	p.labels = slices.CompactFunc(p.labels, func(a, b Label) bool { return a.Account == b.Account && a.Compare(b) == 0 })
}

// why is the reason of an error without its subject and hint: a reject names
// its own subject.
func why(err error) string {
	var e *errs.Error
	if errors.As(err, &e) && e.Why != "" {
		return e.Why
	}
	return err.Error()
}
