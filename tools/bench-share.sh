#!/usr/bin/env bash
# Measures sharing between two real nodes over loopback: the demo's listings,
# sent one by one, each timed from its commit at the author until the verdict of
# its account changed at the receiver. The baseline is what the disk alone takes
# for the two commits in series: four durable 4 KB writes, measured in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build/bongsu demo --headless --json --singly "${N:-200}" --data "$work/demo" >"$work/demo.json" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
node - "$work" <<'JS'
const fs = require('node:fs');
const work = process.argv[2];
const share = JSON.parse(fs.readFileSync(`${work}/demo.json`, 'utf8')).share;
const fd = fs.openSync(`${work}/sync`, 'w');
const block = Buffer.alloc(4096, 1);
const times = [];
for (let i = 0; i < 200; i++) {
  const begun = process.hrtime.bigint();
  for (let k = 0; k < 4; k++) {
    fs.writeSync(fd, block);
    fs.fdatasyncSync(fd);
  }
  times.push(Number(process.hrtime.bigint() - begun) / 1e6);
}
times.sort((a, b) => a - b);
const at = (q) => times[Math.min(times.length - 1, Math.floor(times.length * q))];
const round = (v) => Math.round(v * 1000) / 1000;
const rows = [
  ['commit to changed verdict, median', share.p50_ms, at(0.5)],
  ['commit to changed verdict, 99th percentile', share.p99_ms, at(0.99)],
].map(([name, value, baseline]) => ({ name, value: round(value), unit: 'ms', baseline: round(baseline), ratio: round(value / baseline) }));
fs.writeFileSync('build/bench/share.json', JSON.stringify(rows, null, 2) + '\n');
console.log(`${share.singly} listings one by one; baseline: four durable 4 KB writes on this disk`);
console.table(rows);
JS
