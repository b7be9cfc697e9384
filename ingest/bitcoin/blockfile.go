package bitcoin

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"bongsu/chain"
	"bongsu/errs"
)

// XORKeyBytes is the length of the key in the file xor.dat that Bitcoin Core
// (since version 28) keeps beside its block files.
const XORKeyBytes = 8

// magics begin each record of a block file and tell the chain.
var magics = map[[4]byte]chain.ID{
	{0xf9, 0xbe, 0xb4, 0xd9}: chain.Bitcoin,
	{0x0b, 0x11, 0x09, 0x07}: chain.BitcoinTest,
	{0xfa, 0xbf, 0xb5, 0xda}: chain.BitcoinRegtest,
	{0x16, 0x14, 0x1c, 0x12}: chain.BitcoinSimnet,
}

// foreign are the magics of networks that Bitcoin Core or a near relative writes
// block files of, and that are not read here.
var foreign = map[[4]byte]string{
	{0x1c, 0x16, 0x3f, 0x28}: "testnet4",
	{0x0a, 0x03, 0xcf, 0x40}: "signet",
	{0xfb, 0xc0, 0xb6, 0xdb}: "Litecoin",
	{0xc0, 0xc0, 0xc0, 0xc0}: "Dogecoin",
}

// foreignTo names the network of a block file that is not read here.
func foreignTo(prefix []byte) (name string, ok bool) {
	if len(prefix) < 8+headerBytes {
		return "", false
	}
	name, ok = foreign[[4]byte(prefix)]
	size := binary.LittleEndian.Uint32(prefix[4:])
	return name, ok && size > headerBytes && size <= MaxBlockBytes
}

// A File is one block file or single block: random access to its plain
// (decompressed) bytes.
type File struct {
	Name string
	Data io.ReaderAt
	Size int64
	XOR  []byte // the key of Bitcoin Core's xor.dat, or nil
}

// record is one block's place in a file.
type record struct {
	off  int64 // of the header
	size uint32
}

// plain reads n bytes at off and takes the XOR off. The key applies by the
// position in the file, not in the record.
func (f *File) plain(off int64, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := f.Data.ReadAt(b, off); err != nil && !(errors.Is(err, io.EOF) && off+int64(n) == f.Size) {
		return nil, errs.Wrap("read block file", f.Name, err)
	}
	unmask(b, f.XOR, off)
	return b, nil
}

func unmask(b, key []byte, off int64) {
	if len(key) == 0 {
		return
	}
	for i := range b {
		b[i] ^= key[(off+int64(i))%int64(len(key))]
	}
}

type unmasked struct {
	r   io.Reader
	key []byte
	off int64
}

func (u *unmasked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	unmask(p[:n], u.key, u.off)
	u.off += int64(n)
	return n, err
}

// MagicOf says which chain a record of a block file belongs to, given its
// first bytes.
func MagicOf(prefix []byte) (chain.ID, bool) {
	if len(prefix) < 4 {
		return "", false
	}
	id, ok := magics[[4]byte(prefix)]
	return id, ok
}

// LooksMasked says whether bytes that begin a block file would be one with the
// key applied.
func LooksMasked(prefix, key []byte) bool {
	if len(prefix) < 4 || len(key) != XORKeyBytes {
		return false
	}
	b := bytes.Clone(prefix[:4])
	unmask(b, key, 0)
	_, ok := MagicOf(b)
	return ok
}

// scan walks over the records of a block file in their order. Bytes that are no
// record (the zeros that Bitcoin Core allots in advance aside) are passed over
// up to the next record, and reported once as a reject.
type scanner struct {
	file    *File
	in      *bufio.Reader
	off     int64 // of the next byte of in
	id      chain.ID
	junk    int64 // first byte of the junk being passed over, or -1
	rejects func(Reject)
}

func newScanner(f *File, rejects func(Reject)) *scanner {
	section := io.NewSectionReader(f.Data, 0, f.Size)
	return &scanner{
		file: f, in: bufio.NewReaderSize(&unmasked{r: section, key: f.XOR}, 1<<16),
		junk: -1, rejects: rejects,
	}
}

// next returns the next record and its header; io.EOF after the last.
func (s *scanner) next() (record, Header, error) {
	for {
		head, err := s.in.Peek(8 + headerBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return record{}, Header{}, errs.Wrap("read block file", s.file.Name, err)
		}
		if len(head) < 8+headerBytes {
			s.tail(head)
			return record{}, Header{}, io.EOF
		}
		id, ok := MagicOf(head)
		size := binary.LittleEndian.Uint32(head[4:])
		switch {
		case !ok || (s.id != "" && id != s.id) || size < headerBytes+1 || size > MaxBlockBytes:
			s.pass(head[0])
			continue
		case s.off+8+int64(size) > s.file.Size:
			s.flush()
			s.reject(s.off, fmt.Sprintf("the file ends %d bytes before this block does", s.off+8+int64(size)-s.file.Size))
			return record{}, Header{}, io.EOF
		}
		s.flush()
		s.id = id
		h, err := DecodeHeader(head[8:])
		if err != nil {
			return record{}, Header{}, err
		}
		rec := record{off: s.off + 8, size: size}
		if _, err := s.in.Discard(8 + int(size)); err != nil {
			return record{}, Header{}, errs.Wrap("read block file", s.file.Name, err)
		}
		s.off += 8 + int64(size)
		return rec, h, nil
	}
}

// pass goes one byte on. Zeros between records are allotted space, no junk.
func (s *scanner) pass(b byte) {
	if s.junk < 0 && !s.allotted(b, s.off) {
		s.junk = s.off
	}
	s.in.Discard(1) //nolint:errcheck // the byte was peeked
	s.off++
}

// allotted says whether a byte is space that Bitcoin Core allotted in advance:
// zero, or zero before the key was taken off, because the allotting writes past
// the key.
func (s *scanner) allotted(b byte, off int64) bool {
	return b == 0 || len(s.file.XOR) > 0 && b == s.file.XOR[off%int64(len(s.file.XOR))]
}

func (s *scanner) flush() {
	if s.junk >= 0 {
		s.reject(s.junk, fmt.Sprintf("%d bytes are no block of this chain", s.off-s.junk))
		s.junk = -1
	}
}

func (s *scanner) tail(rest []byte) {
	for _, b := range rest {
		if s.junk < 0 && !s.allotted(b, s.off) {
			s.junk = s.off
		}
		s.off++
	}
	s.flush()
}

func (s *scanner) reject(off int64, why string) {
	if s.rejects != nil {
		s.rejects(Reject{Where: s.file.Name, Offset: off, Why: why})
	}
}

// Reject is a part of the input that was left out, and why.
type Reject struct {
	Where  string // the file's name
	Offset int64  // byte offset in the plain file, or line number for JSON lines
	Why    string
}
