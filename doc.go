/*
Package bongsu explains the whole house; it holds no code.

bongsu is a node that one organisation runs (a ministry, the police, a CERT, an
exchange) to follow stolen money through the chains, to warn every partner it
may warn, and to prove each step. A node keeps two books, and everything else
is a reading of them.

The ledger (package ledger) is what moved on the chains: facts that anyone can
check against the chain. Imports (ingest) and chain nodes fill it.

The journal (package journal) is what organisations said: statements, which are
STIX 2.1 objects (stix), append-only, each with its author, marking, legal basis
and time, in a Merkle tree under signed checkpoints, provable and yet erasable.
The organisation's keys (identity) sign it.

Tracing (trace) reads the ledger and writes findings into the journal. Sharing
(share) copies statements from one journal into a partner's, where an agreement
(agreement) that both signed allows it, and brings receipts back. Screening
(screen), the HTTP interface (api) and the pages (web) are views of the journal
that can be thrown away and rebuilt. So there is one truth, one audit trail, one
way in and one way out.

	chain nodes, exports --> ingest --> LEDGER --> trace --+
	                                                       v
	analysts, labels, partners -------------------------> JOURNAL --> share --> partners
	                                                       |
	                                             screen, api, web (views)

The rules that hold everywhere:

  - Money is exact: integer base units (chain.Amount), what goes in equals what
    comes out, and what could not be followed is accounted for by reason.
  - Every statement has a source: who said it, when, under which marking, and
    whether it was observed on a chain or inferred by a rule.
  - Nothing is shared unless a policy allows it: no rule means nobody.
  - What was acknowledged survives a crash at any moment.
  - Input is parsed at the edge, with explicit limits; inside, values are valid.

A package imports only from floors below its own; house_test.go holds the table
and the few exceptions. ARCHITECTURE.md lists the rooms and walks one theft
through them.
*/
package bongsu
