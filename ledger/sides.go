package ledger

import "encoding/binary"

// sideReader finds the rows of a block that are of some assets, and reads their
// sides, in loops that keep to a few words each.
type sideReader struct {
	records [blockRows]uint32 // where each begins, in bits, and behind that its widths
	picked  [blockRows]uint8

	// By the widths of from and to (a bit each: wide), or of one field.
	before [4]uint32 // bits before the asset
	from   [2]uint32 // bits
	asset  [2]uint32 // bits
	masks  [3][2]uint64
}

// widthBits is how many bits of a record's widths stand behind its place.
const widthBits = 5

// open finds where the records of a block begin.
func (s *sideReader) open(b *rowBlock) {
	h := b.h
	for wide := range 2 {
		f, t, a := h[hdrFrom+wide], h[hdrTo+wide], h[hdrAsset+wide]
		s.from[wide], s.asset[wide] = uint32(f), uint32(a)
		s.masks[0][wide], s.masks[1][wide], s.masks[2][wide] = 1<<(f&63)-1, 1<<(t&63)-1, 1<<(a&63)-1
		s.before[2*wide], s.before[2*wide+1] = uint32(h[hdrFrom])+uint32(t), uint32(h[hdrFrom+1])+uint32(t)
	}
	bitmaps := [5]uint64{b.bitmap(bitFrom), b.bitmap(bitTo), b.bitmap(bitAsset), b.bitmap(bitRare), b.bitmap(bitHigh)}
	length := b.lengths()
	at := uint32(rowHeader * 8)
	for i := 0; i < blockRows; i += 8 {
		which := widths(&bitmaps, i)
		for k := range s.records[i : i+8] {
			w := uint32(which & 31)
			s.records[i+k] = at<<widthBits | w
			at += length[w]
			which >>= 8
		}
	}
}

// pick lists the rows of the assets among the first so many. It writes down
// every row and counts the wanted ones on: no branch depends on a row.
func (s *sideReader) pick(b *rowBlock, assets assetSet, to int) []uint8 {
	n, last, data := uint(0), uint64(len(assets)-1), b.b
	before, mask := s.before, s.masks[2]
	for i, r := range s.records[:to] {
		p := r>>widthBits + before[r&3]
		asset := binary.LittleEndian.Uint64(data[p>>3:]) >> (p & 7) & mask[r>>2&1]
		s.picked[n%blockRows] = uint8(i)
		n += uint(assets[min(asset, last)])
	}
	return s.picked[:n]
}

// sides reads the sides of a row; its record begins at bit at, and what stands
// behind the sides at bit end.
func (s *sideReader) sides(b *rowBlock, i uint8) (out Sides, at, end uint32) {
	r := s.records[i%blockRows]
	at = r >> widthBits
	to, asset := at+s.from[r&1], at+s.before[r&3]
	out.From = AccountRef(binary.LittleEndian.Uint64(b.b[at>>3:]) >> (at & 7) & s.masks[0][r&1])
	out.To = AccountRef(binary.LittleEndian.Uint64(b.b[to>>3:]) >> (to & 7) & s.masks[1][r>>1&1])
	out.Asset = AssetRef(binary.LittleEndian.Uint64(b.b[asset>>3:]) >> (asset & 7) & s.masks[2][r>>2&1])
	return out, at, asset + s.asset[r>>2&1]
}

// assetSet has a 1 for each asset that is wanted, by its reference; the last
// element stands for all from there on.
type assetSet []uint8

// setOf is the set of some assets, or with nil that of all.
func setOf(assets []AssetRef) assetSet {
	if assets == nil {
		return assetSet{1}
	}
	s := make(assetSet, 1)
	for _, a := range assets {
		for int(a)+1 >= len(s) {
			s = append(s, make(assetSet, int(a)+2-len(s))...)
		}
		s[a] = 1
	}
	return s
}
