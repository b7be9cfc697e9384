package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bongsu/screen"

	"github.com/santhosh-tekuri/jsonschema/v6"
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

// What the node answers holds to what the document says, word by word: each
// schema compiles, and answers to every call are checked against theirs.
func TestAnswersHoldToTheDocument(t *testing.T) {
	n := start(t)
	n.list(bad, "evil.example")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(n.stranger().get("/api/openapi.json").body))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("https://node.example/openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	compile := func(pointer string) *jsonschema.Schema {
		t.Helper()
		s, err := c.Compile("https://node.example/openapi.json#" + pointer)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name := range doc.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any) {
		compile("/components/schemas/" + name)
	}
	admin := n.signedIn(Admin)
	for _, call := range []struct {
		method, path, body, template, media string
		status                              int
	}{
		{"GET", "/session", "", "/session", "", 200},
		{"GET", "/status", "", "/status", "", 200},
		{"POST", "/sign-in-links", `{"name":"ada","role":"reader"}`, "/sign-in-links", "", 201},
		{"GET", "/thefts", "", "/thefts", "", 200},
		{"GET", "/thefts/incident--1", "", "/thefts/{id}", "", 200},
		{"GET", "/thefts/incident--2", "", "/thefts/{id}", "", 404},
		{"GET", "/thefts/incident--1/graph", "", "/thefts/{id}/graph", "", 200},
		{"GET", "/partners", "", "/partners", "", 200},
		{"GET", "/statements/x/receipts", "", "/statements/{id}/receipts", "", 200},
		{"GET", "/tokens", "", "/tokens", "", 200},
		{"POST", "/tokens", `{"name":"x","scopes":["read"],"days":1}`, "/tokens", "", 201},
		{"POST", "/tokens", `{"name":"x","scopes":["root"]}`, "/tokens", "", 422},
		{"POST", "/screen", `{"values":["` + bad + `","` + good + `","0x12","evil.example","a@b.example"]}`, "/screen", "", 200},
		{"POST", "/screen", `{"values":1}`, "/screen", "", 400},
		{"POST", "/screen/stream", `"` + bad + `"`, "/screen/stream", "application/x-ndjson", 200},
		{"POST", "/statements", `{"list":{"value":"` + bad + `"}}`, "/statements", "", 201},
	} {
		media, key := "application/json", fmt.Sprint(call.status)
		if call.media != "" {
			media = call.media
		}
		res := admin.do(call.method, base+call.path, call.body, "Content-Type", media)
		if call.status >= 400 {
			media, key = problemType, "default"
		}
		if got, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";"); res.StatusCode != call.status || got != media {
			t.Errorf("%s %s: %d %s: %s", call.method, call.path, res.StatusCode, got, res.body)
			continue
		}
		escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
		schema := compile("/paths/" + escape.Replace(base+call.template) + "/" + strings.ToLower(call.method) + "/responses/" + key + "/content/" + escape.Replace(media) + "/schema")
		body, err := jsonschema.UnmarshalJSON(strings.NewReader(res.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(body); err != nil {
			t.Errorf("%s %s: %v\n%s", call.method, call.path, err, res.body)
		}
	}
}
