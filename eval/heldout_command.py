"""The held-out command: the shipped detector, its results file, its tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avdetect.errors import DataNotFoundError
from eval import run_facts
from eval.heldout import RESULTS, RunLabels, Scanner, run_heldout
from eval.heldout_figures import all_figures
from eval.heldout_file import HeldoutRow, read_heldout
from eval.heldout_rows import heldout_clips
from eval.heldout_tables import tables
from eval.peers import read_peers


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One run.

    Attributes:
        set_name: one of `eval.heldout_rows.SETS`.
        model: bundle name or file.
        out: folder of the results, None for ``eval/results``.
        limit: only so many clips, None for all.
        jobs: threads that scan at the same time.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: throw away what the results file holds.
    """

    set_name: str
    model: str = "default"
    out: Path | None = None
    limit: int | None = None
    jobs: int = 1
    device: str = "auto"
    fresh: bool = False


def run(options: Options, scanner: Scanner | None = None) -> str:
    """Scan, write ``heldout-<set>.csv`` and ``.json``, and return the tables as Markdown.

    Args:
        options: what to run.
        scanner: the detector; None loads the shipped one.
    """
    clips = heldout_clips(options.set_name, limit=options.limit)
    facts = run_facts.model_facts(options.model)
    scanner = scanner if scanner is not None else _load(options)
    path = _results_path(options.set_name, options.out)
    labels = RunLabels(model=facts["fingerprint"], commit=run_facts.commit())
    rows = run_heldout(scanner, clips, path, labels, jobs=options.jobs, fresh=options.fresh)
    figures = all_figures(rows, read_peers())
    n_expected = len(heldout_clips(options.set_name))
    record = {
        "set": options.set_name,
        "n_expected": n_expected,
        "commits": sorted({row.commit for row in rows}),
        "versions": run_facts.versions(),
        **run_facts.machine(str(getattr(scanner, "device", options.device))),
        "model": facts,
        "figures": figures,
    }
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    return _shown(options.set_name, rows, figures, n_expected)


def print_tables(set_name: str, out: Path | None = None) -> str:
    """The tables again, from the results file alone (and the peers' scores where they are)."""
    rows = read_heldout(_results_path(set_name, out))
    try:
        peers, n_expected = read_peers(), len(heldout_clips(set_name))
    except DataNotFoundError as error:
        text = _shown(set_name, rows, all_figures(rows, []), None)
        return f"{text}\n\nNeither peers nor completeness checked: {error}"
    return _shown(set_name, rows, all_figures(rows, peers), n_expected)


def _shown(
    set_name: str, rows: list[HeldoutRow], figures: dict[str, Any], n_expected: int | None
) -> str:
    commits = ", ".join(sorted({row.commit for row in rows}))
    models = ", ".join(sorted({row.model for row in rows}))
    text = tables(set_name, figures, n_expected=n_expected)
    return f"{text}\n\nModel {models}, code {commits} (+ marks uncommitted changes)."


def _results_path(set_name: str, out: Path | None) -> Path:
    return (out if out is not None else RESULTS) / f"heldout-{set_name}.csv"


def _load(options: Options) -> Scanner:
    from avdetect.detector import Detector

    return Detector.load(options.model, device=options.device)
