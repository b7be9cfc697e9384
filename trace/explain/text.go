package explain

import (
	"strconv"
	"strings"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/trace"
)

// Languages lists the languages of Text.
func Languages() []string { return []string{"en", "ko", "it", "fr", "de"} }

// phrases are the sentences of one language. {x} is replaced by its value.
type phrases struct {
	title, rests, passed, exit, stopped, lacking  string
	stolen, moved, minted                         string
	observed, inferred, before, confidence, close string
	methods                                       map[trace.Method]string
	rules                                         map[trace.Rule]string
	reasons                                       map[trace.Reason]string
	and                                           string
	decimal                                       string
	date                                          string
}

// Text writes an explanation in a language ("en", "ko", "it", "fr", "de").
func (x *Explanation) Text(lang string) (string, error) {
	p, ok := catalogue(lang)
	if !ok {
		return "", errs.New("explain", errs.Usage, lang, "not a language of bongsu", "use "+strings.Join(Languages(), ", "))
	}
	var b strings.Builder
	say := func(format string, values ...string) {
		b.WriteString(strings.NewReplacer(values...).Replace(format))
		b.WriteByte('\n')
	}
	name := x.Title
	if name == "" {
		name = x.Theft
	}
	say(p.title, "{theft}", name, "{account}", x.Account.String())
	say(p.methods[x.Method])
	for _, s := range x.Steps {
		x.step(&p, &s, say)
	}
	for _, a := range x.Rests {
		say(p.rests, "{amount}", p.money(a))
	}
	for _, e := range x.Exits {
		say(p.exit, "{amount}", p.money(e.Amount), "{label}", e.Label, "{category}", e.Category, "{source}", e.Source)
	}
	for _, u := range x.Stopped {
		say(p.stopped, "{amount}", p.money(u.Amount), "{reason}", p.reasons[u.Reason])
	}
	for _, i := range x.Lacking {
		say(p.lacking, "{spent}", p.money(i.Spent), "{known}", p.money(i.Known), "{missing}", p.money(i.Missing))
	}
	if len(x.Rests)+len(x.Exits)+len(x.Stopped) == 0 {
		say(p.passed)
	}
	say(p.close, "{digest}", x.Digest)
	return b.String(), nil
}

func (x *Explanation) step(p *phrases, s *Step, say func(string, ...string)) {
	format := p.moved
	switch {
	case len(s.Drawn) == 0:
		format = p.stolen
	case s.From.IsZero():
		format = p.minted
	}
	basis := p.observed
	switch {
	case s.NewRule:
		basis = p.inferred
	case s.Basis == trace.Inferred:
		basis = p.before
	}
	from := s.From.String()
	if from == "" {
		from = "-"
	}
	say(strconv.Itoa(s.N)+". "+format+" "+basis+" "+p.confidence,
		"{time}", p.time(s.Time), "{tx}", s.Tx, "{block}", strconv.FormatUint(s.Block, 10), "{from}", from, "{to}", s.To.String(),
		"{stolen}", p.money(s.Stolen), "{total}", p.money(s.Total), "{steps}", p.list(s.Drawn), "{rule}", p.rules[s.Rule],
		"{confidence}", strconv.Itoa(s.Confidence))
}

// list writes step numbers; a long list by its ends.
func (p *phrases) list(ns []int) string {
	var out []string
	for i, n := range ns {
		if len(ns) > 6 && i == 3 {
			out = append(out, "...")
		}
		if len(ns) <= 6 || i < 3 || i == len(ns)-1 {
			out = append(out, strconv.Itoa(n))
		}
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " " + p.and + " " + out[len(out)-1]
}

// money writes an amount with the language's decimal sign; digits are not
// grouped, so that a number can be compared with the ledger's.
func (p *phrases) money(a trace.Amount) string {
	symbol := a.Symbol
	if symbol == "" {
		symbol = string(a.Asset)
	}
	return strings.Replace(a.Amount, ".", p.decimal, 1) + " " + symbol
}

func (p *phrases) time(t chain.Time) string { return t.Std().Format(p.date) }
