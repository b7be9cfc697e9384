# make demo   the main job on the real Bybit files, with two nodes, in a browser
# make test   everything that must hold
# The rest is below; each target says what it does.

SHELL := /bin/bash
.DELETE_ON_ERROR:

GO      ?= go
BIN     := build/bongsu
LDFLAGS := -s -w
PAGES   := $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

.PHONY: demo build test check setup setup-test fmt test-go test-race test-web test-peers bench bench-ledger bench-ledger-bound bench-trace bench-screen bench-api bench-share bench-live clean

## demo: build everything, then show the main job; Ctrl-C ends it
demo: build
	$(BIN) demo

## build: the pages and build/bongsu, without cgo
build: setup web/dist/index.html
	@mkdir -p build
	CGO_ENABLED=0 $(GO) build -trimpath -tags pages -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/bongsu

setup:
	@tools/setup.sh build

setup-test:
	@tools/setup.sh test

web/dist/index.html: web/package-lock.json $(PAGES)
	@tools/setup.sh build
	cd web && npm run --silent build

## test: check, the Go tests under the race detector, the pages' tests and the browser tests
test: setup-test build check test-race test-web
	@echo "make test: all passed"

## test-go: the Go tests without the race detector, which is quicker
test-go:
	$(GO) test -timeout 15m ./...

## test-web: the pages' own tests, then every page in every language in Chromium, on the real demo
test-web: build setup-test
	cd web && npm test --silent
	tools/test-web.sh

## check: format, vet, staticcheck, the architecture test, tidy modules, the pages' linters
check: setup-test web/dist/index.html
	@out=$$(git ls-files '*.go' | xargs $(GO) tool gofumpt -l); [ -z "$$out" ] || { echo "not gofumpt-clean (make fmt):"; echo "$$out"; exit 1; }
	$(GO) vet -tags peers ./...
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags peers ./ingest/... ./cmd/...
	$(GO) test -count=1 .
	$(GO) mod tidy -diff
	cd web && npm run --silent check

test-race: setup-test
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

## test-peers: against real chain nodes (anvil, geth, btcd), built once and cached outside the repository
test-peers:
	ingest/peers/setup.sh
	$(GO) test -count=1 -timeout 20m -tags peers ./ingest/... ./cmd/bongsu -run "TestPeer|TestVigil"

## bench: a short version of every benchmark; bench-NAME prints a table and writes build/bench/NAME.json
bench:
	$(MAKE) bench-ledger bench-trace ROWS=1000000
	$(MAKE) bench-screen KEYS=500000
	$(MAKE) bench-api bench-share bench-live

ROWS ?= 10000000
KEYS ?= 5000000
BOUND ?= 200

bench-ledger:
	ROWS=$(ROWS) $(GO) run ./ledger/bench
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o build/bench/bongsu ./cmd/bongsu
	ROWS=$(ROWS) $(GO) run ./ingest/ingestbench -bongsu build/bench/bongsu -into build/bench/ledger.json

## bench-ledger-bound: what a ledger larger than memory costs, by a control group with BOUND MB; needs root
bench-ledger-bound:
	ROWS=$(ROWS) $(GO) run ./ledger/bench -only import,bound -bound $(BOUND) -out build/bench/ledger-bound.json

bench-trace:
	$(GO) run ./trace/tracebench $(if $(filter file,$(origin ROWS)),,-rows $(ROWS))

bench-screen:
	$(GO) run ./screen/screenbench -keys $(KEYS)

bench-api:
	$(GO) run ./api/apibench

## bench-share: commit at one node to changed verdict at the other, 200 listings one by one
bench-share: build
	tools/bench-share.sh

## bench-live: a block in the ledger to the statement of what a watched theft's money did in it
bench-live:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o build/bench/bongsu ./cmd/bongsu
	$(GO) run ./trace/watch/livebench -bongsu build/bench/bongsu

fmt:
	git ls-files '*.go' | xargs $(GO) tool gofumpt -w

clean:
	rm -rf build web/dist
