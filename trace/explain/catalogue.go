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
		rests:      "Result: stolen money still on this account: {amount}.",
		passed:     "Result: nothing of it lies on this account any more; it passed through.",
		exit:       "Result: entered the service {label} ({category}, according to {source}), between {first} and {last}: {amount}.",
		stopped:    "Result: not followed beyond this account: {amount}. Reason: {reason}.",
		lacking:    "Note: account {account} spent {spent}, of which the ledger knows {known}; the origin of {missing} is missing and is not counted as stolen.",
		stolen:     "{time}, block {block}: the theft itself. From {from} to {to}: {stolen} (transaction {tx}).",
		moved:      "{time}, block {block}: {from} sent {total} to {to} (transaction {tx}). Stolen part: {stolen}, from step {steps}.",
		minted:     "{time}, block {block}: newly issued to {to}: {total} (transaction {tx}). Stolen part: {stolen}, from step {steps}.",
		premise:    "The ledger shows this transfer; that it is part of the theft was stated and is the premise of this trace.",
		observed:   "The ledger shows this transfer; the part named follows from the method.",
		linked:     "The ledger shows the payment; that the account holds as much of the other asset for it follows from the contract's code (rule {link}).",
		part:       "Stolen part: {stolen}, from step {steps}.",
		partBack:   "Money of this origin: {stolen}, from step {steps}.",
		inferred:   "This is inferred: {rule}.",
		before:     "The ledger shows this transfer, but it builds on an inferred step.",
		confidence: "Confidence {confidence} of 100.",
		close:      "Source: trace {digest}. Anyone with the same ledger and labels can repeat it.",
		kept:       "{time}, block {block}: {from} sent {total} back to itself, as change (transaction {tx}). Stolen part: {stolen}, from step {steps}.",
		titleBack:  "How money of account {account} came into the deposit {theft}.",
		startBack:  "{time}, block {block}: {from} sent {total} to {to} (transaction {tx}). Here going back stops. Money of this origin: {stolen}.",
		coinBack:   "{time}, block {block}: transaction {tx} paid {total} to {to}. Here going back stops. Money of this origin: {stolen}.",
		movedBack:  "{time}, block {block}: {from} sent {total} to {to} (transaction {tx}). Money of this origin: {stolen}, from step {steps}.",
		restsBack:  "Result: part of the deposit that comes from here: {amount}. Where this account had it from, the ledger does not show.",
		exitBack:   "Result: part of the deposit that comes from the service {label} ({category}, according to {source}): {amount}.",
		stopBack:   "Result: part of the deposit that was not looked at beyond this account: {amount}. Reason: {reason}.",
		lackBack:   "Note: of the deposit of {spent}, the ledger explains {known}; the origin of {missing} is missing.",
		and:        "and", decimal: ".", group: ",", date: "{day} {month} {year}, {clock} UTC", first: "1", untimed: "unknown time",
		months: []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		links: map[trace.Link]string{
			trace.LinkWrap:   "{time}, block {block}: {from} paid coin into the contract {via} and was credited with as much of its token: {total} (transaction {tx}).",
			trace.LinkUnwrap: "{time}, block {block}: {from} gave tokens back to the contract {via} and was paid as much coin: {total} (transaction {tx}).",
		},
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
			trace.RuleWithin:     "an event and a call of one transaction, whose order among each other no source gives: what paid for the withdrawal is taken to have come before it",
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
		rests:      "결과: 이 계정에 남아 있는 도난 자금: {amount}.",
		passed:     "결과: 이 계정에는 더 이상 남아 있지 않으며, 자금은 거쳐 지나갔습니다.",
		exit:       "결과: 서비스 {label}(분류: {category}, 출처: {source})에 {first}부터 {last}까지 들어간 금액: {amount}.",
		stopped:    "결과: 이 계정 이후로 추적하지 않은 금액: {amount}. 이유: {reason}.",
		lacking:    "참고: 계정 {account}은(는) {spent}을(를) 지출했으나 원장에서 확인되는 것은 {known}입니다. {missing}의 출처는 확인되지 않으며 도난 자금으로 보지 않습니다.",
		stolen:     "{time}, 블록 {block}: 도난 그 자체. {from}에서 {to}(으)로: {stolen}(거래 {tx}).",
		moved:      "{time}, 블록 {block}: {from}이(가) {to}에 {total}을(를) 보냈습니다(거래 {tx}). 그중 도난 자금: {stolen}, 출처: {steps}단계.",
		minted:     "{time}, 블록 {block}: {to}에 새로 발행된 금액: {total}(거래 {tx}). 그중 도난 자금: {stolen}, 출처: {steps}단계.",
		premise:    "이 이체는 원장에서 확인되며, 도난의 일부라는 것은 진술된 내용으로 이 추적의 전제입니다.",
		observed:   "이 이체는 원장에서 확인되며, 그중 해당 금액은 위의 방법에 따른 것입니다.",
		linked:     "이 지급은 원장에서 확인되며, 계정이 그 대신 같은 금액의 다른 자산을 보유한다는 것은 컨트랙트의 코드에 따른 것입니다(규칙 {link}).",
		part:       "그중 도난 자금: {stolen}, 출처: {steps}단계.",
		partBack:   "이 출처의 자금: {stolen}, {steps}단계에서 왔습니다.",
		inferred:   "추론된 것입니다: {rule}.",
		before:     "이 이체는 원장에서 확인되지만, 추론된 단계에 근거합니다.",
		confidence: "신뢰도 100점 중 {confidence}점.",
		close:      "근거: 추적 {digest}. 같은 원장과 라벨이 있으면 누구나 재현할 수 있습니다.",
		kept:       "{time}, 블록 {block}: {from}이(가) {total}을(를) 거스름돈으로 자기 자신에게 돌려보냈습니다(거래 {tx}). 그중 도난 자금: {stolen}, 출처: {steps}단계.",
		titleBack:  "계정 {account}의 자금이 입금 {theft}에 이르게 된 경위.",
		startBack:  "{time}, 블록 {block}: {from}이(가) {to}에 {total}을(를) 보냈습니다(거래 {tx}). 역추적은 여기에서 멈춥니다. 이 출처의 자금: {stolen}.",
		coinBack:   "{time}, 블록 {block}: 거래 {tx}이(가) {to}에 {total}을(를) 지급했습니다. 역추적은 여기에서 멈춥니다. 이 출처의 자금: {stolen}.",
		movedBack:  "{time}, 블록 {block}: {from}이(가) {to}에 {total}을(를) 보냈습니다(거래 {tx}). 이 출처의 자금: {stolen}, {steps}단계에서 왔습니다.",
		restsBack:  "결과: 입금 중 이 계정에서 온 금액: {amount}. 이 계정이 그 자금을 어디에서 받았는지는 원장에 나타나지 않습니다.",
		exitBack:   "결과: 입금 중 서비스 {label}(분류: {category}, 출처: {source})에서 온 금액: {amount}.",
		stopBack:   "결과: 입금 중 이 계정 이전을 조사하지 않은 금액: {amount}. 이유: {reason}.",
		lackBack:   "참고: 입금 {spent} 중 원장이 설명하는 금액은 {known}이며, {missing}의 출처는 확인되지 않습니다.",
		and:        "및", decimal: ".", group: ",", date: "{year}년 {month} {day}일 {clock} UTC", first: "1", untimed: "시각 미상",
		months: []string{"1월", "2월", "3월", "4월", "5월", "6월", "7월", "8월", "9월", "10월", "11월", "12월"},
		links: map[trace.Link]string{
			trace.LinkWrap:   "{time}, 블록 {block}: {from}이(가) 컨트랙트 {via}에 코인을 예치하고 같은 금액의 토큰을 받았습니다: {total}(거래 {tx}).",
			trace.LinkUnwrap: "{time}, 블록 {block}: {from}이(가) 컨트랙트 {via}에 토큰을 반환하고 같은 금액의 코인을 받았습니다: {total}(거래 {tx}).",
		},
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
			trace.RuleWithin:     "한 거래 안의 이벤트와 호출 사이의 순서를 자료가 알려 주지 않으며, 인출의 대가가 된 자금이 먼저 들어온 것으로 봅니다",
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
		rests:      "Risultato: denaro rubato che si trova ancora su questo conto: {amount}.",
		passed:     "Risultato: su questo conto non ne resta nulla; il denaro è solo transitato.",
		exit:       "Risultato: entrato nel servizio {label} ({category}, secondo {source}), tra {first} e {last}: {amount}.",
		stopped:    "Risultato: non seguito oltre questo conto: {amount}. Motivo: {reason}.",
		lacking:    "Nota: il conto {account} ha speso {spent}, di cui il registro conosce {known}; l'origine di {missing} manca e non è contata come rubata.",
		stolen:     "{time}, blocco {block}: il furto stesso. Da {from} a {to}: {stolen} (transazione {tx}).",
		moved:      "{time}, blocco {block}: {from} ha inviato {total} a {to} (transazione {tx}). Parte rubata: {stolen}, dal passo {steps}.",
		minted:     "{time}, blocco {block}: emesso a {to}: {total} (transazione {tx}). Parte rubata: {stolen}, dal passo {steps}.",
		premise:    "Il registro mostra questo trasferimento; che faccia parte del furto è stato dichiarato ed è la premessa di questo tracciamento.",
		observed:   "Il registro mostra questo trasferimento; la parte indicata segue dal metodo.",
		linked:     "Il registro mostra il pagamento; che il conto ne abbia in cambio altrettanto nell'altra valuta segue dal codice del contratto (regola {link}).",
		part:       "Parte rubata: {stolen}, dal passo {steps}.",
		partBack:   "Denaro di questa origine: {stolen}, dal passo {steps}.",
		inferred:   "È dedotto: {rule}.",
		before:     "Il registro mostra questo trasferimento, che però si basa su un passo dedotto.",
		confidence: "Affidabilità {confidence} su 100.",
		close:      "Fonte: tracciamento {digest}. Chiunque abbia lo stesso registro e le stesse etichette può ripeterlo.",
		kept:       "{time}, blocco {block}: {from} ha rimandato {total} a sé stesso, come resto (transazione {tx}). Parte rubata: {stolen}, dal passo {steps}.",
		titleBack:  "Come il denaro del conto {account} è arrivato nel deposito {theft}.",
		startBack:  "{time}, blocco {block}: {from} ha inviato {total} a {to} (transazione {tx}). Qui la ricerca all'indietro si ferma. Denaro di questa origine: {stolen}.",
		coinBack:   "{time}, blocco {block}: la transazione {tx} ha pagato {total} a {to}. Qui la ricerca all'indietro si ferma. Denaro di questa origine: {stolen}.",
		movedBack:  "{time}, blocco {block}: {from} ha inviato {total} a {to} (transazione {tx}). Denaro di questa origine: {stolen}, dal passo {steps}.",
		restsBack:  "Risultato: parte del deposito che viene da qui: {amount}. Da dove questo conto l'abbia avuta, il registro non lo mostra.",
		exitBack:   "Risultato: parte del deposito che viene dal servizio {label} ({category}, secondo {source}): {amount}.",
		stopBack:   "Risultato: parte del deposito non esaminata oltre questo conto: {amount}. Motivo: {reason}.",
		lackBack:   "Nota: del deposito di {spent} il registro spiega {known}; l'origine di {missing} manca.",
		and:        "e", decimal: ",", group: ".", date: "{day} {month} {year}, {clock} UTC", first: "1º", untimed: "ora sconosciuta",
		months: []string{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"},
		links: map[trace.Link]string{
			trace.LinkWrap:   "{time}, blocco {block}: {from} ha versato moneta nel contratto {via} e ha ricevuto altrettanto in token: {total} (transazione {tx}).",
			trace.LinkUnwrap: "{time}, blocco {block}: {from} ha reso token al contratto {via} e ha ricevuto altrettanto in moneta: {total} (transazione {tx}).",
		},
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
			trace.RuleWithin:     "un evento e una chiamata della stessa transazione, il cui ordine nessuna fonte indica: si assume che ciò che ha pagato il prelievo sia arrivato prima",
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
		rests:      "Résultat : argent volé qui se trouve encore sur ce compte : {amount}.",
		passed:     "Résultat : il n'en reste rien sur ce compte ; l'argent n'a fait que passer.",
		exit:       "Résultat : entré dans le service {label} ({category}, selon {source}), entre {first} et {last} : {amount}.",
		stopped:    "Résultat : non suivi au-delà de ce compte : {amount}. Motif : {reason}.",
		lacking:    "Remarque : le compte {account} a dépensé {spent}, dont le registre connaît {known} ; l'origine de {missing} manque et n'est pas comptée comme volée.",
		stolen:     "{time}, bloc {block} : le vol lui-même. De {from} à {to} : {stolen} (transaction {tx}).",
		moved:      "{time}, bloc {block} : {from} a envoyé {total} à {to} (transaction {tx}). Part volée : {stolen}, venue de l'étape {steps}.",
		minted:     "{time}, bloc {block} : émis pour {to} : {total} (transaction {tx}). Part volée : {stolen}, venue de l'étape {steps}.",
		premise:    "Le registre montre ce transfert ; qu'il fasse partie du vol a été déclaré et constitue la prémisse de ce traçage.",
		observed:   "Le registre montre ce transfert ; la part indiquée découle de la méthode.",
		linked:     "Le registre montre le paiement ; que le compte détienne en échange autant de l'autre actif découle du code du contrat (règle {link}).",
		part:       "Part volée : {stolen}, venue de l'étape {steps}.",
		partBack:   "Argent de cette origine : {stolen}, venu de l'étape {steps}.",
		inferred:   "Ceci est déduit : {rule}.",
		before:     "Le registre montre ce transfert, mais il repose sur une étape déduite.",
		confidence: "Confiance : {confidence} sur 100.",
		close:      "Source : traçage {digest}. Quiconque dispose du même registre et des mêmes étiquettes peut le répéter.",
		kept:       "{time}, bloc {block} : {from} s'est renvoyé {total} à lui-même, comme monnaie rendue (transaction {tx}). Part volée : {stolen}, venue de l'étape {steps}.",
		titleBack:  "Comment l'argent du compte {account} est arrivé dans le dépôt {theft}.",
		startBack:  "{time}, bloc {block} : {from} a envoyé {total} à {to} (transaction {tx}). La remontée s'arrête ici. Argent de cette origine : {stolen}.",
		coinBack:   "{time}, bloc {block} : la transaction {tx} a payé {total} à {to}. La remontée s'arrête ici. Argent de cette origine : {stolen}.",
		movedBack:  "{time}, bloc {block} : {from} a envoyé {total} à {to} (transaction {tx}). Argent de cette origine : {stolen}, venu de l'étape {steps}.",
		restsBack:  "Résultat : part du dépôt qui vient d'ici : {amount}. D'où ce compte la tenait, le registre ne le montre pas.",
		exitBack:   "Résultat : part du dépôt qui vient du service {label} ({category}, selon {source}) : {amount}.",
		stopBack:   "Résultat : part du dépôt qui n'a pas été examinée au-delà de ce compte : {amount}. Motif : {reason}.",
		lackBack:   "Remarque : du dépôt de {spent}, le registre explique {known} ; l'origine de {missing} manque.",
		and:        "et", decimal: ",", group: "\u202f", date: "{day} {month} {year} à {clock} UTC", first: "1er", untimed: "heure inconnue",
		months: []string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
		links: map[trace.Link]string{
			trace.LinkWrap:   "{time}, bloc {block} : {from} a versé de la monnaie dans le contrat {via} et a reçu autant de jetons : {total} (transaction {tx}).",
			trace.LinkUnwrap: "{time}, bloc {block} : {from} a rendu des jetons au contrat {via} et a reçu autant de monnaie : {total} (transaction {tx}).",
		},
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
			trace.RuleWithin:     "un événement et un appel de la même transaction, dont aucune source ne donne l'ordre : ce qui a payé le retrait est réputé arrivé avant",
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
		rests:      "Ergebnis: gestohlenes Geld, das noch auf diesem Konto liegt: {amount}.",
		passed:     "Ergebnis: Auf diesem Konto liegt davon nichts mehr; das Geld ging nur hindurch.",
		exit:       "Ergebnis: an den Dienst {label} ({category}, laut {source}) gegangen, zwischen {first} und {last}: {amount}.",
		stopped:    "Ergebnis: über dieses Konto hinaus nicht verfolgt: {amount}. Grund: {reason}.",
		lacking:    "Hinweis: Das Konto {account} gab {spent} aus, wovon das Hauptbuch {known} kennt; die Herkunft von {missing} fehlt und zählt nicht als gestohlen.",
		stolen:     "{time}, Block {block}: der Diebstahl selbst. Von {from} an {to}: {stolen} (Transaktion {tx}).",
		moved:      "{time}, Block {block}: {from} sandte {total} an {to} (Transaktion {tx}). Gestohlener Teil: {stolen}, aus Schritt {steps}.",
		minted:     "{time}, Block {block}: neu ausgegeben an {to}: {total} (Transaktion {tx}). Gestohlener Teil: {stolen}, aus Schritt {steps}.",
		premise:    "Das Hauptbuch zeigt diese Überweisung; dass sie zum Diebstahl gehört, wurde angegeben und ist die Voraussetzung dieser Verfolgung.",
		observed:   "Das Hauptbuch zeigt diese Überweisung; der genannte Teil folgt aus dem Verfahren.",
		linked:     "Das Hauptbuch zeigt die Zahlung; dass das Konto dafür ebenso viel vom anderen Wert hält, folgt aus dem Code des Vertrags (Regel {link}).",
		part:       "Gestohlener Teil: {stolen}, aus Schritt {steps}.",
		partBack:   "Geld dieser Herkunft: {stolen}, aus Schritt {steps}.",
		inferred:   "Das ist erschlossen: {rule}.",
		before:     "Das Hauptbuch zeigt diese Überweisung, sie baut aber auf einem erschlossenen Schritt auf.",
		confidence: "Verlässlichkeit {confidence} von 100.",
		close:      "Quelle: Verfolgung {digest}. Wer dasselbe Hauptbuch und dieselben Kennzeichnungen hat, kann sie wiederholen.",
		kept:       "{time}, Block {block}: {from} sandte {total} als Wechselgeld an sich selbst zurück (Transaktion {tx}). Gestohlener Teil: {stolen}, aus Schritt {steps}.",
		titleBack:  "Wie Geld des Kontos {account} in die Einzahlung {theft} kam.",
		startBack:  "{time}, Block {block}: {from} sandte {total} an {to} (Transaktion {tx}). Hier endet der Weg zurück. Geld dieser Herkunft: {stolen}.",
		coinBack:   "{time}, Block {block}: Transaktion {tx} zahlte {total} an {to}. Hier endet der Weg zurück. Geld dieser Herkunft: {stolen}.",
		movedBack:  "{time}, Block {block}: {from} sandte {total} an {to} (Transaktion {tx}). Geld dieser Herkunft: {stolen}, aus Schritt {steps}.",
		restsBack:  "Ergebnis: Teil der Einzahlung, der von hier kommt: {amount}. Woher dieses Konto ihn hatte, zeigt das Hauptbuch nicht.",
		exitBack:   "Ergebnis: Teil der Einzahlung, der vom Dienst {label} ({category}, laut {source}) kommt: {amount}.",
		stopBack:   "Ergebnis: Teil der Einzahlung, der über dieses Konto hinaus nicht betrachtet wurde: {amount}. Grund: {reason}.",
		lackBack:   "Hinweis: Von der Einzahlung über {spent} erklärt das Hauptbuch {known}; die Herkunft von {missing} fehlt.",
		and:        "und", decimal: ",", group: ".", date: "{day}. {month} {year}, {clock} UTC", first: "1", untimed: "Zeit unbekannt",
		months: []string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
		links: map[trace.Link]string{
			trace.LinkWrap:   "{time}, Block {block}: {from} zahlte Münzen in den Vertrag {via} ein und erhielt ebenso viele Token: {total} (Transaktion {tx}).",
			trace.LinkUnwrap: "{time}, Block {block}: {from} gab dem Vertrag {via} Token zurück und erhielt ebenso viele Münzen: {total} (Transaktion {tx}).",
		},
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
			trace.RuleWithin:     "ein Ereignis und ein Aufruf derselben Transaktion, deren Reihenfolge keine Quelle nennt: Was die Auszahlung deckte, gilt als vorher eingegangen",
		},
		reasons: map[trace.Reason]string{
			trace.ReasonDegree: "das Konto sendet öfter, als die gesetzte Grenze erlaubt", trace.ReasonFloor: "der Betrag liegt unter der gesetzten Grenze",
			trace.ReasonDepth: "die gesetzte Zahl von Überweisungen ist erreicht", trace.ReasonTime: "es bewegte sich nach dem Ende des gesetzten Zeitraums",
			trace.ReasonContract: "das Konto ist ein Vertrag der dezentralen Finanzwelt", trace.ReasonInferred: "gefragt war nur, was das Hauptbuch zeigt",
		},
	}
}
