// Package stix reads and writes STIX 2.1 objects that keep their raw JSON.
//
// An Object is the bytes it was read from plus the few properties that every
// room needs (id, type, version, author, markings). What a room does not know
// it does not lose: nothing is re-encoded on the way through. Typed values
// (Listing, Finding, Theft, ...) are built and read by their own functions.
//
// Invariants:
//   - An Object that Parse returned is well-formed: valid UTF-8, no duplicate
//     keys, bounded size and depth, a valid id whose type is its own, valid
//     times. Our own types and extensions also hold to the JSON schemas under
//     schemas/.
//   - Deterministic ids follow STIX 2.1 section 2.9 (UUIDv5 over RFC 8785).
//   - Markings are compared by level, never by id.
//
// It is not a store, does no I/O, and does not evaluate patterns beyond simple
// equality (that is stix/pattern).
package stix
