package screen

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var epoch = time.Date(2025, 2, 21, 14, 0, 0, 0, time.UTC)

func testID(n int) string {
	return "indicator--" + uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, n)).String()
}

func address(n int) string { return fmt.Sprintf("0x%040x", n) }

func listing(id int, author string, version time.Time, values ...string) Statement {
	s := Statement{ID: testID(id), Author: author, Version: version, Reason: Reason{Kind: Listing, Marking: "AMBER", Since: epoch, Text: "named"}}
	for _, v := range values {
		r, err := Read(v)
		if err != nil {
			panic(err)
		}
		s.Readings = append(s.Readings, r)
	}
	return s
}

func newTest(t *testing.T, cfg Config) *Index {
	t.Helper()
	if cfg.Clock == nil {
		cfg.Clock = func() time.Time { return epoch.Add(time.Hour) }
	}
	x := New(cfg)
	t.Cleanup(x.Close)
	return x
}

func TestListingBlocksOnEveryEVMChain(t *testing.T) {
	x := newTest(t, Config{})
	x.Put(listing(1, "identity--a", epoch, "eip155:56:"+address(7)))
	for _, v := range []string{address(7), "eip155:1:" + address(7), "eip155:8453:" + address(7), "polygon:" + address(7)} {
		if got := x.Screen([]string{v})[0]; got.Verdict != Block || len(got.Reasons) != 1 {
			t.Errorf("%s: %+v", v, got)
		}
	}
	if got := x.Screen([]string{address(8)})[0]; got.Verdict != Clear || got.ReadAs != "eip155:1:"+address(8) {
		t.Errorf("another address: %+v", got)
	}
}

func TestNobodyTakesBackWhatAnotherSaid(t *testing.T) {
	x := newTest(t, Config{})
	x.Put(listing(1, "identity--a", epoch, address(1)))
	forged := listing(1, "identity--b", epoch.Add(time.Hour))
	forged.Revoked = true
	x.Put(forged)
	x.Erase(testID(1), "identity--c", epoch.Add(time.Hour))
	x.Flush()
	if got := x.Screen([]string{address(1)})[0].Verdict; got != Block {
		t.Fatalf("another author's revocation took the listing back: %v", got)
	}
	x.Put(Statement{ID: testID(1), Author: "identity--a", Version: epoch.Add(time.Minute), Revoked: true})
	if got := x.Screen([]string{address(1)})[0].Verdict; got != Clear {
		t.Fatalf("the author's own revocation has no effect: %v", got)
	}
	x.Flush()
	if x.Put(listing(1, "identity--a", epoch, address(1))) {
		t.Fatal("an older version came back after its revocation")
	}
}

func TestValidity(t *testing.T) {
	now := epoch
	x := newTest(t, Config{Clock: func() time.Time { return now }})
	s := listing(1, "identity--a", epoch, address(1))
	s.From, s.Reason.Until = epoch.Add(time.Hour), epoch.Add(2*time.Hour)
	x.Put(s)
	for _, merged := range []bool{false, true} {
		if merged {
			x.Flush()
		}
		for _, c := range []struct {
			after time.Duration
			want  Verdict
		}{{0, Clear}, {time.Hour - skew, Block}, {2*time.Hour - time.Millisecond, Block}, {2 * time.Hour, Clear}} {
			now = epoch.Add(c.after)
			if got := x.Screen([]string{address(1)})[0].Verdict; got != c.want {
				t.Errorf("merged %v, after %v: %v, want %v", merged, c.after, got, c.want)
			}
		}
	}
}

func TestDefaultRules(t *testing.T) {
	for _, c := range []struct {
		r    Reason
		want Verdict
	}{
		{Reason{Kind: Listing}, Block},
		{Reason{Kind: Exposure, Place: PlaceHolding, Basis: Observed}, Block},
		{Reason{Kind: Exposure, Place: PlaceHolding, Basis: Inferred}, Hold},
		{Reason{Kind: Exposure, Place: PlaceHolding, Basis: Observed, Provisional: true}, Watch},
		{Reason{Kind: Exposure, Place: PlacePassed, Basis: Observed}, Watch},
		{Reason{Kind: Exposure, Place: PlaceExit, Basis: Observed}, Watch},
		{Reason{Kind: Exposure, Place: PlaceIncomplete, Basis: Observed}, Watch},
		{Reason{Kind: Exposure, Place: PlaceUnfollowed, Basis: Observed}, Watch},
		{Reason{Kind: "of another release"}, Watch},
	} {
		if got := DefaultRules().Of(&c.r); got != c.want {
			t.Errorf("%+v: %v, want %v", c.r, got, c.want)
		}
	}
}

func TestAmountsSurviveTheMerge(t *testing.T) {
	x := newTest(t, Config{})
	for i, place := range []string{PlaceHolding, PlacePassed} {
		s := listing(i, "identity--a", epoch, address(1))
		s.Reason = Reason{
			Kind: Exposure, Place: place, Basis: Observed, Theft: "incident--x", Marking: "GREEN", Since: epoch,
			Amount: &Money{Asset: "eip155:1/slip44:60", Symbol: "ETH", Amount: fmt.Sprint(i), Base: "1"},
		}
		x.Put(s)
	}
	x.SetName("identity--a", "Agency")
	before := x.Screen([]string{address(1)})
	x.Flush()
	after := x.Screen([]string{address(1)})
	if !reflect.DeepEqual(before, after) {
		t.Fatalf("before %+v\nafter %+v", before, after)
	}
	if r := after[0].Reasons; r[0].Place != PlaceHolding || r[0].AuthorName != "Agency" || r[1].Amount.Amount != "1" || after[0].Verdict != Block {
		t.Fatalf("%+v", after)
	}
}

