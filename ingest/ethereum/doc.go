// Package ethereum reads blocks of Ethereum and chains like it (CAIP-2 eip155)
// from a node over JSON-RPC, and follows it.
//
// What a block moves, by these rules:
//
//   - Every transaction pays its fee: gas used times the effective price, blob
//     gas and a rollup's data fee included. A failed one moves nothing else.
//   - A transaction's value is one native transfer; a creation pays the contract
//     that its receipt names.
//   - Internal transfers come from the call tracer: calls, creations and
//     self-destructions below the root frame that carry value. The root frame is
//     the transaction's own value and is not counted again; delegatecall,
//     callcode and staticcall frames move nothing; a frame that failed moves
//     nothing, nor does any frame below it.
//   - A token transfer is a log Transfer(address,address,uint256) with three
//     topics and one word of data. With four topics it is ERC-721's, which is
//     not fungible and not taken.
//   - Withdrawals of the beacon chain are mints.
//   - What block producers earn (fees, subsidies) is not a transfer and not taken.
//
// A block is believed only as far as it can be checked: the hash of its header
// is recomputed, the roots of its transactions, withdrawals and receipts too,
// and senders are recovered from signatures, wherever the chain's encodings are
// known; else lists have to agree with each other. What a node does not offer
// (no call tracer, state that it has pruned) is not claimed as covered, and told.
//
// Frames are the node's word: nothing in a block commits to them.
package ethereum
