package evaluate

import (
	"context"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"

	"bongsu/chain"
	"bongsu/errs"
	"bongsu/trace"
)

// DefaultSeed is the traffic generator's, unless another is asked for.
const DefaultSeed = 20250221

// Options of Run; the zero measures every method without and with traffic.
type Options struct {
	Methods []trace.Method // nil: all
	Traffic []int          // rows for each known row; nil: 0 and 20
	Seed    uint64         // 0: DefaultSeed
}

// Score is one line of an evaluation. Attribution, bound and terminals are nil
// for a case without terminals, attribution and terminals for poison, which
// carries no amounts. Shares are rounded half-even to 5 digits.
type Score struct {
	Case         string       `json:"case"`
	Method       trace.Method `json:"method"`
	Traffic      int          `json:"traffic"`
	Rows         int          `json:"rows"`  // traffic included
	Reach        float64      `json:"reach"` // of the rows, by value, that the sources reach in order of time: what no method exceeds
	Reachability float64      `json:"reachability"`
	Attribution  *float64     `json:"attribution"`
	Bound        *float64     `json:"bound"`
	Precision    float64      `json:"precision"`
	Attributed   string       `json:"attributed,omitempty"` // USD, exact
	Arrived      string       `json:"arrived,omitempty"`    // USD that entered the terminals
	Terminals    []Terminal   `json:"terminals"`
}

// Terminal is what came to one terminal address, in USD.
type Terminal struct {
	Account    chain.Account `json:"account"`
	Arrived    string        `json:"arrived"`
	Attributed string        `json:"attributed"`
}

// Mixed is the rows that one amount of traffic was measured on, with each
// method's tainted units on them.
type Mixed struct {
	Traffic int
	Methods []trace.Method
	Rows    []Row
	X       [][]int64 // by method, then row: millionths
}

// Run measures a case.
func Run(ctx context.Context, c Case, opt Options) ([]Score, []Mixed, error) {
	if opt.Methods == nil {
		opt.Methods = trace.Methods()
	}
	if opt.Traffic == nil {
		opt.Traffic = []int{0, 20}
	}
	if opt.Seed == 0 {
		opt.Seed = DefaultSeed
	}
	limit := bound(&c)
	var scores []Score
	var mixed []Mixed
	for _, times := range opt.Traffic {
		if times < 0 || times > 1000 || (times+1)*len(c.Rows) > math.MaxInt32 {
			return nil, nil, errs.New("evaluate", errs.Usage, strconv.Itoa(times), "too much traffic", "ask for 0 to 1000 rows for each row")
		}
		m := Mixed{Traffic: times, Methods: opt.Methods, Rows: c.Rows}
		if times > 0 {
			m.Rows = Mix(&c, times, opt.Seed)
		}
		for _, method := range opt.Methods {
			x, err := taint(ctx, &c, m.Rows, method)
			if err != nil {
				return nil, nil, errs.Wrap("evaluate", c.Name, err)
			}
			m.X = append(m.X, x)
			s, err := c.score(m.Rows, x, method, limit)
			if err != nil {
				return nil, nil, err
			}
			s.Traffic = times
			scores = append(scores, s)
		}
		mixed = append(mixed, m)
	}
	return scores, mixed, nil
}

// taint traces the sources through the rows and returns the tainted units of
// each row. Poison may taint a row for several sources: it counts once.
func taint(ctx context.Context, c *Case, rows []Row, method trace.Method) ([]int64, error) {
	book := newFlows(rows)
	req := trace.Request{Method: method}
	for _, s := range c.Sources {
		if book.refs[s] != 0 {
			req.Sources = append(req.Sources, trace.Source{Account: s})
		}
	}
	run, err := trace.Follow(ctx, book, nil, req)
	if err != nil {
		return nil, err
	}
	x := make([]int64, len(rows))
	sources := set(c.Sources)
	for i, r := range rows { // part of the theft that moves nothing
		if r.From == r.To && sources[r.From] {
			x[i] = r.Value
		}
	}
	if method != trace.Poison {
		for i := range run.Flows {
			n, _ := run.Flows[i].Amount.Uint64()
			x[*run.Flows[i].Ordinal] += int64(n)
		}
		return x, nil
	}
	one := map[uint32]int64{} // of one source: their flows come source by source
	for i := range run.Flows {
		f := &run.Flows[i]
		if i > 0 && run.Flows[i-1].Theft != f.Theft {
			clear(one)
		}
		n, _ := f.Amount.Uint64()
		one[*f.Ordinal] += int64(n)
		x[*f.Ordinal] = max(x[*f.Ordinal], one[*f.Ordinal])
	}
	return x, nil
}

