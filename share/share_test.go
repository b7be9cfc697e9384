package share_test

import (
	"context"
	"testing"

	"bongsu/share"
	"bongsu/stix"
)

func TestPastThenLive(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	past := seoul.say(seoul.listing(1, stix.TLPAmber), seoul.listing(2, stix.TLPGreen))
	partners(t, seoul, europe)
	agree(t, seoul, europe, share.Proposal{})
	for _, e := range past {
		until(t, "the past arrives", func() bool { return europe.has(seoul, e) })
	}
	live := seoul.say(seoul.listing(3, stix.TLPAmber))[0]
	until(t, "a live statement arrives", func() bool { return europe.has(seoul, live) })
	back := europe.say(europe.listing(4, stix.TLPAmber))[0]
	until(t, "the other direction works", func() bool { return seoul.has(europe, back) })

	europe.service.Active(live.ID, string(seoul.keys.ID()))
	if err := europe.service.Acted(t.Context(), live.ID, seoul.keys.ID(), stix.Acted); err != nil {
		t.Fatal(err)
	}
	until(t, "receipts come back", func() bool {
		st := seoul.status(europe)
		return st.Receipts == share.Counts{Arrived: 3, Active: 1, Acted: 1} && st.Unanswered == 0 && st.Cosigned >= 3
	})
	st := seoul.status(europe)
	if st.Shared != 3 || st.Withheld != 0 || st.P50 <= 0 || st.P99 < st.P50 || st.LastSeen.IsZero() || st.Received != 1 {
		t.Errorf("status: %+v", st)
	}
	receipts, err := seoul.service.Receipts(t.Context(), live.ID)
	if err != nil || len(receipts) != 3 || receipts[0].Partner.Name != "Europe Exchange" {
		t.Errorf("receipts: %+v %v", receipts, err)
	}
	if _, err := europe.service.Ping(context.Background(), "seoul"); err != nil {
		t.Errorf("ping: %v", err)
	}
}
