package agreement

import (
	"fmt"
	"slices"
	"strings"

	"bongsu/errs"
	"bongsu/stix"
)

// purposeWords are the purposes that the built-in templates use. An own
// policy may use any word.
var purposeWords = map[string]string{
	"incident-response": "responding to incidents",
	"fraud-prevention":  "preventing fraud",
	"law-enforcement":   "investigating and prosecuting crimes",
	"research":          "research",
}

// template is one built-in set of terms.
type template struct {
	name, about   string
	tlp           stix.TLP
	kinds         []string
	purposes      []string
	onward        Onward
	retentionDays int
}

// templates is the one list of built-in templates.
var templates = []template{
	{
		name: "threat-sharing", about: "what was stolen, where it went, which accounts to stop, and what was seen of it",
		tlp: stix.TLPAmber, kinds: []string{"indicator", "incident", "sighting", "bongsu-trace"},
		purposes: []string{"incident-response"}, onward: OnwardNone, retentionDays: 1825,
	},
	{
		name: "investigation", about: "everything of a joint investigation, TLP:RED to named recipients included",
		tlp: stix.TLPRed, kinds: []string{"indicator", "incident", "sighting", "bongsu-trace", "note", "report", "relationship", "identity", "cryptocurrency-wallet"},
		purposes: []string{"incident-response", "law-enforcement"}, onward: OnwardNone, retentionDays: 3650,
	},
	{
		name: "community", about: "indicators that may be passed on among partners",
		tlp: stix.TLPGreen, kinds: []string{"indicator", "sighting"},
		purposes: []string{"incident-response", "fraud-prevention"}, onward: OnwardPartners, retentionDays: 730,
	},
}

// Template describes one built-in template.
type Template struct {
	Name  string
	About string // one line for a person
}

// Templates lists the built-in templates.
func Templates() []Template {
	list := make([]Template, len(templates))
	for i, t := range templates {
		list[i] = Template{t.name, t.about}
	}
	return list
}

// FromTemplate fills terms for two parties from the built-in template of that
// name: everything but the validity. It returns errs.NotExist for an unknown
// name.
func FromTemplate(name string, parties [2]Party) (Terms, error) {
	i := slices.IndexFunc(templates, func(t template) bool { return t.name == name })
	if i < 0 {
		var names []string
		for _, t := range templates {
			names = append(names, t.name)
		}
		return Terms{}, errs.New("agreement", errs.NotExist, name, "there is no such template", "the templates are "+strings.Join(names, ", "))
	}
	t := templates[i]
	terms := Terms{
		Title: fmt.Sprintf("%s: %s and %s", name, parties[0].Name, parties[1].Name), Parties: parties,
		HighestTLP: t.tlp, Kinds: sorted(t.kinds), Purposes: sorted(t.purposes), Onward: t.onward,
		RetentionDays: t.retentionDays, Template: name,
	}
	terms.Policies = Policies(terms)
	terms.Words = Words(terms)
	return terms, nil
}

// Policies writes the Cedar text of terms, as the templates use it. After
// changing a term of a template, write the text again.
func Policies(t Terms) string {
	var b strings.Builder
	fmt.Fprintf(&b, "@id(\"within-terms\")\n@says(%s)\npermit (\n\tprincipal,\n\taction == Action::\"share\",\n\tresource\n) when {\n", quote(permitSentence(t)))
	fmt.Fprintf(&b, "\t[Organisation::%s, Organisation::%s].contains(principal) &&\n", quote(string(t.Parties[0].ID)), quote(string(t.Parties[1].ID)))
	fmt.Fprintf(&b, "\t%s.contains(resource.kind) &&\n", quoteList(t.Kinds))
	fmt.Fprintf(&b, "\tresource.tlp <= %d &&\n", int(t.HighestTLP))
	fmt.Fprintf(&b, "\t%s.contains(context.purpose)\n};\n", quoteList(t.Purposes))
	if t.Onward == OnwardNone {
		fmt.Fprintf(&b, "\n@id(\"own-only\")\n@says(\"What was received from another partner is not passed on.\")\nforbid (\n\tprincipal,\n\taction == Action::\"share\",\n\tresource\n) unless { resource.own };\n")
	}
	if t.HighestTLP == stix.TLPRed {
		fmt.Fprintf(&b, "\n@id(\"red-named-and-sealed\")\n@says(\"TLP:RED goes only to the recipients that it names, and sealed.\")\nforbid (\n\tprincipal,\n\taction == Action::\"share\",\n\tresource\n) when {\n\tresource.tlp >= %d\n} unless {\n\tresource.named.contains(principal) && context.sealed\n};\n", int(stix.TLPRed))
	}
	return b.String()
}

func permitSentence(t Terms) string {
	return fmt.Sprintf("%s up to TLP:%s may pass between the parties for %s.", strings.Join(t.Kinds, ", "), t.HighestTLP, strings.Join(t.Purposes, ", "))
}

// Words writes the plain words of terms.
func Words(t Terms) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s and %s give each other statements of these kinds: %s. ", t.Parties[0].Name, t.Parties[1].Name, strings.Join(t.Kinds, ", "))
	fmt.Fprintf(&b, "Nothing marked above TLP:%s leaves. ", t.HighestTLP)
	var purposes []string
	for _, p := range t.Purposes {
		purposes = append(purposes, or(purposeWords[p], p))
	}
	fmt.Fprintf(&b, "What is received may be used only for %s. ", strings.Join(purposes, " and for "))
	if t.Onward == OnwardNone {
		b.WriteString("It is not passed on. ")
	} else {
		b.WriteString("It may be passed on to the receiver's own partners within its marking. ")
	}
	if t.HighestTLP == stix.TLPRed {
		b.WriteString("TLP:RED goes only to named recipients, sealed. ")
	}
	if t.RetentionDays > 0 {
		fmt.Fprintf(&b, "It is kept for at most %d days. ", t.RetentionDays)
	}
	b.WriteString("Either party can end this at any time.")
	return b.String()
}

// quote writes a Cedar string literal. The words here are ids and plain
// words; anything else is escaped as Unicode.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, "\\u{%x}", r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
