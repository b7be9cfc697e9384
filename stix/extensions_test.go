package stix_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"bongsu/stix"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var update = flag.Bool("update", false, "write extensions.json")

// The published bundle is what the program says.
func TestExtensionsFile(t *testing.T) {
	objects, err := stix.ExtensionDefinitions()
	if err != nil {
		t.Fatal(err)
	}
	raw := make([]jsontext.Value, len(objects))
	seen := map[string]bool{}
	for i, o := range objects {
		if seen[o.ID] {
			t.Errorf("%s is defined twice", o.ID)
		}
		seen[o.ID], raw[i] = true, o.Raw
	}
	want, err := json.Marshal(map[string]any{"type": "bundle", "id": "bundle--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4eff", "objects": raw},
		json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("extensions.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("extensions.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("extensions.json is not what the program says (%v); write it with -update", err)
	}
	var bundle struct {
		Objects []struct {
			Type, Schema string
		} `json:"objects"`
	}
	if err := json.Unmarshal(got, &bundle, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	for _, o := range bundle.Objects {
		if o.Type != "extension-definition" {
			continue
		}
		name := "schemas/" + o.Schema[bytes.LastIndexByte([]byte(o.Schema), '/')+1:]
		if _, err := os.Stat(name); err != nil {
			t.Errorf("schema %s: %v", o.Schema, err)
		}
	}
}
