package tables

import (
	"slices"

	"bongsu/ingest"
)

// Formats is the list of the formats of this room, in the order in which a
// source is held against them. A command appends those of other rooms.
func Formats() []ingest.Format {
	return slices.Concat(
		[]ingest.Format{ownCSV, bybit, ronin},
		etlCSV(),
		explorerFormats(),
		blockscoutFormats(),
		[]ingest.Format{gethTraces, etlJSON, nomad, explorerAPI, parquetTables},
		strangers(),
	)
}
