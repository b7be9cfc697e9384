package bitcoin

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"

	"golang.org/x/sys/unix"
)

// Formats lists what this package reads from files. held is what earlier runs
// imported, HeldBy a ledger, or nothing. It places block files that neither
// reach down to the chain's first block nor state their heights (before block
// 227,836), and tells blocks of another branch than the ledger's.
func Formats(held ...Held) []ingest.Format {
	var before Held
	if len(held) > 0 {
		before = held[0]
	}
	return formats(before, unsettled)
}

func formats(before Held, keep int) []ingest.Format {
	return []ingest.Format{
		{
			Name: "bitcoin-blocks", Title: "raw blocks: Bitcoin Core's blk*.dat, or a single block in binary or hexadecimal",
			Recognise: recogniseBlocks, Beside: besideKey, Whole: true,
			Read: func(ctx context.Context, in *ingest.Input, out *ingest.Output) error {
				joined, err := out.Join(joinName, func(string, ingest.Limits) (ingest.Join, error) {
					return &assembly{before: before, keep: keep}, nil
				})
				if err != nil {
					return err
				}
				return readBlocks(ctx, in, out, joined.(*assembly)) //nolint:forcetypeassert // the name is this package's
			},
		},
		{
			Name: "bitcoin-etl", Title: "JSON lines or lists of bitcoin-etl: transactions with nested inputs and outputs",
			Recognise: recogniseETL, Read: readETL,
		},
	}
}

// layout is how a source writes blocks.
type layout uint8

const (
	notBlocks layout = iota
	records          // a block file
	masked           // a block file under Bitcoin Core's XOR key
	single           // one block, binary
	text             // one block, hexadecimal
)

func recogniseBlocks(head []byte) bool {
	_, other := foreignTo(head)
	return other || layoutOf(head) != notBlocks
}

// besideKey says whether the key that lies beside a file makes a block file of
// it: on a chain of little difficulty nothing in the file itself gives that
// away. What is named as Bitcoin Core names block files is taken for one, so
// that readBlocks can say what is wrong with it or with its key.
func besideKey(name string, head []byte) bool {
	if named, err := filepath.Match("blk*.dat", filepath.Base(name)); err == nil && named && len(head) > 0 {
		return true
	}
	key, err := readKey(name)
	return err == nil && keyed(head, key)
}

func layoutOf(head []byte) layout {
	if _, ok := MagicOf(head); ok {
		return records
	}
	if worked(head) {
		return single
	}
	if raw := fromText(head); worked(raw) {
		return text
	}
	if looksMasked(head) {
		return masked
	}
	return notBlocks
}

// worked says whether bytes begin with a header whose hash meets a target that
// chains really have; noise does not.
func worked(head []byte) bool {
	h, err := DecodeHeader(head)
	if err != nil || len(head) == headerBytes || !h.Worked() {
		return false
	}
	return h.Bits>>24 <= 0x1d || h.Bits == 0x207fffff
}

func fromText(head []byte) []byte {
	digits := bytes.TrimSpace(head)
	digits = digits[:min(len(digits), 2*(headerBytes+1))]
	raw := make([]byte, len(digits)/2)
	if _, err := hex.Decode(raw, digits[:2*len(raw)]); err != nil {
		return nil
	}
	return raw
}

// looksMasked says whether a key would make a block file of bytes: the first
// half of the key shows under the last four bytes of the previous hash, which
// are zero at the least difficulty that Bitcoin has, and has to give the magic.
func looksMasked(head []byte) bool {
	if len(head) < 8+headerBytes {
		return false
	}
	_, ok := MagicOf(xor(head[:4], head[40:44]))
	return ok
}

// guessKey finds the XOR key of a block file whose first block is from 2014 or
// later: there the last eight bytes of the previous hash are zero.
func guessKey(head []byte) ([]byte, bool) {
	if !looksMasked(head) {
		return nil, false
	}
	key := make([]byte, XORKeyBytes)
	copy(key[:4], head[40:44])
	copy(key[4:], head[36:40])
	plain := xor(head[:8+headerBytes], key)
	return key, worked(append(plain[8:], 0))
}

func xor(b, key []byte) []byte {
	out := bytes.Clone(b)
	unmask(out, key, 0)
	return out
}

// KeyFile is the name of the file in which Bitcoin Core keeps the XOR key of
// the block files beside it.
const KeyFile = "xor.dat"

