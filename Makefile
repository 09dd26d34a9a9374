# Groundswell. `make help` lists the targets; demo and test install what they need into .venv by themselves.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
GW := $(PY) -m pipeline
.DEFAULT_GOAL := help
.PHONY: help demo demo-live run serve test test-slow chaos soak load coverage check audit lint types bench bench-days bench-variants bench-long evaluate train scenario screenshots docs-check cookbook clean

help: ## this list
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS=$$'\t' read -r name words; do printf '%-12s %s\n' "$$name" "$$words"; done

$(VENV)/.stamp: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "groundswell: needs Python 3.11 or newer as '$(PYTHON)'; on Debian or Ubuntu: apt install python3, or make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "groundswell: Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv" >&2; exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (once; about a minute)" >&2
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(PY) -m detectors.seasonal.compile_ahead
	@touch $@

.venv: $(VENV)/.stamp ## make the virtual environment and install everything pinned in constraints.txt

demo: $(VENV)/.stamp ## replay 2 March 2026 through every stage into out/demo
	@$(GW) demo --out out/demo

demo-live: $(VENV)/.stamp ## 2 March through every real client against stand-ins; compares with the demo and with its own recording (about 8 minutes)
	@test -e out/demo/groundswell.db || $(GW) demo --out out/demo >/dev/null
	@$(PY) -m tests.demo_live --out out/demo-live --demo out/demo/groundswell.db

run: $(VENV)/.stamp ## all stages once, as cron would; says nothing when all is well
	@$(GW) run --quiet || { code=$$?; test $$code -eq 75 || exit $$code; }

SERVE := --metadata dashboards/metadata.yml --plugins-dir dashboards/plugins --setting default_allow_sql on --setting sql_time_limit_ms 2000
serve: $(VENV)/.stamp ## open the database in Datasette, read-only (DB=out/demo/groundswell.db for the demo's)
	@test -e $(or $(DB),groundswell.db) || { echo "groundswell: $(or $(DB),groundswell.db): no such database; DB=path names another" >&2; exit 2; }
	@named=$$(mktemp -d) && ln -s "$$(realpath $(or $(DB),groundswell.db))" "$$named/groundswell.db" && $(VENV)/bin/datasette serve "$$named/groundswell.db" $(SERVE)

test: $(VENV)/.stamp ## the tests that take seconds
	@$(PY) -m pytest -q -n 2 --dist worksteal -m 'not slow'

test-slow: $(VENV)/.stamp ## kills, browser, bad inputs, many seeds
	@$(PY) -m pytest -q -n 2 --dist worksteal -m slow

chaos: $(VENV)/.stamp ## planted mistakes, then 2,000 faults of disk, network and power at system calls of a run, as a table (needs cc; 15 minutes of CPU)
	@$(PY) -m tests.chaos planted && $(PY) -m tests.chaos 24

soak: $(VENV)/.stamp ## 2,000 runs with stand-ins that fail at random: what grows, as a table (5 minutes of CPU)
	@$(PY) -m tests.chaos.soak 2000

load: $(VENV)/.stamp ## 100,000 posts and 5,000 services in a run, a database of 1 GB, 500 routes, upstreams that drip, as a table (9 minutes of CPU)
	@$(PY) -m tests.chaos.load

coverage: $(VENV)/.stamp ## lines and branches of the sources and the HTTP client that tests reach (about 5 minutes)
	@$(PY) -m pytest -q -n 2 --cov=pipeline --cov-report= tests/test_fetch.py tests/test_sources.py tests/test_collect.py tests/test_parsers.py tests/test_feed_parser.py tests/test_statuspage_parsers.py tests/test_archive_parsers.py tests/test_counts_files.py tests/test_growing_counts_files.py tests/test_rolling_hours.py tests/test_contract.py tests/test_cli_sources.py tests/test_recordings.py tests/test_scenario.py tests/test_score_counts.py tests/test_live.py
	@$(PY) -m coverage report --include='pipeline/sources/*,pipeline/http/*' --fail-under=90

