// Package labels says who or what an account is, by whom, and how sure they
// are: attribution with the semantics of GraphSense TagPacks.
//
// Labels come in as lists: a TagPack, a CSV, the JSON of etherscan-labels. One
// imported list is one content-addressed file in DIR/labels (FORMAT.md), and
// every label keeps its source, confidence and date. Labels that contradict
// each other stay side by side; which one decides follows one rule: highest
// confidence, then latest lastmod, then source name. A label whose confidence
// is under MinDeciding is shown and never decides.
//
// A Set is immutable: a reading of some lists, with the digests of exactly
// those. The package does not fetch lists, does not state anything in the
// journal, and never merges two labels into one.
package labels
