package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"bongsu/agreement"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/share"
	"bongsu/stix"
)

type agreementCmd struct {
	Propose agreementProposeCmd `cmd:"" help:"Propose an agreement to a partner, signed by this organisation."`
	Sign    agreementSignCmd    `cmd:"" help:"Countersign an agreement that a partner proposed."`
	Show    agreementShowCmd    `cmd:"" help:"What an agreement allows, in plain words and as policies."`
	Test    agreementTestCmd    `cmd:"" help:"Would a statement of this kind and marking be shared, and why?"`
	End     agreementEndCmd     `cmd:"" help:"End an agreement at once."`
}

type agreementProposeCmd struct {
	Partner   string        `arg:"" help:"The partner's name or id, or an unambiguous start of either."`
	Template  string        `default:"threat-sharing" help:"Built-in terms to start from."`
	Title     string        `help:"Title of the agreement."`
	TLP       string        `name:"tlp" help:"Highest marking that may pass: clear, green, amber, amber+strict, red."`
	Kinds     []string      `help:"STIX object types that may pass." placeholder:"TYPE"`
	Purposes  []string      `help:"Purposes for which they may be used." placeholder:"PURPOSE"`
	Basis     []string      `help:"Accepted legal bases." placeholder:"BASIS"`
	ValidFor  time.Duration `help:"How long it is valid." default:"8760h"`
	Retention int           `help:"Days for which the receiver may keep what it received."`
	Policies  string        `help:"Own Cedar policies from this file; needs --words." placeholder:"FILE" type:"existingfile"`
	Words     string        `help:"The plain words of those policies."`
}

func (agreementProposeCmd) Help() string {
	var b strings.Builder
	b.WriteString("The partner receives the proposal, reads it with agreement show, and signs it. Until both have signed nothing passes.\n\nTemplates:\n")
	for _, t := range agreement.Templates() {
		fmt.Fprintf(&b, "  %-18s %s\n", t.Name, t.About)
	}
	b.WriteString("\nExamples:\n  bongsu agreement propose \"Example Exchange\"\n  bongsu agreement propose exa --tlp green --valid-for 720h\n")
	return b.String()
}

func (c *agreementProposeCmd) Run(a *app) error {
	p := share.Proposal{
		Partner: c.Partner, Template: c.Template, Title: c.Title, ValidFor: c.ValidFor, HighestTLP: c.TLP,
		Kinds: c.Kinds, Purposes: c.Purposes, LegalBasis: c.Basis, Retention: c.Retention, Words: c.Words, Actor: a.config.User,
	}
	if c.Policies != "" {
		text, err := os.ReadFile(c.Policies)
		if err != nil {
			return errs.Wrap("agreement propose", c.Policies, err)
		}
		p.Policies = string(text)
	}
	return a.withSharing(func(n *node, s *share.Service) error {
		t, err := s.Propose(a.ctx, p)
		if err != nil {
			return err
		}
		return a.printTerms(t)
	})
}

type agreementSignCmd struct {
	ID string `arg:"" help:"The agreement's id, or an unambiguous start of it."`
}

func (agreementSignCmd) Help() string {
	return `Read it first, and compare its digest with the partner by voice. From the moment both have signed, what its policies allow passes, the past included.

Examples:
  bongsu agreement show bongsu-agreement--7b0c
  bongsu agreement sign bongsu-agreement--7b0c`
}

func (c *agreementSignCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		t, err := s.Sign(a.ctx, c.ID, a.config.User)
		if err != nil {
			return err
		}
		return a.printTerms(t)
	})
}

type agreementShowCmd struct {
	ID string `arg:"" optional:"" help:"The agreement's id, or an unambiguous start of it; without it all are listed."`
}

func (agreementShowCmd) Help() string {
	return `Examples:
  bongsu agreement show
  bongsu agreement show bongsu-agreement--7b0c --json`
}

func (c *agreementShowCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		if c.ID != "" {
			t, err := s.Show(a.ctx, c.ID)
			if err != nil {
				return err
			}
			return a.printTerms(t)
		}
		list, err := s.Agreements(a.ctx)
		if err != nil {
			return err
		}
		docs := []map[string]any{}
		for _, t := range list {
			docs = append(docs, termsJSON(t))
		}
		return a.print(map[string]any{"agreements": docs}, func(w io.Writer) {
			if len(list) == 0 {
				fmt.Fprintln(w, "No agreements, so nothing is shared. Propose one with: bongsu agreement propose PARTNER")
			}
			for _, t := range list {
				fmt.Fprintf(w, "%-9s %s  %s with %s\n", t.State, t.ID, t.Title, t.Partner.Name)
			}
		})
	})
}

