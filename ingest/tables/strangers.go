package tables

import (
	"bytes"

	"bongsu/ingest"
)

// strangers are files that lie beside transfers in exports and data sets, and
// move nothing that a ledger can hold: they are recognised to say so.
func strangers() []ingest.Format {
	return []ingest.Format{
		{
			Name: "usd-flows", Recognise: withHeader(columns("tx_hash", "from", "to", "value_in_usd")),
			Refused: "values its flows in dollars and names neither asset nor amount, so nothing of it can stand in a ledger",
			Hint:    "`bongsu evaluate` measures tracing on such files",
		},
		{
			Name: "ethereum-etl-contracts", Recognise: func(head []byte) bool {
				h, ok := readHeader(head)
				return ok && h.has("address", "bytecode") || firstMembers(head, "address", "bytecode")
			},
			Refused: "is ethereum-etl's table of contracts, in which nothing moves",
			Hint:    "leave it out",
		},
		{
			Name: "explorer-page", Recognise: withHeader(columns("blockno", "from_nametag", "to_nametag")),
			Refused: "is a page of a block explorer's list as it was shown, with rounded amounts",
			Hint:    "download the account's transactions, internal transactions and ERC-20 transfers as CSV",
		},
		{
			Name: "explorer-erc721", Recognise: withHeader(func(h *header) bool {
				return h.find("txhash", "transaction hash") >= 0 && h.has("from", "to") && h.find("tokenid", "token id", "token_id") >= 0
			}),
			Refused: "lists ERC-721 or ERC-1155 tokens, which are no amounts and cannot be followed",
			Hint:    "export the account's ERC-20 transfers",
		},
	}
}

// firstMembers says whether the first line is a JSON object that begins with
// members among which these are; it may be cut off after them.
func firstMembers(head []byte, names ...string) bool {
	line, _, _ := bytes.Cut(bytes.TrimPrefix(head, bom), []byte{'\n'})
	if len(line) == 0 || line[0] != '{' {
		return false
	}
	for _, n := range names {
		if !bytes.Contains(line, []byte(`"`+n+`":`)) {
			return false
		}
	}
	return true
}
