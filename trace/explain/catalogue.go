package explain

import "bongsu/trace"

// catalogue is the sentences of a language. A test holds every language to the
// same placeholders and to a sentence for every method, rule and reason.
func catalogue(lang string) (phrases, bool) {
	switch lang {
	case "en":
		return english(), true
	case "ko":
		return korean(), true
	case "it":
		return italian(), true
	case "fr":
		return french(), true
	case "de":
		return german(), true
	}
	return phrases{}, false
}

func english() phrases {
	return phrases{
		title:      "How money of the theft {theft} came to account {account}.",
		rests:      "Result: {amount} of it lie on this account.",
		passed:     "Result: nothing of it lies on this account any more; it passed through.",
		exit:       "Result: {amount} of it entered the service {label} ({category}, according to {source}).",
		stopped:    "Result: {amount} of it were not followed beyond this account: {reason}.",
		lacking:    "Note: this account spent {spent}, of which the ledger knows {known}; the origin of {missing} is missing and is not counted as stolen.",
		stolen:     "{time}, block {block}: the theft itself. {stolen} went from {from} to {to} (transaction {tx}).",
		moved:      "{time}, block {block}: {from} sent {total} to {to} (transaction {tx}). {stolen} of it are stolen; they come from step {steps}.",
		minted:     "{time}, block {block}: {total} were newly issued to {to} (transaction {tx}). {stolen} of it are stolen; they come from step {steps}.",
		observed:   "The ledger shows this.",
		inferred:   "This is inferred: {rule}.",
		before:     "The ledger shows this transfer, but it builds on an inferred step.",
		confidence: "Confidence {confidence} of 100.",
		close:      "Source: trace {digest}. Anyone with the same ledger and labels can repeat it.",
		and:        "and", decimal: ".", date: "2 January 2006, 15:04:05 UTC",
		methods: map[trace.Method]string{
			trace.FIFO:    "Method: first in, first out. An account spends what it received first.",
			trace.LIFO:    "Method: last in, first out. An account spends what it received last.",
			trace.Haircut: "Method: haircut. Every payment carries the same share of stolen money as the account held.",
			trace.Poison:  "Method: poison. Everything that mixes with stolen money counts as touched; amounts are upper bounds.",
			trace.TIHO:    "Method: tainted in, highest out. Within a transaction the stolen money goes into the largest payments.",
		},
		rules: map[trace.Rule]string{
			trace.RuleKnownFirst: "the account spent more than the ledger knows it had, and the known money is taken to have gone first",
			trace.RulePosition:   "the source gave no block for the transfer, which was placed by its time",
			trace.RuleOrder:      "the money came and went in one block, and the order of the two transactions is not known",
		},
		reasons: map[trace.Reason]string{
			trace.ReasonDegree: "the account sends more often than the trace was asked to follow", trace.ReasonFloor: "the amount is under the limit that was set",
			trace.ReasonDepth: "the number of transfers that was set is reached", trace.ReasonTime: "it moved on after the end of the period that was set",
			trace.ReasonContract: "the account is a contract of decentralised finance", trace.ReasonInferred: "only what the ledger shows was asked for",
		},
	}
}

