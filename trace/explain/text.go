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
	title, rests, passed, exit, stopped, lacking string
	stolen, moved, minted, kept                  string
	titleBack, startBack, coinBack, movedBack    string // of a backward trace
	restsBack, exitBack, stopBack, lackBack      string
	part, partBack                               string // of the money that a link turned into another asset
	premise, observed, linked, inferred, before  string // what a step rests on
	confidence, close                            string
	links                                        map[trace.Link]string
	methods                                      map[trace.Method]string
	rules                                        map[trace.Rule]string
	reasons                                      map[trace.Reason]string
	and                                          string
	decimal, group                               string   // of numbers
	date, first, untimed                         string   // of a day, the first of a month, and of no known time
	months                                       []string // as a date names them
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
	title := p.title
	if x.Backward {
		title = p.titleBack
	}
	say(title, "{theft}", name, "{account}", x.Account.String())
	say(p.methods[x.Method])
	for _, s := range x.Steps {
		x.step(&p, &s, say)
	}
	x.results(&p, say)
	say(p.close, "{digest}", x.Digest)
	return b.String(), nil
}

// results says what of the money ended on the account, or came from it.
func (x *Explanation) results(p *phrases, say func(string, ...string)) {
	rests, exit, stopped, lacking := p.rests, p.exit, p.stopped, p.lacking
	if x.Backward {
		rests, exit, stopped, lacking = p.restsBack, p.exitBack, p.stopBack, p.lackBack
	}
	for _, a := range x.Rests {
		say(rests, "{amount}", p.money(a))
	}
	for _, e := range x.Exits {
		say(exit, "{amount}", p.money(e.Amount), "{label}", e.Label, "{category}", e.Category, "{source}", e.Source, "{first}", p.time(e.First), "{last}", p.time(e.Last))
	}
	for _, u := range x.Stopped {
		say(stopped, "{amount}", p.money(u.Amount), "{reason}", p.reasons[u.Reason])
	}
	for _, i := range x.Lacking {
		say(lacking, "{account}", i.Account.String(), "{spent}", p.money(i.Spent), "{known}", p.money(i.Known), "{missing}", p.money(i.Missing))
	}
	if !x.Backward && len(x.Rests)+len(x.Exits)+len(x.Stopped) == 0 {
		say(p.passed)
	}
}

// sentence is what is said of a step.
func (x *Explanation) sentence(p *phrases, s *Step) string {
	first := len(s.Drawn) == 0
	switch {
	case x.Backward && first && s.From.IsZero():
		return p.coinBack
	case x.Backward && first:
		return p.startBack
	case x.Backward && s.Link != trace.LinkNone:
		return p.links[s.Link] + " " + p.partBack
	case x.Backward:
		return p.movedBack
	case first:
		return p.stolen
	case s.From.IsZero():
		return p.minted
	case s.Link != trace.LinkNone:
		return p.links[s.Link] + " " + p.part
	case s.From == s.To:
		return p.kept
	}
	return p.moved
}

func (x *Explanation) step(p *phrases, s *Step, say func(string, ...string)) {
	format := x.sentence(p, s)
	basis := p.observed
	switch {
	case len(s.Drawn) == 0 && !x.Backward && s.Basis == trace.Observed:
		basis = p.premise
	case s.NewRule:
		basis = p.inferred
	case s.Basis == trace.Inferred:
		basis = p.before
	case s.Link != trace.LinkNone:
		basis = p.linked
	}
	from := s.From.String()
	if from == "" {
		from = "-"
	}
	say(strconv.Itoa(s.N)+". "+format+" "+basis+" "+p.confidence,
		"{time}", p.time(s.Time), "{tx}", s.Tx, "{block}", strconv.FormatUint(s.Block, 10), "{from}", from, "{to}", s.To.String(),
		"{stolen}", p.money(s.Stolen), "{total}", p.money(s.Total), "{steps}", p.list(s.Drawn), "{rule}", p.rules[s.Rule], "{via}", s.Via.String(), "{link}", string(s.Link),
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

// money writes an amount as the language writes numbers, to the last digit.
func (p *phrases) money(a trace.Amount) string {
	symbol := a.Symbol
	if symbol == "" {
		symbol = string(a.Asset)
	}
	whole, frac, _ := strings.Cut(a.Amount, ".")
	var b strings.Builder
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(p.group)
		}
		b.WriteRune(c)
	}
	if frac != "" {
		b.WriteString(p.decimal + frac)
	}
	return b.String() + " " + symbol
}

// time writes a moment as the language writes dates.
func (p *phrases) time(t chain.Time) string {
	if t == 0 {
		return p.untimed
	}
	at := t.Std()
	day := strconv.Itoa(at.Day())
	if at.Day() == 1 {
		day = p.first
	}
	return strings.NewReplacer("{day}", day, "{month}", p.months[at.Month()-1], "{year}", strconv.Itoa(at.Year()), "{clock}", at.Format("15:04:05")).Replace(p.date)
}
