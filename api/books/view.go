package books

import (
	"context"

	"bongsu/errs"
	"bongsu/identity"
	"bongsu/journal"
	"bongsu/stix"
)

// CatchUp reads what was appended since the last time. Every method does;
// calling it at start moves the first reading out of the first request.
func (c *Cases) CatchUp(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.catchUp(ctx)
}

// catchUp is CatchUp with c.mu held.
func (c *Cases) catchUp(ctx context.Context) error {
	size, err := c.cfg.Journal.Size(ctx, journal.LogJournal)
	if err != nil {
		return err
	}
	for c.position < size {
		batch, err := c.cfg.Journal.Read(ctx, journal.LogJournal, c.position, readBatch)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return errs.New("cases", errs.Corrupt, "", "the journal ends before its size", "run bongsu journal check")
		}
		for i := range batch {
			if err := c.take(ctx, &batch[i]); err != nil {
				return err
			}
			c.position = batch[i].Seq + 1
		}
	}
	return nil
}

func (c *Cases) take(ctx context.Context, st *journal.Statement) error {
	if st.Act == journal.Erase || st.Type == stix.TypeErasure {
		return c.forget(ctx, st)
	}
	switch st.Type {
	case "incident":
		c.takeTheft(st)
	case "indicator":
		c.takeIndicator(st)
	case stix.TypeRun:
		if st.Author != c.cfg.Journal.Org().ID {
			return nil // its file is at its author's
		}
		if o, err := st.Object(); err == nil {
			if r, err := stix.ReadRun(o); err == nil && !r.Revoked {
				c.runs[r.Theft] = run{r.Digest, st.Time}
			}
		}
	default:
		return nil
	}
	return c.learnName(ctx, st.Author)
}

// takeTheft keeps the newest version by the author that is shown: ourselves
// before the first who stated it.
func (c *Cases) takeTheft(st *journal.Statement) {
	old := c.thefts[st.ID]
	own := c.cfg.Journal.Org().ID
	if old != nil && !old.gone && (old.author != st.Author && st.Author != own || old.author == st.Author && st.Version < old.version) {
		return
	}
	next := &theft{author: st.Author, marking: st.Marking, stated: st.Time, version: st.Version, gone: st.Revoked || st.Erased}
	if old != nil && old.author == st.Author {
		next.stated = old.stated
	}
	if !next.gone {
		o, err := st.Object()
		if err != nil {
			return
		}
		if next.told, err = stix.ReadTheft(o); err != nil {
			return // an incident that is no theft of ours to show
		}
	}
	c.thefts[st.ID] = next
}

// takeIndicator keeps the live findings and the news of each theft.
func (c *Cases) takeIndicator(st *journal.Statement) {
	key := string(st.Author) + " " + st.ID
	old := c.theftOf[key]
	if fs := c.findings[old]; fs != nil {
		delete(fs.live, key)
	}
	delete(c.news[old], key)
	delete(c.theftOf, key)
	if st.Revoked || st.Erased {
		return
	}
	o, err := st.Object()
	if err != nil {
		return
	}
	if f, err := stix.ReadFinding(o); err == nil {
		fs := c.findings[f.Theft]
		if fs == nil {
			fs = &theftFindings{map[string]stix.Finding{}}
			c.findings[f.Theft] = fs
		}
		fs.live[key] = f
		c.theftOf[key] = f.Theft
	} else if m, err := stix.ReadMovement(o); err == nil {
		c.takeNews(key, st, m)
		c.theftOf[key] = m.Theft
	} // else a listing, or an indicator from elsewhere
}

// forget drops what a tombstone took away: every version that lost its payload
// and is the one shown.
func (c *Cases) forget(ctx context.Context, st *journal.Statement) error {
	id := st.ID
	if o, err := st.Object(); err == nil && st.Type == stix.TypeErasure {
		if e, err := stix.ReadErasure(o); err == nil {
			id = e.Statement
		}
	}
	versions, err := c.cfg.Journal.Versions(ctx, id)
	if err != nil && errs.Is(err) != errs.NotExist {
		return err
	}
	for i := range versions {
		if v := &versions[i]; v.Erased && v.Act == journal.State {
			if t := c.thefts[id]; v.Type == "incident" && t != nil && t.author == v.Author && t.version == v.Version {
				t.gone = true
			}
			if v.Type == "indicator" {
				c.takeIndicator(v)
			}
		}
	}
	return nil
}

func (c *Cases) learnName(ctx context.Context, author identity.OrgID) error {
	if _, known := c.names[string(author)]; known {
		return nil
	}
	org := c.cfg.Journal.Org()
	if org.ID != author {
		var err error
		if org, err = c.cfg.Journal.OrgByID(ctx, author); err != nil {
			if errs.Is(err) == errs.NotExist {
				return nil
			}
			return err
		}
	}
	c.names[string(author)] = org.Name
	return nil
}
