// Package errs is how every room of bongsu reports a failure: what was being
// done, to what, of which kind, why, and what the reader can do about it.
//
// A user sees Kind.Code and one sentence; an operator sees the whole chain of
// causes. Kinds cross the wire, so they are append-only: never renumber them,
// never reuse one. The package is not a logger and knows no exit statuses or
// HTTP codes beyond the mapping that cmd and api make from a Kind.
package errs

import (
	"errors"
	"strings"
)

// Kind says what sort of failure it is.
type Kind uint8

// The kinds. Append only.
const (
	Other       Kind = iota // nothing below fits
	Usage                   // the caller asked in a wrong way
	Invalid                 // input that breaks its own rules
	NotExist                // the named thing is not here
	Exist                   // the named thing is here already
	Permission              // not allowed
	Corrupt                 // stored bytes are not what was written
	Limit                   // an explicit bound was reached
	Conflict                // two truths that cannot both hold
	Unavailable             // a peer, file or service does not answer now
	Partial                 // done in part; what was left out is written down
	Forged                  // a signature, proof or identity does not hold
	Internal                // a programmer's mistake
)

var codes = [...]string{
	"other", "usage", "invalid", "not-exist", "exist", "permission", "corrupt",
	"limit", "conflict", "unavailable", "partial", "forged", "internal",
}

// Code is the stable lower-case name used in JSON and on the wire.
func (k Kind) Code() string {
	if int(k) < len(codes) {
		return codes[k]
	}
	return codes[Other]
}

func (k Kind) String() string { return k.Code() }

// KindOf reads a Code back; an unknown one is Other.
func KindOf(code string) Kind {
	for i, c := range codes {
		if c == code {
			return Kind(i)
		}
	}
	return Other
}

// Error is one failure. Every field but Err and Why may be empty.
type Error struct {
	Op    string // what was being done: "import", "journal check"
	Kind  Kind
	Where string // the subject: file:line, account, statement id, URL
	Why   string // the reason, for a person; empty means Err says it
	Hint  string // what to do now
	Err   error  // the cause
}

// Error prints "what: where: why; what to do", leaving out what is empty or
// was said by an outer error already. The one hint is the outermost.
func (e *Error) Error() string {
	s := e.text("", "")
	if h := Hint(e); h != "" {
		s += "; " + h
	}
	return s
}

// text is Error without the hint, inside errors that said op and where.
func (e *Error) text(op, where string) string {
	var parts []string
	if e.Op != "" && e.Op != op {
		parts, op = append(parts, e.Op), e.Op
	}
	if e.Where != "" && e.Where != where {
		parts, where = append(parts, e.Where), e.Where
	}
	if e.Why != "" {
		parts = append(parts, e.Why)
	}
	switch cause := e.Err.(type) {
	case nil:
		if e.Why == "" {
			parts = append(parts, e.Kind.Code())
		}
	case *Error:
		parts = append(parts, cause.text(op, where))
	default:
		parts = append(parts, cause.Error())
	}
	return strings.Join(parts, ": ")
}

func (e *Error) Unwrap() error { return e.Err }

// New makes an error with a reason and an optional hint.
func New(op string, kind Kind, where, why, hint string) *Error {
	return &Error{Op: op, Kind: kind, Where: where, Why: why, Hint: hint}
}

// Wrap adds an operation and a subject to a cause. The kind is the cause's own
// when it has one. A nil cause gives nil.
func Wrap(op, where string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Kind: Is(err), Where: where, Err: err}
}

// Is returns the kind of the outermost Error in err's chain that has one
// other than Other, or Other.
func Is(err error) Kind {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return Other
		}
		if e.Kind != Other {
			return e.Kind
		}
		err = e.Err
	}
	return Other
}

// Hint returns the first hint in err's chain.
func Hint(err error) string {
	var e *Error
	for errors.As(err, &e) {
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}

// Where returns the first subject in err's chain.
func Where(err error) string {
	var e *Error
	for errors.As(err, &e) {
		if e.Where != "" {
			return e.Where
		}
		err = e.Err
	}
	return ""
}
