package labels

import "testing"

// Whatever the bytes: no panic, and every label that went in is whole.
func fuzz(f *testing.F, format Format) {
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		p, err := read("f", text, format)
		if err != nil {
			return
		}
		p.settle()
		for _, l := range p.labels {
			if l.Account.IsZero() || l.Source == "" || l.Score > 100 {
				t.Fatalf("half a label: %+v", l)
			}
		}
	})
}

func FuzzTagPack(f *testing.F) {
	f.Add([]byte("title: T\ncreator: C\nsource: s\ncurrency: ETH\ntags:\n- address: '0x000000000000000000000000000000000000aaaa'\n  label: x\n"))
	f.Add([]byte("title: &a T\ncreator: *a\ntags: [{}]\n"))
	fuzz(f, FormatTagPack)
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("account,label,source\n0x000000000000000000000000000000000000aaaa,a,b\n"))
	fuzz(f, FormatCSV)
}

func FuzzEtherscan(f *testing.F) {
	f.Add([]byte(`{"0x000000000000000000000000000000000000aaaa": {"name": "D", "labels": ["dex"]}}`))
	fuzz(f, FormatEtherscan)
}
