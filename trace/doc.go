// Package trace follows stolen funds through a ledger: a discrete-event
// simulation, in chain order, over the books of the accounts that the money
// touched.
//
// A book is what one account holds of one asset, as lots in order of
// acquisition, clean and tainted. Only books that tainted lots reach are
// opened, from that moment on, with the balance before as one clean lot. A
// spend draws on the lots of its book by the method of the trace; what is
// tainted goes on with the transfer and carries its origin amount, the part of
// the theft it stands for. Every unit ends in exactly one place: a holding, an
// exit at a service, unfollowed where a bound stopped, a fee, an adjustment, or
// collided with an earlier theft; Follow checks this sum per theft and stolen
// asset, to the last base unit, and fails rather than return a result that
// does not keep it.
//
// Coin that is wrapped, or a token that is unwrapped, is the same money of the
// same account in another book (package links has the contracts).
//
// The same inputs give the same result, byte for byte, in whatever order they
// were imported and whether they came as one batch or block by block. The
// digest covers the result, the transfers read and the labels used.
//
// The package reads a ledger and labels. It writes no findings (trace/findings
// does), fetches nothing, and never values money: prices stand beside amounts.
package trace
