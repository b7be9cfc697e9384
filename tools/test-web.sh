#!/usr/bin/env bash
# Runs the browser tests against the real demo: build/bongsu demo with its two
# nodes, and the agency's workspace in Chromium. Screenshots go to
# build/screenshots. Uses loopback only.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
log=$work/demo.log
build/bongsu demo --singly 20 --json --data "$work/demo" >"$work/demo.json" 2>"$log" &
demo=$!
trap 'kill "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; rm -rf "$work"' EXIT

link=
for _ in $(seq 600); do
  link=$(sed -nE 's/^ +agency +(http.*)$/\1/p' "$log")
  [ -z "$link" ] || break
  kill -0 "$demo" 2>/dev/null || { echo "test-web: the demo ended:" >&2; cat "$log" >&2; exit 1; }
  sleep 0.1
done
[ -n "$link" ] || { echo "test-web: the demo printed no link within a minute:" >&2; cat "$log" >&2; exit 1; }
node web/e2e/run.mjs --signin "$link" "$@"
