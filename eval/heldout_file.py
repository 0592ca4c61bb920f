"""The held-out results file: one row a clip, joined by id, safe to interrupt and to resume."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from avdetect.errors import InputNotFoundError, OutputError, UsageError
from avdetect.verdict import Verdict
from eval.heldout_rows import HeldoutClip

BRANCHES = ("voice_clone", "visual_forgery", "lip_sync")
MODALITIES = ("audio_fake", "video_fake", "out_of_sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldoutRow:
    """One clip's truth and what the detector said of it; the columns of the file, in order.

    Figures are natural-log likelihood ratios, > 0 favours fake, None where there was no evidence.

    Attributes:
        id, label, audio_label, video_label, group, generator, kind, source: see `HeldoutClip`.
        decision: the verdict's word.
        fake_llr: fused.
        voice_clone, visual_forgery, lip_sync: of the branches.
        audio_fake, video_fake, out_of_sync: fusion's separate answers.
        missing: ``branch: reason`` for each branch without evidence, and the error if any.
        model: fingerprint of all weights that took part, see `eval.run_facts`.
        commit: of the code that ran; ``+`` behind it marks uncommitted changes.
    """

    id: str
    label: str
    audio_label: str
    video_label: str
    group: str
    generator: str
    kind: str
    source: str
    decision: str
    fake_llr: float | None
    voice_clone: float | None
    visual_forgery: float | None
    lip_sync: float | None
    audio_fake: float | None
    video_fake: float | None
    out_of_sync: float | None
    missing: str
    model: str
    commit: str


COLUMNS = tuple(field.name for field in fields(HeldoutRow))
_FIGURES = ("fake_llr", *BRANCHES, *MODALITIES)


def heldout_row(clip: HeldoutClip, verdict: Verdict, *, model: str, commit: str) -> HeldoutRow:
    """Join one clip and its verdict."""
    branches = {
        name: verdict.branches[name].fake_llr if name in verdict.branches else None
        for name in BRANCHES
    }
    reasons = [f"{branch}: {reason}" for branch, reason in sorted(verdict.missing.items())]
    if verdict.error is not None:
        reasons.append(f"{verdict.error.code}: {verdict.error.message}")
    return HeldoutRow(
        id=clip.id,
        label=clip.label,
        audio_label=clip.audio_label,
        video_label=clip.video_label,
        group=clip.group,
        generator=clip.generator,
        kind=clip.kind,
        source=clip.source,
        decision=verdict.decision.value,
        fake_llr=verdict.fake_llr,
        **branches,
        **{name: getattr(verdict.modalities, name) for name in MODALITIES},
        missing="; ".join(reasons),
        model=model,
        commit=commit,
    )


def read_heldout(path: Path) -> list[HeldoutRow]:
    """Read a results file back; a last line without its end (an interrupted run) is left out.

    Raises:
        InputNotFoundError: no such file.
        UsageError: other columns than `COLUMNS`, a figure that is no number, or an id twice.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputNotFoundError(f"{path}: cannot be read: {error.strerror}") from error
    whole = text[: text.rfind("\n") + 1]
    reader = csv.DictReader(io.StringIO(whole))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise UsageError(f"{path}: not a held-out results file of this version; use --fresh")
    rows = [_parse(path, row) for row in reader]
    if len({row.id for row in rows}) < len(rows):
        raise UsageError(f"{path}: an id occurs twice; use --fresh")
    return rows


def append_rows(path: Path, rows: Iterable[HeldoutRow]) -> None:
    """Append rows in one write each, so that an interruption costs at most the last line."""
    with path.open("a", encoding="utf-8", newline="") as stream:
        for row in rows:
            stream.write(_lines([row], header=False))
            stream.flush()


def write_heldout(path: Path, rows: Iterable[HeldoutRow]) -> None:
    """Write the whole file at once, sorted by id; raises `OutputError` and leaves the old one."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(_lines(sorted(rows, key=lambda row: row.id), header=True), "utf-8")
        os.replace(part, path)  # noqa: PTH105 - the atomic one
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def _lines(rows: Iterable[HeldoutRow], *, header: bool) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    for row in rows:
        cells = asdict(row)
        # A line break inside a reason would end the row early for a line-wise reader.
        cells["missing"] = " ".join(row.missing.split())
        writer.writerow({key: _cell(value) for key, value in cells.items()})
    return buffer.getvalue()


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.6f}"


def _parse(path: Path, row: dict[str, str]) -> HeldoutRow:
    try:
        figures = {name: float(row[name]) if row[name] else None for name in _FIGURES}
    except (TypeError, ValueError):
        raise UsageError(f"{path}, id {row['id']!r}: a figure is not a number") from None
    words = {name: row[name] for name in COLUMNS if name not in _FIGURES}
    return HeldoutRow(**words, **figures)  # type: ignore[arg-type]
