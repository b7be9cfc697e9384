package api

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"bongsu/durable"
	"bongsu/errs"

	jsonv2 "github.com/go-json-experiment/json"
)

// Scope is one thing that a token may do.
type Scope string

// The scopes.
const (
	ScopeScreen Scope = "screen" // POST /screen and /screen/stream
	ScopeRead   Scope = "read"   // every GET
	ScopeWrite  Scope = "write"  // POST /statements
	ScopeAdmin  Scope = "admin"  // tokens
)

var allScopes = []Scope{ScopeScreen, ScopeRead, ScopeWrite, ScopeAdmin}

// MaxTokens is how many tokens a node holds.
const MaxTokens = 1000

// TokenInfo is what is known of a token; never its secret.
type TokenInfo struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Scopes  []Scope    `json:"scopes"`
	Quota   int        `json:"quota" doc:"screened values a minute; 0 is without limit"`
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires,omitempty"`
	By      string     `json:"by,omitempty" doc:"who made it"`
}

// storedToken is one token in the file (FORMAT.md).
type storedToken struct {
	TokenInfo
	Hash string `json:"sha256"` // of the secret, hex

	hash [32]byte
	who  string // for the audit
}

type tokenFile struct {
	Version int           `json:"version"`
	Tokens  []storedToken `json:"tokens"`
}

const (
	tokenFileVersion = 1
	maxTokenFile     = 1 << 20
	tokenPrefix      = "bongsu_"
	tokenReload      = 250 * time.Millisecond
)

// Tokens are the bearer tokens of machines, in one file of mode 0600 that
// several processes may change; a change counts everywhere within a quarter of
// a second. Secrets are 256 random bits, so a plain SHA-256 of each is stored.
type Tokens struct {
	file  string
	clock func() time.Time

	mu      sync.Mutex // owns the fields below
	byID    map[string]*storedToken
	stamp   fileStamp
	checked time.Time
}

type fileStamp struct {
	size int64
	mod  time.Time
}

// OpenTokens opens the file name (DIR/tokens.json), which is made when the
// first token is. clock may be nil.
func OpenTokens(name string, clock func() time.Time) (*Tokens, error) {
	if clock == nil {
		clock = time.Now
	}
	t := &Tokens{file: name, clock: clock}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t, t.load()
}

