// Package share lets statements pass between organisations, where an agreement
// allows it, and brings back what became of them.
//
// A node invites another once; both then hold each other's public document as
// a statement. Each active agreement has two feeds, one a direction. A feed is
// a log of its own (journal.FeedPrefix + agreement), filled by View inside the
// transaction that appends the statement, so that what an agreement lets
// through is on its feed the moment it is said. The partner reads the feed
// over mutual TLS, past first and then live on the same stream, checks every
// leaf against the checkpoint that its author signed, and stores statements
// and position in one transaction: exactly once in effect. What happened to
// each comes back as signed receipts on the feed of the other direction.
//
// What holds always:
//
//   - A connection is worth what its key is worth: the peer's TLS key must be
//     certified by the root that the invitation named, now.
//   - Nothing is on a feed that its agreement did not allow when it was put
//     there, and nothing is taken from one that the agreement does not allow.
//   - A feed only grows. A rollback, a fork, a gap or a changed leaf stops it
//     with errs.Forged or errs.Conflict, and is kept as the partner's fault.
//   - A partner can neither exhaust the node (Limits) nor make it connect to
//     where its owner would not (Config.AllowNets).
//   - State is in the journal alone. A command in another process and the
//     running node agree because they read the same journal.
//
// The package is not an attribution of truth: it proves who said what, and
// when it was received. It knows no screening; whoever does tells it what
// became active (Service.Active). FORMAT.md draws invitations, requests,
// frames and tables.
package share
