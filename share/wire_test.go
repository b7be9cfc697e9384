package share

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"bongsu/errs"
	"bongsu/journal"

	"pgregory.net/rapid"
)

func TestInvitationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		root := ed25519.PublicKey(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "root"))
		inv, err := newInvitation(root, rapid.StringMatching(`[a-z0-9.-]{1,60}:[1-9][0-9]{0,3}`).Draw(t, "address"))
		if err != nil {
			t.Fatal(err)
		}
		text := inv.text()
		at := rapid.IntRange(0, len(text)).Draw(t, "break")
		got, err := parseInvitation(text[:at] + " \n\t" + text[at:])
		if err != nil || !got.root.Equal(root) || got.secret != inv.secret || got.address != inv.address {
			t.Fatalf("%+v, %v", got, err)
		}
		// One wrong letter never reads as another invitation.
		i := rapid.IntRange(len(invitePrefix), len(text)-1).Draw(t, "wrong")
		wrong := []byte(text)
		wrong[i] = "abcdefghijklmnopqrstuvwxyz234567"[rapid.IntRange(0, 31).Draw(t, "letter")]
		if again, err := parseInvitation(string(wrong)); err == nil && string(wrong) != text {
			t.Fatalf("%q reads as %+v", wrong, again)
		}
	})
}

func FuzzInvitation(f *testing.F) {
	inv, err := newInvitation(make(ed25519.PublicKey, 32), "node.example.org:8421")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(inv.text())
	f.Add("bongsu1-")
	f.Fuzz(func(t *testing.T, text string) {
		inv, err := parseInvitation(text)
		if err != nil {
			if errs.Is(err) != errs.Invalid {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again, err := parseInvitation(inv.text()); err != nil || again.text() != inv.text() {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"hello":{"protocol":1,"time":"2026-11-23T00:00:00Z","want":3}}`))
	f.Add([]byte(`{"batch":{"first":0,"items":[{"envelope":"{}","payload":"{}","salt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}],"size":1,"checkpoint":"x"}}`))
	f.Add([]byte(`{"end":{"code":"limit","why":"x"}}`))
	f.Add([]byte(`{"cosigned":{"checkpoint":"a","line":"b"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		fr, err := parseFrame(line)
		if err != nil {
			return
		}
		b, err := fr.append(nil)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := parseFrame(bytes.TrimSuffix(b, []byte("\n")))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if c, err := again.append(nil); err != nil || !bytes.Equal(b, c) {
			t.Errorf("%s and %s", b, c)
		}
		if fr.Batch != nil {
			if jb, err := fr.Batch.journalBatch(DefaultLimits()); err == nil && len(jb.Items) != len(fr.Batch.Items) {
				t.Error("items were lost")
			}
		}
	})
}

func TestBatchRoundTrip(t *testing.T) {
	in := journal.Batch{First: 3, Size: 5, Checkpoint: []byte("note \u2014\n"), Items: []journal.Item{
		{Envelope: []byte(`{"a":"\u00e9\\"}`), Payload: []byte("{\"b\":\"\u4e2d\"}"), Salt: journal.Salt{1, 2, 3}},
		{Envelope: []byte(`{}`)},
	}}
	b, err := batchFrame(in).append(nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFrames(bytes.NewReader(b), len(b)).next()
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Batch.journalBatch(DefaultLimits())
	if err != nil || out.First != 3 || out.Size != 5 || string(out.Checkpoint) != string(in.Checkpoint) {
		t.Fatalf("%+v, %v", out, err)
	}
	for i, it := range out.Items {
		if string(it.Envelope) != string(in.Items[i].Envelope) || string(it.Payload) != string(in.Items[i].Payload) || (it.Payload == nil) != (in.Items[i].Payload == nil) || it.Salt != in.Items[i].Salt {
			t.Errorf("item %d: %+v", i, it)
		}
	}
}

func TestFrameBounds(t *testing.T) {
	const text = `{"end":{"code":"limit","why":"x"}}` + "\n"
	if _, err := newFrames(strings.NewReader(text), len(text)).next(); err != nil {
		t.Errorf("a frame of just the limit: %v", err)
	}
	if _, err := newFrames(strings.NewReader(text), len(text)-1).next(); errs.Is(err) != errs.Limit {
		t.Errorf("a frame over the limit: %v", err)
	}
	if _, err := newFrames(strings.NewReader(text[:9]), 100).next(); err != io.ErrUnexpectedEOF {
		t.Errorf("a cut frame: %v", err)
	}
	if _, err := newFrames(strings.NewReader(""), 100).next(); err != io.EOF {
		t.Errorf("no frame: %v", err)
	}
}

func TestBucket(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	b := newBucket(60)
	if wait := b.take(now, 60); wait != 0 {
		t.Errorf("a full bucket makes wait %s", wait)
	}
	if wait := b.take(now, 10); wait != 10*time.Second {
		t.Errorf("10 of an empty bucket of 60 a minute: %s", wait)
	}
	if wait := b.take(now.Add(10*time.Second), 10); wait != 0 {
		t.Errorf("after that time: %s", wait)
	}
	if wait := b.take(now.Add(time.Hour), 1000); wait != 0 {
		t.Errorf("more than the bucket, when full: %s", wait)
	}
	if wait := b.take(now, 1); wait <= 0 {
		t.Error("a clock that goes back fills nothing")
	}
}

func TestMayDial(t *testing.T) {
	s := &Service{allowed: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.1.2.3": true,
		"127.0.0.1": false, "::1": false, "10.2.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "169.254.169.254": false,
		"fe80::1": false, "fd00::1": false, "0.0.0.0": false, "::": false, "224.0.0.1": false, "255.255.255.255": false,
		"100.64.0.1": false, "198.18.0.1": false, "240.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
	} {
		if got := s.mayDial(netip.MustParseAddr(address)) == nil; got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "\x1b[2Jgone\r\n": " [2Jgone  ", "\u202eevil": " evil", "한글": "한글", "bad\xff": "bad ",
		strings.Repeat("x", 400): strings.Repeat("x", 300) + "...",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestPercentile(t *testing.T) {
	var list []float64
	for i := range 100 {
		list = append(list, float64(i+1))
	}
	for p, want := range map[int]float64{50: 50, 99: 99, 100: 100} {
		if got := percentile(list, p); got != want {
			t.Errorf("p%d: %v", p, got)
		}
	}
	if percentile(nil, 50) != 0 || percentile([]float64{7}, 99) != 7 {
		t.Error("few values")
	}
}
