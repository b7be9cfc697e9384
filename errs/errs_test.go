package errs

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestError(t *testing.T) {
	inner := New("verify", Forged, "x.json", "a byte changed", "ask for it again")
	for _, c := range []struct {
		err  error
		want string
	}{
		{inner, "verify: x.json: a byte changed; ask for it again"},
		{Wrap("verify", "x.json", inner), "verify: x.json: a byte changed; ask for it again"},
		{Wrap("demo", "step", inner), "demo: step: verify: x.json: a byte changed; ask for it again"},
		{&Error{Op: "read", Where: "f", Err: io.EOF}, "read: f: EOF"},
		{&Error{Op: "read", Kind: Limit}, "read: limit"},
		{&Error{Op: "a", Why: "no", Err: inner, Hint: "wait"}, "a: no: verify: x.json: a byte changed; wait"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

func TestKinds(t *testing.T) {
	inner := New("a", Corrupt, "w", "why", "hint")
	wrapped := fmt.Errorf("outside: %w", Wrap("b", "", inner))
	if Is(wrapped) != Corrupt || Hint(wrapped) != "hint" || Where(wrapped) != "w" {
		t.Errorf("kind %v, hint %q, where %q", Is(wrapped), Hint(wrapped), Where(wrapped))
	}
	if Is(nil) != Other || Is(errors.New("x")) != Other || Wrap("a", "b", nil) != nil {
		t.Error("an error without a kind has one")
	}
	for k := Other; k <= Internal; k++ {
		if KindOf(k.Code()) != k {
			t.Errorf("%v is read back as %v", k, KindOf(k.Code()))
		}
	}
	if KindOf("nonsense") != Other || Kind(200).Code() != "other" {
		t.Error("an unknown kind is not Other")
	}
}
