package share_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/share"
	"bongsu/stix"
)

func TestJoin(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	inv, err := seoul.service.Invite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if raw := dump(t, seoul); strings.Contains(raw, inv.Text) || !inv.Expires.After(time.Now()) {
		t.Error("the journal holds the invitation's secret, or it has no end")
	}
	// As a person pastes it: broken over lines, in capitals.
	pasted := strings.ToUpper(inv.Text[:30]) + "\n  " + inv.Text[30:] + " \r\n"
	p, err := europe.service.Join(t.Context(), pasted)
	if err != nil {
		t.Fatal(err)
	}
	list, err := seoul.service.Partners(t.Context())
	if err != nil || len(list) != 1 || list[0].Fingerprint != europe.keys.Org().Fingerprint() || list[0].Address != europe.options.address {
		t.Errorf("the inviting side has %+v, %v", list, err)
	}
	if p.Fingerprint != inv.Fingerprint || p.Name != "Seoul Agency" {
		t.Errorf("the joining side has %+v", p)
	}
	if _, err := europe.service.Join(t.Context(), inv.Text); err != nil {
		t.Errorf("the same organisation may ask again, should it have missed the answer: %v", err)
	}
	bank := newNode(t, "Bank", nodeOptions{})
	if _, err := bank.service.Join(t.Context(), inv.Text); errs.Is(err) != errs.Permission || !strings.Contains(err.Error(), "used before") {
		t.Errorf("a second organisation used it: %v", err)
	}
	if list, _ := bank.service.Partners(t.Context()); len(list) != 0 {
		t.Errorf("the refused node has partners: %v", list)
	}
	if _, err := seoul.service.Join(t.Context(), inv.Text); errs.Is(err) != errs.Usage {
		t.Errorf("own invitation: %v", err)
	}
}

