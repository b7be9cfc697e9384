package api

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"bongsu/errs"
	"bongsu/screen"

	"github.com/danielgtaylor/huma/v2"
)

// sessionAnswer is GET /api/v1/session.
type sessionAnswer struct {
	Organisation Organisation `json:"organisation"`
	User         User         `json:"user"`
	CSRF         string       `json:"csrf,omitempty" doc:"to send as X-Bongsu-CSRF with every write; empty for a token"`
	Version      string       `json:"version"`
	Scopes       []Scope      `json:"scopes" doc:"what may be done: screen, read, write, admin"`
}

type screenAnswer struct {
	Results []screenResultDoc `json:"results"`
}

// screenResultDoc describes screen.Result, whose text forms huma cannot see.
type screenResultDoc struct {
	Value   string             `json:"value" doc:"as it was asked"`
	ReadAs  string             `json:"read_as" doc:"canonical text, CAIP-10 of an account, or invalid"`
	Type    string             `json:"type,omitempty" enum:"account,domain,ip,email,hash,text"`
	Verdict string             `json:"verdict" enum:"clear,watch,hold,block,invalid"`
	Reasons []reasonDoc        `json:"reasons" doc:"most severe first, at most 32"`
	More    int                `json:"more,omitempty" doc:"reasons beyond those shown; they count in the verdict"`
	Error   *screen.Unreadable `json:"error,omitempty"`
}

type reasonDoc struct {
	Statement   string     `json:"statement"`
	Author      string     `json:"author"`
	AuthorName  string     `json:"author_name,omitempty"`
	Marking     string     `json:"marking" doc:"TLP 2.0 level"`
	Since       time.Time  `json:"since"`
	Kind        string     `json:"kind" enum:"listing,exposure"`
	Verdict     string     `json:"verdict" enum:"watch,hold,block"`
	Theft       string     `json:"theft,omitempty"`
	Place       string     `json:"place,omitempty" enum:"holding,passed,exit,incomplete,unfollowed"`
	Account     string     `json:"account,omitempty"`
	Amount      *Amount    `json:"amount,omitempty"`
	Origin      *Amount    `json:"origin,omitempty"`
	Label       string     `json:"label,omitempty" doc:"of the service, at an exit"`
	Basis       string     `json:"basis,omitempty" enum:"observed,inferred"`
	Rule        string     `json:"rule,omitempty"`
	Provisional bool       `json:"provisional,omitempty"`
	Text        string     `json:"text,omitempty"`
	Until       *time.Time `json:"until,omitempty"`
}

var screenResult = reflect.TypeFor[screenResultDoc]()

// Schema says that a JSON document may be anything.
func (JSON) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

type (
	out[T any] struct{ Body T }
	none       struct{}
	idIn       struct {
		ID string `path:"id" maxLength:"200" doc:"STIX id"`
	}
	graphIn struct {
		ID   string `path:"id" maxLength:"200"`
		Axis string `query:"axis" enum:"time,hops" default:"time"`
	}
	noContent struct{}

	theftsAnswer struct {
		Thefts []Theft `json:"thefts"`
	}
	partnersAnswer struct {
		Partners []Partner `json:"partners"`
	}
	receiptsAnswer struct {
		Receipts []Receipt `json:"receipts"`
	}
)

func operation(id, method, path, summary, tag string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: base + path, Summary: summary, Tags: []string{tag}}
}

// reads registers what the pages read.
func (s *Server) reads(api huma.API) {
	huma.Register(api, operation("session", http.MethodGet, "/session", "Who is asking, and of whom", "session"), s.readSession)
	end := operation("end-session", http.MethodDelete, "/session", "Sign out", "session")
	end.DefaultStatus = http.StatusNoContent
	huma.Register(api, end, s.endSession)

	huma.Register(api, operation("thefts", http.MethodGet, "/thefts", "Every theft, the newest first", "thefts"),
		func(ctx context.Context, _ *none) (*out[theftsAnswer], error) {
			if s.cfg.Cases == nil {
				return nil, missing("the list of thefts")
			}
			list, err := s.cfg.Cases.Thefts(ctx)
			return answer(s, theftsAnswer{list}, err)
		})
	huma.Register(api, operation("theft", http.MethodGet, "/thefts/{id}", "One theft with its latest trace and labels", "thefts"),
		func(ctx context.Context, in *idIn) (*out[Case], error) {
			if s.cfg.Cases == nil {
				return nil, missing("the list of thefts")
			}
			c, err := s.cfg.Cases.Case(ctx, in.ID)
			if err == nil && c == nil {
				err = errs.New("theft", errs.NotExist, in.ID, "no such theft", "list them with GET "+base+"/thefts")
			}
			if err != nil {
				return nil, s.problemOf(err)
			}
			return &out[Case]{*c}, nil
		})
	huma.Register(api, operation("graph", http.MethodGet, "/thefts/{id}/graph", "The money graph of a theft's latest trace, laid out", "thefts"), s.readGraph)
	huma.Register(api, operation("partners", http.MethodGet, "/partners", "Every partner, and what passed between us", "sharing"),
		func(ctx context.Context, _ *none) (*out[partnersAnswer], error) {
			if s.cfg.Partners == nil {
				return &out[partnersAnswer]{partnersAnswer{[]Partner{}}}, nil
			}
			list, err := s.cfg.Partners.Partners(ctx)
			return answer(s, partnersAnswer{list}, err)
		})
	huma.Register(api, operation("receipts", http.MethodGet, "/statements/{id}/receipts", "What partners signed about one statement", "sharing"),
		func(ctx context.Context, in *idIn) (*out[receiptsAnswer], error) {
			if s.cfg.Partners == nil {
				return &out[receiptsAnswer]{receiptsAnswer{[]Receipt{}}}, nil
			}
			list, err := s.cfg.Partners.Receipts(ctx, in.ID)
			return answer(s, receiptsAnswer{list}, err)
		})
}

func answer[T any](s *Server, body T, err error) (*out[T], error) {
	if err != nil {
		return nil, s.problemOf(err)
	}
	return &out[T]{body}, nil
}

func (s *Server) readSession(ctx context.Context, _ *none) (*out[sessionAnswer], error) {
	who := callOf(ctx).who
	a := sessionAnswer{Organisation: s.cfg.Organisation, User: who.user, Version: s.cfg.Version, Scopes: who.scopes}
	if who.session != nil {
		a.CSRF = who.session.csrf
	} else {
		a.User = User{Name: who.token.Name}
	}
	return &out[sessionAnswer]{a}, nil
}

func (s *Server) endSession(ctx context.Context, _ *none) (*noContent, error) {
	who := callOf(ctx).who
	if who.session == nil {
		return nil, problem(400, errs.Usage, "a token has no session to end", "withdraw the token instead")
	}
	s.sessions.end(who.session)
	return nil, nil
}

func (s *Server) readGraph(ctx context.Context, in *graphIn) (*out[JSON], error) {
	if s.cfg.Layout == nil {
		return nil, missing("the money graph")
	}
	doc, err := s.cfg.Layout(ctx, in.ID, in.Axis)
	return answer(s, doc, err)
}
