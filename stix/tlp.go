package stix

import (
	"strings"

	"bongsu/errs"
)

// TLP is a level of the Traffic Light Protocol 2.0. Levels compare with < and
// >: a higher one may go to fewer. The zero is "no level given".
type TLP uint8

// The levels. They cross the wire as their names.
const (
	TLPNone TLP = iota
	TLPClear
	TLPGreen
	TLPAmber
	TLPAmberStrict
	TLPRed
)

// DefaultTLP is the level of an object that carries none: nobody outside the
// organisation was promised anything, so it stays inside.
const DefaultTLP = TLPAmberStrict

var tlpNames = [...]string{"", "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"}

// String is the name: "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED", or "".
func (l TLP) String() string {
	if int(l) < len(tlpNames) {
		return tlpNames[l]
	}
	return "?"
}

// ParseTLP reads a level's name in any case, with or without "TLP:"; WHITE is
// CLEAR (TLP 1.0). Empty text is TLPNone.
func ParseTLP(s string) (TLP, error) {
	name := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(s)), "TLP:")
	if name == "WHITE" {
		return TLPClear, nil
	}
	for i, n := range tlpNames {
		if n == name {
			return TLP(i), nil
		}
	}
	return 0, errs.New("marking", errs.Invalid, s, "not a TLP 2.0 level", "use CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
}

// MarshalText writes the name.
func (l TLP) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what ParseTLP reads.
func (l *TLP) UnmarshalText(b []byte) error {
	v, err := ParseTLP(string(b))
	if err == nil {
		*l = v
	}
	return err
}

// tlpIDs are the marking definitions in circulation: TLP 2.0 first, then those
// of TLP 1.0 and of OpenCTI.
var tlpIDs = [...]struct {
	level TLP
	uuid  string
}{
	{TLPClear, "94868c89-83c2-464b-929b-a1a8aa3c8487"},
	{TLPGreen, "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"},
	{TLPAmber, "55d920b0-5e8b-4f79-9ee9-91f868d9b421"},
	{TLPAmberStrict, "939a9414-2ddd-4d32-a0cd-375ea402b003"},
	{TLPRed, "e828b379-4e03-4974-9ac4-e53a884c97c1"},
	{TLPClear, "613f2e26-407d-48c7-9eca-b8e91df99dc9"},
	{TLPGreen, "34098fce-860f-48ae-8e50-ebd3cc5e41da"},
	{TLPAmber, "f88d31f6-486f-44da-b317-01333bde0b82"},
	{TLPAmberStrict, "826578e1-40ad-459f-bc73-ede076f81f37"},
	{TLPRed, "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"},
}

const markingPrefix = "marking-definition--"

// MarkingID is the id of the level's TLP 2.0 marking definition, "" for
// TLPNone.
func (l TLP) MarkingID() string {
	for _, m := range tlpIDs {
		if m.level == l {
			return markingPrefix + m.uuid
		}
	}
	return ""
}

// TLPOf is the level that a marking definition's id stands for, and whether it
// is a TLP marking at all.
func TLPOf(markingID string) (TLP, bool) {
	uuid, ok := strings.CutPrefix(markingID, markingPrefix)
	if !ok {
		return 0, false
	}
	for _, m := range tlpIDs {
		if m.uuid == uuid {
			return m.level, true
		}
	}
	return 0, false
}

// MarkingDefinition is the level's TLP 2.0 marking-definition object, byte for
// byte the same on every node.
func (l TLP) MarkingDefinition() (Object, error) {
	id := l.MarkingID()
	if id == "" {
		return Object{}, errs.New("marking", errs.Invalid, l.String(), "no marking definition for this level", "use CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
	}
	name := strings.ToLower(l.String())
	return build(map[string]any{
		"type": "marking-definition", "spec_version": "2.1", "id": id,
		"created": "2022-10-01T00:00:00.000Z", "name": "TLP:" + l.String(),
		"extensions": map[string]any{
			"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": map[string]any{
				"extension_type": "property-extension", "tlp_2_0": name,
			},
		},
	})
}
