# Everything a newcomer types. Needs any Node >= 18 with npm; the rest is installed into
# node_modules, the Node that runs Balsa included.
NODE := node_modules/.bin/node
INSTALLED := node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help start demo failover test sim soak mutants chaos

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

test: $(INSTALLED) ## all checks: format, types, lint, wire schemas, simulation, tests
	@exec $(NODE) test/run/all.ts

sim: $(INSTALLED) ## simulate whole clusters under faults: 100 seeds, or the one of SEED=n
	@exec $(NODE) test/sim/run/main.ts $(if $(SEED),--seed $(SEED))

soak: $(INSTALLED) ## simulate fresh seeds for MINUTES=n (10), whatever fails
	@exec $(NODE) test/sim/run/main.ts --minutes $(or $(MINUTES),10)

mutants: $(INSTALLED) ## plant known bugs one at a time and show which test notices each (some minutes)
	@$(NODE) test/mutants/run.ts
	@exec $(NODE) test/mutants/run.ts --by-simulation

chaos: $(INSTALLED) ## hurt real clusters with every fault at every target, and show the verdicts (three quarters of an hour)
	@exec $(NODE) chaos/src/cli/main.ts matrix

# npm writes this file last, so it exists only after a complete installation. The second
# command is for registries that lack the binaries of other platforms: `npm ci` then finds
# the lock file incomplete, `npm install` takes what this machine needs.
$(INSTALLED): package-lock.json
	@node -e 'if (parseInt(process.versions.node) < 18) { console.error("error: this is Node " + process.versions.node + "; install Node 18 or newer"); process.exit(1); }'
	@echo 'installing packages (once, about half a minute) ...'
	@npm ci --silent || npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@
