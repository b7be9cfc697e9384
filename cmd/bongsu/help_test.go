package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestHelp holds that every command shows an example of itself.
func TestHelp(t *testing.T) {
	parser, err := kong.New(&cli{}, kong.Name("bongsu"))
	if err != nil {
		t.Fatal(err)
	}
	leaves := 0
	for _, n := range parser.Model.Leaves(true) {
		leaves++
		if !strings.Contains(n.Detail, "Example") || !strings.Contains(n.Detail, "bongsu "+strings.TrimPrefix(n.Path(), "bongsu ")[:3]) {
			t.Errorf("%s: its help has no example:\n%s", n.Path(), n.Detail)
		}
	}
	if leaves < 20 {
		t.Errorf("only %d commands", leaves)
	}
}
