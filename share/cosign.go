package share

import (
	"bytes"
	"context"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
)

// cosigned brings the author a checkpoint of his feed that its reader
// countersigned (C2SP tlog-cosignature): the reader's word that it saw this
// tree, which the author keeps as evidence.
type cosigned struct {
	Checkpoint string `json:"checkpoint"`
	Line       string `json:"line"` // the cosignature
}

// cosign countersigns the newest checkpoint that we hold of a partner's feed.
func (s *Service) cosign(ctx context.Context, author identity.OrgID, feed string) (cosigned, error) {
	for {
		before, err := s.journal.Checkpoint(ctx, author, feed)
		if err != nil {
			return cosigned{}, err
		}
		line, err := s.journal.Cosign(ctx, author, feed)
		if err != nil {
			return cosigned{}, err
		}
		after, err := s.journal.Checkpoint(ctx, author, feed)
		if err != nil {
			return cosigned{}, err
		}
		if bytes.Equal(before, after) { // else more came in between, and it is not known which of the two was signed
			return cosigned{string(before), string(line)}, nil
		}
	}
}

// takeCosigned keeps the largest checkpoint of our feed that the partner
// countersigned. One that we did not sign, or that it did not, is refused.
func (s *Service) takeCosigned(ctx context.Context, p peer, id string, c cosigned) error {
	if err := s.activeWith(ctx, p.ID, id); err != nil {
		return err
	}
	if len(c.Line) > journal.MaxNote {
		return errs.New("cosignature", errs.Limit, id, "it is too long", "")
	}
	head, err := journal.OpenCheckpoint(s.journal.Org(), feedOf(id), []byte(c.Checkpoint))
	if err != nil {
		return err
	}
	if _, err := journal.VerifyCosignature(p.org, []byte(c.Checkpoint), []byte(c.Line)); err != nil {
		return err
	}
	return s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		return tx.Exec(ctx, `INSERT INTO share_cosigned (agreement, size, note) VALUES (?,?,?)
			ON CONFLICT (agreement) DO UPDATE SET size=excluded.size, note=excluded.note WHERE excluded.size > size`,
			id, int64(head.Size), []byte(c.Checkpoint+c.Line))
	})
}
