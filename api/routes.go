package api

import (
	"net/http"
	"reflect"
	"strings"

	"bongsu/errs"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const base = "/api/v1"

// scopes of the operations that huma serves, where they are not ScopeRead.
var operationScopes = map[string]Scope{
	"GET " + base + "/tokens":         ScopeAdmin,
	"POST " + base + "/tokens":        ScopeAdmin,
	"DELETE " + base + "/tokens/{id}": ScopeAdmin,
	"POST " + base + "/sign-in-links": ScopeAdmin,
}

// guardedMux is the mux that huma registers on: every operation goes through
// the guard.
type guardedMux struct{ s *Server }

// HandleFunc registers a guarded operation.
func (g guardedMux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	scope := ScopeRead
	if sc, ok := operationScopes[pattern]; ok {
		scope = sc
	}
	g.s.mux.HandleFunc(pattern, g.s.guarded(scope, false, h))
}

// ServeHTTP is for huma's own tests; nothing here calls it.
func (g guardedMux) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.s.mux.ServeHTTP(w, r) }

// routes is the explicit list of everything that is answered.
func (s *Server) routes() {
	api := s.openAPI()
	s.reads(api)
	s.tokenOperations(api)
	s.adminOperations(api)

	s.mux.HandleFunc("POST "+base+"/screen", s.guarded(ScopeScreen, false, s.screen))
	s.mux.HandleFunc("POST "+base+"/screen/stream", s.guarded(ScopeScreen, true, s.screenStream))
	s.mux.HandleFunc("POST "+base+"/statements", s.guarded(ScopeWrite, false, s.appendStatements))
	s.mux.HandleFunc("GET "+base+"/events", s.guarded(ScopeRead, true, s.streamEvents))
	s.describe(api)

	doc := s.document(api)
	s.mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = headerJSON
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(doc) //nolint:errcheck // the client has gone
	})
	s.mux.HandleFunc("GET /signin", s.signIn)
	s.mux.HandleFunc("/api/", s.unknown)
	s.mux.HandleFunc("/", s.pages.serve)
}

// unknown answers 404, or 405 when the path exists for another method.
func (s *Server) unknown(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range []string{"DELETE", "GET", "POST"} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, pattern := s.mux.Handler(probe); pattern != "/api/" {
			allow = append(allow, m)
		}
	}
	if len(allow) > 0 {
		problem(405, errs.Usage, "this path does not take "+clip(r.Method, 20), "see /api/openapi.json").with("Allow", strings.Join(allow, ", ")).write(w)
		return
	}
	problem(404, errs.NotExist, "no such path", "see /api/openapi.json").write(w)
}

func (s *Server) openAPI() huma.API {
	format := huma.Format{
		Marshal:   huma.DefaultJSONFormat.Marshal,
		Unmarshal: func(data []byte, v any) error { return strictJSON(data, v, s.limits.JSONDepth) },
	}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	cfg := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "bongsu", Version: s.cfg.Version,
				Description: "One node of bongsu: screening, statements, thefts, partners. Errors are RFC 9457 problem documents; overload is 429 with Retry-After.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"token":   {Type: "http", Scheme: "bearer", Description: "a machine's token"},
					"session": {Type: "apiKey", In: "cookie", Name: s.cookieName(), Description: "a browser's session; writes need " + csrfHeader + " too"},
				},
			},
			Security: []map[string][]string{{"token": {}}, {"session": {}}},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{s.humaProblem},
	}
	return humago.New(guardedMux{s}, cfg)
}

// document is the OpenAPI document, made once.
func (s *Server) document(api huma.API) []byte {
	doc := api.OpenAPI()
	problems := doc.Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete} {
			if op == nil {
				continue
			}
			op.Responses["default"] = &huma.Response{
				Description: "what went wrong (RFC 9457)",
				Content:     map[string]*huma.MediaType{problemType: {Schema: problems}},
			}
		}
	}
	text, err := doc.MarshalJSON()
	if err != nil { // it is made of our own types
		panic("api: " + err.Error())
	}
	return text
}

// describe adds the operations that are served without huma to the document.
func (s *Server) describe(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	of := func(t reflect.Type, name string) *huma.Schema { return schemas.Schema(t, true, name) }
	body := func(media string, schema *huma.Schema) *huma.RequestBody {
		return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{media: {Schema: schema}}}
	}
	answer := func(status, what, media string, schema *huma.Schema) map[string]*huma.Response {
		return map[string]*huma.Response{status: {Description: what, Content: map[string]*huma.MediaType{media: {Schema: schema}}}}
	}
	for _, op := range []*huma.Operation{
		{
			OperationID: "screen", Method: http.MethodPost, Path: base + "/screen", Summary: "Screen values", Tags: []string{"screening"},
			Description: "At most 1,000 values; one result for each, in order. Needs the right screen.",
			RequestBody: body("application/json", of(reflect.TypeFor[screenRequest](), "ScreenRequest")),
			Responses:   answer("200", "the verdicts", "application/json", of(reflect.TypeFor[screenAnswer](), "ScreenAnswer")),
		},
		{
			OperationID: "screen-stream", Method: http.MethodPost, Path: base + "/screen/stream", Summary: "Screen a stream of values", Tags: []string{"screening"},
			Description: "NDJSON both ways: {\"value\": text} or a JSON string a line in, one result a line out, in order. Needs the right screen.",
			RequestBody: body("application/x-ndjson", of(reflect.TypeFor[screenLine](), "ScreenLine")),
			Responses:   answer("200", "one result a line", "application/x-ndjson", of(screenResult, "ScreenResult")),
		},
		{
			OperationID: "append-statements", Method: http.MethodPost, Path: base + "/statements", Summary: "Append statements", Tags: []string{"journal"},
			Description: "STIX 2.1 objects ({\"objects\": [...]}, a bundle, or one object), or {\"list\": {\"value\", \"reason\", \"marking\"}}. All or nothing; durable when answered. Needs the right write.",
			RequestBody: body("application/json", of(reflect.TypeFor[statementsRequest](), "StatementsRequest")),
			Responses:   answer("201", "ids and commit times, in order", "application/json", of(reflect.TypeFor[appendAnswer](), "AppendAnswer")),
		},
		{
			OperationID: "events", Method: http.MethodGet, Path: base + "/events", Summary: "Server-sent events", Tags: []string{"journal"},
			Description: "Kinds: theft, finding, receipt, screening, journal. No replay. Needs the right read.",
			Responses:   answer("200", "an event stream", "text/event-stream", &huma.Schema{Type: "string"}),
		},
	} {
		api.OpenAPI().AddOperation(op)
	}
}

// Bodies as the document shows them.
type (
	screenRequest struct {
		Values []string `json:"values" maxItems:"1000"`
	}
	screenLine struct {
		Value string `json:"value" maxLength:"2048"`
	}
	statementsRequest struct {
		Objects []map[string]any `json:"objects,omitempty" doc:"STIX 2.1 objects"`
		List    *Listing         `json:"list,omitempty"`
	}
)
