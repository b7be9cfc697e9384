package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bongsu/errs"

	"github.com/alecthomas/kong"
)

// environment is what a command may touch of the world around it.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
}

// app is one invocation: its environment, the flags common to all commands and
// the configuration.
type app struct {
	environment
	ctx context.Context
	dir string // the node's data folder
	// dirGiven says that the user named it.
	dirGiven bool
	json     bool
	config   config
}

// status is an exit status that is not a failure to report.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// The exit statuses of the contract.
const (
	statusFailed  status = 1
	statusUsage   status = 2
	statusPartial status = 3
	statusCorrupt status = 4
	statusBlocked status = 10
)

// run parses args, runs the command and returns the exit status.
func run(ctx context.Context, env environment, args []string) int {
	var c cli
	var left *int
	parser, err := kong.New(&c,
		kong.Name("bongsu"),
		kong.Description("Follow stolen money, warn partners in milliseconds, screen, and prove every step."),
		kong.Writers(env.stdout, env.stderr),
		kong.Exit(func(code int) { left = &code; panic(helpShown{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		fmt.Fprintln(env.stderr, "bongsu:", err)
		return int(statusFailed)
	}
	k, code, err := parse(parser, args, &left)
	if k == nil {
		if err != nil {
			return report(env, wantsJSON(args), usageError(err))
		}
		return code
	}
	a := &app{environment: env, ctx: ctx, json: c.JSON, dir: c.Data, dirGiven: c.Data != ""}
	if a.dir == "" {
		a.dir = defaultDir(env.getenv)
	}
	if a.config, err = loadConfig(a.dir, env.getenv); err != nil {
		return report(env, a.json, err)
	}
	return report(env, a.json, k.Run(a))
}

type helpShown struct{}

// parse runs kong and turns its Exit (help, version) into a status.
func parse(parser *kong.Kong, args []string, left **int) (k *kong.Context, code int, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(helpShown); !ok {
				panic(r)
			}
			k, code, err = nil, **left, nil
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err = parser.Parse(args)
	if err != nil {
		return nil, int(statusUsage), err
	}
	return k, 0, nil
}

func usageError(err error) error {
	where := ""
	var p *kong.ParseError
	hint := "see bongsu --help"
	if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
		where = p.Context.Selected().Path()
		hint = "see bongsu " + where + " --help"
	}
	return errs.New("usage", errs.Usage, where, err.Error(), hint)
}

func wantsJSON(args []string) bool {
	for _, a := range args {
		if a == "--json" {
			return true
		}
	}
	return false
}

// report prints an error as the contract says and returns the exit status.
func report(env environment, asJSON bool, err error) int {
	var s status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	}
	code := statusOf(err)
	if asJSON {
		writeJSON(env.stdout, map[string]any{"error": documentOf(err)}) //nolint:errcheck // nothing is left to report it to
	} else {
		fmt.Fprintln(env.stderr, "bongsu: "+oneLine(err.Error()))
	}
	return int(code)
}

// errorDocument is an error as the contract has it in JSON.
type errorDocument struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Where   string `json:"where"`
	Hint    string `json:"hint"`
}

func documentOf(err error) *errorDocument {
	return &errorDocument{errs.Is(err).Code(), oneLine(err.Error()), errs.Where(err), errs.Hint(err)}
}

// statusOf is the exit status of a failure.
func statusOf(err error) status {
	switch errs.Is(err) {
	case errs.Usage:
		return statusUsage
	case errs.Partial:
		return statusPartial
	case errs.Corrupt:
		return statusCorrupt
	}
	return statusFailed
}

// told is how a command ends that has printed its one JSON document and yet
// did not succeed whole: the error goes to standard error only.
func (a *app) told(err error) error {
	if err == nil || !a.json {
		return err
	}
	a.note("bongsu: %s", oneLine(err.Error()))
	return statusOf(err)
}

// oneLine keeps a cause with line breaks (a parser's, a peer's) on one line.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// print writes the one JSON document of a command, or its readable text.
func (a *app) print(doc any, text func(w io.Writer)) error {
	if a.json {
		return writeJSON(a.stdout, doc)
	}
	text(a.stdout)
	return nil
}

func writeJSON(w io.Writer, doc any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}

// note writes progress and remarks, which never mix with the result.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.stderr, format+"\n", args...)
}

// path is a file or folder of the node.
func (a *app) path(elem ...string) string {
	return filepath.Join(append([]string{a.dir}, elem...)...)
}

// needNode says clearly that the data folder holds no node yet.
func (a *app) needNode(op string) error {
	if _, err := os.Stat(a.path("keys")); err != nil {
		return errs.New(op, errs.NotExist, a.dir, "no node lives in this folder",
			"make one with: bongsu init --name NAME --data "+a.dir)
	}
	return nil
}

func defaultDir(getenv func(string) string) string {
	if x := getenv("XDG_DATA_HOME"); x != "" {
		return filepath.Join(x, "bongsu")
	}
	return filepath.Join(getenv("HOME"), ".local", "share", "bongsu")
}
