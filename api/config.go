package api

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"bongsu/screen"
)

// Config is what a Server is made of. Organisation, Screener and Audit are
// needed; a nil room answers 503 with a hint where its data would be.
type Config struct {
	Version      string       // of the binary
	Organisation Organisation // who runs this node
	Screener     Screener
	Journal      Journal  // appends
	Cases        Cases    // thefts, runs, labels
	Partners     Partners // sharing status
	Layout       Layout   // the money graph
	Audit        *Audit   // who asked what; see OpenAudit
	Tokens       *Tokens  // nil: no bearer tokens
	Pages        fs.FS    // built pages with index.html at the root; nil: a plain page says so
	Hosts        []string // allowed Host values ("localhost:8420"); "127.0.0.1:port", "localhost:port" and "[::1]:port" of Listen are added
	Listen       string   // host:port the listener is bound to
	Secure       bool     // served over TLS (or behind it): cookies are Secure, origins https
	Limits       Limits   // zero fields mean DefaultLimits
	Clock        func() time.Time
	Rand         io.Reader
	Logger       *slog.Logger
}

// Organisation is the node's own identity as pages show it.
type Organisation struct {
	ID          string `json:"id" doc:"STIX identity id"`
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint" doc:"of the root key, to compare by voice"`
}

// Screener answers screening; *screen.Index is one.
type Screener interface {
	// Screen answers for each value, in order.
	Screen(values []string) []screen.Result
	// AppendJSON appends the contract's JSON array of results for values to
	// dst, without the garbage of Screen, and calls seen for each value whose
	// verdict is not clear. seen may be nil.
	AppendJSON(dst []byte, values []string, seen func(i int, v screen.Verdict)) []byte
}

// Appended is one statement that the journal took.
type Appended struct {
	ID        string    `json:"id" doc:"STIX id"`
	Sequence  uint64    `json:"sequence" doc:"position in the journal"`
	Committed time.Time `json:"committed" doc:"when the journal had it durably, RFC 3339 UTC with nanoseconds"`
}

// Listing is a value to name: what POST /statements {"list": ...} takes.
type Listing struct {
	Value   string `json:"value" doc:"account, domain, e-mail address, IP address or file hash"`
	Reason  string `json:"reason,omitempty" maxLength:"2000" doc:"why, in the author's words"`
	Marking string `json:"marking,omitempty" doc:"clear, green, amber, amber+strict or red; amber when empty"`
}

// Journal appends statements of this organisation. One call is one
// transaction: all of it or nothing.
type Journal interface {
	// AppendObjects appends STIX 2.1 objects given as raw JSON, by the named
	// user. Invalid objects are errs.Invalid and name the object.
	AppendObjects(ctx context.Context, user string, objects [][]byte) ([]Appended, error)
	// List states a listing of a value.
	List(ctx context.Context, user string, l Listing) (Appended, error)
	// Watch calls event for each statement appended after the call, by any
	// process, until ctx ends. It returns ctx's cause.
	Watch(ctx context.Context, event func(Event)) error
}

// Amount is an amount as JSON carries it.
type Amount = screen.Money

// Theft is one theft as the first page lists it.
type Theft struct {
	ID            string     `json:"id" doc:"STIX id of the incident"`
	Title         string     `json:"title"`
	Stated        time.Time  `json:"stated"`
	Author        string     `json:"author" doc:"STIX identity id"`
	AuthorName    string     `json:"author_name,omitempty"`
	Marking       string     `json:"marking" doc:"TLP 2.0 level, such as TLP:AMBER"`
	Fires         int        `json:"fires" minimum:"1" maximum:"5" doc:"1 quiet, 2 stated, 3 moving, 4 at a service, 5 being cashed out"`
	Amounts       []Amount   `json:"amounts" doc:"what was stolen"`
	HoldingsTotal []Amount   `json:"holdings_total" doc:"what rests in holdings"`
	Where         []Where    `json:"where"`
	Accounts      int        `json:"accounts" doc:"accounts that received taint"`
	Transfers     int        `json:"transfers" doc:"transfers that carried it, the theft's own included"`
	Digest        string     `json:"digest,omitempty" doc:"of the latest run"`
	Traced        *time.Time `json:"traced,omitempty"`
}

