#!/usr/bin/env bash
# Installs what bongsu needs to build, test and run on a fresh Debian machine,
# says what it does, and does nothing where all is there. Go and Node are the
# two things it expects to find.
#
#   tools/setup.sh build    Go, Node and the pages' npm packages
#   tools/setup.sh test     that, gcc (race detector), bzip2 and chromium (browser tests)
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

command -v go >/dev/null || die "Go is missing; install Go 1.26 or newer and put it on PATH"
command -v node >/dev/null || die "Node is missing; install Node 20.20 or newer and put it on PATH"
have=$(go env GOVERSION | sed -E 's/^go([0-9]+)\.([0-9]+).*/\1 \2/')
read -r major minor <<<"$have"
{ [ "$major" -gt 1 ] || [ "$minor" -ge 26 ]; } || die "Go 1.26 or newer is needed, this is $(go env GOVERSION)"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || die "Node 20.20 or newer is needed, this is $(node --version)"

apt() {
  local as=""
  [ "$(id -u)" = 0 ] || as=sudo
  command -v apt-get >/dev/null || die "missing: $*; this is not a Debian system, so install them by hand"
  say "installing Debian packages: $*"
  $as apt-get update -qq
  $as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ "$what" = test ]; then
  missing=()
  command -v gcc >/dev/null || missing+=(gcc libc6-dev)
  command -v bzip2 >/dev/null || missing+=(bzip2)
  [ -x /usr/bin/chromium ] || missing+=(chromium)
  [ ${#missing[@]} = 0 ] || apt "${missing[@]}"
fi

if [ -f web/package-lock.json ] && ! cmp -s web/package-lock.json web/node_modules/.bongsu-lock; then
  say "installing the pages' npm packages (web/package-lock.json)"
  (cd web && npm ci --no-audit --no-fund --loglevel=error)
  cp web/package-lock.json web/node_modules/.bongsu-lock
fi
