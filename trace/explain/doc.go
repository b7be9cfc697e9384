// Package explain tells how a trace came to one of its findings: step by step,
// each with its transaction, the lot it drew on, the rule, and how sure it is,
// in words that a prosecutor can read out. The steps come from the stored run
// alone; nothing is traced again and nothing is added.
//
// Confidence is on the scale of TagPack labels, 0 to 100: a transfer that the
// ledger shows is 100, and each rule of inference has its own, lower one.
package explain
