package books

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"bongsu/api"
	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"
)

// anchorText is how a head is written in the journal's log of the audit.
const anchorText = "bongsu-audit v1 file %d offset %d chain %s"

// Anchor keeps heads of the audit in the journal's own log "audit", a signed
// Merkle tree that never leaves the node: the records themselves, which hold
// others' customers, stay out of it. clock may be nil. It is for
// api.Audit.Anchor.
func Anchor(j *journal.Journal, clock func() time.Time) func(context.Context, api.AuditHead) error {
	if clock == nil {
		clock = time.Now
	}
	return func(ctx context.Context, h api.AuditHead) error {
		own := j.Org().ID
		o, err := stix.Note{
			Common: stix.Common{Author: own, Modified: clock().UTC().Truncate(time.Millisecond), Marking: stix.DefaultTLP},
			Text:   fmt.Sprintf(anchorText, h.File, h.Offset, hex.EncodeToString(h.Chain[:])), Of: []string{string(own)},
		}.Object()
		if err != nil {
			return err
		}
		_, err = j.Append(ctx, []journal.Draft{{Log: journal.LogAudit, Object: o}})
		return err
	}
}

// CheckAudit verifies the audit in dir against every head that was anchored.
func CheckAudit(ctx context.Context, j *journal.Journal, dir string) error {
	heads, err := anchors(ctx, j)
	if err != nil {
		return err
	}
	return api.CheckAudit(dir, heads)
}

func anchors(ctx context.Context, j *journal.Journal) (heads []api.AuditHead, _ error) {
	for from := uint64(0); ; {
		batch, err := j.Read(ctx, journal.LogAudit, from, readBatch)
		if err != nil || len(batch) == 0 {
			return heads, err
		}
		for i := range batch {
			h, ok, err := anchorOf(&batch[i])
			if err != nil {
				return nil, err
			}
			if ok {
				heads = append(heads, h)
			}
		}
		from += uint64(len(batch))
	}
}

func anchorOf(st *journal.Statement) (h api.AuditHead, ok bool, _ error) {
	if st.Erased || st.Act != journal.State || st.Type != "note" {
		return h, false, nil
	}
	o, err := st.Object()
	if err != nil {
		return h, false, err
	}
	n, err := stix.ReadNote(o)
	if err != nil {
		return h, false, err
	}
	var chain string
	if _, err := fmt.Sscanf(n.Text, anchorText, &h.File, &h.Offset, &chain); err != nil {
		return h, false, nil // some other note
	}
	raw, err := hex.DecodeString(chain)
	if err != nil || len(raw) != len(h.Chain) {
		return h, false, errs.New("audit", errs.Corrupt, st.ID, "an anchored head is damaged", "run bongsu journal check")
	}
	h.Chain = [32]byte(raw)
	return h, true, nil
}
