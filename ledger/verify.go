package ledger

import (
	"fmt"
	"hash/crc32"
	"sync/atomic"

	"bongsu/errs"
)

// Every page of a sheet is verified before anything in it is believed: what is
// small beside the rows when the sheet is opened, the rest page by page at the
// first touch. A mark says that a page and the one behind it are good, so one
// look covers an element that begins in the page and is not longer than one.
//
// A page that memory let go and the disk gives again is not verified again:
// Check reads every byte anew.

// region is a section of a sheet, for touching.
type region struct {
	good  []atomic.Uint32 // the sheet's
	start uint64          // where the section begins
	sheet *sheet
}

func (s *sheet) region(name string) region {
	return region{s.good, uint64(s.trailer.Sections[name].At), s}
}

// touch makes sure of the element that begins at byte at of the section and is
// at most a page long. It panics with a hurtPage when its bytes are not those
// that were written.
func (r *region) touch(at uint64) {
	if r.fresh(at) {
		r.verify(at)
	}
}

// fresh says that touch has something to do: where every nanosecond counts it
// is asked first, because the compiler puts it in place.
func (r *region) fresh(at uint64) bool {
	page := (at + r.start) >> sheetPageBits
	return r.good[page/32].Load()>>(page%32)&1 == 0
}

func (r *region) verify(at uint64) { r.sheet.verifyPage((at + r.start) >> sheetPageBits) }

// touchTo is touch for an element of any length.
func (r *region) touchTo(at, end uint64) {
	for ; at < end; at += sheetPage {
		r.touch(at)
	}
}

// hurtPage is what touch panics with.
type hurtPage struct{ err error }

// verifyPage verifies a page and the next. What lies behind the last page is
// the trailer, or nothing.
func (s *sheet) verifyPage(p uint64) {
	if s.larger {
		s.demand(p*sheetPage, (p+2)*sheetPage)
	}
	for i := p; i < min(p+2, uint64(len(s.trailer.Pages))); i++ {
		if err := s.page(int(i)); err != nil {
			panic(hurtPage{err})
		}
	}
	s.good[p/32].Or(1 << (p % 32))
}

// page says whether a page's bytes are those that were written.
func (s *sheet) page(i int) error {
	from := int64(i) * sheetPage
	to := min(from+sheetPage, s.trailer.Size)
	if crc32.Checksum(s.data[from:to], castagnoli) == s.trailer.Pages[i] {
		return nil
	}
	where := s.name
	if s.holds != "" {
		where += " (" + s.holds + ")"
	}
	return errs.New("read ledger", errs.Corrupt, where, fmt.Sprintf("bytes %d to %d are not what was written (section %s)", from, to-1, s.sectionAt(from, to)),
		"run bongsu ledger check; restore the file from a copy, or import its range again")
}

// verifySections verifies whole sections.
func (s *sheet) verifySections(names ...string) (err error) {
	defer func() { caught(recover(), &err) }()
	for _, name := range names {
		r := s.region(name)
		r.touchTo(0, uint64(s.trailer.Sections[name].Len))
	}
	return nil
}

// verifySmall verifies what opening a segment relies on; regions are set for
// the rest.
func (s *segment) verifySmall() error {
	holds := fmt.Sprintf("segment %s, blocks %d to %d of %s", pad8(s.number), s.From, s.To, s.Chain)
	for _, sh := range s.sheets() {
		sh.holds = holds
	}
	s.dir.regions(s.idx)
	s.extraPages = s.idx.region("extras")
	s.hashPages, s.bucketPages, s.orderPages = s.idx.region("hashes"), s.idx.region("txbuckets"), s.idx.region("txorder")
	return cmpErr(s.rows.verifySections("at"), s.txs.verifySections("at"),
		s.idx.verifySections("blocks", "common", "bitmap", "marks", "skips", "balances", "extraat"))
}

// verifySmall is likewise for inputs and outputs.
func (c *coins) verifySmall(holds string) error {
	c.sheet.holds = holds
	c.regions()
	return c.sheet.verifySections("txat", "insat", "outsat", "spendersat", "dataat", "bitmap", "skips")
}

func (c *coins) regions() {
	c.txPages, c.inPages, c.outPages = c.sheet.region("txs"), c.sheet.region("ins"), c.sheet.region("outs")
	c.pointPages, c.spenderPages, c.dataPages = c.sheet.region("points"), c.sheet.region("spenders"), c.sheet.region("data")
	c.bucketPages, c.orderPages = c.sheet.region("pointbuckets"), c.sheet.region("pointorder")
	c.dir.regions(c.sheet)
}
