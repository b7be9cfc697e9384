package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"bongsu/data"
	"bongsu/durable"
	"bongsu/errs"
)

type demoCmd struct {
	Headless bool `help:"End after the summary instead of serving the pages."`
	Singly   int  `default:"200" help:"Listings sent one by one for the latency figures." placeholder:"N"`
}

func (demoCmd) Help() string {
	return `Runs the main job on the real Bybit theft of 21 February 2025, with two nodes that speak only over loopback: an agency in Seoul and an exchange in Europe, each a bongsu serve of its own with its data folder under --data (a temporary folder when --data is not given).

The agency imports the transfers, states the theft, follows the money and states its findings; under a countersigned agreement the exchange receives them within milliseconds, stops a deposit, and sends a signed sighting back. A TLP:RED note stays home. The FBI's list of addresses is only compared with, after the trace.

Examples:
  bongsu demo
  bongsu demo --headless --json`
}

// demoMark is a file that says that a folder's contents may be replaced.
const demoMark = ".bongsu-demo"

// demo is one run: two nodes, what came out, and how long each step took.
type demo struct {
	a                *app
	root             string
	agency, exchange *demoNode
	theft, agreement string
	before           []screened
	doc              demoDoc
	started          time.Time
	steps            []demoStep
}

type demoStep struct {
	what string
	took time.Duration
}

func (c *demoCmd) Run(a *app) (err error) {
	if c.Singly < 1 {
		return errs.New("demo", errs.Usage, "--singly", "at least one listing is needed", "leave it out for 200")
	}
	d := &demo{a: a, started: a.now()}
	if err := d.folder(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.end()) }()
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"two organisations, two nodes", d.start},
		{"partners, and an agreement that both signed", d.agree},
		{"real transfers and labels imported", d.load},
		{"theft stated", d.state},
		{"a fan-out address screened at the exchange", d.screenBefore},
		{"money followed, findings stated", d.follow},
		{"findings active at the exchange", d.await},
		{"the same address screened again", d.screenAfter},
		{"signed sighting returned and verified", d.sight},
		{fmt.Sprintf("%d listings sent one by one", c.Singly), func() error { return d.singly(c.Singly) }},
		{"holdings compared with the FBI's list", d.compare},
		{"both journals verified", d.check},
	} {
		begun := time.Now()
		if err := step.do(); err != nil {
			return errs.Wrap("demo", step.what, err)
		}
		d.steps = append(d.steps, demoStep{step.what, time.Since(begun)})
		a.note("%8.0f ms  %s", ms(time.Since(begun)), step.what)
	}
	if err := a.print(d.doc, d.summary); err != nil {
		return err
	}
	if c.Headless {
		return nil
	}
	d.invite(a)
	<-a.ctx.Done()
	return nil
}

// folder prepares the data folder: a temporary one, or --data when it is empty
// or holds an earlier demo.
func (d *demo) folder() error {
	if !d.a.dirGiven {
		root, err := os.MkdirTemp("", "bongsu-demo-")
		if err != nil {
			return errs.Wrap("demo", "", err)
		}
		d.root = root
	} else {
		d.root = d.a.dir
		if err := d.clear(); err != nil {
			return err
		}
	}
	return durable.WriteFile(filepath.Join(d.root, demoMark), []byte("made by bongsu demo, which replaces agency and exchange here\n"), 0o600)
}

func (d *demo) clear() error {
	if err := durable.MkdirAll(d.root, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return errs.Wrap("demo", d.root, err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(d.root, demoMark)); err != nil {
			return errs.New("demo", errs.Exist, d.root, "the folder holds something that no demo made", "name an empty or new folder with --data")
		}
	}
	for _, name := range []string{"agency", "exchange", "files", "agency.log", "exchange.log"} {
		if err := os.RemoveAll(filepath.Join(d.root, name)); err != nil {
			return errs.Wrap("demo", d.root, err)
		}
	}
	return nil
}

// end stops both nodes, and removes a temporary folder.
func (d *demo) end() error {
	err := errors.Join(d.agency.stop(), d.exchange.stop())
	if !d.a.dirGiven {
		err = errors.Join(err, os.RemoveAll(d.root))
	}
	return err
}

