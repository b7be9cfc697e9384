package ledger

// heap holds elements of which the least is wanted again and again; less is a
// total order.
type heap[T any] struct {
	list []T
	less func(a, b *T) bool
}

func (h *heap[T]) push(v T) {
	h.list = append(h.list, v)
	for i := len(h.list) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(&h.list[i], &h.list[up]) {
			return
		}
		h.list[i], h.list[up] = h.list[up], h.list[i]
		i = up
	}
}

// pop takes the least out.
func (h *heap[T]) pop() T {
	least, last := h.list[0], len(h.list)-1
	h.list[0] = h.list[last]
	h.list = h.list[:last]
	h.fix()
	return least
}

// fix puts the least in its place after it grew.
func (h *heap[T]) fix() {
	for i := 0; ; {
		k := 2*i + 1
		if k >= len(h.list) {
			return
		}
		if k+1 < len(h.list) && h.less(&h.list[k+1], &h.list[k]) {
			k++
		}
		if !h.less(&h.list[k], &h.list[i]) {
			return
		}
		h.list[i], h.list[k] = h.list[k], h.list[i]
		i = k
	}
}
