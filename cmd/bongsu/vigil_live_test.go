package main

import (
	"fmt"
	"testing"

	"bongsu/chain"
)

// TestVigil is the promise that the tests with real peers hold on anvil, geth
// and btcd, on a chain node inside the test: what a theft's money does is
// stated with each block, provisional until final, taken back by a
// reorganisation, stated again when its transaction comes back in another
// block, and known to a partner at once. A node that ends in between repeats
// and loses nothing.
func TestVigil(t *testing.T) {
	n := newChainNode("ethereum", 5)
	t.Cleanup(n.Close)
	who := func(b byte) string { return fmt.Sprintf("0x%02x00000000000000000000000000000000000001", b) }
	victim, thief, hop, service, other := who(0xa1), who(0xa2), who(0xa3), who(0xa4), who(0xa5)
	desk, err := chain.ParseAccount(service, "eip155:137")
	if err != nil {
		t.Fatal(err)
	}
	v := newVigil(t)
	theft := n.pay(payment{victim, thief, 100})
	n.pay()
	n.pay()
	follow := []string{"ethereum", n.URL, "--depth", "2"}
	v.follow(follow...)
	v.state(v.d.agency, theft, desk)

	n.pay(payment{thief, hop, 40})
	v.await("moved " + hop + " 40 provisional")
	v.verdict(hop, "watch")
	n.pay()
	n.pay()
	v.await("moved " + hop + " 40")
	v.verdict(hop, "block")

	if err := v.d.agency.stop(); err != nil {
		t.Fatal(err)
	}
	n.pay(payment{hop, service, 30})
	v.until("the follower goes on", func() bool {
		return v.saw(func(e followedLine) bool { return e.Event == "level" && e.Block == n.height() })
	})
	if err := v.d.agency.serve(v.d.a.ctx); err != nil {
		t.Fatal(err)
	}
	v.await("reached-service " + service + " 30 Cash Desk provisional")
	v.verdict(service, "watch")

	n.back(1)
	n.pay(payment{thief, other, 7})
	v.await("reached-service "+service+" 30 Cash Desk provisional revoked", "moved "+other+" 7 provisional")
	v.verdict(service, "clear")
	n.pay(payment{hop, service, 30}) // the same transaction, a block later
	v.await("reached-service "+service+" 30 Cash Desk provisional", "reached-service "+service+" 30 Cash Desk provisional")
	n.pay()
	n.pay()
	v.await("moved "+other+" 7", "reached-service "+service+" 30 Cash Desk")
	v.verdict(other, "block")
	v.settled(theft, desk, n.height(), follow...)
}
