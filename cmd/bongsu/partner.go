package main

import (
	"fmt"
	"io"
	"time"

	"bongsu/share"
)

type partnerCmd struct {
	Invite partnerInviteCmd `cmd:"" help:"Make a one-time invitation to hand to one partner."`
	Join   partnerJoinCmd   `cmd:"" help:"Accept an invitation."`
	List   partnerListCmd   `cmd:"" help:"The partners of this node."`
	Ping   partnerPingCmd   `cmd:"" help:"Ask a partner's node for a sign of life."`
}

type partnerInviteCmd struct {
	Address string `help:"host:port at which the partner reaches this node (default: share_address, else where serve listens)." placeholder:"HOST:PORT"`
}

func (partnerInviteCmd) Help() string {
	return `Prints an invitation as the last line: hand it over by a channel that both trust. It works once and expires. This node must be running (bongsu serve) when the partner joins; then compare both fingerprints by voice.

Example:
  bongsu partner invite --address node.example.org:8421`
}

func (c *partnerInviteCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		inv, err := s.Invite(a.ctx, c.Address)
		if err != nil {
			return err
		}
		doc := map[string]any{"invitation": inv.Text, "address": inv.Address, "fingerprint": inv.Fingerprint, "expires": inv.Expires.UTC().Format(time.RFC3339)}
		return a.print(doc, func(w io.Writer) {
			fmt.Fprintf(w, "For one partner, once, until %s. Our fingerprint: %s\n%s\n", inv.Expires.UTC().Format(time.RFC3339), inv.Fingerprint, inv.Text)
		})
	})
}

type partnerJoinCmd struct {
	Invitation string `arg:"" help:"The invitation's text, or - for standard input."`
}

func (partnerJoinCmd) Help() string {
	return `Connects to the inviting node, checks that it is who the invitation says, and makes the two partners of each other. Nothing is shared before an agreement is signed by both.

Example:
  bongsu partner join bongsu-invitation...`
}

func (c *partnerJoinCmd) Run(a *app) error {
	text := c.Invitation
	if text == "-" {
		b, err := readAll(a, "-", 64<<10)
		if err != nil {
			return err
		}
		text = string(b)
	}
	return a.withSharing(func(n *node, s *share.Service) error {
		p, err := s.Join(a.ctx, text)
		if err != nil {
			return err
		}
		ours := n.keys.Org().Fingerprint()
		doc := map[string]any{"partner": partnerJSON(p), "our_fingerprint": ours}
		return a.print(doc, func(w io.Writer) {
			fmt.Fprintf(w, "Partner: %s, %s\nCompare by voice before you sign anything:\n  theirs  %s\n  ours    %s\n", p.Name, p.ID, p.Fingerprint, ours)
		})
	})
}

type partnerListCmd struct{}

func (partnerListCmd) Help() string {
	return `Example:
  bongsu partner list --json`
}

func (c *partnerListCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		list, err := s.Partners(a.ctx)
		if err != nil {
			return err
		}
		docs := []map[string]any{}
		for _, p := range list {
			docs = append(docs, partnerJSON(p))
		}
		return a.print(map[string]any{"partners": docs}, func(w io.Writer) {
			if len(list) == 0 {
				fmt.Fprintln(w, "No partners. Invite one with: bongsu partner invite")
			}
			for _, p := range list {
				fmt.Fprintf(w, "%s\n  id           %s\n  fingerprint  %s\n  address      %s\n  since        %s\n", p.Name, p.ID, p.Fingerprint, nameOr(p.Address, "connects to us"), p.Since.UTC().Format(time.RFC3339))
			}
		})
	})
}

func partnerJSON(p share.Partner) map[string]any {
	return map[string]any{"id": p.ID, "name": p.Name, "fingerprint": p.Fingerprint, "address": p.Address, "since": p.Since.UTC().Format(time.RFC3339)}
}

type partnerPingCmd struct {
	Partner string `arg:"" help:"Its name or id, or an unambiguous start of either."`
}

func (partnerPingCmd) Help() string {
	return `Example:
  bongsu partner ping europa`
}

func (c *partnerPingCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		p, err := s.Ping(a.ctx, c.Partner)
		if err != nil {
			return err
		}
		doc := map[string]any{
			"partner": partnerJSON(p.Partner), "protocol": p.Version, "round_trip_ms": ms(p.RoundTrip),
			"clock_offset_ms": ms(p.ClockOffset), "uncertain_ms": ms(p.Uncertain),
		}
		return a.print(doc, func(w io.Writer) {
			fmt.Fprintf(w, "%s answers in %.2f ms; its clock differs by %.2f ms (+-%.2f)\n", p.Partner.Name, ms(p.RoundTrip), ms(p.ClockOffset), ms(p.Uncertain))
		})
	})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// withSharing opens the node and its sharing service for one command.
func (a *app) withSharing(fn func(*node, *share.Service) error) error {
	n, err := openNode(a)
	if err != nil {
		return err
	}
	s, err := n.sharing(a, nil)
	if err == nil {
		err = fn(n, s)
	}
	if cerr := n.close(); err == nil {
		err = cerr
	}
	return err
}
