// Package links is what is known of contracts that turn one asset into another,
// so that a trace can go on behind them: today those that wrap a chain's own
// coin.
//
// Invariants. The list is fixed data: each entry says where its contract is
// written down, and what the contract does follows from its code alone, so that
// a movement of the chain's coin to or from it is one movement of the token,
// without a log. The digest covers every entry; a trace that met one names it.
//
// The package knows contracts, and neither a ledger nor a lot: what a link does
// to a book is package trace's business. Contracts of exchanges and bridges,
// whose code does not make that certain, are not here.
package links
