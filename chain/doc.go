// Package chain holds the values of the field: chains, accounts, assets,
// amounts, transactions, places in chain order, and transfers.
//
// Values are parsed at the edge and valid from then on: an Account carries a
// checked address, an Asset a CAIP-19 name, an Amount an integer of base units.
// All are comparable and have a useful zero, which means "none". Nothing here
// does I/O, knows a store, or uses floating point.
package chain
