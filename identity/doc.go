// Package identity says who an organisation is and proves it: a root key that
// can live offline, and the dated certificates by which it lends its name to
// the keys a node works with.
//
// An organisation's root Ed25519 key certifies three kinds of node keys:
// signing (checkpoints, agreements, receipts), TLS (who is at the other end of
// a connection) and sealing (age, what only named recipients can read). The
// public side of all that is one document, Org, signed by the root and
// numbered, so that an older copy never replaces a newer one.
//
// Invariants:
//   - Only the root signs certificates, revocations and the Org document. A
//     stolen node key cannot rotate itself, prolong itself or undo its
//     revocation; a node runs without the root key at hand.
//   - OrgID is derived from the root public key, so nobody can present another
//     organisation's id with a root of his own.
//   - Every signature is made over a context string and the message, so that a
//     signature for one purpose is worth nothing for another.
//   - Revocation takes effect from a moment on: what was signed before it
//     stays proven, nothing after it is accepted. A thief may backdate what he
//     signs; so receivers judge by the time at which they first saw it.
//
// The package is not a user directory, knows no partners and does no network
// I/O. FORMAT.md draws the key files and the document.
package identity
