// Package bitcoin brings Bitcoin and its relatives (testnet, regtest, simnet)
// into a ledger: raw blocks, block files as Bitcoin Core writes them, the JSON
// lines of bitcoin-etl, and a live node followed over JSON-RPC.
//
// What holds:
//
//   - A raw block is believed only after its bytes agree with themselves: the
//     Merkle root matches the transactions (and is not the mutated twin of
//     CVE-2012-2459), the header's hash meets the target that it states, the
//     first transaction and no other is a coinbase.
//   - Heights come from the chain of hashes, never from a file's order: back to
//     the chain's first block, or to a block that the ledger knows, or from the
//     height that a coinbase states (BIP 34) where no rule of the chain denies
//     it. Of branches the one with the most work counts; the others are left
//     out and counted.
//   - A transaction carries the outpoints that it spends; amounts and accounts of
//     inputs come from the outputs spent, which the ledger joins. A source may
//     state them too; where the ledger holds the output itself, that decides.
//   - Every output has an account: its address where the script has one, else
//     the SHA-256 of the script. A bare public key (P2PK) is the P2PKH account of
//     the same key, because the same key spends both.
//   - Block files are stated one by one, each all but the last blocks of its
//     branch, so that a killed import goes on with the file that it was in.
//     Memory is bounded by a few blocks, the headers that wait and the hashes of
//     those stated, whatever the files hold.
//
// Two coinbases of 2010 repeat older ones to the byte (BIP 30 forbade it later):
// one id, one transaction, and the coins of the older are lost on the chain too.
//
// It is not a full node: scripts are not run, difficulty adjustments and
// signatures are not checked. Whoever needs that follows a node of their own.
package bitcoin
