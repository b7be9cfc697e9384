package screen

import (
	"encoding/json"
	"unicode/utf8"
)

// AppendJSON appends the JSON array of the results for values to dst, the same
// text that json.Marshal makes of Screen's results. seen, when not nil, is
// called for each value whose verdict is not Clear.
func (x *Index) AppendJSON(dst []byte, values []string, seen func(i int, v Verdict)) []byte {
	now := x.clock()
	x.mu.RLock()
	defer x.mu.RUnlock()
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		if a, k, ok := readEVM(v); ok && !x.has(&k) {
			dst = appendClearEVM(dst, v, &a)
			continue
		}
		r, err := Read(v)
		if err == nil && x.clear(&r) {
			dst = appendClear(dst, v, &r)
			continue
		}
		res := x.answer(v, r, err, now)
		if res.Verdict != Clear && seen != nil {
			seen(i, res.Verdict)
		}
		text, err := json.Marshal(&res)
		if err != nil { // a Result holds nothing that cannot be written
			panic("screen: " + err.Error())
		}
		dst = append(dst, text...)
	}
	return append(dst, ']')
}

// appendClearEVM is appendClear for a bare address, which needs no escapes.
func appendClearEVM(dst []byte, value string, a *evm) []byte {
	dst = append(dst, `{"value":"`...)
	dst = append(dst, value...)
	dst = append(dst, `","read_as":"`+evmPrefix...)
	dst = append(dst, a[:]...)
	return append(dst, `","type":"account","verdict":"clear","reasons":[]}`...)
}

func appendClear(dst []byte, value string, r *Reading) []byte {
	dst = append(dst, `{"value":`...)
	dst = appendString(dst, value)
	dst = append(dst, `,"read_as":`...)
	dst = appendString(dst, r.Text)
	dst = append(dst, `,"type":"`...)
	dst = append(dst, r.Type...)
	return append(dst, `","verdict":"clear","reasons":[]}`...)
}

// appendString writes a JSON string; what needs no escape, which is nearly
// everything, goes out as it is.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			text, _ := json.Marshal(s) // a string always marshals
			return append(dst, text...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
