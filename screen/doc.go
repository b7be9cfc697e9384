// Package screen answers, for a value somebody is about to deal with, whether
// the journal speaks against it: an account, a domain, a file hash or an
// e-mail address in, a verdict with its reasons out.
//
// An Index is a view of the journal that can be thrown away and rebuilt. It is
// an immutable snapshot (a filter, a bucket index over keys, packed reasons),
// swapped atomically, under a small overlay for what just arrived; the overlay
// is merged into a new snapshot in the background. What Apply was given is
// visible to every Screen that starts after Apply returned.
//
// Invariants. A value that cannot be read is Invalid and never Clear. A
// statement counts once for each author: a version, revocation or erasure
// takes effect only against the same author's statement, so nobody takes back
// what another said, and an older version never replaces a newer one. An EVM
// address named on one chain hits on every EVM chain.
//
// The package decides nothing about who may see a reason, keeps no record of
// who asked what, and stores nothing on disk.
package screen
