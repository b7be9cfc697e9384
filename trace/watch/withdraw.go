package watch

import (
	"context"

	"bongsu/journal"
	"bongsu/stix"
	"bongsu/trace/findings"
)

// Withdraw takes back all that stands of a theft that was taken back: findings
// and movements, and last the run, so that after a crash the next Withdraw goes
// on. It returns what was said; nothing, when the theft stands or nothing does.
// Of s the Journal, View, Now, Actor and Marking are used.
func Withdraw(ctx context.Context, s Saying, theft string) (out []stix.Object, err error) {
	for done := false; !done; {
		var drafts []journal.Draft
		err = s.Journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
			drafts = nil
			run, ok, err := s.View.RunOf(ctx, tx, theft)
			if err != nil || !ok || run.Digest != "" {
				return err
			}
			said, err := s.View.said(ctx, tx, []string{theft})
			if err != nil {
				return err
			}
			c := stix.Common{Author: s.View.self, Created: s.Now, Modified: s.Now, Marking: s.Marking}
			if drafts, err = findings.Withdraw(c, said, run.ID); err != nil {
				return err
			}
			drafts = drafts[:min(len(drafts), stateAtOnce)]
			for i := range drafts {
				drafts[i].Actor = s.Actor
			}
			_, err = tx.Append(ctx, drafts...)
			return err
		})
		if err != nil {
			return out, err
		}
		for _, d := range drafts {
			out = append(out, d.Object)
		}
		done = len(drafts) < stateAtOnce
	}
	return out, nil
}