audit: $(VENV)/.stamp ## installed packages against published advisories (make exits 2 where docs/audit.py exits 1: some have one, or 3: not reached)
	@$(PY) docs/audit.py

lint: $(VENV)/.stamp
	@$(PY) -m ruff check . && $(PY) -m ruff format --check -q .

types: $(VENV)/.stamp
	@$(PY) -m mypy

check: lint types test test-slow ## everything CI checks

evaluate: $(VENV)/.stamp ## figures of the detectors, on simulated counts and where EVAL_DATA points (about 25 minutes of CPU)
	@$(GW) evaluate --out out/evaluate

bench: $(VENV)/.stamp ## speed as ratios to what one would use instead, in one run, into docs/speed.md (about 9 minutes)
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[scale]' py-spy
	@mkdir -p out && $(PY) -m pytest -q --timeout 3000 --benchmark-only --benchmark-json out/bench.json tests/benchmarks/bench_run.py tests/benchmarks/bench_limits.py tests/benchmarks/bench_steps.py tests/benchmarks/bench_pipeline.py tests/benchmarks/bench_report.py
	@$(PY) -m tests.benchmarks.table out/bench.json bench
	@test ! -e out/demo/groundswell.db || { $(VENV)/bin/py-spy record --nonblocking --rate 250 --format flamegraph --output docs/img/quiet-run.svg -- $(PY) -m tests.benchmarks.quiet_run; }
	@$(PY) -m pytest -q -s --timeout 3000 tests/benchmarks/bench_detectors.py tests/benchmarks/bench_text.py tests/benchmarks/bench_storm.py

bench-days: $(VENV)/.stamp ## every system on every recorded and blind day, by docs/benchmark.md, into out/bench-days, with real counts where EVAL_DATA points (about half an hour)
	@mkdir -p out/bench-days && $(GW) bench --save out/bench-days $${EVAL_DATA:+--counts "$$EVAL_DATA"} | tee out/bench-days/table.md

bench-variants: $(VENV)/.stamp ## the recorded days, but for the blind ones, as they might have gone, ten seeds of each variant (about 40 minutes of CPU)
	@$(GW) evaluate variants --seeds 10

bench-long: $(VENV)/.stamp ## the same of a year's replay and of a million posts (about 20 minutes)
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[scale]'
	@mkdir -p out && BENCH_YEAR=1 BENCH_POSTS=1000000 BENCH_SERIES=500 $(PY) -m pytest -q --timeout 3000 --benchmark-only --benchmark-json out/bench-long.json \
		tests/benchmarks/bench_limits.py tests/benchmarks/bench_steps.py tests/benchmarks/bench_pipeline.py -k 'allows or backtest or backfill'
	@$(PY) -m tests.benchmarks.table out/bench-long.json bench-long

train: $(VENV)/.stamp ## rebuild the text models from data/labels, with their figures
	@$(GW) train

scenario: $(VENV)/.stamp ## make the recorded days again from their generators
	@$(PY) data/scenarios/2026-03-02-claude/generator/generate.py
	@for facts in data/scenarios/*/generator/day.toml; do $(PY) data/scenarios/simulate_day.py "$$(dirname "$$(dirname "$$facts")")"; done

screenshots: $(VENV)/.stamp ## pictures of the demo's report and mails for the docs (needs Chromium, CHROMIUM=path)
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]'
	@$(PY) docs/img/take.py

docs-check: $(VENV)/.stamp ## run every command of README and docs in a fresh directory, on the demo's database
	@test -e out/demo/groundswell.db || $(GW) demo --out out/demo >/dev/null
	@$(PY) docs/cookbook.py --check
	@$(PY) -m tests.docs_check

cookbook: $(VENV)/.stamp ## the answers in docs/analysts.md, from the demo's database
	@$(PY) docs/cookbook.py

clean: ## remove what make made (not your database)
	rm -rf $(VENV) out build *.egg-info .mypy_cache .ruff_cache .pytest_cache