// The model is what the index must equal, whatever is merged when.
type model map[statementID]Statement

func (m model) put(s Statement) {
	id := statementID{s.ID, s.Author}
	if old, ok := m[id]; ok && s.Version.Before(old.Version) {
		return
	}
	m[id] = s
}

func (m model) statements(value string) []string {
	want, out := mustKey(value), []string{}
	for id, s := range m {
		if !s.Revoked && slices.ContainsFunc(s.Readings, func(r Reading) bool { return r.Key == want }) {
			out = append(out, id.author+" "+id.id)
		}
	}
	slices.Sort(out)
	return out
}

func mustKey(v string) Key {
	r, err := Read(v)
	if err != nil {
		panic(err)
	}
	return r.Key
}

func TestIndexEqualsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := New(Config{OverlayMax: rapid.IntRange(1, 40).Draw(t, "overlay"), Clock: func() time.Time { return epoch.Add(time.Hour) }})
		defer x.Close()
		m := model{}
		authors := []string{"identity--a", "identity--b"}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				values := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 12), address), 0, 4).Draw(t, "values")
				at := epoch.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "version")))
				s := listing(rapid.IntRange(0, 9).Draw(t, "id"), rapid.SampledFrom(authors).Draw(t, "author"), at, values...)
				s.Revoked = rapid.IntRange(0, 3).Draw(t, "revoked") == 0
				x.Put(s)
				m.put(s)
			},
			"flush": func(*rapid.T) { x.Flush() },
			"": func(t *rapid.T) {
				for n := range 13 {
					res := x.Screen([]string{address(n)})[0]
					got := []string{}
					for _, r := range res.Reasons {
						got = append(got, r.Author+" "+r.Statement)
					}
					slices.Sort(got)
					if want := m.statements(address(n)); !slices.Equal(got, want) {
						t.Fatalf("value %d: %v, want %v", n, got, want)
					}
					if (res.Verdict == Block) != (len(got) > 0) {
						t.Fatalf("value %d: %v with %d reasons", n, res.Verdict, len(got))
					}
				}
			},
		})
	})
}

func TestConcurrentReadersSeeWhatWasPut(t *testing.T) {
	x := newTest(t, Config{OverlayMax: 16})
	const n = 400
	var done sync.WaitGroup
	for w := range 4 {
		done.Go(func() {
			for i := range n {
				id := w*n + i
				x.Put(listing(id, "identity--a", epoch, address(id)))
				if got := x.Screen([]string{address(id)})[0].Verdict; got != Block {
					t.Errorf("value %d right after Put: %v", id, got)
					return
				}
			}
		})
	}
	done.Wait()
	x.Flush()
	if s := x.Stats(); s.Keys != 4*n || s.Overlay != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAppendJSONIsScreen(t *testing.T) {
	x := newTest(t, Config{})
	x.Put(listing(1, "identity--a", epoch, address(1), "evil.example"))
	values := []string{
		address(1), address(2), "EVIL.example.", "good.example", "", "0x12", "a\"b<c>\u2028.example", "\xff\xfe", "bad\x00",
		"https://evil.example/login?x=1", "0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B",
	}
	want, err := json.Marshal(x.Screen(values))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]Verdict{}
	got := x.AppendJSON(nil, values, func(i int, v Verdict) { seen[i] = v })
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal(want, &b); err != nil || !reflect.DeepEqual(a, b) {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
	for i, r := range x.Screen(values) {
		if v, ok := seen[i]; ok != (r.Verdict != Clear) || ok && v != r.Verdict {
			t.Errorf("value %d: seen %v %v, verdict %v", i, v, ok, r.Verdict)
		}
	}
	if !slices.Contains(slices.Collect(maps.Values(seen)), Invalid) {
		t.Error("no invalid value was reported")
	}
}

// However often somebody names a value, its answer stays short, and the most
// severe reason is shown wherever it lies.
func TestManyReasons(t *testing.T) {
	for _, merged := range []bool{false, true} {
		x := newTest(t, Config{OverlayMax: 1 << 20})
		const n = 2 * maxGathered
		for i := range n {
			s := listing(i, "identity--flood", epoch, address(1))
			s.Reason.Kind, s.Reason.Place, s.Reason.Basis = Exposure, PlacePassed, Observed
			if i == n-1 {
				s.Author, s.Reason.Kind = "identity--a", Listing
			}
			x.Put(s)
		}
		if merged {
			x.Flush()
		}
		got := x.Screen([]string{address(1)})[0]
		if got.Verdict != Block || len(got.Reasons) != MaxReasons || got.More != n-MaxReasons || got.Reasons[0].Author != "identity--a" {
			t.Errorf("merged %v: %v, %d reasons and %d more, first by %s", merged, got.Verdict, len(got.Reasons), got.More, got.Reasons[0].Author)
		}
	}
}

// A time that JSON cannot write spoils no answer.
func TestTimesBeyondJSON(t *testing.T) {
	x := newTest(t, Config{})
	s := listing(1, "identity--a", epoch, address(1))
	s.Reason.Since, s.Reason.Until = time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -7200))
	x.Put(s)
	for range 2 {
		if got := string(x.AppendJSON(nil, []string{address(1)}, nil)); !strings.Contains(got, `"block"`) {
			t.Error(got)
		}
		x.Flush()
	}
}
