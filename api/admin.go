package api

import (
	"context"
	"net/http"
	"time"

	"bongsu/screen"

	"github.com/danielgtaylor/huma/v2"
)

type (
	tokensAnswer struct {
		Tokens []TokenInfo `json:"tokens"`
	}
	newToken struct {
		Body struct {
			Name   string  `json:"name" minLength:"1" maxLength:"100"`
			Scopes []Scope `json:"scopes" minItems:"1" maxItems:"4" enum:"screen,read,write,admin"`
			Quota  int     `json:"quota,omitempty" minimum:"0" doc:"screened values a minute; 0 is without limit"`
			Days   int     `json:"days,omitempty" minimum:"0" maximum:"3650" doc:"until it expires; 0 is never"`
		}
	}
	madeToken struct {
		Token  TokenInfo `json:"token"`
		Secret string    `json:"secret" doc:"shown this once"`
	}
)

// tokenOperations registers what admins do with tokens.
func (s *Server) tokenOperations(api huma.API) {
	huma.Register(api, operation("tokens", http.MethodGet, "/tokens", "List the tokens", "tokens"),
		func(context.Context, *none) (*out[tokensAnswer], error) {
			if s.cfg.Tokens == nil {
				return nil, missing("the token file")
			}
			list, err := s.cfg.Tokens.List()
			return answer(s, tokensAnswer{list}, err)
		})
	create := operation("create-token", http.MethodPost, "/tokens", "Make a token", "tokens")
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create, s.createToken)
	withdraw := operation("withdraw-token", http.MethodDelete, "/tokens/{id}", "Withdraw a token", "tokens")
	withdraw.DefaultStatus = http.StatusNoContent
	huma.Register(api, withdraw, func(ctx context.Context, in *idIn) (*noContent, error) {
		if s.cfg.Tokens == nil {
			return nil, missing("the token file")
		}
		c := callOf(ctx)
		c.asked.Subject = []string{in.ID}
		if err := s.cfg.Tokens.Withdraw(in.ID); err != nil {
			return nil, s.problemOf(err)
		}
		if err := s.recordNow(ctx, c); err != nil {
			return nil, s.problemOf(err)
		}
		return nil, nil
	})
}

func (s *Server) createToken(ctx context.Context, in *newToken) (*out[madeToken], error) {
	if s.cfg.Tokens == nil {
		return nil, missing("the token file")
	}
	c := callOf(ctx)
	info := TokenInfo{Name: in.Body.Name, Scopes: in.Body.Scopes, Quota: in.Body.Quota, By: c.who.name}
	if in.Body.Days > 0 {
		ends := s.clock().UTC().AddDate(0, 0, in.Body.Days)
		info.Expires = &ends
	}
	secret, made, err := s.cfg.Tokens.Create(info)
	if err != nil {
		return nil, s.problemOf(err)
	}
	c.asked.Subject = []string{made.ID}
	if err := s.recordNow(ctx, c); err != nil {
		return nil, s.problemOf(err)
	}
	return &out[madeToken]{madeToken{made, secret}}, nil
}

type (
	newLink struct {
		Body struct {
			Name string `json:"name" minLength:"1" maxLength:"100" doc:"of the user"`
			Role Role   `json:"role" enum:"reader,analyst,admin"`
		}
	}
	madeLink struct {
		Link    string    `json:"link" doc:"good once"`
		Expires time.Time `json:"expires"`
	}
	statusAnswer struct {
		Version   string        `json:"version"`
		Screening *screenStatus `json:"screening,omitempty"`
		Streams   int           `json:"streams" doc:"open event and screening streams"`
		Sessions  int           `json:"sessions"`
	}
	screenStatus struct {
		screen.Stats
		Position uint64 `json:"position" doc:"of the next journal entry to take in"`
	}
)

// statistical is a screener that says how large it is; *screen.Index does.
type statistical interface {
	Stats() screen.Stats
	Position() uint64
}

// adminOperations registers what operators ask for.
func (s *Server) adminOperations(api huma.API) {
	huma.Register(api, operation("status", http.MethodGet, "/status", "How the node is", "session"),
		func(context.Context, *none) (*out[statusAnswer], error) {
			a := statusAnswer{Version: s.cfg.Version, Streams: int(s.streams.Load()), Sessions: s.sessions.count(s.clock())}
			if x, ok := s.cfg.Screener.(statistical); ok {
				a.Screening = &screenStatus{x.Stats(), x.Position()}
			}
			return &out[statusAnswer]{a}, nil
		})
	create := operation("create-sign-in-link", http.MethodPost, "/sign-in-links", "Make a one-time link that signs a user in", "session")
	create.DefaultStatus = http.StatusCreated
	huma.Register(api, create, s.createLink)
}

func (s *Server) createLink(ctx context.Context, in *newLink) (*out[madeLink], error) {
	c := callOf(ctx)
	scheme := "http://"
	if s.cfg.Secure {
		scheme = "https://"
	}
	link, err := s.SignInLink(scheme+c.host, User{in.Body.Name, in.Body.Role})
	if err != nil {
		return nil, s.problemOf(err)
	}
	c.asked.Subject = []string{string(in.Body.Role) + " " + in.Body.Name}
	if err := s.recordNow(ctx, c); err != nil {
		return nil, s.problemOf(err)
	}
	return &out[madeLink]{madeLink{link, s.clock().UTC().Add(s.limits.SignInTime)}}, nil
}
