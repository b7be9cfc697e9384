package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"bongsu/screen"
)

// The document's types stand in for those of package screen; they must have
// the same members.
func TestDocumentedResultIsTheResult(t *testing.T) {
	for real, doc := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[screen.Result](): screenResult, reflect.TypeFor[screen.Reason](): reflect.TypeFor[reasonDoc](),
	} {
		if got, want := members(doc), members(real); !slices.Equal(got, want) {
			t.Errorf("%s is documented with %v, has %v", real, got, want)
		}
	}
}

func members(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
