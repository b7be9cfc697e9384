package api

import (
	"net/http"
)

// User is who signed in, and as what.
type User struct {
	Name string `json:"name"`
	Role Role   `json:"role" enum:"reader,analyst,admin"`
}

// Role is what a person may do: a reader reads and screens, an analyst writes
// statements too, an admin manages tokens too.
type Role string

// The roles.
const (
	Reader  Role = "reader"
	Analyst Role = "analyst"
	Admin   Role = "admin"
)

// Server is the handler. Make it with New, end it with Close.
type Server struct {
	handler http.Handler
}

// New makes the server and starts what it needs in the background.
func New(cfg Config) (*Server, error) { return &Server{}, nil }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// HTTPServer is an http.Server for this handler with its header and time
// limits set; the caller gives it a listener.
func (s *Server) HTTPServer() *http.Server { return &http.Server{Handler: s} }

// SignInLink makes a one-time link under base ("http://127.0.0.1:8420") that
// signs u in.
func (s *Server) SignInLink(base string, u User) (string, error) { return "", nil }

// Publish sends an event to everybody who listens at /api/v1/events. It never
// blocks: a listener that lags too far behind is cut off and reconnects.
func (s *Server) Publish(e Event) {}

// Close ends every stream and background task.
func (s *Server) Close() error { return nil }
