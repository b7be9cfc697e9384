package labels

import (
	"bongsu/chain"
)

// Format is the form of a label file.
type Format string

// The formats.
const (
	FormatAuto      Format = ""          // by content
	FormatTagPack   Format = "tagpack"   // GraphSense TagPack, YAML
	FormatCSV       Format = "csv"       // our own, header account,label,source,...
	FormatEtherscan Format = "etherscan" // combinedAccountLabels.json of etherscan-labels
)

// List is one imported list: what a "bongsu-label-list" statement says.
type List struct {
	Digest   string     `json:"digest"`   // "sha256:..." of the stored file
	Original string     `json:"original"` // "sha256:..." of the file it was read from
	Name     string     `json:"name"`     // file name, without folders
	Title    string     `json:"title"`
	Creator  string     `json:"creator"`
	Format   Format     `json:"format"`
	Sources  []string   `json:"sources"` // distinct, sorted
	Labels   int        `json:"labels"`
	Accounts int        `json:"accounts"`
	Lastmod  chain.Time `json:"lastmod,omitzero"` // the latest of its labels
	Marking  string     `json:"marking"`          // TLP level of the list: "clear" unless it says that it is not public
}

// Reject is one tag that did not go in.
type Reject struct {
	Line    int    `json:"line"`    // in the file, from 1; 0 when unknown
	Subject string `json:"subject"` // the address or tag
	Reason  string `json:"reason"`
}

// Report is what an import did.
type Report struct {
	List    List     `json:"list"`
	Rejects []Reject `json:"rejects"`
	Known   bool     `json:"known"` // the same list was here already
}

// Store keeps lists as content-addressed files in one folder. Its methods may
// be called from several processes: a file appears whole or not at all, and is
// never changed.
type Store struct{ Dir string }
