// Package watch keeps watching thefts: it goes on with their traces at each
// change of the ledger, by the same code as a trace by hand, and states in the
// journal what that changes. Money that moved, reached a service or woke is a
// statement of its own (stix.Movement), beside the findings of where it lies.
//
// What holds:
//
//   - A theft is watched from its first trace on, by the question of its latest
//     run. What is said is always the difference between a run and the journal:
//     State reads what was said and appends what changes in one transaction, so
//     that neither a crash nor a second tracer says a thing twice or loses it.
//     Nothing that matters is in memory only.
//   - What rests on a block that is not final is provisional. When the block
//     becomes final the statement gets a version that says so; when a
//     reorganisation takes the block back, one that revokes it. A transaction
//     that comes back in another block is a new version of the same statement.
//   - When the theft itself is taken back, all that was said of it is, and last
//     its run: then it is watched no more, until it is stated and traced again.
//   - Findings and movements are said before the run that they rest on: the
//     latest run in the journal is one whose statements are all there.
//
// A theft that fails (a damaged ledger, a full disk) is tried again, later each
// time, and started over; the others go on. One whose trace grew beyond what a
// run may hold rests until it is traced again with other bounds, and what was
// said of it stands. The package does not share, screen
// or show: that follows from the journal.
package watch
