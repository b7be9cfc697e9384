package stix

// created_by_ref of our extension definitions: the project, as the author of
// definitions that are the same on every node.
const extensionAuthor = "identity--0c5b2a52-9c43-4f8e-9d0e-7c2f1a6b4e00"

// extensions lists our extension definitions: the schema that each names lies
// under schemas/.
var extensions = []struct{ id, name, schema, kind, text string }{
	{ExtTheft, "bongsu theft", "theft.json", "property-extension", "For incident: the stolen amounts, and the transfers by which they were taken."},
	{ExtListing, "bongsu listing", "listing.json", "property-extension", "For indicator: the value is listed itself, with its account (CAIP-10) and the reason."},
	{ExtFinding, "bongsu finding", "finding.json", "property-extension", "For indicator: stolen funds touched this account; which theft, where in the trace, how much, observed or inferred."},
	{ExtChain, "bongsu chain", "chain.json", "property-extension", "For cryptocurrency-wallet: the chain (CAIP-2). It does not contribute to the id."},
	{ExtRun, TypeRun, TypeRun + ".json", "new-sdo", "One run of a trace: method, digests of its result, its ledger range and its labels."},
	{ExtReceipt, TypeReceipt, TypeReceipt + ".json", "new-sdo", "A receiver's word on a statement: arrived, active, acted on, removed or refused, and when."},
	{ExtAgreement, TypeAgreement, TypeAgreement + ".json", "new-sdo", "A sharing agreement between two organisations, and its state."},
	{ExtPartner, TypePartner, TypePartner + ".json", "new-sdo", "A partner organisation: its document and the fingerprint of its root key."},
	{ExtLabelList, TypeLabelList, TypeLabelList + ".json", "new-sdo", "One source's list of labels, by the digest of its file."},
	{ExtErasure, TypeErasure, TypeErasure + ".json", "new-sdo", "The tombstone of an erased payload."},
	{ExtMovement, "bongsu movement", "movement.json", "property-extension", "For indicator: stolen funds just moved to this account; in which transaction, how much, whether they reached a service or woke, and whether the block is final."},
	{ExtSealed, TypeSealed, TypeSealed + ".json", "new-sdo", "Another object, encrypted to its recipients (age)."},
}

// ExtensionDefinitions are the STIX objects that define our extensions (STIX
// 2.1 section 7.3), with their author's identity first. They are CLEAR and the
// same everywhere; extensions.json holds them as a bundle.
func ExtensionDefinitions() ([]Object, error) {
	const at = "2026-11-23T00:00:00.000Z"
	clear := []string{TLPClear.MarkingID()}
	author, err := build(map[string]any{
		"type": "identity", "spec_version": "2.1", "id": extensionAuthor, "created": at, "modified": at,
		"name": "bongsu", "identity_class": "system", "object_marking_refs": clear,
	})
	if err != nil {
		return nil, err
	}
	out := []Object{author}
	for _, x := range extensions {
		o, err := build(map[string]any{
			"type": "extension-definition", "spec_version": "2.1", "id": x.id, "created": at, "modified": at,
			"created_by_ref": extensionAuthor, "object_marking_refs": clear,
			"name": x.name, "description": x.text, "schema": schemaBase + x.schema, "version": "1.0.0",
			"extension_types": []string{x.kind},
		})
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}
