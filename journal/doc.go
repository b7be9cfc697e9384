// Package journal keeps what organisations said: statements, append-only, each
// with author, marking, legal basis, purpose and time, provable and erasable.
//
// A journal holds several logs of one type, told apart by name: "journal" (all
// statements, own and received), "feed/<agreement>" (what one agreement let
// through), "audit", and for each feed received from a partner a mirror that
// repeats the partner's log leaf by leaf. A log is a Merkle tree (RFC 6962, as
// golang.org/x/mod/sumdb/tlog computes it) whose leaves are entries'
// envelopes; its root is signed in a checkpoint, a C2SP signed note.
//
// An entry is an envelope that commits to its payload by
// SHA-256(salt || payload). Payload and salt live apart and can be erased,
// leaving the envelope and a signed tombstone; every proof still holds.
//
// Invariants:
//   - One append is one transaction: payloads, entries, Merkle hashes, one
//     signed checkpoint a log, and every view. It happens whole or not at all,
//     and is on the disk before Append returns.
//   - Nothing in a log is changed or removed. New versions, revocations and
//     erasures are new entries.
//   - A statement is named by (author, id). A partner's statement never
//     replaces another author's, even under the same id.
//   - What a partner sent is stored once, in the order of his feed, and only
//     when the whole of it adds up to the checkpoint that he signed.
//   - Views are derived: dropping and rebuilding them gives the same.
//
// The journal knows no view and no partner by name, does no network I/O, and
// decides nothing about sharing. Several processes may open one journal at
// once; they see each other's appends. FORMAT.md draws envelopes, tables and
// the exported file.
package journal
