package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"bongsu/chain"
	"bongsu/errs"
)

// manifest names the files that are the ledger. It is replaced as a whole: the
// rename is the moment of commit of everything that is not in the head log.
type manifest struct {
	Format     int    `json:"format"`     // manifestFormat
	Generation uint64 `json:"generation"` // grows with each manifest
	Head       string `json:"head"`       // the head log's file name
	HeadGen    uint64 `json:"head_generation"`
	HeadSeq    uint64 `json:"head_sequence"` // of the record before the log's first
	NextFile   uint64 `json:"next_file"`     // number of the next segment or dictionary

	Before *passage `json:"before,omitempty"` // nil: the head log must be read from its beginning

	Segments     []segmentInfo `json:"segments,omitempty"`
	Dictionaries []uint64      `json:"dictionaries,omitempty"` // numbers, by first reference
	AssetNames   []chain.Asset `json:"asset_names,omitempty"`  // by AssetRef, from 1
	Claims       []Claim       `json:"claims,omitempty"`
	Assets       []assetRecord `json:"assets,omitempty"`
	Live         []liveRecord  `json:"live,omitempty"`
}

const (
	manifestFormat = 6
	manifestName   = "MANIFEST"
	manifestHead   = "bongsu ledger manifest "
)

type assetRecord struct {
	Asset    chain.Asset `json:"asset"`
	Symbol   string      `json:"symbol"`
	Decimals uint8       `json:"decimals"`
	Source   string      `json:"source"`
}

// liveRecord is where a followed chain stands: its last final block.
type liveRecord struct {
	Chain  chain.ID    `json:"chain"`
	Final  uint64      `json:"final"`
	Known  bool        `json:"known"`
	Blocks []BlockFact `json:"blocks"`
}

// larger says whether the ledger is larger than memory.
func (m *manifest) larger(dir string) bool { return largerThan(memory(), m.bytes(dir)) }

// bytes is how long the segments and dictionaries are that lie in dir.
func (m *manifest) bytes(dir string) (n uint64) {
	add := func(name string) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil { // else opening it says so
			n += uint64(info.Size())
		}
	}
	for i := range m.Segments {
		for _, part := range m.Segments[i].parts() {
			add(segmentFile(m.Segments[i].Number, part))
		}
	}
	for _, number := range m.Dictionaries {
		add(dictionaryName(number))
	}
	return n
}

// encode is one line with the checksum of the rest, then JSON.
func (m *manifest) encode() ([]byte, error) {
	body, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return nil, errs.New("write manifest", errs.Internal, "", err.Error(), "")
	}
	return append(fmt.Appendf(nil, "%s%08x\n", manifestHead, crc32.Checksum(body, castagnoli)), body...), nil
}

func decodeManifest(name string, data []byte) (*manifest, error) {
	bad := func(why string) error {
		return errs.New("open ledger", errs.Corrupt, name, why, "run bongsu ledger check; restore the file from a copy")
	}
	line, body, ok := bytes.Cut(data, []byte("\n"))
	var sum uint32
	if n, err := fmt.Sscanf(string(line), manifestHead+"%08x", &sum); !ok || err != nil || n != 1 {
		return nil, bad("it does not begin as a manifest does")
	}
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, bad("its checksum does not match")
	}
	m := &manifest{}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, bad("it is not JSON")
	}
	if m.Format != manifestFormat {
		return nil, errs.New("open ledger", errs.Invalid, name, fmt.Sprintf("format %d is not known here", m.Format), "use the bongsu that wrote it, or a newer one")
	}
	return m, nil
}

func readManifest(dir string) (*manifest, os.FileInfo, error) {
	name := filepath.Join(dir, manifestName)
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, errs.Wrap("open ledger", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, errs.Wrap("open ledger", name, err)
	}
	data := make([]byte, info.Size())
	if _, err := f.ReadAt(data, 0); err != nil {
		return nil, nil, errs.Wrap("open ledger", name, err)
	}
	m, err := decodeManifest(name, data)
	return m, info, err
}
