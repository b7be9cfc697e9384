package stix

import "bongsu/errs"

func build(m map[string]any) (Object, error) {
	return Object{}, errs.New("stix", errs.Internal, "", "not built yet", "")
}

// Parse reads one object from untrusted bytes and validates it: size, depth,
// UTF-8, duplicate keys, id, type, times; for our own types and extensions the
// JSON schema too.
func Parse(b []byte) (Object, error) {
	return Object{}, errs.New("stix", errs.Internal, "", "not built yet", "")
}
