# Everything a newcomer types. Needs any Node >= 18 with npm; the rest is installed into
# node_modules, the Node that runs Balsa included.
NODE := node_modules/.bin/node
INSTALLED := node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help start demo failover test

help: ## show this list
	@printf 'Balsa, a replicated message broker for Node.\n\n'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@printf '\nWith a cluster running: npx balsa --help\n'

start: $(INSTALLED) ## run a cluster of three brokers here; Ctrl-C stops it, the data stays in .balsa/
	@exec $(NODE) node/src/dev.ts

demo: $(INSTALLED) ## kill a broker under load and check that nothing is lost (under a minute)
	@exec $(NODE) chaos/src/demo.ts

failover: $(INSTALLED) ## kill -9 the leader 20 times and measure how long acks pause (two minutes)
	@exec $(NODE) chaos/src/failover.ts

test: $(INSTALLED) ## all checks: format, types, lint, wire schemas, tests
	@exec $(NODE) test/run/all.ts

# npm writes this file last, so it exists only after a complete installation. The second
# command is for registries that lack the binaries of other platforms: `npm ci` then finds
# the lock file incomplete, `npm install` takes what this machine needs.
$(INSTALLED): package-lock.json
	@node -e 'if (parseInt(process.versions.node) < 18) { console.error("error: this is Node " + process.versions.node + "; install Node 18 or newer"); process.exit(1); }'
	@echo 'installing packages (once, about half a minute) ...'
	@npm ci --silent || npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@
