package main

// cli is the whole command line. Each command is a type with a Run method in a
// file of its own; Help gives its examples.
type cli struct {
	Data string `help:"Data folder of the node (default: $$XDG_DATA_HOME/bongsu, else ~/.local/share/bongsu)." placeholder:"DIR" env:"BONGSU_DATA"`
	JSON bool   `name:"json" help:"Print one JSON document on standard output; progress and messages go to standard error."`

	Init  initCmd  `cmd:"" help:"Make the organisation's keys and the data folder."`
	Serve serveCmd `cmd:"" help:"Run the node; prints a one-time sign-in link."`

	Import importCmd `cmd:"" help:"Import transfers into the ledger."`
	Follow followCmd `cmd:"" help:"Catch up with a chain node, then follow it."`
	Ledger ledgerCmd `cmd:"" help:"What the ledger holds; verify every byte of it."`
	Labels labelsCmd `cmd:"" help:"Attribution: who an account is, by whom."`

	Theft    theftCmd    `cmd:"" help:"State a theft."`
	Trace    traceCmd    `cmd:"" help:"Follow stolen money to where it is now."`
	Explain  explainCmd  `cmd:"" help:"How stolen money came to an account, step by step."`
	Evaluate evaluateCmd `cmd:"" help:"Measure the tracer against known flows."`
	Screen   screenCmd   `cmd:"" help:"Verdicts on addresses, domains and files."`

	Partner   partnerCmd   `cmd:"" help:"Invite, join and list partner organisations."`
	Agreement agreementCmd `cmd:"" help:"Propose, sign and show sharing agreements."`
	Share     shareCmd     `cmd:"" help:"Who would see a statement, who received it, taking it back."`

	Journal journalCmd `cmd:"" help:"Verify the journal; export statements with their proofs."`
	Verify  verifyCmd  `cmd:"" help:"Check an exported statement offline."`
	Token   tokenCmd   `cmd:"" help:"Tokens for machines that screen or read over HTTP."`
	Demo    demoCmd    `cmd:"" help:"The main job on the real Bybit files, with two nodes."`
}
