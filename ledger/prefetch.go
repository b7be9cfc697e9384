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
