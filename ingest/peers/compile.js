// Compiles one Solidity file and prints {contract: creation bytecode in hex}.
// The EVM version is pinned to one that every peer runs.
const fs = require('fs');
const solc = require('solc');

const source = fs.readFileSync(process.argv[2], 'utf8');
const out = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: 'Solidity',
      sources: { 'contracts.sol': { content: source } },
      settings: {
        evmVersion: 'shanghai',
        optimizer: { enabled: true, runs: 200 },
        outputSelection: { '*': { '*': ['evm.bytecode.object'] } },
      },
    }),
  ),
);
for (const e of out.errors || []) {
  if (e.severity === 'error') {
    console.error(e.formattedMessage);
    process.exit(1);
  }
}
const code = {};
for (const [name, c] of Object.entries(out.contracts['contracts.sol'])) {
  code[name] = c.evm.bytecode.object;
}
console.log(JSON.stringify(code));
