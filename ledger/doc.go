// Package ledger is the first of a node's two books: what moved on the chains.
//
// A ledger holds facts that anyone can check against a chain: blocks,
// transactions, transfers, transactions with inputs and outputs, and the few
// call inputs and logs that links need. It never holds what somebody said
// about them; that is the journal's.
//
// Invariants:
//
//   - The same contents come out whatever the order, the number of repetitions
//     and the partition in which the same facts were imported. Facts merge by
//     rules that commute: a movement is stored once for each Nth that any
//     source shows (the largest count of any source, never the sum); of two
//     places the better known wins, then the smaller; a transaction stands once,
//     in the lowest block that any source names; a block's time is its
//     header's, else the earliest that a row of that block states.
//   - What Commit and ApplyBlock acknowledged survives a crash, once.
//   - A Reader is a snapshot: it never changes, and never waits for a writer.
//   - Nothing is invented. A place or a time that no source gave is marked.
//
// Chain order is chain.Transfer.Compare; Key carries it without the transfer.
//
// The package is not a cache of a node, knows no taint and no labels, and does
// no network. Bytes on disk and the order of writes are drawn in FORMAT.md.
package ledger
