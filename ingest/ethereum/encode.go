package ethereum

import "bongsu/chain"

// hashOf recomputes a header's hash from its fields (EIP-1559, 4895, 4844,
// 4788, 7685: each fork appends fields, in this order).
func (h *header) hashOf() hash {
	var b []byte
	for _, x := range [][]byte{
		h.ParentHash[:], h.UncleHash[:], h.Miner[:], h.StateRoot[:], h.TransactionsRoot[:], h.ReceiptsRoot[:], h.LogsBloom,
	} {
		b = rlpBytes(b, x)
	}
	b = rlpAmount(b, h.Difficulty.value())
	for _, v := range []quantity{h.Number, h.GasLimit, h.GasUsed, h.Timestamp} {
		b = rlpUint(b, uint64(v))
	}
	b = rlpBytes(b, h.ExtraData)
	var mix hash
	if h.MixHash != nil {
		mix = *h.MixHash
	}
	b = rlpBytes(rlpBytes(b, mix[:]), h.Nonce)
	if h.BaseFee != nil {
		b = rlpAmount(b, h.BaseFee.Amount)
	}
	if h.WithdrawalsRoot != nil {
		b = rlpBytes(b, h.WithdrawalsRoot[:])
	}
	if h.BlobGasUsed != nil && h.ExcessBlobGas != nil {
		b = rlpUint(rlpUint(b, uint64(*h.BlobGasUsed)), uint64(*h.ExcessBlobGas))
	}
	if h.ParentBeaconRoot != nil {
		b = rlpBytes(b, h.ParentBeaconRoot[:])
	}
	if h.RequestsHash != nil {
		b = rlpBytes(b, h.RequestsHash[:])
	}
	return keccak(rlpList(nil, b))
}

// Types of transactions (EIP-2718).
const (
	typeLegacy     = 0
	typeAccessList = 1 // EIP-2930
	typeDynamicFee = 2 // EIP-1559
	typeBlob       = 3 // EIP-4844
	typeSetCode    = 4 // EIP-7702
)

// kind is the transaction's type.
func (t *transaction) kind() uint64 {
	if t.Type == nil {
		return typeLegacy
	}
	return uint64(*t.Type)
}

// encode writes a transaction as its block holds it. ok is false for a type
// whose encoding is not known here.
func (t *transaction) encode() (out []byte, ok bool) {
	b := t.body()
	for _, v := range []chain.Amount{t.parity(), t.R.Amount, t.S.Amount} {
		b = rlpAmount(b, v)
	}
	if t.kind() == typeLegacy {
		return rlpList(nil, b), true
	}
	return rlpList([]byte{byte(t.kind())}, b), t.kind() <= typeSetCode
}

// parity is v, or what it is called since EIP-2930.
func (t *transaction) parity() chain.Amount {
	if t.V != nil {
		return t.V.Amount
	}
	return t.YParity.value()
}

// body is the fields up to the signature.
func (t *transaction) body() []byte {
	kind := t.kind()
	var b []byte
	if kind != typeLegacy {
		var id uint64
		if t.ChainID != nil {
			id = uint64(*t.ChainID)
		}
		b = rlpUint(b, id)
	}
	b = rlpUint(b, uint64(t.Nonce))
	if kind <= typeAccessList {
		b = rlpAmount(b, t.GasPrice.value())
	} else {
		b = rlpAmount(rlpAmount(b, t.MaxTip.value()), t.MaxFee.value())
	}
	b = rlpUint(b, uint64(t.Gas))
	if t.To != nil {
		b = rlpBytes(b, t.To[:])
	} else {
		b = rlpBytes(b, nil)
	}
	b = rlpBytes(rlpAmount(b, t.Value.Amount), t.Input)
	if kind != typeLegacy {
		b = t.appendAccess(b)
	}
	if kind == typeBlob {
		b = rlpAmount(b, t.MaxBlobFee.value())
		var list []byte
		for _, h := range t.BlobHashes {
			list = rlpBytes(list, h[:])
		}
		b = rlpList(b, list)
	}
	if kind == typeSetCode {
		b = t.appendAuthorities(b)
	}
	return b
}

func (t *transaction) appendAccess(b []byte) []byte {
	var list []byte
	for _, a := range t.AccessList {
		var keys []byte
		for _, k := range a.Keys {
			keys = rlpBytes(keys, k[:])
		}
		list = rlpList(list, rlpList(rlpBytes(nil, a.Address[:]), keys))
	}
	return rlpList(b, list)
}

func (t *transaction) appendAuthorities(b []byte) []byte {
	var list []byte
	for _, a := range t.Authorities {
		one := rlpBytes(rlpAmount(nil, a.ChainID.Amount), a.Address[:])
		one = rlpUint(rlpUint(one, uint64(a.Nonce)), uint64(a.YParity))
		list = rlpList(list, rlpAmount(rlpAmount(one, a.R.Amount), a.S.Amount))
	}
	return rlpList(b, list)
}

// encode writes a receipt as its block's root commits to it.
func (r *receipt) encode() (out []byte, ok bool) {
	var b []byte
	if r.Status != nil {
		b = rlpUint(b, uint64(*r.Status))
	} else {
		b = rlpBytes(b, r.Root)
	}
	b = rlpBytes(rlpUint(b, uint64(r.Cumulative)), r.Bloom)
	var logs []byte
	for i := range r.Logs {
		l := &r.Logs[i]
		var topics []byte
		for _, t := range l.Topics {
			topics = rlpBytes(topics, t[:])
		}
		logs = rlpList(logs, rlpBytes(rlpList(rlpBytes(nil, l.Address[:]), topics), l.Data))
	}
	b = rlpList(b, logs)
	kind := uint64(typeLegacy)
	if r.Type != nil {
		kind = uint64(*r.Type)
	}
	if kind == typeLegacy {
		return rlpList(nil, b), true
	}
	return rlpList([]byte{byte(kind)}, b), kind <= typeSetCode
}

func (w *withdrawal) encode() []byte {
	b := rlpUint(rlpUint(nil, uint64(w.Index)), uint64(w.Validator))
	return rlpList(nil, rlpUint(rlpBytes(b, w.Address[:]), uint64(w.Gwei)))
}