// unpack writes the embedded files of one folder to disk, where the commands
// read them as they read anybody's.
func (d *demo) unpack(folder string) ([]string, error) {
	var names []string
	to := filepath.Join(d.root, "files", folder)
	if err := durable.MkdirAll(to, 0o700); err != nil {
		return nil, err
	}
	err := fs.WalkDir(data.Files, folder, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := data.Files.ReadFile(p)
		if err != nil {
			return err
		}
		name := filepath.Join(to, path.Base(p))
		names = append(names, name)
		return os.WriteFile(name, b, 0o600)
	})
	return names, errs.Wrap("demo", folder, err)
}

// start makes both organisations and starts their nodes.
func (d *demo) start() error {
	ctx, cancel := context.WithTimeout(d.a.ctx, time.Minute)
	defer cancel()
	var err error
	if d.agency, err = startDemoNode(ctx, d, "agency", "Seoul Cyber Investigation Agency (demo)"); err != nil {
		return err
	}
	d.exchange, err = startDemoNode(ctx, d, "exchange", "Europa Exchange (demo)")
	return err
}

// agree makes the two partners and has them sign an agreement.
func (d *demo) agree() error {
	var inv struct{ Invitation string }
	if err := d.agency.run(&inv, "partner", "invite", "--address", d.agency.ShareListen); err != nil {
		return err
	}
	var joined struct {
		Partner struct{ Fingerprint string }
	}
	if err := d.exchange.run(&joined, "partner", "join", inv.Invitation); err != nil {
		return err
	}
	if joined.Partner.Fingerprint != d.agency.Fingerprint {
		return errs.New("demo", errs.Forged, "partner join", "the fingerprints differ", "")
	}
	var terms struct{ ID, State string }
	if err := d.agency.run(&terms, "agreement", "propose", d.exchange.ID, "--title", "Seoul - Europa: crypto theft warnings (demo)"); err != nil {
		return err
	}
	d.agreement = terms.ID
	// The proposal travels on its own; it is signed as soon as it is there.
	err := poll(d.a.ctx, 20*time.Second, func() (bool, error) {
		err := d.exchange.run(&terms, "agreement", "sign", d.agreement)
		if errs.Is(err) == errs.NotExist {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return poll(d.a.ctx, 20*time.Second, func() (bool, error) {
		err := d.agency.run(&terms, "agreement", "show", d.agreement)
		return terms.State == "active", err
	})
}

// load imports the real transfers and labels at the agency.
func (d *demo) load() error {
	files, err := d.unpack("bybit-2025")
	if err != nil {
		return err
	}
	lists, err := d.unpack("labels")
	if err != nil {
		return err
	}
	if err := d.agency.run(nil, append([]string{"import"}, only(files, ".csv")...)...); err != nil {
		return err
	}
	return d.agency.run(nil, append([]string{"labels", "import"}, only(lists, ".yaml")...)...)
}

func only(names []string, ext string) []string {
	var out []string
	for _, n := range names {
		if filepath.Ext(n) == ext {
			out = append(out, n)
		}
	}
	return out
}

// state states the theft: the ETH of theft.csv.
func (d *demo) state() error {
	err := d.agency.run(&d.doc.Theft, "theft", "state", "--title", "Bybit, 21 February 2025",
		"--transfers", filepath.Join(d.root, "files", "bybit-2025", "theft.csv"))
	d.theft = d.doc.Theft.ID
	return err
}

// invite tells a person where to look.
func (d *demo) invite(a *app) {
	w := io.Writer(a.stdout)
	if a.json {
		w = a.stderr
	}
	fmt.Fprintf(w, "\nThe workspaces, until Ctrl-C (each link signs in once):\n  agency    %s\n  exchange  %s\n", d.agency.SignIn, d.exchange.SignIn)
}

// poll asks until done, an error, or the end of its time.
func poll(ctx context.Context, limit time.Duration, ask func() (bool, error)) error {
	deadline := time.Now().Add(limit)
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		done, err := ask()
		if done || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return errs.New("wait", errs.Unavailable, "", fmt.Sprintf("nothing came within %s", limit), "the nodes' messages stand in agency.log and exchange.log of the data folder")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
	}
}
