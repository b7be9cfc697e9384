package stix

import (
	"bytes"
	"embed"
	"fmt"
	"strconv"
	"strings"
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

// schemas compiles each schema once, when first needed: a command needs one or
// two of them. The files are part of the program, so a failure is a
// programmer's mistake that a test finds.
var schemas = func() map[string]func() (*jsonschema.Schema, error) {
	out := map[string]func() (*jsonschema.Schema, error){}
	for _, name := range schemaNames() {
		out[name] = sync.OnceValues(func() (*jsonschema.Schema, error) {
			c := jsonschema.NewCompiler()
			c.UseLoader(embedded{})
			s, err := c.Compile(schemaBase + name)
			if err != nil {
				return nil, fmt.Errorf("schema %s: %w", name, err)
			}
			return s, nil
		})
	}
	return out
}()

// schemaNames are the files of our schemas.
func schemaNames() (names []string) {
	entries, err := schemaFiles.ReadDir("schemas")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// embedded loads our schemas by their ids.
type embedded struct{}

func (embedded) Load(url string) (any, error) {
	b, err := schemaFiles.ReadFile("schemas/" + strings.TrimPrefix(url, schemaBase))
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(b))
}

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
	schema, err := schemas[name+".json"]()
	if err != nil {
		return &errs.Error{Op: "STIX object", Kind: errs.Internal, Where: id, Err: err}
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		return &errs.Error{Op: "STIX object", Kind: errs.Invalid, Where: id, Why: "it does not hold to the schema of " + name, Hint: "correct the object at its source", Err: err}
	}
	return nil
}

func utoa(n uint64) string { return strconv.FormatUint(n, 10) }
