# `make help` lists the targets. What takes more than a line is a script in tools/.
.POSIX:
.NOTPARALLEL:
.PHONY: help build static dist packaging start start-auth-server dev dev-debug dev-integrated dev-separate dev-auth-server \
	dev-with-separate-auth test all-tests e2e walk bench lint conformance conformance-cluster \
	conformance-authorization suite suite-cluster suite-authorization tools clean-tools

# One set of features for all that is checked and tested: another would compile everything anew.
WORKSPACE = --workspace --all-features

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1 /p' Makefile | while read -r name what; do \
		printf '  make %-20s %s\n' "$$name" "$$what"; done

build: ## build the binary, optimised
	cargo build --release

static: ## build the binary, optimised and static: it runs on any Linux
	tools/static.sh

dist: ## make what a release has in dist/: an archive, what is compiled into it, and their sums
	@tools/setup.sh cyclonedx
	tools/dist.sh

packaging: ## try the image, the systemd unit and the rest of deploy/ with the static binary
	@tools/setup.sh nextest redis haproxy packaging
	MCP_EVERYTHING="$$(tools/static.sh)" tools/test.sh packaging

start: ## build the binary, optimised, and start the server
	cargo run --release -- serve

start-auth-server: ## build the binary, optimised, and start the authorization server alone
	cargo run --release -- auth-server

dev: ## start a debug build, and again whenever a source changes
	tools/watch.sh

# What one steps through is this project's: the rest is built as always.
dev-debug: ## start a debug build in gdb, stopped where it begins
	@tools/setup.sh gdb
	cargo build --config 'profile.dev.debug="full"' --config 'profile.dev.package."*".debug="line-tables-only"'
	rust-gdb -ex start --args "$${CARGO_TARGET_DIR:-target}/debug/mcp-everything" serve

dev-separate: ## start a debug build that trusts the authorization server at AUTH_SERVER_URL
	AUTH_MODE=separate cargo run -- serve

dev-auth-server: ## start a debug build of the authorization server alone
	cargo run -- auth-server

dev-with-separate-auth: ## start a debug build of both in one terminal
	cargo run -- dev

dev-integrated: ## start a debug build with the authorization server in it
	AUTH_MODE=integrated cargo run -- serve

test: ## all tests and checks; T=name: unit, integration, auth, multi_user or part of a test's path
	@if [ -n "$(T)" ]; then tools/setup.sh nextest redis && tools/test.sh "$(T)"; \
		else $(MAKE) --no-print-directory all-tests; fi

# The suite gets the binary that is built for the tests. The summary of the tests comes last.
all-tests: tools lint
	cargo test --quiet --doc $(WORKSPACE)
	cargo nextest run --no-run $(WORKSPACE)
	@$(MAKE) --no-print-directory suite suite-cluster suite-authorization
	tools/test.sh

e2e: ## what takes longer: instances killed, Redis failing, replay, 10,000 sessions; T=part of a test's path
	@tools/setup.sh nextest redis haproxy browser node python curl
	cargo build --release
	MCP_EVERYTHING="$${CARGO_TARGET_DIR:-target}/release/mcp-everything" tools/test.sh e2e "$(T)"

# The binary with the system's allocator is kept beside the other, which is built last and stays.
bench: ## measure it beside what it is compared with; B=arguments (B=--help)
	@tools/setup.sh redis haproxy wrk valgrind
	cargo build --release --workspace --no-default-features
	cp "$${CARGO_TARGET_DIR:-target}/release/mcp-everything" "$${CARGO_TARGET_DIR:-target}/release/mcp-everything-malloc"
	cargo build --release --workspace
	"$${CARGO_TARGET_DIR:-target}/release/bench" $(B)

walk: ## the quick start of the README as a newcomer takes it, with the time of each step
	@tools/setup.sh nextest browser node curl
	cargo build --release
	MCP_EVERYTHING="$${CARGO_TARGET_DIR:-target}/release/mcp-everything" tools/test.sh e2e newcomer

lint: ## format, clippy, documentation, dependencies, sizes of files
	@tools/setup.sh deny
	cargo fmt --all --check
	cargo clippy $(WORKSPACE) --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc $(WORKSPACE) --no-deps --document-private-items
	cargo deny check bans licenses sources
	tools/check-sizes.sh

conformance: ## the official MCP conformance suite, for every revision it knows requirements of
	@tools/setup.sh node
	cargo build
	@$(MAKE) --no-print-directory suite

conformance-cluster: ## the same against three instances with authentication, behind HAProxy
	@tools/setup.sh node redis haproxy
	cargo build
	@$(MAKE) --no-print-directory suite-cluster

conformance-authorization: ## the suite's command for authorization servers, however ours is deployed
	@tools/setup.sh node redis haproxy
	cargo build
	@$(MAKE) --no-print-directory suite-authorization

suite:
	tools/node --test --test-reporter=dot conformance/judge.test.mjs conformance/secrets.test.mjs
	tools/node conformance/run.mjs

suite-cluster:
	tools/node conformance/run.mjs cluster

suite-authorization:
	tools/node conformance/authorization.mjs

tools: ## install what the tests need and this machine lacks
	@tools/setup.sh

clean-tools: ## remove what `make tools` put into this folder
	rm -rf tools/node_modules tools/python/*/
