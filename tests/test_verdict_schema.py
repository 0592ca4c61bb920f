"""The committed schema is the verdict's own, and what goes on the wire keeps it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

import avdetect
from avdetect.verdict import SCHEMA_VERSION, Evidence, Verdict, json_schema
from tests.report import known

SCHEMA_FILE = Path(avdetect.__file__).parent / "schema" / "verdict-1.json"


def committed_schema() -> dict:
    return json.loads(SCHEMA_FILE.read_text("utf-8"))


def test_committed_schema_is_the_verdicts_own():
    assert committed_schema() == json_schema(), "the verdict changed: run `make schema`"


def test_schema_file_carries_the_major_version():
    assert SCHEMA_FILE.stem == f"verdict-{SCHEMA_VERSION.split('.')[0]}"


@pytest.mark.parametrize(
    "verdict",
    [
        known.fake_call(),
        known.silent_verdict(),
        known.failed_verdict(),
        known.referenced_call(),
        known.uncompared_call(),
        known.talking_face(),
    ],
)
def test_wire_form_keeps_the_committed_schema_and_reads_back(verdict: Verdict):
    validator = jsonschema.Draft202012Validator(committed_schema())
    assert list(validator.iter_errors(json.loads(verdict.to_json()))) == []
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_schema_refuses_what_is_not_a_verdict():
    wire = json.loads(known.fake_call().to_json())
    wire["decision"] = "maybe"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wire, committed_schema())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_on_the_wire_are_finite(value: float):
    with pytest.raises(ValidationError):
        Evidence(branch="lip_sync", start_s=0.0, end_s=1.0, fake_llr=value, text="")


def test_wire_form_is_one_line():
    assert "\n" not in known.fake_call("two\nlines.wav").to_json()