func korean() phrases {
	return phrases{
		title:      "도난 사건 {theft}의 자금이 계정 {account}에 이르게 된 경위.",
		rests:      "결과: 그중 {amount}이(가) 이 계정에 남아 있습니다.",
		passed:     "결과: 이 계정에는 더 이상 남아 있지 않으며, 자금은 거쳐 지나갔습니다.",
		exit:       "결과: 그중 {amount}이(가) 서비스 {label}(분류: {category}, 출처: {source})에 들어갔습니다.",
		stopped:    "결과: 그중 {amount}은(는) 이 계정 이후로 추적하지 않았습니다. 이유: {reason}.",
		lacking:    "참고: 이 계정은 {spent}을(를) 지출했으나 원장에서 확인되는 것은 {known}입니다. {missing}의 출처는 확인되지 않으며 도난 자금으로 보지 않습니다.",
		stolen:     "{time}, 블록 {block}: 도난 그 자체. {stolen}이(가) {from}에서 {to}(으)로 이동했습니다(거래 {tx}).",
		moved:      "{time}, 블록 {block}: {from}이(가) {total}을(를) {to}에 보냈습니다(거래 {tx}). 그중 {stolen}이(가) 도난 자금이며, {steps}단계에서 왔습니다.",
		minted:     "{time}, 블록 {block}: {total}이(가) {to}에 새로 발행되었습니다(거래 {tx}). 그중 {stolen}이(가) 도난 자금이며, {steps}단계에서 왔습니다.",
		observed:   "원장에서 확인됩니다.",
		inferred:   "추론된 것입니다: {rule}.",
		before:     "이 이체는 원장에서 확인되지만, 추론된 단계에 근거합니다.",
		confidence: "신뢰도 100점 중 {confidence}점.",
		close:      "근거: 추적 {digest}. 같은 원장과 라벨이 있으면 누구나 재현할 수 있습니다.",
		and:        "및", decimal: ".", date: "2006년 1월 2일 15:04:05 UTC",
		methods: map[trace.Method]string{
			trace.FIFO:    "방법: 선입선출. 계정은 먼저 받은 자금을 먼저 쓴 것으로 봅니다.",
			trace.LIFO:    "방법: 후입선출. 계정은 나중에 받은 자금을 먼저 쓴 것으로 봅니다.",
			trace.Haircut: "방법: 비례 배분. 모든 지출에는 계정이 보유한 도난 자금과 같은 비율이 담깁니다.",
			trace.Poison:  "방법: 전체 오염. 도난 자금과 섞인 것은 모두 접촉한 것으로 보며, 금액은 상한입니다.",
			trace.TIHO:    "방법: 오염 우선 최대 지출. 한 거래 안에서 도난 자금은 가장 큰 지출로 들어갑니다.",
		},
		rules: map[trace.Rule]string{
			trace.RuleKnownFirst: "계정이 원장에서 확인되는 것보다 많이 지출했으며, 확인되는 자금이 먼저 나간 것으로 봅니다",
			trace.RulePosition:   "자료에 블록이 없어 시각에 따라 위치를 정했습니다",
			trace.RuleOrder:      "자금이 한 블록 안에서 들어오고 나갔으며, 두 거래의 순서를 알 수 없습니다",
		},
		reasons: map[trace.Reason]string{
			trace.ReasonDegree: "계정의 송금 횟수가 정해진 한도를 넘습니다", trace.ReasonFloor: "금액이 정해진 하한보다 작습니다",
			trace.ReasonDepth: "정해진 이체 횟수에 도달했습니다", trace.ReasonTime: "정해진 기간이 끝난 뒤에 이동했습니다",
			trace.ReasonContract: "탈중앙화 금융 계약입니다", trace.ReasonInferred: "원장에서 확인되는 것만 요청되었습니다",
		},
	}
}

func italian() phrases {
	return phrases{
		title:      "Come il denaro del furto {theft} è arrivato al conto {account}.",
		rests:      "Risultato: {amount} si trovano su questo conto.",
		passed:     "Risultato: su questo conto non ne resta nulla; il denaro è solo transitato.",
		exit:       "Risultato: {amount} sono entrati nel servizio {label} ({category}, secondo {source}).",
		stopped:    "Risultato: {amount} non sono stati seguiti oltre questo conto: {reason}.",
		lacking:    "Nota: questo conto ha speso {spent}, di cui il registro conosce {known}; l'origine di {missing} manca e non è contata come rubata.",
		stolen:     "{time}, blocco {block}: il furto stesso. {stolen} sono passati da {from} a {to} (transazione {tx}).",
		moved:      "{time}, blocco {block}: {from} ha inviato {total} a {to} (transazione {tx}). Di questi, {stolen} sono rubati; provengono dal passo {steps}.",
		minted:     "{time}, blocco {block}: {total} sono stati emessi a {to} (transazione {tx}). Di questi, {stolen} sono rubati; provengono dal passo {steps}.",
		observed:   "Lo mostra il registro.",
		inferred:   "È dedotto: {rule}.",
		before:     "Il registro mostra questo trasferimento, che però si basa su un passo dedotto.",
		confidence: "Affidabilità {confidence} su 100.",
		close:      "Fonte: tracciamento {digest}. Chiunque abbia lo stesso registro e le stesse etichette può ripeterlo.",
		and:        "e", decimal: ",", date: "02/01/2006, 15:04:05 UTC",
		methods: map[trace.Method]string{
			trace.FIFO:    "Metodo: primo entrato, primo uscito. Un conto spende per primo ciò che ha ricevuto per primo.",
			trace.LIFO:    "Metodo: ultimo entrato, primo uscito. Un conto spende per primo ciò che ha ricevuto per ultimo.",
			trace.Haircut: "Metodo: proporzionale. Ogni pagamento porta la stessa quota di denaro rubato che il conto possedeva.",
			trace.Poison:  "Metodo: contaminazione. Tutto ciò che si mescola con denaro rubato conta come toccato; gli importi sono limiti superiori.",
			trace.TIHO:    "Metodo: contaminato in entrata, massimo in uscita. In una transazione il denaro rubato va nei pagamenti maggiori.",
		},
		rules: map[trace.Rule]string{
			trace.RuleKnownFirst: "il conto ha speso più di quanto il registro conosca, e si assume che il denaro noto sia uscito per primo",
			trace.RulePosition:   "la fonte non indica il blocco del trasferimento, collocato in base all'ora",
			trace.RuleOrder:      "il denaro è entrato e uscito nello stesso blocco, e l'ordine delle due transazioni non è noto",
		},
		reasons: map[trace.Reason]string{
			trace.ReasonDegree: "il conto invia più spesso del limite fissato", trace.ReasonFloor: "l'importo è sotto il limite fissato",
			trace.ReasonDepth: "è raggiunto il numero di trasferimenti fissato", trace.ReasonTime: "si è mosso dopo la fine del periodo fissato",
			trace.ReasonContract: "il conto è un contratto di finanza decentralizzata", trace.ReasonInferred: "è stato chiesto solo ciò che il registro mostra",
		},
	}
}