// readKey reads the key that lies beside a file. A key of another length than
// Bitcoin Core's is errs.Invalid.
func readKey(name string) ([]byte, error) {
	path := filepath.Join(filepath.Dir(name), KeyFile)
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	key, err := io.ReadAll(io.LimitReader(f, XORKeyBytes+1))
	if err == nil && len(key) != XORKeyBytes {
		err = errs.New("import", errs.Invalid, path, fmt.Sprintf("the key of the block files is not %d bytes long", XORKeyBytes),
			"copy "+KeyFile+" again from the folder that the block files come from")
	}
	return key, err
}

// keyed says whether a key makes a block file of bytes, be it one that is not
// read here.
func keyed(head, key []byte) bool {
	_, other := foreignTo(xor(head[:min(len(head), 8+headerBytes)], key))
	return other || LooksMasked(head, key)
}

// keyOf finds the key of a block file: none where it reads as it stands, else
// the one that lies beside it, else the one that its first record gives away.
func keyOf(name string, head []byte) ([]byte, error) {
	if _, ok := MagicOf(head); ok {
		return nil, nil
	}
	key, err := readKey(name)
	if err == nil && keyed(head, key) {
		return key, nil
	}
	if guess, ok := guessKey(head); ok {
		return guess, nil
	}
	if errs.Is(err) == errs.Invalid {
		return nil, err
	}
	return nil, errs.New("import", errs.Invalid, name, "its beginning is that of no block file, with or without the key of "+KeyFile,
		"keep the "+KeyFile+" of its folder beside it, or copy the file again")
}

// joinName is the name under which the block files of one run share an index.
const joinName = "bitcoin-blocks"

// readBlocks indexes one file, and states what it completes: files hold blocks in
// no order.
func readBlocks(ctx context.Context, in *ingest.Input, out *ingest.Output, a *assembly) error {
	data, size := in.File()
	head := make([]byte, min(size, ingest.HeadBytes))
	if _, err := data.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return errs.Wrap("import", in.Name, err)
	}
	f := &source{File: File{Name: in.Name, Data: data, Size: size}, number: out.Source(), chain: in.Chain}
	if err := refuseForeign(in.Name, head, in.Chain); err != nil {
		return err
	}
	switch layoutOf(head) {
	case single, text:
		return a.addSingle(f, layoutOf(head) == text, out)
	default:
		key, err := keyOf(in.Name, head)
		if err != nil {
			return err
		}
		if err := refuseForeign(in.Name, xor(head, key), in.Chain); err != nil {
			return err
		}
		f.XOR = key
		return a.addFile(ctx, f, out)
	}
}

// refuseForeign refuses a block file of a network that is not read here, or of
// another chain than was asked for.
func refuseForeign(name string, head []byte, asked chain.ID) error {
	if network, other := foreignTo(head); other {
		return errs.New("import", errs.Usage, name, "is a block file of "+network+", a network that is not read here",
			"block files of Bitcoin, its testnet3, regtest and simnet are")
	}
	if id, ok := MagicOf(head); ok && asked != "" && id != asked {
		return errs.New("import", errs.Usage, name, "is a block file of chain "+string(id)+", not of "+string(asked), "leave --chain out: the file says its chain")
	}
	return nil
}

// hold keeps a file readable after the import of its source has ended.
func hold(data io.ReaderAt, name string) (*os.File, error) {
	f, ok := data.(*os.File)
	if !ok {
		return nil, errs.New("import", errs.Internal, name, "a block file has to be a file", "")
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Wrap("import", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// chainOf is the chain of a single block: the one asked for, else Bitcoin where
// the block's difficulty is one that only it and its testnet have.
func chainOf(asked chain.ID, h Header, name string) (chain.ID, error) {
	switch {
	case asked.UTXO():
		return asked, nil
	case asked != "":
		return "", errs.New("import", errs.Usage, name, "blocks of this form are not of chain "+string(asked), "name the chain with --chain bitcoin")
	case h.Bits>>24 <= 0x1d:
		return chain.Bitcoin, nil
	}
	return "", errs.New("import", errs.Usage, name, "a block does not say of which chain it is", "name the chain with --chain, such as bitcoin-regtest")
}

func rejection(r Reject) (ingest.Place, error) {
	return ingest.Place{Line: r.Offset, Column: "byte"}, errors.New(r.Why)
}

func describe(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
