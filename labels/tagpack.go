package labels

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bongsu/chain"
	"bongsu/errs"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a label file.
const (
	MaxFile  = 64 << 20
	MaxTags  = 2_000_000
	maxDepth = 16   // of nested brackets and dashes in a TagPack
	maxField = 4096 // bytes of one value
)

// fieldNames are the fields of a tag that a header hands down.
var fieldNames = []string{
	"address", "tx_hash", "label", "source", "currency", "network", "confidence", "category", "actor", "abuse",
	"concepts", "lastmod", "is_cluster_definer", "tag_type", "context",
}

// tag is one tag's fields as text, with the line it starts on.
type tag struct {
	line     int
	text     map[string]string
	concepts []string
}

// readTagPack reads a TagPack: its header, and each tag with what the header
// hands down.
func readTagPack(raw []byte) (pack, error) {
	file, err := parseYAML(raw)
	if err != nil {
		return pack{}, err
	}
	top, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		if one, isOne := file.Docs[0].Body.(*ast.MappingValueNode); isOne {
			top = &ast.MappingNode{Values: []*ast.MappingValueNode{one}}
		} else {
			return pack{}, badPack(1, "the file is not a mapping of fields")
		}
	}
	p := pack{format: FormatTagPack}
	head := tag{text: map[string]string{}}
	var tags *ast.SequenceNode
	for _, v := range top.Values {
		key, line := keyOf(v), v.GetToken().Position.Line
		switch key {
		case "tags":
			if tags, ok = v.Value.(*ast.SequenceNode); !ok {
				return pack{}, badPack(line, "tags is not a list")
			}
		case "title", "creator", "description", "is_public":
			if err := head.set(key, v.Value); err != nil {
				return pack{}, err
			}
		default:
			if err := head.set(key, v.Value); err != nil {
				return pack{}, err
			}
		}
	}
	p.title, p.creator = head.text["title"], head.text["creator"]
	p.private = head.text["is_public"] == "false"
	switch {
	case p.title == "":
		return pack{}, badPack(1, "the required field title is missing")
	case p.creator == "":
		return pack{}, badPack(1, "the required field creator is missing")
	case tags == nil:
		return pack{}, badPack(1, "the required field tags is missing")
	case len(tags.Values) > MaxTags:
		return pack{}, errs.New("labels import", errs.Limit, "", fmt.Sprintf("more than %d tags", MaxTags), "split the file")
	}
	for _, n := range tags.Values {
		p.addTag(n, &head)
	}
	return p, nil
}

// parseYAML parses with bounds on what a hostile file could make the parser
// do: nesting, anchors and aliases are not part of a TagPack.
func parseYAML(raw []byte) (file *ast.File, err error) {
	defer func() {
		// The parser is another's, and the file may be anybody's.
		if p := recover(); p != nil {
			file, err = nil, badPack(1, fmt.Sprintf("the YAML parser gave up: %v", p))
		}
	}()
	tokens := lexer.Tokenize(string(raw))
	open, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType:
			return nil, badPack(t.Position.Line, "anchors, aliases, tags and directives are not part of a TagPack")
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if open > maxDepth || dashes > maxDepth || t.Position.Column > 1<<16 || t.Position.IndentNum > 256 {
			return nil, badPack(t.Position.Line, "nested too deeply")
		}
	}
	file, err = parser.Parse(tokens, 0)
	if err != nil {
		return nil, &errs.Error{Op: "labels import", Kind: errs.Invalid, Why: "not YAML", Hint: "check the file against its source", Err: err}
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, badPack(1, "the file is empty or holds several documents")
	}
	return file, nil
}

func keyOf(v *ast.MappingValueNode) string { return v.Key.GetToken().Value }

// addTag reads one tag, or rejects it with its reason.
func (p *pack) addTag(n ast.Node, head *tag) {
	t := tag{line: n.GetToken().Position.Line, text: map[string]string{}, concepts: head.concepts}
	for _, f := range fieldNames {
		if v, ok := head.text[f]; ok {
			t.text[f] = v
		}
	}
	var values []*ast.MappingValueNode
	switch m := n.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		p.reject(t.line, "", "a tag is a mapping of fields")
		return
	}
	for i, v := range values {
		if i == 0 {
			t.line = v.GetToken().Position.Line
			if k := v.Key.GetToken(); k != nil {
				t.line = k.Position.Line
			}
		}
		if err := t.set(keyOf(v), v.Value); err != nil {
			p.reject(t.line, t.text["address"], why(err))
			return
		}
	}
	p.add(&t)
}

// set reads one field. null is the same as leaving it out.
func (t *tag) set(key string, n ast.Node) error {
	line := n.GetToken().Position.Line
	if key == "concepts" {
		t.concepts = nil
		seq, ok := n.(*ast.SequenceNode)
		if !ok {
			if n.Type() == ast.NullType {
				return nil
			}
			return badPack(line, "concepts is not a list")
		}
		for _, v := range seq.Values {
			s, err := scalar(v)
			if err != nil {
				return err
			}
			t.concepts = append(t.concepts, s)
		}
		slices.Sort(t.concepts)
		t.concepts = slices.Compact(t.concepts)
		return nil
	}
	s, err := scalar(n)
	if err != nil {
		if slices.Contains(fieldNames, key) || key == "title" || key == "creator" {
			return err
		}
		return nil // a field of somebody's own
	}
	if len(s) > maxField {
		return badPack(line, "the value of "+key+" is longer than 4096 bytes")
	}
	t.text[key] = s
	return nil
}

// scalar is the text of a scalar node.
func scalar(n ast.Node) (string, error) {
	switch v := n.(type) {
	case *ast.NullNode:
		return "", nil
	case *ast.StringNode:
		return strings.TrimSpace(v.Value), nil
	case *ast.LiteralNode:
		return strings.TrimSpace(v.Value.Value), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	}
	return "", badPack(n.GetToken().Position.Line, "a list or mapping stands where a text belongs")
}

func badPack(line int, why string) error {
	return errs.New("labels import", errs.Invalid, fmt.Sprintf("line %d", line), why, "correct the file, or get it again from its source")
}

// parseLastmod reads a date or a date and time in UTC.
func parseLastmod(s string) (chain.Time, error) {
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1970 && t.Year() < 2200 {
			return chain.TimeOf(t), nil
		}
	}
	return 0, errs.New("labels import", errs.Invalid, s, "lastmod is not a date", "write it as 2024-12-31")
}
