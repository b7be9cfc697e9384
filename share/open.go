package share

import (
	"context"

	"bongsu/errs"
	"bongsu/stix"
)

// Open opens a sealed statement that a partner sent to this organisation. What
// is inside must be the author's own, and of a kind that one of the agreements
// with him lists.
func (s *Service) Open(ctx context.Context, id string) (stix.Object, error) {
	const op = "open"
	st, err := s.journal.Get(ctx, id)
	if err != nil {
		return stix.Object{}, err
	}
	outer, err := st.Object()
	if err != nil {
		return stix.Object{}, err
	}
	sealed, err := stix.ReadSealed(outer)
	if err != nil {
		return stix.Object{}, err
	}
	raw, err := s.keys.Open(sealed.Data)
	if err != nil {
		return stix.Object{}, err
	}
	o, err := stix.Parse(raw)
	if err != nil {
		return stix.Object{}, err
	}
	if o.CreatedBy != "" && o.CreatedBy != string(st.Author) {
		return stix.Object{}, errs.New(op, errs.Forged, id, "what is inside names another author than the one who sent it", "ask the partner")
	}
	if st.From == nil {
		return o, nil
	}
	b, err := s.bundle(ctx, agreementOf(st.From.Log))
	if err != nil {
		return stix.Object{}, err
	}
	for _, kind := range b.ag.Document.Terms().Kinds {
		if kind == o.Type {
			return o, nil
		}
	}
	return stix.Object{}, errs.New(op, errs.Permission, id, "the agreement does not list what is inside: "+o.Type, "")
}
