package signatures

// Where the signatures are written down.
const (
	fromWETH       = "contract WETH9, 0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
	fromTHORChain  = "THORChain Router v4 and v5, gitlab.com/thorchain/ethereum/eth-router"
	fromChainflip  = "Chainflip Vault, github.com/chainflip-io/chainflip-eth-contracts"
	fromWormhole   = "Wormhole token bridge and core bridge, github.com/wormhole-foundation/wormhole"
	fromDeBridge   = "deBridge DlnSource and DlnDestination"
	fromLiFi       = "LI.FI Diamond, github.com/lifinance/contracts"
	fromTornado    = "Tornado Cash pools and router, github.com/tornadocash"
	dlnOrderFields = "(uint64,bytes,uint256,bytes,uint256,uint256,bytes,uint256,bytes,bytes,bytes,bytes,bytes,bytes)"
)

// calls are functions, by the first four bytes of a call's input.
var calls = []Signature{
	{"WETH", "deposit", "deposit()", [4]byte{0xd0, 0xe3, 0x0d, 0xb0}, Wrap, fromWETH},
	{"WETH", "withdraw", "withdraw(uint256)", [4]byte{0x2e, 0x1a, 0x7d, 0x4d}, Wrap, fromWETH},
	{"THORChain", "deposit", "deposit(address,address,uint256,string)", [4]byte{0x1f, 0xec, 0xe7, 0xb4}, Bridge, fromTHORChain},
	{"THORChain", "depositWithExpiry", "depositWithExpiry(address,address,uint256,string,uint256)", [4]byte{0x44, 0xbc, 0x93, 0x7b}, Bridge, fromTHORChain},
	{"THORChain", "transferOut", "transferOut(address,address,uint256,string)", [4]byte{0x57, 0x4d, 0xa7, 0x17}, Bridge, fromTHORChain},
	{"THORChain", "transferOutAndCall", "transferOutAndCall(address,address,address,uint256,string)", [4]byte{0x40, 0x39, 0xfd, 0x4b}, Bridge, fromTHORChain},
	{"THORChain", "batchTransferOut", "", [4]byte{0x2d, 0xda, 0x5e, 0x99}, Bridge, fromTHORChain},
	{"Chainflip", "xSwapNative", "xSwapNative(uint32,bytes,uint32,bytes)", [4]byte{0xdd, 0x68, 0x73, 0x45}, Bridge, fromChainflip},
	{"Chainflip", "xSwapToken", "xSwapToken(uint32,bytes,uint32,address,uint256,bytes)", [4]byte{0x04, 0xfc, 0x7d, 0xa0}, Bridge, fromChainflip},
	{"Wormhole", "transferTokens", "transferTokens(address,uint256,uint16,bytes32,uint256,uint32)", [4]byte{0x0f, 0x52, 0x87, 0xb0}, Bridge, fromWormhole},
	{"Wormhole", "wrapAndTransferETH", "wrapAndTransferETH(uint16,bytes32,uint256,uint32)", [4]byte{0x99, 0x81, 0x50, 0x9f}, Bridge, fromWormhole},
	{"Tornado Cash", "deposit", "deposit(bytes32)", [4]byte{0xb2, 0x14, 0xfa, 0xa5}, Mixer, fromTornado},
	{"Tornado Cash", "withdraw", "withdraw(bytes,bytes32,bytes32,address,address,uint256,uint256)", [4]byte{0x21, 0xa0, 0xad, 0xb6}, Mixer, fromTornado},
	{"Tornado Cash router", "deposit", "deposit(address,bytes32,bytes)", [4]byte{0x13, 0xd9, 0x8d, 0x13}, Mixer, fromTornado},
	{"Tornado Cash router", "withdraw", "withdraw(address,bytes,bytes32,bytes32,address,address,uint256,uint256)", [4]byte{0xb4, 0x38, 0x68, 0x9f}, Mixer, fromTornado},
}

// events are logs, by the first four bytes of their first topic.
var events = []Signature{
	{"WETH", "Deposit", "Deposit(address,uint256)", [4]byte{0xe1, 0xff, 0xfc, 0xc4}, Wrap, fromWETH},
	{"WETH", "Withdrawal", "Withdrawal(address,uint256)", [4]byte{0x7f, 0xcf, 0x53, 0x2c}, Wrap, fromWETH},
	{"THORChain", "Deposit", "Deposit(address,address,uint256,string)", [4]byte{0xef, 0x51, 0x9b, 0x7e}, Bridge, fromTHORChain},
	{"THORChain", "TransferOut", "TransferOut(address,address,address,uint256,string)", [4]byte{0xa9, 0xcd, 0x03, 0xaa}, Bridge, fromTHORChain},
	{"Chainflip", "SwapNative", "SwapNative(uint32,bytes,uint32,uint256,address,bytes)", [4]byte{0x67, 0x57, 0x03, 0x4e}, Bridge, fromChainflip},
	{"Chainflip", "SwapToken", "SwapToken(uint32,bytes,uint32,address,uint256,address,bytes)", [4]byte{0x83, 0x4b, 0x52, 0x4d}, Bridge, fromChainflip},
	{"Wormhole", "LogMessagePublished", "LogMessagePublished(address,uint64,uint32,bytes,uint8)", [4]byte{0x6e, 0xb2, 0x24, 0xfb}, Bridge, fromWormhole},
	{"deBridge", "CreatedOrder", "CreatedOrder(" + dlnOrderFields + ",bytes32,bytes,uint256,uint256,uint32,bytes)", [4]byte{0xfc, 0x87, 0x03, 0xfd}, Bridge, fromDeBridge},
	{"deBridge", "FulfilledOrder", "FulfilledOrder(" + dlnOrderFields + ",bytes32,address,address)", [4]byte{0xd2, 0x81, 0xee, 0x92}, Bridge, fromDeBridge},
	{"LI.FI", "LiFiTransferStarted", "LiFiTransferStarted((bytes32,string,string,address,address,address,uint256,uint256,bool,bool))", [4]byte{0xcb, 0xa6, 0x9f, 0x43}, Bridge, fromLiFi},
	{"Tornado Cash", "Deposit", "Deposit(bytes32,uint32,uint256)", [4]byte{0xa9, 0x45, 0xe5, 0x1e}, Mixer, fromTornado},
	{"Tornado Cash", "Withdrawal", "Withdrawal(address,bytes32,address,uint256)", [4]byte{0xe9, 0xe5, 0x08, 0xba}, Mixer, fromTornado},
}

// memos are the beginnings of THORChain's memos in a payment's input: a swap by
// its four names, and what its vaults pay out by the two kinds of answer. Of a
// longer word its first four letters decide.
var memos = []string{"=:", "=<:", "s:", "swap", "SWAP", "OUT:", "REFU"}
