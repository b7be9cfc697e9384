package trace

import (
	"bytes"
	"reflect"
	"testing"

	"bongsu/chain"

	"pgregory.net/rapid"
)

// The text written by hand is the one that encoding and canonicalizing give,
// for results with every field of every row set to anything: a field that is
// added to a result and not to its canonical text fails here.
func TestCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Result
		fill(t, reflect.ValueOf(&r).Elem())
		want, err := r.canonicalized()
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := r.canonical(&got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Fatalf("got\n%s\nwant\n%s", got.Bytes(), want)
		}
	})
}

// fill sets a value and all that it holds.
func fill(t *rapid.T, v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *chain.Account:
		*x = chain.EVM(chain.Ethereum, [20]byte{rapid.Byte().Draw(t, "account")})
		if rapid.IntRange(0, 5).Draw(t, "none") == 0 {
			*x = chain.Account{}
		}
		return
	case *chain.Amount:
		*x = chain.FromWords([4]uint64{rapid.Uint64().Draw(t, "low"), 0, rapid.Uint64().Draw(t, "high")})
		return
	case *chain.Time:
		*x = chain.Time(rapid.Int64Range(0, 4_000_000_000_000).Draw(t, "time"))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		if n := rapid.IntRange(-1, 2).Draw(t, "rows"); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i))
			}
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem())
		}
	case reflect.String:
		v.SetString(rapid.OneOf(rapid.Just(""), rapid.StringMatching("[a-z]{1,5}"), rapid.String(),
			rapid.SampledFrom([]string{"<&>\"\\/", "\x00\t\n\x7f", "\u2028\u00e9\U0001f600", "\xff\xfe"})).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int:
		v.SetInt(rapid.OneOf(rapid.Int64Range(0, 1<<53), rapid.Int64Range(0, 9)).Draw(t, "int"))
	case reflect.Uint64:
		v.SetUint(rapid.OneOf(rapid.Uint64Range(0, 1<<54), rapid.Uint64Range(0, 9)).Draw(t, "uint"))
	case reflect.Float64:
		v.SetFloat(1)
	default:
		t.Fatalf("a result holds a %s: say how to fill one", v.Kind())
	}
}