// Where is how much lies in one kind of place.
type Where struct {
	Place    string   `json:"place" enum:"holding,passed,exit,unfollowed,incomplete"`
	Amounts  []Amount `json:"amounts"`
	Accounts int      `json:"accounts"`
}

// Movement is one stolen transfer.
type Movement struct {
	Chain  string    `json:"chain" doc:"CAIP-2"`
	Tx     string    `json:"tx"`
	Time   time.Time `json:"time,omitzero"`
	Block  uint64    `json:"block,omitempty"`
	From   string    `json:"from" doc:"CAIP-10"`
	To     string    `json:"to" doc:"CAIP-10"`
	Kind   string    `json:"kind"`
	Amount Amount    `json:"amount"`
}

// Label is what one source says of an account.
type Label struct {
	Label      string  `json:"label"`
	Category   string  `json:"category,omitempty"`
	Source     string  `json:"source"`
	Confidence float64 `json:"confidence" doc:"0 to 100"`
	LastMod    string  `json:"lastmod,omitempty"`
	Deciding   bool    `json:"deciding" doc:"the one that traces go by"`
}

// News is what a watch stated of stolen funds as they moved: what one
// transaction brought to one account in one asset.
type News struct {
	Statement   string    `json:"statement" doc:"STIX id"`
	Author      string    `json:"author" doc:"STIX identity id"`
	AuthorName  string    `json:"author_name,omitempty"`
	Marking     string    `json:"marking" doc:"TLP 2.0 level, such as TLP:AMBER"`
	Stated      time.Time `json:"stated" doc:"when its journal had this version"`
	Event       string    `json:"event" enum:"moved,reached-service,woke"`
	Account     string    `json:"account" doc:"CAIP-10, where the funds arrived"`
	From        []string  `json:"from" doc:"CAIP-10, the senders; the first 100"`
	Senders     int       `json:"senders" doc:"how many senders there are"`
	Amount      Amount    `json:"amount"`
	Origin      *Amount   `json:"origin,omitempty" doc:"the part of the theft it stands for"`
	Tx          string    `json:"tx"`
	Block       uint64    `json:"block,omitempty"`
	Time        time.Time `json:"time,omitzero" doc:"of the block"`
	IdleDays    int       `json:"idle_days,omitempty" doc:"how long the funds had lain, when they woke"`
	Label       string    `json:"label,omitempty" doc:"of the service"`
	LabelSource string    `json:"label_source,omitempty"`
	Basis       string    `json:"basis" enum:"observed,inferred"`
	Rule        string    `json:"rule,omitempty" doc:"by which it was inferred"`
	Link        string    `json:"link,omitempty" enum:"wrap,unwrap" doc:"the account turned what it had into this asset, and nobody sent it"`
	Via         string    `json:"via,omitempty" doc:"CAIP-10, the contract that did"`
	Provisional bool      `json:"provisional" doc:"the block is not final"`
}

// Case is one theft whole.
type Case struct {
	Theft      Theft              `json:"theft"`
	Movements  []Movement         `json:"movements" doc:"the stolen transfers"`
	Trace      JSON               `json:"trace" doc:"the contract's trace object of the latest run, or null"`
	Labels     map[string][]Label `json:"labels" doc:"by CAIP-10 account"`
	Statements int                `json:"statements" doc:"how many live statements name the theft"`
	News       []News             `json:"news" doc:"what watches stated of it, the newest first, at most 1,000"`
	NewsTotal  int                `json:"news_total" doc:"how many they stated"`
}

// Cases lists thefts and their latest runs.
type Cases interface {
	Thefts(ctx context.Context) ([]Theft, error)
	// Case returns one theft, or errs.NotExist.
	Case(ctx context.Context, id string) (*Case, error)
}

// Layout draws the money graph of a theft's latest run as JSON; axis is "time"
// or "hops". errs.NotExist: no such theft, or no run yet.
type Layout func(ctx context.Context, theft, axis string) (JSON, error)

// Receipts counts receipts by state.
type Receipts struct {
	Arrived int `json:"arrived"`
	Active  int `json:"active"`
	Acted   int `json:"acted"`
	Removed int `json:"removed"`
	Refused int `json:"refused"`
}

