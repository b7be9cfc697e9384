package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"bongsu/errs"
)

// principal is who asks: a signed-in user or a token's holder.
type principal struct {
	name    string // "user:min" or "token:3f.."
	user    User   // of a session
	session *session
	token   *TokenInfo
	scopes  []Scope
	csrf    bool // the request carried the session's CSRF token
}

// csrfHeader carries the session's CSRF token on every write. A custom header
// cannot be set by another site's form, nor by its script without our CORS
// consent, which is never given.
const csrfHeader = "X-Bongsu-CSRF"

func (p *principal) may(scope Scope, r *http.Request) *Problem {
	if !slices.Contains(p.scopes, scope) {
		return problem(403, errs.Permission, "this needs the right \""+string(scope)+"\"", "ask an admin of this node for a role or a token that has it")
	}
	if p.session != nil && r.Method != http.MethodGet && r.Method != http.MethodHead && !p.csrf {
		return problem(403, errs.Permission, "the header "+csrfHeader+" is missing or wrong", "send the csrf value of GET /api/v1/session")
	}
	return nil
}

var roleScopes = map[Role][]Scope{
	Reader:  {ScopeRead, ScopeScreen},
	Analyst: {ScopeRead, ScopeScreen, ScopeWrite},
	Admin:   {ScopeRead, ScopeScreen, ScopeWrite, ScopeAdmin},
}

// authenticate finds out who asks. A request with both a cookie and a bearer
// token is refused: it is not clear for whom it speaks.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request, now time.Time) (*principal, *Problem) {
	bearer, hasBearer := r.Header["Authorization"]
	cookie, err := r.Cookie(s.cookieName())
	hasCookie := err == nil
	switch {
	case hasBearer && hasCookie:
		return nil, problem(400, errs.Usage, "the request carries a session and a token", "send one of the two")
	case hasBearer:
		return s.byToken(bearer, now)
	case hasCookie:
		return s.bySession(w, r, cookie.Value, now)
	}
	return nil, unauthorised("this needs a session or a token", "open the sign-in link that serve printed, or send Authorization: Bearer TOKEN")
}

func unauthorised(detail, hint string) *Problem {
	return problem(401, errs.Permission, detail, hint).with("WWW-Authenticate", `Bearer realm="bongsu"`)
}

func (s *Server) byToken(header []string, now time.Time) (*principal, *Problem) {
	scheme, secret, _ := strings.Cut(header[0], " ")
	if len(header) == 1 && strings.EqualFold(scheme, "Bearer") && s.cfg.Tokens != nil {
		if t, ok := s.cfg.Tokens.check(secret, now); ok {
			return &principal{name: t.who, token: &t.TokenInfo, scopes: t.Scopes}, nil
		}
	}
	return nil, unauthorised("the token is unknown, expired or withdrawn", "ask an admin of this node for a new one")
}

func (s *Server) bySession(w http.ResponseWriter, r *http.Request, id string, now time.Time) (*principal, *Problem) {
	ses, renew := s.sessions.use(id, now)
	if ses == nil {
		s.setCookie(w, "", -1)
		return nil, unauthorised("the session has ended", "open a new sign-in link")
	}
	if renew {
		s.setCookie(w, id, int(s.limits.SessionIdle/time.Second))
	}
	got := r.Header.Get(csrfHeader)
	return &principal{
		name: "user:" + ses.user.Name, user: ses.user, session: ses, scopes: roleScopes[ses.user.Role],
		csrf: subtle.ConstantTimeCompare([]byte(got), []byte(ses.csrf)) == 1,
	}, nil
}

// cookieName differs from node to node: cookies know no ports, and two nodes
// on one machine would sign each other's users out.
func (s *Server) cookieName() string {
	sum := sha256.Sum256([]byte(s.cfg.Organisation.ID))
	name := "bongsu-" + hex.EncodeToString(sum[:6])
	if s.cfg.Secure {
		return "__Host-" + name
	}
	return name
}

func (s *Server) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.cfg.Secure, SameSite: http.SameSiteStrictMode,
	})
}

// session is one signed-in browser.
type session struct {
	user    User
	csrf    string
	began   time.Time
	last    time.Time // of its last request
	renewed time.Time // when the cookie was last sent
}

// sessions holds sign-in links and sessions in memory, by the SHA-256 of their
// secrets, so that no comparison of secrets takes a telling time.
type sessions struct {
	limits Limits

	mu    sync.Mutex // owns the maps and the sessions' times
	links map[[32]byte]link
	live  map[[32]byte]*session
}

type link struct {
	user User
	ends time.Time
}

