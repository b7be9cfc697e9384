package books

import (
	"context"
	"fmt"
	"strings"
	"time"

	"bongsu/api"
	"bongsu/chain"
	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/screen"
	"bongsu/stix"
)

// Statements appends to the journal and watches it; it is an api.Journal.
type Statements struct {
	journal *journal.Journal
	author  identity.OrgID
	clock   func() time.Time
}

// NewStatements appends in the name of the journal's own organisation. clock
// may be nil.
func NewStatements(j *journal.Journal, clock func() time.Time) *Statements {
	if clock == nil {
		clock = time.Now
	}
	return &Statements{journal: j, author: j.Org().ID, clock: clock}
}

// ownTypes are made by the node itself: who could append them here could admit
// partners, sign agreements or forge receipts with the right to write alone.
var ownTypes = map[string]bool{
	stix.TypePartner: true, stix.TypeAgreement: true, stix.TypeReceipt: true, stix.TypeErasure: true, stix.TypeSealed: true,
	stix.TypeRun: true, stix.TypeLabelList: true,
}

// AppendObjects appends STIX objects in one transaction.
func (s *Statements) AppendObjects(ctx context.Context, user string, objects [][]byte) ([]api.Appended, error) {
	drafts := make([]journal.Draft, len(objects))
	for i, raw := range objects {
		o, err := stix.Parse(raw)
		if err != nil {
			return nil, errs.Wrap("append", fmt.Sprintf("object %d", i+1), err)
		}
		if ownTypes[o.Type] {
			return nil, errs.New("append", errs.Permission, o.ID, "objects of type "+o.Type+" are made by the node itself", "use the command for it")
		}
		if o.CreatedBy != "" && o.CreatedBy != string(s.author) && o.Revoked {
			return nil, errs.New("append", errs.Permission, o.ID, "a revocation of another author's object", "ask its author to revoke it")
		}
		drafts[i] = journal.Draft{Object: o, Actor: user}
	}
	return s.append(ctx, drafts)
}

func (s *Statements) append(ctx context.Context, drafts []journal.Draft) ([]api.Appended, error) {
	entries, err := s.journal.Append(ctx, drafts)
	if err != nil {
		return nil, err
	}
	out := make([]api.Appended, len(entries))
	for i := range entries {
		out[i] = api.Appended{ID: entries[i].ID, Sequence: entries[i].Seq, Committed: entries[i].Time}
	}
	return out, nil
}

// List states a listing of a value: a new one, or a new version of ours of the
// same value.
func (s *Statements) List(ctx context.Context, user string, l api.Listing) (api.Appended, error) {
	marking, err := stix.ParseTLP(l.Marking)
	if err != nil {
		return api.Appended{}, err
	}
	if marking == stix.TLPNone {
		marking = stix.TLPAmber
	}
	if len(l.Reason) > maxReason {
		return api.Appended{}, errs.New("list", errs.Limit, "reason", "longer than 2,000 bytes", "shorten it")
	}
	now := s.clock().UTC().Truncate(time.Millisecond)
	say := stix.Listing{
		Common: stix.Common{Author: s.author, Created: now, Modified: now, Marking: marking},
		Reason: l.Reason, Since: now,
	}
	if err := name(&say, l.Value); err != nil {
		return api.Appended{}, err
	}
	o, err := say.Object()
	if err != nil {
		return api.Appended{}, err
	}
	old, err := s.journal.GetBy(ctx, s.author, o.ID)
	switch {
	case errs.Is(err) == errs.NotExist:
	case err != nil:
		return api.Appended{}, err
	default: // a later version, even within the same millisecond
		if prev, err := old.Object(); err == nil {
			say.Created = prev.Created
			if !say.Modified.After(prev.Modified) {
				say.Modified = prev.Modified.Add(time.Millisecond)
			}
		}
		if o, err = say.Object(); err != nil {
			return api.Appended{}, err
		}
	}
	out, err := s.append(ctx, []journal.Draft{{Object: o, Actor: user}})
	if err != nil {
		return api.Appended{}, err
	}
	return out[0], nil
}

const maxReason = 2000

// name puts the value into the listing.
func name(l *stix.Listing, value string) error {
	r, err := screen.Read(value)
	if err != nil {
		return err
	}
	switch r.Type {
	case screen.TypeAccount:
		l.Account, err = chain.ParseAccount(r.Text, "")
		return err
	case screen.TypeDomain:
		l.Domain = r.Text
		return nil
	case screen.TypeHash:
		if sum, ok := strings.CutPrefix(r.Text, "sha256:"); ok {
			l.SHA256 = sum
			return nil
		}
	}
	return errs.New("list", errs.Usage, value, "only accounts, host names and SHA-256 digests can be listed by value", "append an indicator for anything else")
}

// Change is the data of the events that Watch gives.
type Change struct {
	IDs      []string `json:"ids"`             // of the statements, the first 20
	About    []string `json:"about,omitempty"` // what they are about: a finding's theft, a receipt's statement; the first 20
	Count    int      `json:"count"`           // of the statements
	Sequence uint64   `json:"sequence"`        // of the last of them
}

const (
	watchBatch = 1000
	watchNamed = 20
)

// Watch calls event for what is appended from now on, by any process: one
// event of each kind for each batch, so that a trace's thousands of findings
// do not flood the pages.
func (s *Statements) Watch(ctx context.Context, event func(api.Event)) error {
	from, err := s.journal.Size(ctx, journal.LogJournal)
	if err != nil {
		return err
	}
	for batch, err := range s.journal.Follow(ctx, journal.LogJournal, from, watchBatch) {
		if err != nil {
			return err
		}
		changes := map[string]*Change{}
		for i := range batch {
			note(changes, &batch[i])
		}
		for _, kind := range []string{"theft", "finding", "receipt", "journal"} {
			if c := changes[kind]; c != nil {
				event(api.Event{Kind: kind, Data: *c})
			}
		}
	}
	return context.Cause(ctx)
}

func note(changes map[string]*Change, st *journal.Statement) {
	kind, about := "", ""
	if o, err := st.Object(); err == nil {
		switch st.Type {
		case "incident", stix.TypeRun:
			kind, about = "theft", st.ID
			if r, err := stix.ReadRun(o); err == nil {
				about = r.Theft
			}
		case "indicator":
			if f, err := stix.ReadFinding(o); err == nil {
				kind, about = "finding", f.Theft
			}
		case stix.TypeReceipt:
			if r, err := stix.ReadReceipt(o); err == nil {
				kind, about = "receipt", r.Statement
			}
		}
	}
	for _, k := range []string{kind, "journal"} {
		if k == "" {
			continue
		}
		c := changes[k]
		if c == nil {
			c = &Change{}
			changes[k] = c
		}
		c.Count++
		c.Sequence = st.Seq
		addNamed(&c.IDs, st.ID)
		if k != "journal" {
			addNamed(&c.About, about)
		}
	}
}

func addNamed(list *[]string, id string) {
	if id == "" || len(*list) >= watchNamed {
		return
	}
	for _, have := range *list {
		if have == id {
			return
		}
	}
	*list = append(*list, id)
}
