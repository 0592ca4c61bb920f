# Needs git, make and Python 3.11 or 3.12; everything else is installed into .venv by `make env`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
UV_VERSION := 0.13.8
export UV_PROJECT_ENVIRONMENT := .venv
# pyworld, which only training forgeries need, has no wheel for Linux: it is built where it can be
CAN_BUILD = $$(command -v c++ >/dev/null && $(PYTHON) -c 'import sysconfig, pathlib, sys; \
	sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").is_file())' && echo yes)

.PHONY: help env demo test bench-accuracy bench-folds campaign api-check audit lint format \
	schema wheel clean

help:
	@echo "make demo    build the environment and judge the clips in samples/"
	@echo "make test    build the environment, check style, types and arrows, run all tests"
	@echo "make bench-accuracy  scan the held-out clips anew with the shipped models, print all figures"
	@echo "make bench-folds     train the voice procedure anew fold by fold, compare with its figures"
	@echo "make campaign    200 scans while the service is killed around them; SCANS=20 for fewer"
	@echo "make api-check   let schemathesis try the service's API (fetches it from PyPI)"
	@echo "make audit       ask the Python advisory database about the locked packages"
	@echo "make env     build the environment in .venv"
	@echo "make lint    style, types and import arrows"
	@echo "make format  put the code into the house's format"
	@echo "make wheel   write the wheel and its locked requirements into dist/"
	@echo "make schema  write the JSON schema of the verdict anew"

env: .venv/.ready

.venv/.ready: uv.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@if [ "$(CAN_BUILD)" = yes ]; then \
		$(BIN)/uv sync --frozen --inexact --all-extras; \
	else \
		echo "No C++ compiler with Python headers: leaving out pyworld, needed only for training."; \
		$(BIN)/uv sync --frozen --inexact --all-extras --no-install-package pyworld; \
	fi
	touch $@

demo: env
	$(BIN)/avdetect scan samples --report demo-reports || test $$? -eq 3
	@echo "Reports are in demo-reports/: open them in a browser."

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest -n 2

# Needs the data folder, ../shared or $AVDETECT_DATA; the scores in eval/results are written anew,
# so that git shows what moved. Cross-validated figures come from the committed out-of-fold scores.
PHONE_LEVELS := ulaw,g722,amr_12.2,amr_7.4,opus_12,mp3_32
bench-accuracy: env
	$(BIN)/python -m eval run voice --fresh --levels $(PHONE_LEVELS)
	$(BIN)/python -m eval run video --fresh --levels h264_crf_32
	$(BIN)/python -m eval run faces --fresh

# Exit code 1 if a pooled AUC leaves the 95 % interval of the committed scores.
bench-folds: env
	OMP_NUM_THREADS=1 $(BIN)/python -m recipes.voice_clone.folds --check --jobs 2

# Exit code 1 if a scan was lost, answered twice or differently, or if anything was left over.
SCANS := 200
campaign: env
	$(BIN)/python -m eval.campaign --scans $(SCANS)

# In an environment of its own: hypothesis' pytest plugin and speechbrain's lazy modules do not mix.
SCHEMATHESIS := schemathesis==4.32.5
api-check: env
	$(BIN)/python -m eval.api_check $(BIN)/uv tool run --from '$(SCHEMATHESIS)' schemathesis

audit: env
	$(BIN)/uv export --frozen --quiet --no-dev --no-emit-project --all-extras --output-file dist/locked.txt
	$(BIN)/uv tool run --from 'pip-audit==2.*' pip-audit --disable-pip --requirement dist/locked.txt

format: env
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: env
	$(BIN)/python -c "import json; from avdetect.verdict import json_schema; print(json.dumps(json_schema(), indent=2))" > avdetect/schema/verdict-1.json

wheel: env
	$(BIN)/uv build --wheel
	$(BIN)/uv export --frozen --quiet --no-dev --no-emit-project --output-file dist/requirements.txt

clean:
	rm -rf .venv demo-reports dist .mypy_cache .ruff_cache .pytest_cache