func french() phrases {
	return phrases{
		title:      "Comment l'argent du vol {theft} est arrivé sur le compte {account}.",
		rests:      "Résultat : {amount} se trouvent sur ce compte.",
		passed:     "Résultat : il n'en reste rien sur ce compte ; l'argent n'a fait que passer.",
		exit:       "Résultat : {amount} sont entrés dans le service {label} ({category}, selon {source}).",
		stopped:    "Résultat : {amount} n'ont pas été suivis au-delà de ce compte : {reason}.",
		lacking:    "Remarque : ce compte a dépensé {spent}, dont le registre connaît {known} ; l'origine de {missing} manque et n'est pas comptée comme volée.",
		stolen:     "{time}, bloc {block} : le vol lui-même. {stolen} sont passés de {from} à {to} (transaction {tx}).",
		moved:      "{time}, bloc {block} : {from} a envoyé {total} à {to} (transaction {tx}). De cela, {stolen} sont volés ; ils viennent de l'étape {steps}.",
		minted:     "{time}, bloc {block} : {total} ont été émis pour {to} (transaction {tx}). De cela, {stolen} sont volés ; ils viennent de l'étape {steps}.",
		observed:   "Le registre le montre.",
		inferred:   "Ceci est déduit : {rule}.",
		before:     "Le registre montre ce transfert, mais il repose sur une étape déduite.",
		confidence: "Confiance : {confidence} sur 100.",
		close:      "Source : traçage {digest}. Quiconque dispose du même registre et des mêmes étiquettes peut le répéter.",
		and:        "et", decimal: ",", date: "02/01/2006 15:04:05 UTC",
		methods: map[trace.Method]string{
			trace.FIFO:    "Méthode : premier entré, premier sorti. Un compte dépense d'abord ce qu'il a reçu en premier.",
			trace.LIFO:    "Méthode : dernier entré, premier sorti. Un compte dépense d'abord ce qu'il a reçu en dernier.",
			trace.Haircut: "Méthode : proportionnelle. Chaque paiement porte la même part d'argent volé que le compte détenait.",
			trace.Poison:  "Méthode : contamination. Tout ce qui se mêle à de l'argent volé compte comme touché ; les montants sont des maximums.",
			trace.TIHO:    "Méthode : contaminé à l'entrée, le plus grand à la sortie. Dans une transaction, l'argent volé va aux plus grands paiements.",
		},
		rules: map[trace.Rule]string{
			trace.RuleKnownFirst: "le compte a dépensé plus que ce que le registre lui connaît, et l'argent connu est supposé être parti en premier",
			trace.RulePosition:   "la source ne donne pas le bloc du transfert, placé d'après son heure",
			trace.RuleOrder:      "l'argent est entré et sorti dans un même bloc, et l'ordre des deux transactions n'est pas connu",
		},
		reasons: map[trace.Reason]string{
			trace.ReasonDegree: "le compte envoie plus souvent que la limite fixée", trace.ReasonFloor: "le montant est inférieur à la limite fixée",
			trace.ReasonDepth: "le nombre de transferts fixé est atteint", trace.ReasonTime: "il a bougé après la fin de la période fixée",
			trace.ReasonContract: "le compte est un contrat de finance décentralisée", trace.ReasonInferred: "seul ce que montre le registre a été demandé",
		},
	}
}

