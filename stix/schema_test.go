package stix

import "testing"

// Every schema compiles, and every name that objects are validated by has one.
func TestSchemasCompile(t *testing.T) {
	for name, compiled := range schemas {
		if _, err := compiled(); err != nil {
			t.Error(name, err)
		}
	}
	for typ := range extensionOf {
		if schemas[typ+".json"] == nil {
			t.Errorf("no schema of %s", typ)
		}
	}
	for _, name := range extNames {
		if schemas[name+".json"] == nil {
			t.Errorf("no schema of %s", name)
		}
	}
}
