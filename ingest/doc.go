// Package ingest brings transfers from files and chain nodes into the ledger.
//
// It holds what every way in shares: opening a file or standard input,
// decompressing it within explicit limits, recognising its format from its
// beginning among one explicit list, counting, the rejects file, progress and
// resuming. What a format means is said in the rooms below: ingest/tables
// (exports), ingest/ethereum and ingest/bitcoin (chain nodes and their dumps).
//
// Invariants. A row is either handed to the sink, or written to the rejects
// with its line, column and reason, or is a row that moves nothing; none
// vanishes. A bad row never keeps a good one out. Memory does not grow with the
// size of a file. Importing the same file
// again, whole or after a kill, changes nothing in the ledger: a run that was
// killed is read again from its beginning and stated from its last checkpoint
// on, so that a parser never has to save its state.
//
// What is not here: who owns an account (labels), and what moved where in
// reaction to what (trace).
package ingest