// load reads the file. t.mu is held.
func (t *Tokens) load() error {
	f, err := os.Open(t.file)
	if errors.Is(err, fs.ErrNotExist) {
		t.byID, t.stamp = map[string]*storedToken{}, fileStamp{}
		return nil
	}
	if err != nil {
		return errs.Wrap("tokens", t.file, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return errs.Wrap("tokens", t.file, err)
	}
	if info.Size() > maxTokenFile {
		return errs.New("tokens", errs.Limit, t.file, "larger than any token file", "put back a copy of it")
	}
	var doc tokenFile
	if err := jsonv2.UnmarshalRead(f, &doc, jsonv2.RejectUnknownMembers(true)); err != nil {
		return &errs.Error{Op: "tokens", Kind: errs.Corrupt, Where: t.file, Hint: "put back a copy of it, or remove it and make new tokens", Err: err}
	}
	if doc.Version != tokenFileVersion {
		return errs.New("tokens", errs.Invalid, t.file, "of another version", "use the bongsu that wrote it")
	}
	byID := make(map[string]*storedToken, len(doc.Tokens))
	for i := range doc.Tokens {
		tok := &doc.Tokens[i]
		raw, err := hex.DecodeString(tok.Hash)
		if err != nil || len(raw) != 32 || tok.ID == "" {
			return errs.New("tokens", errs.Corrupt, t.file, "a token in it is damaged", "put back a copy of it, or remove it and make new tokens")
		}
		tok.hash, tok.who = [32]byte(raw), "token:"+tok.ID
		byID[tok.ID] = tok
	}
	t.byID, t.stamp = byID, fileStamp{info.Size(), info.ModTime()}
	return nil
}

// refresh reads the file again when another process changed it. t.mu is held.
func (t *Tokens) refresh() error {
	now := time.Now()
	if now.Sub(t.checked) < tokenReload {
		return nil
	}
	t.checked = now
	info, err := os.Stat(t.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		t.byID, t.stamp = map[string]*storedToken{}, fileStamp{}
		return nil
	case err != nil:
		return errs.Wrap("tokens", t.file, err)
	case t.stamp == fileStamp{info.Size(), info.ModTime()}:
		return nil
	}
	return t.load()
}

// check finds the live token of a secret. A token file that cannot be read
// lets nobody in.
func (t *Tokens) check(secret string, now time.Time) (*storedToken, bool) {
	rest, ok := strings.CutPrefix(secret, tokenPrefix)
	id, _, ok2 := strings.Cut(rest, "_")
	if !ok || !ok2 || len(secret) > 200 {
		return nil, false
	}
	t.mu.Lock()
	err := t.refresh()
	tok := t.byID[id]
	t.mu.Unlock()
	if err != nil || tok == nil {
		return nil, false
	}
	sum := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(sum[:], tok.hash[:]) != 1 || tok.Expires != nil && !now.Before(*tok.Expires) {
		return nil, false
	}
	return tok, true
}

// stands says whether a token that was checked before still counts.
func (t *Tokens) stands(id string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.refresh()
	tok := t.byID[id]
	return err == nil && tok != nil && (tok.Expires == nil || now.Before(*tok.Expires))
}

// List returns the tokens, oldest first.
func (t *Tokens) List() ([]TokenInfo, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.load(); err != nil {
		return nil, err
	}
	out := make([]TokenInfo, 0, len(t.byID))
	for _, tok := range t.sorted() {
		out = append(out, tok.TokenInfo)
	}
	return out, nil
}

// Create makes a token and returns its secret, which is shown this once. ID
// and Created of info are set by it; at least one scope is needed.
func (t *Tokens) Create(info TokenInfo) (secret string, made TokenInfo, err error) {
	if err := checkToken(info); err != nil {
		return "", TokenInfo{}, err
	}
	var raw [38]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", TokenInfo{}, errs.Wrap("tokens", "", err)
	}
	info.ID, info.Created = hex.EncodeToString(raw[:6]), t.clock().UTC()
	secret = tokenPrefix + info.ID + "_" + base64.RawURLEncoding.EncodeToString(raw[6:])
	sum := sha256.Sum256([]byte(secret))
	err = t.change(func() error {
		if len(t.byID) >= MaxTokens {
			return errs.New("tokens", errs.Limit, "", "a node holds at most 1,000 tokens", "withdraw some")
		}
		t.byID[info.ID] = &storedToken{TokenInfo: info, Hash: hex.EncodeToString(sum[:]), hash: sum, who: "token:" + info.ID}
		return nil
	})
	return secret, info, err
}

func checkToken(info TokenInfo) error {
	bad := func(why string) error {
		return errs.New("tokens", errs.Usage, info.Name, why, "give a name and scopes out of screen, read, write and admin")
	}
	switch {
	case strings.TrimSpace(info.Name) == "" || len(info.Name) > 100:
		return bad("a token needs a name of at most 100 bytes")
	case len(info.Scopes) == 0:
		return bad("a token needs a scope")
	case info.Quota < 0:
		return bad("a quota is not negative")
	}
	for _, s := range info.Scopes {
		if !slices.Contains(allScopes, s) {
			return bad("no such scope: " + string(s))
		}
	}
	return nil
}

// Withdraw ends a token for good.
func (t *Tokens) Withdraw(id string) error {
	return t.change(func() error {
		if t.byID[id] == nil {
			return errs.New("tokens", errs.NotExist, id, "no such token", "list them first")
		}
		delete(t.byID, id)
		return nil
	})
}

// change reads the file under its lock, applies fn and writes it whole.
func (t *Tokens) change(fn func() error) error {
	lock, err := durable.WaitLock(filepath.Join(filepath.Dir(t.file), ".tokens.lock"))
	if err != nil {
		return err
	}
	defer lock.Unlock() //nolint:errcheck // closing ends the lock in any case
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.load(); err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	doc := tokenFile{Version: tokenFileVersion, Tokens: []storedToken{}}
	for _, tok := range t.sorted() {
		doc.Tokens = append(doc.Tokens, *tok)
	}
	text, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return errs.Wrap("tokens", t.file, err)
	}
	if err := durable.WriteFile(t.file, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return t.load()
}

func (t *Tokens) sorted() []*storedToken {
	out := make([]*storedToken, 0, len(t.byID))
	for _, tok := range t.byID {
		out = append(out, tok)
	}
	slices.SortFunc(out, func(a, b *storedToken) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}
