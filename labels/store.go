package labels

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bongsu/chain"
	"bongsu/durable"
	"bongsu/errs"

	jsonv2 "github.com/go-json-experiment/json"
)

// Format is the form of a label file.
type Format string

// The formats.
const (
	FormatAuto      Format = ""          // by name and content
	FormatTagPack   Format = "tagpack"   // GraphSense TagPack, YAML
	FormatCSV       Format = "csv"       // our own, header account,label,source,...
	FormatEtherscan Format = "etherscan" // combinedAccountLabels.json of etherscan-labels
)

// List is one imported list: what a "bongsu-label-list" statement says.
type List struct {
	Digest   string     `json:"digest"`   // "sha256:..." of the stored file
	Original string     `json:"original"` // "sha256:..." of the file it was read from
	Name     string     `json:"name"`     // of that file, without folders; known to Import only, else ""
	Title    string     `json:"title"`
	Creator  string     `json:"creator"`
	Format   Format     `json:"format"`
	Sources  []string   `json:"sources"` // distinct, sorted
	Labels   int        `json:"labels"`
	Accounts int        `json:"accounts"`
	Lastmod  chain.Time `json:"lastmod,omitzero"` // the latest of its labels
	Marking  string     `json:"marking"`          // TLP level: "clear", or "amber" for a list that says it is not public
}

// Reject is one tag that did not go in.
type Reject struct {
	Line    int    `json:"line"`    // in the file, from 1; 0 when unknown
	Subject string `json:"subject"` // the address or transaction
	Reason  string `json:"reason"`
}

// Report is what an import did.
type Report struct {
	List    List     `json:"list"`
	Rejects []Reject `json:"rejects"`
	Known   bool     `json:"known"` // the same labels were here already
}

// Store keeps lists as content-addressed files in one folder. Its methods may
// be called from several processes: a file appears whole or not at all, and is
// never changed.
type Store struct{ Dir string }

// storedVersion is the version of the stored form (FORMAT.md).
const storedVersion = 1

// suffix of a stored list.
const suffix = ".labels"

// storedHead is the first line of a stored list.
type storedHead struct {
	Version  int    `json:"bongsu_labels"`
	Title    string `json:"title"`
	Creator  string `json:"creator"`
	Format   Format `json:"format"`
	Original string `json:"original"`
	Marking  string `json:"marking"`
	Labels   int    `json:"labels"`
}

// Import reads a label file and stores its labels. name is for messages and,
// where the format has no title, for the list's title. Tags that cannot go in
// are in the report, with line and reason, while the others do; a file that is
// not of its format at all is an error.
func (s Store) Import(name string, raw []byte, format Format) (Report, error) {
	name = filepath.Base(name)
	if len(raw) > MaxFile {
		return Report{}, errs.New("labels import", errs.Limit, name, "the file is larger than 64 MiB", "split it")
	}
	p, err := read(name, raw, format)
	if err != nil {
		return Report{}, errs.Wrap("labels import", name, err)
	}
	p.settle()
	original := sha256.Sum256(raw)
	text, err := p.encode(text(original))
	if err != nil {
		return Report{}, errs.Wrap("labels import", name, err)
	}
	sum := sha256.Sum256(text)
	rep := Report{Rejects: append([]Reject{}, p.rejects...)}
	if err := durable.MkdirAll(s.Dir, 0o700); err != nil {
		return Report{}, err
	}
	path := filepath.Join(s.Dir, hex.EncodeToString(sum[:])+suffix)
	if _, err := os.Stat(path); err == nil {
		rep.Known = true
	} else if err := durable.WriteFile(path, text, 0o600); err != nil {
		return Report{}, err
	}
	rep.List, _, err = s.load(filepath.Base(path))
	rep.List.Name = name
	return rep, err
}

func text(sum [sha256.Size]byte) string { return "sha256:" + hex.EncodeToString(sum[:]) }

