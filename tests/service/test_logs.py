"""Logs: one JSON object a line, with the kind of an error and never its words."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.paths import ROOT


def test_error_is_logged_by_kind_and_place_and_not_by_its_message():
    code = """
from avdetect.service.logs import log, start_logging
start_logging()
log("scan.done", scan="1")
try:
    raise ValueError("Mrs Smith.wav")
except ValueError:
    log("failed", error=True, scan="2")
import logging
logging.getLogger("some.library").warning("Mrs Smith.wav")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    first, second, third = (json.loads(line) for line in done.stderr.splitlines())
    assert (first["event"], first["scan"]) == ("scan.done", "1")
    assert (second["error"], second["trace"]) == ("ValueError", ["<module>:6"])
    assert third["event"] == "some.library"
    assert "Smith" not in done.stderr
