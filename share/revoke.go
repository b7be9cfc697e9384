package share

import (
	"context"
	"time"

	"bongsu/errs"
	"bongsu/journal"
	"bongsu/stix"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Revoke takes back a statement of our own: a version of it that is revoked
// goes wherever the statement went. Its marking, named recipients, legal basis
// and purpose stay as they were.
func (s *Service) Revoke(ctx context.Context, statement, actor string) (journal.Entry, error) {
	const op = "revoke"
	var entry journal.Entry
	err := s.journal.Update(ctx, func(ctx context.Context, tx *journal.Tx) error {
		st, err := tx.GetBy(ctx, s.keys.ID(), statement)
		if errs.Is(err) == errs.NotExist {
			return errs.New(op, errs.NotExist, printable(statement), "this organisation has not stated it", "only its author can take a statement back")
		}
		if err != nil {
			return err
		}
		if st.Revoked {
			return errs.New(op, errs.Exist, statement, "it is revoked already", "")
		}
		o, err := revoked(st, s.clock())
		if err != nil {
			return err
		}
		entries, err := tx.Append(ctx, journal.Draft{
			Object: o, Actor: actor, Marking: st.Marking, Recipients: st.Recipients, Basis: st.Basis, Purpose: st.Purpose,
		})
		if err == nil {
			entry = entries[0]
		}
		return err
	})
	return entry, errs.Wrap(op, "", err)
}

// revoked makes the next version of an object, which takes it back (STIX 2.1
// section 3.6: "revoked" and a later "modified", all else as it was).
func revoked(st journal.Statement, now time.Time) (stix.Object, error) {
	o, err := st.Object()
	if err != nil {
		return stix.Object{}, err
	}
	if o.Modified.IsZero() {
		return stix.Object{}, errs.New("revoke", errs.Invalid, o.ID, "objects of the type "+o.Type+" have no versions", "erase it instead")
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(st.Payload, &members); err != nil {
		return stix.Object{}, errs.Wrap("revoke", o.ID, err)
	}
	modified := now.UTC().Truncate(time.Millisecond)
	if !modified.After(o.Modified) {
		modified = o.Modified.Add(time.Millisecond)
	}
	members["modified"] = jsontext.Value(modified.Format(`"2006-01-02T15:04:05.000Z"`))
	members["revoked"] = jsontext.Value("true")
	raw, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return stix.Object{}, errs.Wrap("revoke", o.ID, err)
	}
	return stix.Parse(raw)
}
