package labels

// scores are the TagPack confidence ids and their scores.
func scoreOf(confidence string) (uint8, bool) {
	switch confidence {
	case "override", "ownership", "ledger_immanent":
		return 100, true
	case "manual_transaction":
		return 90, true
	case "service_api", "forensic_investigation":
		return 70, true
	case "authority_data":
		return 60, true
	case "trusted_provider", "service_data", "forensic":
		return 50, true
	case "untrusted_transaction":
		return 40, true
	case "web_crawl":
		return 20, true
	case "heuristic":
		return 10, true
	case "unknown":
		return 5, true
	}
	return 0, false
}
