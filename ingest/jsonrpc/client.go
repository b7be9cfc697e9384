// Package jsonrpc asks chain nodes: JSON-RPC 2.0 (and the 1.0 that Bitcoin
// nodes answer with) over HTTP, and over WebSocket with subscriptions.
//
// What holds: an answer is bounded in bytes before it is decoded, and over HTTP one
// large answer is read and decoded at a time, however many calls wait; JSON with
// duplicate names or broken UTF-8 is refused; an answer belongs to the question
// whose id it carries; a redirect is never followed, so that credentials reach
// no other host than the one named; errors and String name scheme and host
// only, because users and paths of node URLs are often secrets.
//
// Whether an address may be connected to is the caller's policy: it comes with
// the http.Client. The package does not retry and knows no chain.
package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"bongsu/errs"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DefaultMaxAnswer bounds an answer, in bytes. The traces of one large block of
// Ethereum take some tens of megabytes.
const DefaultMaxAnswer = 256 << 20

// Options of a client. The zero is usable.
type Options struct {
	// HTTP makes the connections, WebSocket ones too; its dialer decides which
	// addresses are allowed. Default http.DefaultClient. Redirects are refused
	// whatever its CheckRedirect says.
	HTTP *http.Client
	// MaxAnswer bounds one answer in bytes; default DefaultMaxAnswer.
	MaxAnswer int64
	// Timeout bounds one call; default 60 s.
	Timeout time.Duration
}

// Client asks one node. It may be used by several goroutines.
type Client struct {
	shown     string
	transport transport
	timeout   time.Duration
}

// transport carries one call; ids are its own business.
type transport interface {
	// call hands the result to use before it gives up what bounds the memory of
	// answers.
	call(ctx context.Context, method string, params []any, use func(jsontext.Value) error) error
	subscribe(ctx context.Context, namespace string, params []any) (*Subscription, error)
	close()
}

// New makes a client for an http, https, ws or wss URL. User and password of
// the URL are sent as basic authentication. Nothing is connected yet.
func New(rawURL string, o Options) (*Client, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return nil, errs.New("node", errs.Usage, "", "not a URL of a node", "write http://HOST:PORT or ws://HOST:PORT")
	}
	shown := u.Scheme + "://" + u.Host
	header := http.Header{}
	if u.User != nil {
		pass, _ := u.User.Password()
		r := http.Request{Header: header}
		r.SetBasicAuth(u.User.Username(), pass)
		u.User = nil
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.MaxAnswer <= 0 {
		o.MaxAnswer = DefaultMaxAnswer
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	hc := *o.HTTP
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{shown: shown, timeout: o.Timeout}
	switch u.Scheme {
	case "http", "https":
		c.transport = &overHTTP{shown: shown, url: u.String(), header: header, client: &hc, max: o.MaxAnswer, first: largeAnswer, large: make(chan struct{}, 1)}
	case "ws", "wss":
		hc.Timeout = 0 // it would end the connection, not a call
		c.transport = &overWS{shown: shown, url: u.String(), header: header, client: &hc, max: o.MaxAnswer}
	default:
		return nil, errs.New("node", errs.Usage, shown, "a node is asked over http, https, ws or wss", "write http://HOST:PORT or ws://HOST:PORT")
	}
	return c, nil
}

// String is scheme and host, without anything secret.
func (c *Client) String() string { return c.shown }

// Call asks and decodes the result into out, which may be nil. Failures are of
// kind errs.Unavailable where asking again later may help, errs.Permission
// where credentials do not, and carry an *Error where the node answered with
// one. A JSON null leaves out untouched.
func (c *Client) Call(ctx context.Context, out any, method string, params ...any) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if params == nil {
		params = []any{}
	}
	return c.transport.call(ctx, method, params, func(result jsontext.Value) error {
		if out == nil || result.Kind() == 'n' {
			return nil
		}
		if err := json.Unmarshal(result, out); err != nil {
			return &errs.Error{
				Op: method, Kind: errs.Invalid, Where: c.shown, Why: "the node's answer is not what this call answers with", Err: err,
				Hint: "check that the URL is that of a node of this chain",
			}
		}
		return nil
	})
}

// Subscribe asks for notifications (NAMESPACE_subscribe). Over HTTP it fails
// with errs.Usage.
func (c *Client) Subscribe(ctx context.Context, namespace string, params ...any) (*Subscription, error) {
	return c.transport.subscribe(ctx, namespace, params)
}

// Subscribes says whether the connection can carry notifications.
func (c *Client) Subscribes() bool {
	_, ok := c.transport.(*overWS)
	return ok
}

// Close ends the connection and every goroutine of the client.
func (c *Client) Close() { c.transport.close() }

// Error is the error object of an answer.
type Error struct {
	Code    int            `json:"code"`
	Message string         `json:"message"`
	Data    jsontext.Value `json:"data,omitzero"`
}

// MethodNotFound is the code of a method that the node does not offer.
const MethodNotFound = -32601

const maxMessage = 300

func (e *Error) Error() string {
	m := e.Message
	if len(m) > maxMessage {
		m = m[:maxMessage] + "..."
	}
	return fmt.Sprintf("the node answered with error %d: %q", e.Code, m)
}

type question struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type answer struct {
	ID     jsontext.Value `json:"id"`
	Result jsontext.Value `json:"result"`
	Error  *Error         `json:"error"`
	Method string         `json:"method"`
	Params *struct {
		Subscription string         `json:"subscription"`
		Result       jsontext.Value `json:"result"`
	} `json:"params"`
}

// gone is a failed connection. One that our own side forbids is no node that
// went away, and asking again would not help.
func gone(shown, method string, err error) error {
	var own *errs.Error
	if errors.As(err, &own) && own.Kind == errs.Permission {
		return &errs.Error{Op: method, Kind: own.Kind, Where: shown, Why: own.Where + " is " + own.Why, Hint: own.Hint}
	}
	return &errs.Error{
		Op: method, Kind: errs.Unavailable, Where: shown, Why: "the node does not answer", Err: withoutURL(err),
		Hint: "check that the node runs and that the URL is right",
	}
}

// withoutURL strips the URL that net/http puts into its errors, and with it
// whatever was wrapped around.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func rpcError(shown, method string, e *Error) error {
	kind := errs.Unavailable
	if e.Code == MethodNotFound {
		kind = errs.NotExist
	}
	return &errs.Error{Op: method, Kind: kind, Where: shown, Err: e}
}
