# `make demo` and `make test` do all the set-up on a fresh machine with cargo, curl or not: what else is needed they bring.

SHELL := /bin/bash
CACHE := $(or $(SHIPCAT_TEST_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/shipcat-test)
# Where there is no kubectl, the one that comes with the test cluster serves.
export PATH := $(PATH):$(CACHE)/bin-1.20.2
# Compiled things outlive the checkout.
export CARGO_TARGET_DIR ?= $(CACHE)/target

.PHONY: demo test test-kill test-release release image tools unit e2e lint bench bench-several bench-diff bench-generate cluster-up cluster-down

demo:
	@bash tests/demo

test: lint unit e2e

tools:
	@tests/tools

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

unit: tools
	cargo test --locked --bin shipcat --test answers --test ci --test cli --test init --test layering --test shell --test slack

# The static binary is built before the tests, so that it takes no time of theirs.
e2e: tools
	@tests/static >/dev/null
	@bash tests/with-cluster tests/engine cargo test --locked --test e2e -- --test-threads=4

# Every point at which a run can be killed or left without an answer, where `make test` takes some: about an hour.
test-kill: tools
	@SHIPCAT_TEST_KILLS=all bash tests/with-cluster cargo test --locked --test e2e -- --test-threads=3 --nocapture kill:: outage::

# Two releases from two clones, compared byte by byte: about 10 minutes.
test-release:
	@tests/release

# A static binary, its tarball and their checksums, in $(DIST), which is `dist` if nobody says another.
release:
	@release/pack

image:
	@release/image

bench:
	@bash tests/with-cluster cargo bench --locked --bench ship --bench told

bench-several:
	@bash tests/with-cluster cargo bench --locked --bench several

bench-diff:
	@bash tests/with-cluster cargo bench --locked --bench diff

bench-generate:
	cargo bench --locked --bench generate

cluster-up:
	@tests/cluster/up

cluster-down:
	@tests/cluster/down
