package tables_test

// What the two blocks of stream_17173049 moved, in base units, computed from
// the JSON files with another program: gas used times effective price of every
// transaction, the values of those that succeeded, and the withdrawals.
const (
	wantFees      = "2362878739684767282"
	wantNative    = "82246255043361813012"
	wantWithdrawn = "430048384000000000"
	wantNatives   = 127
	wantTokens    = 291
)

// wantNomadUSDC is what the events of nomad-2022 released of USDC, in base units.
const wantNomadUSDC = "87247033140665"
