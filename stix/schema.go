package stix

import (
	"bytes"
	"embed"
	"fmt"
	"strconv"
	"sync"

	"bongsu/errs"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

//go:embed schemas/*.json
var schemaFiles embed.FS

// schemaBase is the name space of our schemas' ids; nothing is fetched.
const schemaBase = "https://bongsu.invalid/schemas/"

// extNames are the names of our property extensions, and of their schemas.
var extNames = map[string]string{
	ExtTheft: "theft", ExtListing: "listing", ExtFinding: "finding", ExtChain: "chain", ExtMovement: "movement",
}

// schemas compiles every schema once, when first needed; the files are part of
// the program, so a failure is a programmer's mistake that a test finds.
var schemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	entries, err := schemaFiles.ReadDir("schemas")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		b, err := schemaFiles.ReadFile("schemas/" + e.Name())
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", e.Name(), err)
		}
		if err := c.AddResource(schemaBase+e.Name(), doc); err != nil {
			return nil, fmt.Errorf("schema %s: %w", e.Name(), err)
		}
	}
	out := map[string]*jsonschema.Schema{}
	for _, e := range entries {
		s, err := c.Compile(schemaBase + e.Name())
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", e.Name(), err)
		}
		out[e.Name()] = s
	}
	return out, nil
})

// validateOurs applies our schemas: the whole object for our own types, the
// extension alone for our property extensions.
func validateOurs(o Object, exts map[string]jsontext.Value) error {
	if ext, ok := extensionOf[o.Type]; ok {
		if _, ok := exts[ext]; !ok {
			return errs.New("STIX object", errs.Invalid, o.ID, "type "+o.Type+" needs its extension "+ext, "correct the object at its source")
		}
		if err := validate(o.ID, o.Type, o.Raw); err != nil {
			return err
		}
	}
	for id, raw := range exts {
		if name, ok := extNames[id]; ok {
			if err := validate(o.ID, name, raw); err != nil {
				return err
			}
		}
	}
	return nil
}

func validate(id, name string, raw []byte) error {
	all, err := schemas()
	if err != nil {
		return &errs.Error{Op: "STIX object", Kind: errs.Internal, Where: id, Err: err}
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = all[name+".json"].Validate(v)
	}
	if err != nil {
		return &errs.Error{Op: "STIX object", Kind: errs.Invalid, Where: id, Why: "it does not hold to the schema of " + name, Hint: "correct the object at its source", Err: err}
	}
	return nil
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }
