# What one does here. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help demo test bench lint fmt clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## the story with a real PostgreSQL and psql (KEEP=1 leaves it running)
	@scripts/setup demo
	@scripts/demo $(if $(KEEP),--keep)

test: ## everything, against real servers and clients
	@scripts/setup test
	@scripts/test

bench: ## direct, plain proxies and Countersign side by side, into bench/results/
	@scripts/setup bench
	@bench/run

lint: ## formatting, clippy, licences and bans
	@scripts/setup test
	@scripts/lint

fmt: ## format the code
	@cargo fmt --all

clean: ## remove what was built, installed here or left by a demo
	@cargo clean
	@rm -rf .cache .demo tests/node/node_modules
