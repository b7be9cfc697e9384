// Package agreement holds the rules that two organisations sign before
// anything passes between them, and answers what those rules let through.
//
// An agreement is one document: the two parties, its validity, the terms that
// a person reads (highest TLP, kinds, purposes, legal basis, onward sharing,
// retention) and the Cedar policies that a machine evaluates. One party
// proposes and signs it, the other countersigns the same bytes, either ends
// it. A change is a new agreement: signed bytes never change.
//
// What holds always:
//
//   - No policy, no share: what no permit covers stays home.
//   - The terms are the ceiling. Policies can only narrow them: a permit for a
//     kind, a purpose or a marking beyond the terms lets nothing through.
//   - Policies and entities are validated against one schema before anything
//     is evaluated, and an error in any policy is a refusal.
//   - TLP:RED goes only to recipients that the statement names, and sealed.
//   - What was received from one partner goes to another only where both
//     agreements say so, and never back to where it came from.
//   - Every refusal has a stable code and a sentence.
//
// The package evaluates and verifies; it stores nothing, sends nothing and
// reads no clock: the time is an argument. FORMAT.md draws the document.
package agreement