func newSessions(l Limits) *sessions {
	return &sessions{limits: l, links: map[[32]byte]link{}, live: map[[32]byte]*session{}}
}

func (ss *sessions) invite(secret string, u User, now time.Time) error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for k, l := range ss.links {
		if !now.Before(l.ends) {
			delete(ss.links, k)
		}
	}
	if len(ss.links) >= ss.limits.Sessions {
		return errs.New("sign in", errs.Limit, "", "too many unused sign-in links", "wait until some have expired")
	}
	ss.links[sha256.Sum256([]byte(secret))] = link{u, now.Add(ss.limits.SignInTime)}
	return nil
}

// redeem uses up a link and starts a session under id.
func (ss *sessions) redeem(secret, id, csrf string, now time.Time) (User, bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	k := sha256.Sum256([]byte(secret))
	l, ok := ss.links[k]
	delete(ss.links, k)
	if !ok || !now.Before(l.ends) {
		return User{}, false
	}
	ss.sweep(now)
	ss.live[sha256.Sum256([]byte(id))] = &session{user: l.user, csrf: csrf, began: now, last: now, renewed: now}
	return l.user, true
}

// sweep removes what has ended, and the one longest unused when there are too
// many. ss.mu is held.
func (ss *sessions) sweep(now time.Time) {
	var oldest [32]byte
	var at time.Time
	for k, v := range ss.live {
		if ss.ended(v, now) {
			delete(ss.live, k)
		} else if at.IsZero() || v.last.Before(at) {
			oldest, at = k, v.last
		}
	}
	if len(ss.live) >= ss.limits.Sessions {
		delete(ss.live, oldest)
	}
}

func (ss *sessions) ended(v *session, now time.Time) bool {
	return now.Sub(v.last) >= ss.limits.SessionIdle || now.Sub(v.began) >= ss.limits.SessionTime
}

// use finds a live session and marks it used; renew says that the cookie's
// time should be set anew, which is not done on every request.
func (ss *sessions) use(id string, now time.Time) (_ *session, renew bool) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	k := sha256.Sum256([]byte(id))
	v := ss.live[k]
	if v == nil {
		return nil, false
	}
	if ss.ended(v, now) {
		delete(ss.live, k)
		return nil, false
	}
	v.last = now
	if renew = now.Sub(v.renewed) >= ss.limits.SessionIdle/10; renew {
		v.renewed = now
	}
	return v, renew
}

// alive says whether a session still stands, without using it.
func (ss *sessions) alive(v *session, now time.Time) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, l := range ss.live {
		if l == v {
			return !ss.ended(v, now)
		}
	}
	return false
}

// count is how many sessions stand.
func (ss *sessions) count(now time.Time) (n int) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, v := range ss.live {
		if !ss.ended(v, now) {
			n++
		}
	}
	return n
}

func (ss *sessions) end(v *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for k, l := range ss.live {
		if l == v {
			delete(ss.live, k)
		}
	}
}

// SignInLink makes a one-time link under base ("http://127.0.0.1:8420") that
// signs u in within Limits.SignInTime. Links live in memory.
func (s *Server) SignInLink(base string, u User) (string, error) {
	if roleScopes[u.Role] == nil || u.Name == "" || len(u.Name) > 100 {
		return "", errs.New("sign in", errs.Usage, u.Name, "a user needs a name and a role", "use reader, analyst or admin")
	}
	secret := s.random(32)
	if err := s.sessions.invite(secret, u, s.clock()); err != nil {
		return "", err
	}
	return strings.TrimSuffix(base, "/") + "/signin?token=" + secret, nil
}

// signIn is GET /signin?token=ONETIME.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	now := s.clock()
	id := s.random(32)
	asked := &Asked{At: now.UTC(), Who: "-", From: r.RemoteAddr, Method: r.Method, Path: r.URL.Path, Status: 401}
	u, ok := s.sessions.redeem(r.URL.Query().Get("token"), id, s.random(32), now)
	if ok {
		asked.Who, asked.Status = "user:"+u.Name, 303
	}
	var err error
	if ok || s.strangers.admit(asked) {
		err = s.cfg.Audit.Record(asked)
	}
	if err == nil && ok { // who came in is durable before he is in
		err = s.cfg.Audit.Sync(r.Context())
	}
	if err != nil {
		s.problemOf(err).write(w)
		return
	}
	if !ok {
		unauthorised("this sign-in link is unknown, used or expired", "ask an admin of this node for a new link, or restart serve").write(w)
		return
	}
	s.setCookie(w, id, int(s.limits.SessionIdle/time.Second))
	w.Header().Set("Location", "/")
	w.WriteHeader(http.StatusSeeOther)
}