func read(name string, raw []byte, format Format) (pack, error) {
	if format == FormatAuto {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".csv":
			format = FormatCSV
		case ".json":
			format = FormatEtherscan
		default:
			format = FormatTagPack
		}
	}
	switch format {
	case FormatTagPack:
		return readTagPack(raw)
	case FormatCSV:
		return readCSV(raw, name)
	case FormatEtherscan:
		return readEtherscan(raw)
	}
	return pack{}, errs.New("labels import", errs.Usage, string(format), "not a format of label files", "use tagpack, csv or etherscan")
}

// encode is the stored form: a head, then one label a line, sorted.
func (p *pack) encode(original string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	h := storedHead{storedVersion, p.title, p.creator, p.format, original, "clear", len(p.labels)}
	if p.private {
		h.Marking = "amber"
	}
	if err := e.Encode(h); err != nil {
		return nil, err
	}
	for i := range p.labels {
		if err := e.Encode(&p.labels[i]); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// names lists the stored files, sorted.
func (s Store) names() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, errs.Wrap("labels", s.Dir, err)
	}
	var out []string
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(n, suffix) && len(n) == 64+len(suffix) {
			out = append(out, n)
		}
	}
	return out, nil
}

// load reads one stored list and checks it against its name.
func (s Store) load(name string) (List, []Label, error) {
	path := filepath.Join(s.Dir, name)
	raw, err := os.ReadFile(path)
	if err != nil {
		return List{}, nil, errs.Wrap("labels", path, err)
	}
	corrupt := func(why string) (List, []Label, error) {
		return List{}, nil, errs.New("labels", errs.Corrupt, path, why, "delete the file and import its list again")
	}
	sum := sha256.Sum256(raw)
	if hex.EncodeToString(sum[:]) != strings.TrimSuffix(name, suffix) {
		return corrupt("the file's bytes are not those that were written")
	}
	first, rest, _ := bytes.Cut(raw, []byte("\n"))
	var h storedHead
	if err := jsonv2.Unmarshal(first, &h); err != nil || h.Version != storedVersion {
		return corrupt("its first line is not one that this program knows")
	}
	l := List{
		Digest: text(sum), Original: h.Original, Title: h.Title, Creator: h.Creator, Format: h.Format,
		Labels: h.Labels, Marking: h.Marking, Sources: []string{},
	}
	all := make([]Label, 0, min(h.Labels, MaxTags))
	for line := range bytes.Lines(rest) {
		var v Label
		if err := jsonv2.Unmarshal(bytes.TrimSuffix(line, []byte("\n")), &v); err != nil {
			return corrupt("a label in it cannot be read")
		}
		v.List = l.Digest
		all = append(all, v)
	}
	if len(all) != h.Labels {
		return corrupt("it lacks labels")
	}
	l.sum(all)
	return l, all, nil
}

// sum fills in what follows from the labels.
func (l *List) sum(all []Label) {
	sources := map[string]bool{}
	for i := range all {
		sources[all[i].Source] = true
		l.Lastmod = max(l.Lastmod, all[i].Lastmod)
		if i == 0 || all[i].Account != all[i-1].Account {
			l.Accounts++
		}
	}
	for s := range sources {
		l.Sources = append(l.Sources, s)
	}
	slices.Sort(l.Sources)
}

// Lists describes the stored lists, by digest.
func (s Store) Lists() ([]List, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	out := []List{}
	for _, n := range names {
		l, _, err := s.load(n)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// Load reads the lists with these digests, or all stored ones when none are
// named, into a Set.
func (s Store) Load(digests ...string) (*Set, error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	if len(digests) > 0 {
		have := names
		names = nil
		for _, d := range digests {
			n := strings.TrimPrefix(d, "sha256:") + suffix
			if !slices.Contains(have, n) {
				return nil, errs.New("labels", errs.NotExist, d, "no such label list is stored here", "import it again")
			}
			names = append(names, n)
		}
	}
	var all []Label
	var lists []string
	for _, n := range names {
		l, ls, err := s.load(n)
		if err != nil {
			return nil, err
		}
		all, lists = append(all, ls...), append(lists, l.Digest)
	}
	return NewSet(all, lists...), nil
}
