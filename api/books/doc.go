// Package books is what the HTTP side shows and takes of a node's books:
// statements into the journal (Statements), and thefts with their traces,
// labels and findings out of it (Cases).
//
// Cases is a view in memory that can be thrown away: it reads the journal from
// where it last stopped each time it is asked. It shows what the journal still
// holds: a revoked or erased statement is gone from it. A theft that a partner
// stated is shown with the findings that the partner shared; its trace only
// where this node ran one.
//
// The package decides nothing about who may ask, and draws no graph: Picture
// is the material for one.
package books
