//go:build amd64 || arm64

package ledger

// prefetch asks for the lines of memory that hold p, the byte n behind it and
// the one halfway (all between, too, when n < 128), and does not wait. A plain
// read would hold the processor up as soon as some three hundred instructions
// stand behind it. It reads nothing, so that the bytes may lie anywhere. Go has
// no other way to say this.
//
//go:noescape
func prefetch(p *byte, n uintptr)

// prefetchAll is prefetch for each of a list, without the line halfway when n <=
// 64: there is none between. Where the processor must look the address of a page
// up, nothing behind a prefetch is finished before: those of a list are looked up
// side by side, those in a loop with other work two or three at a time.
//
//go:noescape
func prefetchAll(list []*byte, n uintptr)

// prefetchLines is prefetchAll for one line each.
//
//go:noescape
func prefetchLines(list []*byte)
