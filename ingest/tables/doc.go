// Package tables reads transfers from the exports that analysts have: our own
// CSV, the CSV and JSON of ethereum-etl, block explorers' downloads, the
// Parquet of public data sets, and the files published about single thefts.
//
// Formats lists them all. A file's format is told from its header, never from
// its name; columns are found by their names, in any order, and columns that a
// format does not know are left alone.
//
// What holds for all of them: amounts are exact (no floating point anywhere); a
// symbol is never believed over a contract; reverted frames and failed
// transactions move nothing but their fee; a row that cannot be read in full is
// rejected in full, with its line, the column and what to do.
//
// Bounded: a row, a column count, the lines of a quoted field, the frames of a
// transaction (ingest.Limits). Not here: Bitcoin's formats (ingest/bitcoin) and
// live nodes.
package tables
