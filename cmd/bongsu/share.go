package main

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"bongsu/agreement"
	"bongsu/share"
)

type shareCmd struct {
	Preview sharePreviewCmd `cmd:"" help:"Who would see a statement, by which rule? Nothing leaves."`
	Status  shareStatusCmd  `cmd:"" help:"What passed to each partner, what stayed home, who confirmed and how fast."`
	Revoke  shareRevokeCmd  `cmd:"" help:"Take a statement back, wherever it went."`
}

type sharePreviewCmd struct {
	Statement string `arg:"" help:"STIX id of a statement in the journal."`
}

func (sharePreviewCmd) Help() string {
	return `Example:
  bongsu share preview incident--0b0f...`
}

func (c *sharePreviewCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		answers, err := s.Preview(a.ctx, c.Statement)
		if err != nil {
			return err
		}
		return a.printAnswers(answers)
	})
}

func (a *app) printAnswers(answers []share.Answer) error {
	docs := []map[string]any{}
	for _, x := range answers {
		docs = append(docs, map[string]any{
			"partner": partnerJSON(x.Partner), "agreement": x.Agreement, "title": x.Title, "allowed": x.Decision.Allowed,
			"reason": x.Decision.Reason, "policy": x.Decision.Policy, "why": x.Decision.Why, "purpose": x.Purpose, "shared": x.Shared,
		})
	}
	return a.print(map[string]any{"answers": docs}, func(w io.Writer) {
		if len(answers) == 0 {
			fmt.Fprintln(w, "Nobody would see it: there is no agreement.")
		}
		for _, x := range answers {
			word := "would not see it"
			switch {
			case x.Shared:
				word = "has it"
			case x.Decision.Allowed:
				word = "would see it"
			}
			fmt.Fprintf(w, "%s %s: %s (%s, %s)\n", x.Partner.Name, word, x.Decision.Why, x.Title, x.Decision.Reason)
		}
	})
}

type shareStatusCmd struct{}

func (shareStatusCmd) Help() string {
	return `Example:
  bongsu share status --json`
}

func (c *shareStatusCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		list, err := s.Status(a.ctx)
		if err != nil {
			return err
		}
		docs := []map[string]any{}
		for _, st := range list {
			docs = append(docs, statusJSON(st))
		}
		return a.print(map[string]any{"partners": docs}, func(w io.Writer) { writeStatus(w, list) })
	})
}

func statusJSON(st share.Status) map[string]any {
	doc := map[string]any{
		"partner": partnerJSON(st.Partner), "shared": st.Shared, "withheld": st.Withheld, "withheld_reasons": st.Reasons,
		"received": st.Received, "unanswered": st.Unanswered, "cosigned": st.Cosigned, "p50_ms": st.P50, "p99_ms": st.P99, "fault": st.Fault,
		"receipts": map[string]int{"arrived": st.Receipts.Arrived, "active": st.Receipts.Active, "acted": st.Receipts.Acted, "removed": st.Receipts.Removed, "refused": st.Receipts.Refused},
	}
	if !st.LastSeen.IsZero() {
		doc["last_seen"] = st.LastSeen.UTC().Format(time.RFC3339Nano)
	}
	if st.Clock.Measured {
		doc["clock_offset_ms"], doc["clock_uncertain_ms"] = ms(st.Clock.Offset), ms(st.Clock.Uncertain)
	}
	return doc
}

func writeStatus(w io.Writer, list []share.Status) {
	if len(list) == 0 {
		fmt.Fprintln(w, "No partners, so nothing is shared.")
	}
	for _, st := range list {
		fmt.Fprintf(w, "%s\n  shared      %d, of them %d arrived, %d active, %d acted on, %d removed, %d refused, %d unanswered\n", st.Partner.Name,
			st.Shared, st.Receipts.Arrived, st.Receipts.Active, st.Receipts.Acted, st.Receipts.Removed, st.Receipts.Refused, st.Unanswered)
		fmt.Fprintf(w, "  kept home   %d%s\n  received    %d\n", st.Withheld, because(st.Reasons), st.Received)
		if st.P50 > 0 {
			fmt.Fprintf(w, "  active in   %.2f ms at the median, %.2f ms at the 99th percentile\n", st.P50, st.P99)
		}
		if !st.LastSeen.IsZero() {
			fmt.Fprintf(w, "  last seen   %s\n", st.LastSeen.UTC().Format(time.RFC3339))
		}
		if st.Fault != "" {
			fmt.Fprintf(w, "  stopped     %s\n", st.Fault)
		}
	}
}

func because(reasons map[agreement.Reason]int) string {
	var parts []string
	for r, n := range reasons {
		parts = append(parts, fmt.Sprintf("%d by %s", n, r))
	}
	sort.Strings(parts)
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(slices.Compact(parts), ", ")
}

type shareRevokeCmd struct {
	Statement string `arg:"" help:"STIX id of a statement of this organisation."`
}

func (shareRevokeCmd) Help() string {
	return `Example:
  bongsu share revoke indicator--0b0f...`
}

func (c *shareRevokeCmd) Run(a *app) error {
	return a.withSharing(func(n *node, s *share.Service) error {
		e, err := s.Revoke(a.ctx, c.Statement, a.config.User)
		if err != nil {
			return err
		}
		return a.print(map[string]any{"id": e.ID, "version": e.Version, "sequence": e.Seq}, func(w io.Writer) {
			fmt.Fprintf(w, "%s is taken back; the revocation goes wherever it went\n", e.ID)
		})
	})
}
