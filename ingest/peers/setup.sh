#!/bin/sh
# Fetches and builds the real chain nodes that `make test-peers` talks to, and
# compiles the contracts they run. Everything lands in one cache folder outside
# the repository and is reused; nothing is linked into bongsu (geth is under
# the LGPL and GPL, anvil under MIT and Apache-2.0, btcd under ISC).
#
#   usage: setup.sh            needs go, node and npm
#   cache: $BONGSU_PEERS, else ${XDG_CACHE_HOME:-$HOME/.cache}/bongsu-peers
#
# It prints the folder as its last line.
set -eu

ANVIL=1.7.1
SOLC=0.8.37
GETH=v1.16.9
BTCD=v0.26.2

here=$(cd "$(dirname "$0")" && pwd)
cache=${BONGSU_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/bongsu-peers}
mkdir -p "$cache/bin"

say() { printf 'peers: %s\n' "$*" >&2; }

# A finished step leaves a stamp named after its version, so that an
# interrupted one is done again and a new version replaces the old.
have() { [ -f "$cache/.$1-$2" ]; }
stamp() { rm -f "$cache/.$1-"*; : > "$cache/.$1-$2"; }

for tool in go node npm; do
    command -v "$tool" >/dev/null || { say "$tool is missing; install it and run this again"; exit 1; }
done

# go_tool NAME MODULE PACKAGE VERSION builds one command in a scratch module,
# because geth's own module cannot be built by `go install`.
go_tool() {
    have "$1" "$4" && return
    say "building $1 $4 (minutes, once)"
    scratch=$(mktemp -d)
    (
        cd "$scratch"
        go mod init scratch >/dev/null 2>&1
        go get "$3@$4" >/dev/null 2>&1 || go get "$2@$4"
        CGO_ENABLED=0 GOFLAGS=-mod=mod go build -trimpath -o "$cache/bin/$1.new" "$3"
    )
    rm -rf "$scratch"
    mv "$cache/bin/$1.new" "$cache/bin/$1"
    stamp "$1" "$4"
}

if ! have npm "$ANVIL-$SOLC"; then
    say "fetching anvil $ANVIL and solc $SOLC"
    # npm holds back anvil's install script, which only copies a binary that
    # is there already; so it is left out and the binary linked by hand.
    npm install --prefix "$cache/npm" --ignore-scripts --no-audit --no-fund --loglevel=error \
        "@foundry-rs/anvil@$ANVIL" "solc@$SOLC" >&2
    case "$(uname -m)" in aarch64 | arm64) arch=arm64 ;; *) arch=amd64 ;; esac
    ln -sf "$cache/npm/node_modules/@foundry-rs/anvil-linux-$arch/bin/anvil" "$cache/bin/anvil"
    chmod +x "$cache/bin/anvil"
    stamp npm "$ANVIL-$SOLC"
fi

sum=$(cat "$here/contracts.sol" "$here/compile.js" | cksum | cut -d' ' -f1)
if ! have contracts "$sum-$SOLC"; then
    say "compiling contracts.sol"
    NODE_PATH="$cache/npm/node_modules" node "$here/compile.js" "$here/contracts.sol" > "$cache/contracts.json.new"
    mv "$cache/contracts.json.new" "$cache/contracts.json"
    stamp contracts "$sum-$SOLC"
fi

go_tool btcd github.com/btcsuite/btcd github.com/btcsuite/btcd "$BTCD"
go_tool geth github.com/ethereum/go-ethereum github.com/ethereum/go-ethereum/cmd/geth "$GETH"

say "ready"
printf '%s\n' "$cache"
