package screen

import (
	"cmp"
	"strings"

	"bongsu/errs"
)

// textReading is the reading of exact text, for values of a form that bongsu
// does not know: they are found when somebody named them letter for letter.
func textReading(text string) Reading {
	s := strings.ToValidUTF8(strings.TrimSpace(text), "\uFFFD")
	if len(s) > MaxValue {
		s = ""
	}
	return Reading{Type: TypeText, Text: s, Key: textKey(s)}
}

func invalid(value string, err error) Result {
	p := Unreadable{Code: errs.Is(err).Code(), Message: err.Error(), Hint: errs.Hint(err)}
	if i := strings.LastIndex(p.Message, "; "+p.Hint); i > 0 && p.Hint != "" {
		p.Message = p.Message[:i]
	}
	return Result{Value: value, ReadAs: Invalid.String(), Verdict: Invalid, Reasons: []Reason{}, Error: &p}
}

// compareReasons puts the most severe first, then listings before exposures,
// then the oldest; ids break ties, so that the order is always the same.
func compareReasons(a, b Reason) int {
	return cmp.Or(
		-cmp.Compare(a.Verdict, b.Verdict),
		-cmp.Compare(a.Kind, b.Kind),
		a.Since.Compare(b.Since),
		cmp.Compare(a.Statement, b.Statement),
		cmp.Compare(a.Author, b.Author),
	)
}
