// Package findings turns thefts and traces into statements and back: an
// incident of the journal becomes a trace.Theft, a trace.Run becomes the
// indicators and the run's own object that the journal states.
//
// One indicator stands for one (theft, account, asset, place), under an id that
// follows from these: tracing again makes a new version where something
// changed, nothing where nothing did, and a revocation where a finding
// vanished. The package decides what is said; the journal decides when.
package findings