func german() phrases {
	return phrases{
		title:      "Wie Geld aus dem Diebstahl {theft} auf das Konto {account} kam.",
		rests:      "Ergebnis: {amount} davon liegen auf diesem Konto.",
		passed:     "Ergebnis: Auf diesem Konto liegt davon nichts mehr; das Geld ging nur hindurch.",
		exit:       "Ergebnis: {amount} davon gingen an den Dienst {label} ({category}, laut {source}).",
		stopped:    "Ergebnis: {amount} davon wurden über dieses Konto hinaus nicht verfolgt: {reason}.",
		lacking:    "Hinweis: Dieses Konto gab {spent} aus, wovon das Hauptbuch {known} kennt; die Herkunft von {missing} fehlt und zählt nicht als gestohlen.",
		stolen:     "{time}, Block {block}: der Diebstahl selbst. {stolen} gingen von {from} an {to} (Transaktion {tx}).",
		moved:      "{time}, Block {block}: {from} sandte {total} an {to} (Transaktion {tx}). Davon sind {stolen} gestohlen; sie stammen aus Schritt {steps}.",
		minted:     "{time}, Block {block}: {total} wurden an {to} neu ausgegeben (Transaktion {tx}). Davon sind {stolen} gestohlen; sie stammen aus Schritt {steps}.",
		observed:   "Das zeigt das Hauptbuch.",
		inferred:   "Das ist erschlossen: {rule}.",
		before:     "Das Hauptbuch zeigt diese Überweisung, sie baut aber auf einem erschlossenen Schritt auf.",
		confidence: "Verlässlichkeit {confidence} von 100.",
		close:      "Quelle: Verfolgung {digest}. Wer dasselbe Hauptbuch und dieselben Kennzeichnungen hat, kann sie wiederholen.",
		and:        "und", decimal: ",", date: "2.1.2006, 15:04:05 UTC",
		methods: map[trace.Method]string{
			trace.FIFO:    "Verfahren: zuerst herein, zuerst hinaus. Ein Konto gibt zuerst aus, was es zuerst erhielt.",
			trace.LIFO:    "Verfahren: zuletzt herein, zuerst hinaus. Ein Konto gibt zuerst aus, was es zuletzt erhielt.",
			trace.Haircut: "Verfahren: anteilig. Jede Zahlung trägt denselben Anteil gestohlenen Geldes, den das Konto hielt.",
			trace.Poison:  "Verfahren: Ansteckung. Alles, was sich mit gestohlenem Geld mischt, gilt als berührt; die Beträge sind Obergrenzen.",
			trace.TIHO:    "Verfahren: belastet herein, größtes hinaus. In einer Transaktion geht das gestohlene Geld in die größten Zahlungen.",
		},
		rules: map[trace.Rule]string{
			trace.RuleKnownFirst: "das Konto gab mehr aus, als das Hauptbuch bei ihm kennt, und das bekannte Geld gilt als zuerst ausgegeben",
			trace.RulePosition:   "die Quelle nennt zur Überweisung keinen Block; sie wurde nach ihrer Zeit eingeordnet",
			trace.RuleOrder:      "das Geld kam und ging in einem Block, und die Reihenfolge der beiden Transaktionen ist unbekannt",
		},
		reasons: map[trace.Reason]string{
			trace.ReasonDegree: "das Konto sendet öfter, als die gesetzte Grenze erlaubt", trace.ReasonFloor: "der Betrag liegt unter der gesetzten Grenze",
			trace.ReasonDepth: "die gesetzte Zahl von Überweisungen ist erreicht", trace.ReasonTime: "es bewegte sich nach dem Ende des gesetzten Zeitraums",
			trace.ReasonContract: "das Konto ist ein Vertrag der dezentralen Finanzwelt", trace.ReasonInferred: "gefragt war nur, was das Hauptbuch zeigt",
		},
	}
}
