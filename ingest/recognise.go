package ingest

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"bongsu/errs"
)

var errEmpty = errors.New("nothing is in it")

// empty reports a source in which nothing is, beside others: exporters write
// such files for ranges in which nothing happened.
func (r *run) empty(name string) {
	r.done = append(r.done, &sourceRun{report: &SourceReport{Name: name, Notes: []string{"is empty: there was nothing to read"}}, rejects: &rejects{}})
}

// recognise finds the format of a source from its beginning, and its rank where
// there are several.
func (r *run) recognise(src Source, several bool) (opened, error) {
	s, err := open(src, r.opts)
	if err != nil {
		return opened{}, err
	}
	o := opened{src: src}
	if s.file == nil || s.size < 0 { // standard input, a pipe: what was read cannot be read again
		o.stream = s
	} else {
		defer s.close()
	}
	head, err := s.head()
	if err == nil {
		o.format, err = r.pick(src.Name, head)
	}
	if err != nil {
		s.close()
		return opened{}, err
	}
	switch f := o.format; {
	case f.RankFile != nil && several:
		if w, err := s.spool(r.opts.TempDir); err == nil { // an error comes again when it is read
			o.rank = f.RankFile(w.f, w.size)
		}
	case f.Rank != nil:
		o.rank = f.Rank(head)
	}
	o.key = r.key(o, head, s.size)
	return o, nil
}

// pick finds the format of a source by its beginning, or by its name where it
// was told.
func (r *run) pick(name string, head []byte) (*Format, error) {
	if r.opts.Format != "" {
		return r.named()
	}
	if len(head) == 0 {
		return nil, &errs.Error{Op: "import", Kind: errs.Invalid, Where: name, Why: "is empty", Hint: "fetch or export it again", Err: errEmpty}
	}
	for i := range r.opts.Formats {
		f := &r.opts.Formats[i]
		if !f.Recognise(head) {
			continue
		}
		if f.Refused != "" {
			return nil, errs.New("import", errs.Invalid, name, f.Refused, f.Hint)
		}
		return f, nil
	}
	for i := range r.opts.Formats {
		if f := &r.opts.Formats[i]; f.Beside != nil && f.Beside(name, head) {
			return f, nil
		}
	}
	if len(head) > 1 && (head[0] == 0xff && head[1] == 0xfe || head[0] == 0xfe && head[1] == 0xff) {
		return nil, errs.New("import", errs.Invalid, name, "is text in UTF-16", "save it as CSV in UTF-8")
	}
	for _, p := range packers {
		if bytes.HasPrefix(head, []byte(p.magic)) {
			return nil, errs.New("import", errs.Invalid, name, "is packed by "+p.name+", which is not unpacked here", "unpack it first: gzip, zstd and bzip2 alone are read as they are")
		}
	}
	return nil, errs.New("import", errs.Invalid, name, "is in no known format: it begins with "+beginning(head),
		"`bongsu import -h` lists the formats; put the columns' names into the first line, or name the format with --format")
}

// packers are known by the first bytes of what they write, to say so.
var packers = []struct{ name, magic string }{
	{"xz", "\xfd7zXZ\x00"}, {"zip", "PK\x03\x04"}, {"7z", "7z\xbc\xaf\x27\x1c"}, {"lz4", "\x04\x22\x4d\x18"},
}

// named is the format that the options name.
func (r *run) named() (*Format, error) {
	var names []string
	for i := range r.opts.Formats {
		f := &r.opts.Formats[i]
		if f.Refused != "" {
			continue
		}
		if f.Name == r.opts.Format {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return nil, errs.New("import", errs.Usage, r.opts.Format, "is no format", "known formats: "+strings.Join(names, ", "))
}

// beginning shows a person what a source begins with: its first line, or that
// it is no text.
func beginning(head []byte) string {
	const most = 72
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	cut := line[:min(len(line), most)]
	for len(cut) < len(line) && len(cut) > 0 && !utf8.Valid(cut) && len(cut) > most-utf8.UTFMax {
		cut = cut[:len(cut)-1]
	}
	if !utf8.Valid(cut) || bytes.IndexByte(cut, 0) >= 0 {
		return "binary data"
	}
	text := strconv.Quote(strings.TrimRight(string(cut), "\r"))
	if len(cut) < len(line) {
		text += "..."
	}
	return text
}
