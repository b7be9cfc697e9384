package ledger

// occurrences counts how often each account of an accountTable occurs in the
// rows of runs, up to 255. It belongs to the one goroutine that writes runs.
type occurrences struct{ list []uint8 }

// reserve makes room for n accounts.
func (o *occurrences) reserve(n int) {
	if n > len(o.list) {
		o.list = append(o.list, make([]uint8, n-len(o.list))...)
	}
}

// add counts a number plus one; 0 is no account.
func (o *occurrences) add(n uint32) {
	if i := int(n) - 1; i >= 0 && i < len(o.list) && o.list[i] < 255 {
		o.list[i]++
	}
}

// addRows counts the sides of rows, in a loop of its own, so that the processor
// waits for many counts at a time. What a run states twice counts twice.
func (o *occurrences) addRows(rows []runRow) {
	list := o.list
	for i := range rows {
		for _, n := range [2]uint32{rows[i].from, rows[i].to} {
			if i := int(n) - 1; i >= 0 && i < len(list) && list[i] < 255 {
				list[i]++
			}
		}
	}
}
