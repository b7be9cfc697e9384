// Command apibench measures POST /api/v1/screen with 100 addresses a request,
// as a whole node answers it (token, quota, audit on disk, limits), beside a
// plain net/http and encoding/json handler over a Go map, with the load
// generator on the same processors and in the same run. It writes
// build/bench/api.json. It is a measuring tool and is not shipped.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bongsu/api"
	"bongsu/figures"
	"bongsu/screen"

	"github.com/google/uuid"
)

const (
	listed = 100_000
	asked  = 100 // values a request
)

func main() {
	conns := flag.Int("conns", 16, "connections at once")
	length := flag.Duration("time", 5*time.Second, "for each of the two")
	out := flag.String("out", "build/bench/api.json", "where the figures go")
	profile := flag.String("profile", "", "write a CPU profile of the node's part here")
	flag.Parse()
	if err := run(*conns, *length, *out, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "apibench:", err)
		os.Exit(1)
	}
}

func run(conns int, length time.Duration, out, profile string) error {
	dir, err := os.MkdirTemp("", "apibench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	plain, err := measurePlain(conns, length)
	if err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	node, err := measureNode(dir, conns, length)
	if err != nil {
		return err
	}
	const rival = "net/http, encoding/json and a Go map"
	table := figures.Table{Out: os.Stdout}
	table.Add("screen 100 values", node.rate, "requests/s", plain.rate, rival)
	table.Add("screen 100 values, p50", node.p50, "ms", plain.p50, rival)
	table.Add("screen 100 values, p99", node.p99, "ms", plain.p99, rival)
	return table.Write(out)
}

func address(i int) string {
	h := sha256.Sum256(strconv.AppendInt(nil, int64(i), 10))
	return fmt.Sprintf("0x%x", h[:20])
}

// body asks for 99 clear addresses and a listed one.
func body(seed int) string {
	var b strings.Builder
	b.WriteString(`{"values":["` + address(seed%listed) + `"`)
	for i := range asked - 1 {
		b.WriteString(`,"` + address(listed+seed*asked+i) + `"`)
	}
	b.WriteString("]}")
	return b.String()
}

func measureNode(dir string, conns int, length time.Duration) (result, error) {
	x := screen.New(screen.Config{})
	defer x.Close()
	for i := range listed {
		r, err := screen.Read(address(i))
		if err != nil {
			return result{}, err
		}
		x.Put(screen.Statement{
			ID: "indicator--" + uuid.NewString(), Author: "identity--1", Version: time.Now(), Readings: []screen.Reading{r},
			Reason: screen.Reason{Kind: screen.Listing, Marking: "TLP:AMBER", Since: time.Now(), Text: "listed"},
		})
	}
	x.Flush()
	audit, err := api.OpenAudit(filepath.Join(dir, "audit"), nil)
	if err != nil {
		return result{}, err
	}
	defer audit.Close()
	tokens, err := api.OpenTokens(filepath.Join(dir, "tokens.json"), nil)
	if err != nil {
		return result{}, err
	}
	secret, _, err := tokens.Create(api.TokenInfo{Name: "bench", Scopes: []api.Scope{api.ScopeScreen}, Quota: 1 << 40})
	if err != nil {
		return result{}, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	s, err := api.New(api.Config{
		Version: "bench", Organisation: api.Organisation{ID: "identity--1"}, Screener: x, Audit: audit, Tokens: tokens,
		Listen: ln.Addr().String(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return result{}, err
	}
	defer s.Close()
	hs := s.HTTPServer()
	go hs.Serve(ln) //nolint:errcheck // ends with Close
	defer hs.Close()
	return load(ln.Addr().String(), secret, conns, length)
}

// measurePlain is what a handler is that does no more than it must.
func measurePlain(conns int, length time.Duration) (result, error) {
	m := map[string]bool{}
	for i := range listed {
		m[address(i)] = true
	}
	type verdict struct {
		Value   string   `json:"value"`
		ReadAs  string   `json:"read_as"`
		Verdict string   `json:"verdict"`
		Reasons []string `json:"reasons"`
	}
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Values []string `json:"values"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			w.WriteHeader(400)
			return
		}
		var out struct {
			Results []verdict `json:"results"`
		}
		for _, v := range in.Values {
			r := verdict{Value: v, ReadAs: "eip155:1:" + v, Verdict: "clear", Reasons: []string{}}
			if m[strings.ToLower(v)] {
				r.Verdict, r.Reasons = "block", append(r.Reasons, "listed")
			}
			out.Results = append(out.Results, r)
		}
		json.NewEncoder(w).Encode(out) //nolint:errcheck // a measurement
	})}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return result{}, err
	}
	go hs.Serve(ln) //nolint:errcheck // ends with Close
	defer hs.Close()
	return load(ln.Addr().String(), "none", conns, length)
}

type result struct{ rate, p50, p99 float64 }

// load keeps conns connections busy, each with one request at a time.
func load(addr, secret string, conns int, length time.Duration) (result, error) {
	var mu sync.Mutex
	var times []time.Duration
	var failed error
	var work sync.WaitGroup
	began := time.Now()
	for c := range conns {
		work.Go(func() {
			mine, err := drive(addr, secret, c, began.Add(length))
			mu.Lock()
			defer mu.Unlock()
			times = append(times, mine...)
			if err != nil {
				failed = err
			}
		})
	}
	work.Wait()
	if failed != nil || len(times) == 0 {
		return result{}, fmt.Errorf("load: %d answers, %w", len(times), failed)
	}
	slices.Sort(times)
	ms := func(q float64) float64 { return float64(times[int(q*float64(len(times)-1))].Microseconds()) / 1000 }
	return result{float64(len(times)) / time.Since(began).Seconds(), ms(0.5), ms(0.99)}, nil
}

func drive(addr, secret string, seed int, until time.Time) (times []time.Duration, _ error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	requests := make([][]byte, distinct)
	for i := range requests {
		requests[i] = request(addr, secret, body(seed*distinct+i))
	}
	for i := 0; ; i++ {
		began := time.Now()
		if began.After(until) {
			return times, nil
		}
		if _, err := conn.Write(requests[i%distinct]); err != nil {
			return times, err
		}
		if err := answer(r); err != nil {
			return times, err
		}
		times = append(times, time.Since(began))
	}
}

// distinct is how many different requests a connection sends in turn: together
// more than the audit's compression can look back on.
const distinct = 256

func request(addr, secret, text string) []byte {
	return []byte("POST /api/v1/screen HTTP/1.1\r\nHost: " + addr + "\r\nContent-Type: application/json\r\nAuthorization: Bearer " + secret +
		"\r\nContent-Length: " + strconv.Itoa(len(text)) + "\r\n\r\n" + text)
}

// answer reads one response, of known length or in chunks.
func answer(r *bufio.Reader) error {
	status, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200") {
		rest, _ := r.Peek(r.Buffered())
		return fmt.Errorf("%s%s", status, rest)
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if n, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(n)); err != nil {
				return err
			}
		}
	}
	if length >= 0 {
		_, err := r.Discard(length)
		return err
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
		if err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, r, n+2); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}