type agreementTestCmd struct {
	Kind    string `default:"indicator" help:"STIX object type."`
	TLP     string `name:"tlp" default:"amber" help:"Its marking."`
	Basis   string `help:"Its legal basis."`
	Purpose string `help:"The purpose it is restricted to."`
}

func (agreementTestCmd) Help() string {
	return `Asks every agreement about a statement that does not exist yet. Nothing leaves.

Example:
  bongsu agreement test --kind indicator --tlp amber --purpose incident-response`
}

func (c *agreementTestCmd) Run(a *app) error {
	level, err := stix.ParseTLP(c.TLP)
	if err != nil {
		return err
	}
	return a.withSharing(func(n *node, s *share.Service) error {
		st := agreement.Statement{ID: c.Kind + "--00000000-0000-4000-8000-000000000000", Kind: c.Kind, TLP: level, Author: n.keys.ID(), LegalBasis: c.Basis}
		if c.Purpose != "" {
			st.Purposes = []string{c.Purpose}
		}
		answers, err := s.PreviewOf(a.ctx, st)
		if err != nil {
			return err
		}
		return a.printAnswers(answers)
	})
}

type agreementEndCmd struct {
	ID     string `arg:"" help:"The agreement's id, or an unambiguous start of it."`
	Reason string `required:"" help:"Why; both sides will read it."`
}

func (agreementEndCmd) Help() string {
	return `Example:
  bongsu agreement end bongsu-agreement--7b0c --reason "exercise over"`
}

func (c *agreementEndCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		t, err := s.End(a.ctx, c.ID, c.Reason, a.config.User)
		if err != nil {
			return err
		}
		return a.printTerms(t)
	})
}

func termsJSON(t share.Terms) map[string]any {
	return map[string]any{
		"id": t.ID, "digest": t.Digest, "title": t.Title, "state": t.State, "parties": t.Parties,
		"valid_from": t.ValidFrom.UTC().Format(time.RFC3339), "valid_until": t.ValidUntil.UTC().Format(time.RFC3339),
		"highest_tlp": t.HighestTLP, "kinds": nonNil(t.Kinds), "purposes": nonNil(t.Purposes), "legal_basis": nonNil(t.LegalBasis),
		"onward": t.Onward, "retention_days": t.Retention, "words": t.Words, "policies": t.Policies,
		"signed_by": nonNil(t.SignedBy), "partner": partnerJSON(t.Partner), "delivered": t.Delivered, "end_reason": t.EndReason,
	}
}

func (a *app) printTerms(t share.Terms) error {
	return a.print(termsJSON(t), func(w io.Writer) {
		fmt.Fprintf(w, "%s\n  id         %s\n  digest     %s\n  state      %s\n  parties    %s and %s\n  valid      %s to %s\n  marking    up to TLP:%s\n  kinds      %s\n  purposes   %s\n",
			t.Title, t.ID, t.Digest, t.State, t.Parties[0].Name, t.Parties[1].Name,
			t.ValidFrom.UTC().Format(time.RFC3339), t.ValidUntil.UTC().Format(time.RFC3339), t.HighestTLP,
			strings.Join(t.Kinds, ", "), strings.Join(t.Purposes, ", "))
		fmt.Fprintf(w, "  signed by  %s\n", signers(t))
		if t.Words != "" {
			fmt.Fprintf(w, "\n%s\n", t.Words)
		}
		fmt.Fprintf(w, "\n%s\n", t.Policies)
		if !t.Delivered {
			fmt.Fprintf(w, "%s has not got this state of it yet; a running bongsu serve delivers it as soon as the partner answers.\n", t.Partner.Name)
		}
	})
}

func signers(t share.Terms) string {
	var names []string
	for _, id := range t.SignedBy {
		names = append(names, partyName(t, id))
	}
	return strings.Join(names, " and ")
}

func partyName(t share.Terms, id identity.OrgID) string {
	for _, p := range t.Parties {
		if p.ID == id {
			return p.Name
		}
	}
	return string(id)
}
