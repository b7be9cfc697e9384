package ethereum

import (
	"strings"
	"testing"

	"bongsu/ingest/jsonrpc"

	"github.com/go-json-experiment/json"
)

// TestShortItems: a list of next to nothing, which would take hundreds of times
// its bytes, is refused at its first item, wherever it stands.
func TestShortItems(t *testing.T) {
	refused := func(name string, into any, text string) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), into); err == nil || !strings.Contains(err.Error(), "too few") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, item := range []string{"{}", "null", "{}" + strings.Repeat(",{}", 1000)} {
		items := "[" + item + "]"
		refused("transactions", new(block), `{"transactions":`+items+`}`)
		refused("withdrawals", new(block), `{"withdrawals":`+items+`}`)
		refused("access list", new(transaction), `{"accessList":`+items+`}`)
		refused("authorizations", new(transaction), `{"authorizationList":`+items+`}`)
		refused("logs", new(receipt), `{"logs":`+items+`}`)
		refused("calls", new(frame), `{"calls":`+items+`}`)
		refused("receipts", new([]receipt), `[{"logs":[],"padding":"`+strings.Repeat("x", 200)+`","logs2":0},{"logs":`+items+`}]`)
		refused("traces", new([]traced), `[{"result":{"calls":`+items+`}}]`)
		refused("all receipts", new(jsonrpc.List[receipt]), items)
		refused("all traces", new(jsonrpc.List[traced]), items)
	}
	refused("topics", new(event), `{"topics":[null]}`)
	var b block
	if err := json.Unmarshal([]byte(`{"transactions":null,"withdrawals":[]}`), &b); err != nil || b.Transactions != nil || b.Withdrawals == nil {
		t.Errorf("%+v, %v", b, err)
	}
	if err := json.Unmarshal([]byte(`{"transactions":{}}`), &b); err == nil {
		t.Error("an object was taken for a list")
	}
}