func dump(t *testing.T, n *node) string {
	t.Helper()
	list, err := n.journal.Read(t.Context(), "journal", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, st := range list {
		b.Write(st.Payload)
	}
	return b.String()
}

func TestJoinRefused(t *testing.T) {
	seoul := newNode(t, "Seoul Agency", nodeOptions{})
	europe := newNode(t, "Europe Exchange", nodeOptions{silent: true})
	inv, err := seoul.service.Invite(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("mistyped", func(t *testing.T) {
		for name, text := range map[string]string{
			"cut":           inv.Text[:len(inv.Text)-3],
			"a letter":      inv.Text[:40] + map[bool]string{true: "b", false: "a"}[inv.Text[40] == 'a'] + inv.Text[41:],
			"something":     "hello",
			"nothing":       "",
			"no alphabet":   "bongsu1-0189!",
			"very long":     "bongsu1-" + strings.Repeat("a", 5000),
			"another start": "x" + inv.Text,
		} {
			if _, err := europe.service.Join(t.Context(), text); errs.Is(err) != errs.Invalid || errs.Hint(err) == "" {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		other, err := seoul.service.Invite(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := europe.service.Join(t.Context(), other.Text); errs.Is(err) != errs.Unavailable {
			t.Errorf("%v", err)
		}
	})
	t.Run("another node answers", func(t *testing.T) {
		bank := newNode(t, "Bank", nodeOptions{})
		other, err := seoul.service.Invite(t.Context(), bank.options.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := europe.service.Join(t.Context(), other.Text); errs.Is(err) != errs.Forged {
			t.Errorf("%v", err)
		}
	})
	t.Run("a private address", func(t *testing.T) {
		careful := newNode(t, "Careful", nodeOptions{silent: true, private: true})
		if _, err := careful.service.Join(t.Context(), inv.Text); errs.Is(err) != errs.Permission || !strings.Contains(err.Error(), "private address") {
			t.Errorf("%v", err)
		}
	})
	t.Run("expired", func(t *testing.T) {
		seoul.clock.move(8 * 24 * time.Hour)
		europe.clock.move(8 * 24 * time.Hour)
		if _, err := europe.service.Join(t.Context(), inv.Text); errs.Is(err) != errs.Permission || !strings.Contains(err.Error(), "expired") {
			t.Errorf("%v", err)
		}
	})
	if list, err := seoul.service.Partners(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("partners: %v %v", list, err)
	}
}

func TestInvitationsAreBounded(t *testing.T) {
	seoul := newNode(t, "Seoul Agency", nodeOptions{limits: share.Limits{Invites: 2}})
	for range 2 {
		if _, err := seoul.service.Invite(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := seoul.service.Invite(t.Context(), ""); errs.Is(err) != errs.Limit {
		t.Errorf("a third: %v", err)
	}
	silent := newNode(t, "Silent", nodeOptions{silent: true})
	if _, err := silent.service.Invite(t.Context(), ""); errs.Is(err) != errs.Usage || errs.Hint(err) == "" {
		t.Errorf("without an address: %v", err)
	}
	for _, bad := range []string{"host", "host:0", "host:99999", "ho st:1", "host:01", ":1", "a/b:1"} {
		if _, err := silent.service.Invite(t.Context(), bad); errs.Is(err) != errs.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestDialOut: a node that nobody can connect to carries both directions on
// connections of its own.
func TestDialOut(t *testing.T) {
	seoul, europe, terms := pair(t, nodeOptions{}, nodeOptions{dialOut: true})
	there := seoul.say(seoul.listing(1, stix.TLPAmber))[0]
	back := europe.say(europe.listing(2, stix.TLPAmber))[0]
	until(t, "both directions work", func() bool { return europe.has(seoul, there) && seoul.has(europe, back) })
	if p, err := seoul.service.Partner(t.Context(), "europe"); err != nil || p.Address != "" {
		t.Errorf("the partner has the address %q, %v", p.Address, err)
	}
	until(t, "receipts and cosignatures go both ways", func() bool {
		x, y := seoul.status(europe), europe.status(seoul)
		return x.Receipts.Arrived == 1 && y.Receipts.Arrived == 1 && x.Cosigned > 0 && y.Cosigned > 0
	})
	seoul.restart()
	more := seoul.say(seoul.listing(3, stix.TLPAmber))[0]
	until(t, "it comes back after a restart", func() bool { return europe.has(seoul, more) })
	if _, err := seoul.service.End(t.Context(), terms.ID, "over", ""); err != nil {
		t.Fatal(err)
	}
	until(t, "the end arrives though nobody can connect", func() bool {
		x, err := europe.service.Show(t.Context(), terms.ID)
		return err == nil && x.State == "ended"
	})
}

// TestTwoProcesses: what a command does beside the running node takes effect
// there. A second journal on the same file stands for the other process.
func TestTwoProcesses(t *testing.T) {
	seoul, europe := newNode(t, "Seoul Agency", nodeOptions{}), newNode(t, "Europe Exchange", nodeOptions{})
	partners(t, seoul, europe)
	command := func(n *node) *node {
		c := &node{t: t, dir: n.dir, name: n.name + " command", keys: n.keys, clock: n.clock, options: nodeOptions{silent: true}}
		c.start()
		t.Cleanup(c.end)
		return c
	}
	a, b := command(seoul), command(europe)
	terms, err := a.service.Propose(t.Context(), share.Proposal{Partner: "europe"})
	if err != nil || !terms.Delivered {
		t.Fatalf("proposed: delivered %v, %v", terms.Delivered, err)
	}
	if terms, err = b.service.Sign(t.Context(), terms.ID[:30], "analyst"); err != nil || terms.State != "active" {
		t.Fatalf("signed: %v %v", terms.State, err)
	}
	e := a.say(a.listing(1, stix.TLPAmber))[0]
	until(t, "a command's statement arrives", func() bool { return europe.has(seoul, e) })
	until(t, "the command sees what the node did", func() bool {
		st := a.status(europe)
		return st.Receipts.Arrived == 1 && st.Shared == 1
	})
}
