package bitcoin

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"testing"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/ingest"
	"bongsu/ingest/follow/inmemory"
)

// A decoded block, if any, agrees with its bytes; nothing panics, and what is
// refused is refused by kind.
func FuzzDecodeBlock(f *testing.F) {
	raws := framed(f, unpacked(f, "blocks1-256.bz2"))
	f.Add(raws[0])
	f.Add(raws[169])
	f.Add(framed(f, unpacked(f, "277647.dat.bz2"))[0][:4000])
	f.Add(mine(Hash{}, 2, 1, coinbase(1, Out{Value: 50}), serialize(&Tx{In: []In{{Prev: OutPoint{Hash{1}, 0}}}, Out: []Out{{1, nil}}}, []byte{1})))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := DecodeBlock(raw)
		if err != nil {
			switch errs.Is(err) {
			case errs.Invalid, errs.Forged, errs.Limit:
				return
			}
			t.Fatalf("%v is of kind %s", err, errs.Is(err))
		}
		h, err := DecodeHeader(raw)
		if err != nil || h != b.Header || !b.Worked() || !b.Txs[0].Coinbase {
			t.Fatalf("%+v, %v", b.Header, err)
		}
		Facts(chain.Bitcoin, Placed{b, 1})
	})
}

// A transaction without witness is written back as it was read.
func FuzzDecodeTx(f *testing.F) {
	f.Add(serialize(&Tx{In: []In{{Prev: OutPoint{Hash{1}, 0}}}, Out: []Out{{1, []byte{opReturn}}}}, nil))
	f.Add(serialize(&Tx{In: []In{{Prev: OutPoint{Hash{1}, 0}}}, Out: []Out{{1, nil}, {2, free}}}, []byte{1, 2, 3}))
	f.Add(coinbase(9, Out{Value: 1}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := DecodeTx(raw)
		if err != nil {
			return
		}
		if raw[4] == 0 { // with witness: the id does without
			return
		}
		if tx.ID != doubleHash(raw) {
			t.Errorf("id %s, want %s", tx.ID, doubleHash(raw))
		}
		again := serialize(tx, nil)
		if !bytes.Equal(again[4:len(again)-4], raw[4:len(raw)-4]) {
			t.Errorf("%x reads as %x", raw, again)
		}
	})
}

// free is a script that anybody can spend.
var free = []byte{op1}

// Every script pays a valid account, which its text names.
func FuzzClassify(f *testing.F) {
	for _, s := range []string{
		"", "6a0568656c6c6f", "51024e73", "0014751e76e8199196d454941c45d1b3a323f1433bd6", "6002751e",
		"76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac", "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87",
		"5121" + "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" + "51ae",
	} {
		b, _ := hex.DecodeString(s)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		a, kind := Classify(chain.Bitcoin, script)
		if a.IsZero() {
			t.Fatalf("%x pays nobody", script)
		}
		back, err := chain.ParseAccount(a.String(), "")
		if err != nil || back != a {
			t.Fatalf("%x pays %s, which reads back as %v, %v", script, a, back, err)
		}
		if hasAddress := a.Form() != chain.FormScript; hasAddress != (kind != Nonstandard && kind != Multisig && kind != NullData) {
			t.Fatalf("%x is %s and pays %s", script, kind, a)
		}
		if kind == NullData {
			Payload(script)
		}
		statedHeight(script)
	})
}

// Whatever a block file holds, each of its bytes is read once, and a record
// lies within it.
func FuzzScan(f *testing.F) {
	raws := framed(f, unpacked(f, "blocks1-256.bz2"))
	f.Add(blockFile(raws[0], raws[1]), []byte(nil))
	f.Add(append([]byte("junk"), blockFile(raws[0])...), []byte(nil))
	f.Add(xor(blockFile(raws[0]), []byte("8letters")), []byte("8letters"))
	f.Fuzz(func(t *testing.T, b, key []byte) {
		if len(key) != XORKeyBytes {
			key = nil
		}
		file := &File{Data: bytes.NewReader(b), Size: int64(len(b)), XOR: key}
		s := newScanner(file, func(r Reject) {
			if r.Offset < 0 || r.Offset > file.Size {
				t.Errorf("reject at %d of %d bytes", r.Offset, file.Size)
			}
		})
		end := int64(0)
		for {
			rec, h, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec.off < end+8 || rec.off+int64(rec.size) > file.Size {
				t.Fatalf("record %+v after %d in %d bytes", rec, end, file.Size)
			}
			end = rec.off + int64(rec.size)
			raw, err := file.plain(rec.off, int(rec.size))
			if err != nil {
				t.Fatal(err)
			}
			if again, err := DecodeHeader(raw); err != nil || again != h {
				t.Fatalf("the header reads as %+v, then as %+v, %v", h, again, err)
			}
		}
	})
}

// Any file of any format is imported, rejected or refused; none panics.
func FuzzImport(f *testing.F) {
	raws := framed(f, unpacked(f, "blocks1-256.bz2"))
	f.Add(blockFile(raws[:3]...))
	f.Add(raws[0])
	f.Add([]byte(hex.EncodeToString(raws[0])))
	f.Add([]byte(etlLines(f, decodeAll(f, raws[:2]), false)))
	f.Add([]byte(etlLines(f, decodeAll(f, raws[:2]), true)))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		var l inmemory.Ledger
		_, err := ingest.Run(context.Background(), &l, []ingest.Source{{Name: "fuzz", From: bytes.NewReader(b)}},
			ingest.Options{Formats: Formats(), TempDir: dir, Rejects: dir + "/rejects.csv"})
		switch errs.Is(err) {
		case errs.Internal, errs.Corrupt:
			t.Fatal(err)
		}
	})
}