func (c *Case) score(rows []Row, x []int64, method trace.Method, limit int64) (Score, error) {
	s := Score{Case: c.Name, Method: method, Rows: len(rows), Terminals: []Terminal{}}
	terminals := set(c.Terminals)
	arrived, attributed := map[chain.Account]int64{}, map[chain.Account]int64{}
	var known, reached, intoT, attrT, onF, onAll int64
	for i, r := range rows {
		onAll += x[i]
		if !r.Truth {
			continue
		}
		known += r.Value
		onF += x[i]
		if x[i] > 0 {
			reached += r.Value
		}
		if terminals[r.To] {
			intoT, attrT = intoT+r.Value, attrT+x[i]
			arrived[r.To] += r.Value
			attributed[r.To] += x[i]
		}
	}
	s.Reach = ratio(c.reach(), known)
	s.Reachability, s.Precision = ratio(reached, known), ratio(onF, onAll)
	if len(c.Terminals) == 0 {
		return s, nil
	}
	b := ratio(limit, intoT)
	s.Bound, s.Arrived = &b, dollars(intoT)
	if method == trace.Poison {
		return s, nil
	}
	if attrT > limit && !c.forwards() {
		return s, errs.New("evaluate", errs.Internal, c.Name, string(method)+" attributes more than the maximum flow", "report this with the case")
	}
	a := ratio(attrT, intoT)
	s.Attribution, s.Attributed = &a, dollars(attrT)
	for _, t := range c.Terminals {
		s.Terminals = append(s.Terminals, Terminal{t, dollars(arrived[t]), dollars(attributed[t])})
	}
	return s, nil
}

// forwards says whether a known row leaves a terminal. Then what went through
// it may come to a terminal again and count twice, which the bound, where
// terminals do not forward, does not allow for.
func (c *Case) forwards() bool {
	terminals, sources := set(c.Terminals), set(c.Sources)
	return slices.ContainsFunc(c.Rows, func(r Row) bool { return terminals[r.From] && !sources[r.From] })
}

// reach is the value of the known rows that a source sends, or an account that
// such a row has reached before.
func (c *Case) reach() (sum int64) {
	reached := set(c.Sources)
	for _, r := range c.Rows {
		if reached[r.From] {
			reached[r.To] = true
			sum += r.Value
		}
	}
	return sum
}

// ratio is a/b to 5 digits, half-even; 0 of nothing is 0.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return math.RoundToEven(float64(a)/float64(b)*1e5) / 1e5
}

func dollars(v int64) string { return chain.Units(uint64(v)).Decimal(6) }

// WriteCSV writes the mixed rows: Timestamp, Block, Tx_hash, From, To,
// Value_in_USD, truth (1 for a known row), then each method's tainted value.
func (m *Mixed) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	head := []string{"Timestamp", "Block", "Tx_hash", "From", "To", "Value_in_USD", "truth"}
	for _, x := range m.Methods {
		head = append(head, "x_"+string(x))
	}
	if err := c.Write(head); err != nil {
		return errs.Wrap("evaluate", "CSV", err)
	}
	for i, r := range m.Rows {
		row := []string{r.Time.String(), strconv.FormatUint(r.Block, 10), r.Tx, r.From.Address(), r.To.Address(), dollars(r.Value), "0"}
		if r.Truth {
			row[6] = "1"
		}
		for k := range m.Methods {
			row = append(row, dollars(m.X[k][i]))
		}
		if err := c.Write(row); err != nil {
			return errs.Wrap("evaluate", "CSV", err)
		}
	}
	c.Flush()
	return errs.Wrap("evaluate", "CSV", c.Error())
}
