// Package evaluate measures the tracer against flows that are known: folders
// of verified illicit transfers valued in USD, with the addresses where they
// start and where they end.
//
// The tracer is told the sources and nothing else. Unrelated traffic from a
// seeded generator can be mixed in. What comes out is, by value: reachability
// (how much of the known flow carries taint), attribution (how much of what
// entered the terminals is attributed to the theft), its bound (the maximum
// flow in time, which no method that conserves value can exceed), and precision
// (how much of the attributed value lies on known rows). The mixed rows with
// every method's taint are written as CSV, so that anyone can recompute.
//
// These rows are an input of this package only: they never enter a ledger. No
// rule here knows a case by name.
package evaluate
