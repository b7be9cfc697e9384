package agreement

import (
	"fmt"
	"strings"

	"bongsu/errs"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

// Schema is the Cedar schema that every policy and every entity is validated
// against. tlp is 1 CLEAR, 2 GREEN, 3 AMBER, 4 AMBER+STRICT, 5 RED.
const Schema = `entity Organisation;

entity Statement {
	kind: String,
	tlp: Long,
	author: Organisation,
	own: Bool,
	onward: Bool,
	named: Set<Organisation>,
	purposes: Set<String>,
	legal_basis?: String,
	revoked: Bool
};

action share appliesTo {
	principal: Organisation,
	resource: Statement,
	context: {
		purpose: String,
		giver: Organisation,
		at: datetime,
		sealed: Bool
	}
};
`

const (
	typeOrganisation = cedar.EntityType("Organisation")
	typeStatement    = cedar.EntityType("Statement")
)

var actionShare = cedar.NewEntityUID("Action", "share")

// rules is a document's policies, parsed and validated. It is immutable.
type rules struct {
	policies  *cedar.PolicySet
	validator *validate.Validator
	names     map[cedar.PolicyID]string // the policy's @id, else its number
	says      map[cedar.PolicyID]string // the policy's @says
}

// compile parses d's policies and validates them strictly against Schema.
func compile(d *Document) (*rules, error) {
	text := []byte(d.terms.Policies)
	if len(text) > MaxPolicyBytes {
		return nil, errs.New("", errs.Limit, "policies", fmt.Sprintf("%d bytes, at most %d", len(text), MaxPolicyBytes), "")
	}
	validator, err := newValidator()
	if err != nil {
		return nil, err
	}
	list, err := cedar.NewPolicyListFromBytes("policies", text)
	if err != nil {
		return nil, &errs.Error{Kind: errs.Invalid, Where: "policies", Why: "not Cedar", Err: err}
	}
	if len(list) == 0 || len(list) > MaxPolicies {
		return nil, errs.New("", errs.Invalid, "policies", fmt.Sprintf("%d policies, between 1 and %d are needed", len(list), MaxPolicies), "")
	}
	r := &rules{policies: cedar.NewPolicySet(), validator: validator, names: map[cedar.PolicyID]string{}, says: map[cedar.PolicyID]string{}}
	taken := map[string]bool{}
	for i, p := range list {
		id := cedar.PolicyID(fmt.Sprintf("policy%d", i))
		name := string(p.Annotations()["id"])
		if name == "" {
			name = string(id)
		}
		if taken[name] {
			return nil, invalid("policies", fmt.Sprintf("two policies have the @id %q", name))
		}
		taken[name] = true
		if err := validator.Policy(name, (*ast.Policy)(p.AST())); err != nil {
			return nil, &errs.Error{Kind: errs.Invalid, Where: "policies", Why: "policy " + name + " does not fit the schema", Err: err}
		}
		r.policies.Add(id, p)
		r.names[id], r.says[id] = name, string(p.Annotations()["says"])
	}
	return r, nil
}

func newValidator() (*validate.Validator, error) {
	var s schema.Schema
	if err := s.UnmarshalCedar([]byte(Schema)); err != nil {
		return nil, errs.Wrap("cedar schema", "", err)
	}
	resolved, err := s.Resolve()
	if err != nil {
		return nil, errs.Wrap("cedar schema", "", err)
	}
	return validate.New(resolved), nil
}

// name lists the policies behind reasons, for a person.
func (r *rules) name(reasons []cedar.DiagnosticReason) (names, says string) {
	var n, s []string
	for _, reason := range reasons {
		n = append(n, r.names[reason.PolicyID])
		if text := r.says[reason.PolicyID]; text != "" {
			s = append(s, text)
		}
	}
	return strings.Join(n, ", "), strings.Join(s, " ")
}