// Agreement is the state of one agreement.
type Agreement struct {
	ID         string     `json:"id"`
	Title      string     `json:"title"`
	State      string     `json:"state" doc:"proposed, active, ended or expired"`
	ValidFrom  time.Time  `json:"valid_from"`
	ValidUntil *time.Time `json:"valid_until,omitempty"`
	HighestTLP string     `json:"highest_tlp"`
}

// Partner is one partner with what passed between the two.
type Partner struct {
	ID          string      `json:"id" doc:"STIX identity id"`
	Name        string      `json:"name"`
	Fingerprint string      `json:"fingerprint"`
	Since       time.Time   `json:"since"`
	Agreements  []Agreement `json:"agreements"`
	Shared      int         `json:"shared"`
	Withheld    int         `json:"withheld"`
	Receipts    Receipts    `json:"receipts"`
	P50         float64     `json:"p50_ms" doc:"milliseconds from our commit to their changed screening, median"`
	P99         float64     `json:"p99_ms"`
	LastSeen    *time.Time  `json:"last_seen,omitempty"`
	Unanswered  int         `json:"unanswered" doc:"shared statements without a receipt"`
}

// Receipt is one partner's signed word on one statement.
type Receipt struct {
	Partner     string    `json:"partner"`
	PartnerName string    `json:"partner_name,omitempty"`
	State       string    `json:"state" enum:"arrived,active,acted,removed,refused"`
	At          time.Time `json:"at"`
	Millis      float64   `json:"ms" doc:"from our commit to At"`
}

// Partners is the status of sharing.
type Partners interface {
	Partners(ctx context.Context) ([]Partner, error)
	// Receipts of one statement, oldest first.
	Receipts(ctx context.Context, statement string) ([]Receipt, error)
}

// Event is one server-sent event.
type Event struct {
	Kind string `json:"kind" enum:"theft,finding,receipt,screening,journal"`
	Data any    `json:"data"`
}

// JSON is a document made elsewhere, passed on as it is; empty is null.
type JSON []byte

// MarshalJSON writes the document.
func (j JSON) MarshalJSON() ([]byte, error) {
	if len(j) == 0 {
		return []byte("null"), nil
	}
	return j, nil
}

// Limits are the explicit bounds of the HTTP side.
type Limits struct {
	ScreenValues  int           // values a POST /screen
	ScreenBytes   int64         // bytes of its body
	StreamLine    int           // bytes of one line of POST /screen/stream
	BodyBytes     int64         // bytes of any other body
	JSONDepth     int           // nesting of any JSON that comes in
	Statements    int           // objects a POST /statements
	Concurrent    int           // requests served at once; more wait, then get 429
	Waiting       int           // requests that may wait for a place
	WaitTime      time.Duration // and how long
	RequestTime   time.Duration // for one request, streams apart
	StreamIdle    time.Duration // a stream that neither sends nor takes a byte is ended
	Beat          time.Duration // a silent event stream sends a comment this often, and asks anew whether its reader may listen
	Streams       int           // event and screening streams at once
	Sessions      int           // sessions at once; the oldest goes
	SessionIdle   time.Duration // a session ends this long after its last request
	SessionTime   time.Duration // and this long after its sign-in in any case
	SignInTime    time.Duration // a sign-in link is good for
	EventsBehind  int           // events that a slow reader may lag before it is cut off
	HeaderBytes   int           // for http.Server.MaxHeaderBytes
	HeaderTimeout time.Duration // for http.Server.ReadHeaderTimeout
}

// DefaultLimits are the limits when nothing else is said.
func DefaultLimits() Limits {
	return Limits{
		ScreenValues: 1000, ScreenBytes: 4 << 20, StreamLine: 8 << 10, BodyBytes: 8 << 20, JSONDepth: 64, Statements: 10000,
		Concurrent: 64, Waiting: 256, WaitTime: 2 * time.Second, RequestTime: 30 * time.Second, StreamIdle: 60 * time.Second, Beat: 15 * time.Second,
		Streams: 256, Sessions: 64, SessionIdle: 8 * time.Hour, SessionTime: 7 * 24 * time.Hour, SignInTime: 15 * time.Minute,
		EventsBehind: 256, HeaderBytes: 32 << 10, HeaderTimeout: 5 * time.Second,
	}
}
