# Targets of daily work. `make help` lists them from these comments.
SHELL := /bin/bash
.DEFAULT_GOAL := help
GO ?= go
WORK ?= $(CURDIR)/.work
VERSION ?= $(shell git describe --always --dirty 2>/dev/null || echo dev)
# Packages with goroutines of their own run under the race detector.
RACE := ./connectors/... ./internal/alerts ./internal/lineage ./internal/gate ./internal/lake/... ./internal/receive ./internal/state/... ./internal/simulate/... ./pipelines/stage ./pipelines/push/... ./pipelines/publish/... ./pipelines/schedule ./pipelines

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

build: ## the binary, ./xinshu
	$(GO) build -ldflags "-X main.version=$(VERSION)" -o xinshu ./cmd/xinshu

servers: ## PostgreSQL, OpenSSH and the S3 server that the tests start; root on Debian gets what is missing
	bash deploy/dev/servers.sh

test: servers ## every test, against real servers on loopback
	$(GO) vet ./...
	$(GO) test -timeout 60m ./...
	$(GO) test -race -timeout 60m $(RACE)

acceptance: servers build ## the main job on real files and real servers, the great files, and the hub killed at every place
	$(GO) test -tags acceptance -count=1 -timeout 40m -v ./internal/acceptance
	XINSHU_FULL=1 $(GO) test -count=1 -timeout 20m -v -run TestMemoryIsBounded ./pipelines/stage
	$(GO) test -tags acceptance -count=1 -timeout 60m -v -run TestAFileOfSeveralGigabytes ./pipelines ./connectors/files
	XINSHU_FULL=1 $(GO) test -count=1 -timeout 80m -v -run 'Killed|TestAFullDisk|TestAStoreInTrouble|TestThreeNodes' ./cmd/xinshu
	XINSHU_FULL=1 $(GO) test -count=1 -timeout 30m -v -run TestAnAnswerLargerThanMemory ./connectors/restapi
	bash deploy/dev/fuzz.sh ./xinshu $(WORK)
	$(GO) test -tags acceptance -count=1 -timeout 30m -v ./deploy/bundle

pictures: servers ## the screenshots of docs/pictures, from journeys through the real console
	@mkdir -p $(WORK)/pictures
	XINSHU_PICTURES=$(WORK)/pictures $(GO) test -count=1 -timeout 20m ./internal/console/journeys
	bash deploy/dev/pictures.sh $(WORK)/pictures docs/pictures

generate: ## pages of the manual that are drawn from what connectors declare
	$(GO) run ./cmd/xinshu source manual --into docs/connectors

lint: ## every linter that .golangci.yml leaves on (builds golangci-lint once, some minutes)
	@mkdir -p $(WORK)/bin
	@test -x $(WORK)/bin/golangci-lint || (cd deploy/dev/lint && $(GO) build -o $(WORK)/bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
	$(WORK)/bin/golangci-lint run ./...

bundle: ## the offline bundle with its checksums, in $(WORK)/bundle
	bash deploy/bundle/make.sh $(VERSION) $(WORK)/bundle

.PHONY: help build servers test acceptance pictures generate lint bundle
