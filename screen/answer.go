package screen

import (
	"cmp"
	"errors"
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

// invalid is the answer for a value that nobody could read. What the reader
// says it should do speaks of commands and flags; here it is one advice.
func invalid(value string, err error) Result {
	p := Unreadable{
		Code: errs.Is(err).Code(), Message: err.Error(),
		Hint: "check it against its source; an account may be written with its chain, as in eip155:1:0x...",
	}
	var e *errs.Error
	if errors.As(err, &e) && e.Why != "" {
		p.Message = e.Why
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
