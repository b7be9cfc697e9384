package journal

// Store is where a journal's rows live; journal/sqlite is one.
type Store interface {
	// Close releases the store.
	Close() error
}
