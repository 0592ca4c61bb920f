"""The score file: one row a clip and level, no truth in it, safe to interrupt and to resume."""

from __future__ import annotations

import contextlib
import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from avdetect.errors import OutputError
from avdetect.verdict import Verdict
from eval.errors import ScoresError

CLEAN = "clean"
BRANCHES = ("voice_clone", "visual_forgery", "lip_sync")
MODALITIES = ("audio_fake", "video_fake", "out_of_sync")
Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """What the detector said of one clip at one level; the columns of the file, in order.

    Figures are natural-log likelihood ratios, > 0 favours fake, None where there was no evidence.

    Attributes:
        id: of the manifest row.
        level: of degradation, ``clean`` for the file as it is.
        decision: the verdict's word.
        fake_llr: fused.
        voice_clone, visual_forgery, lip_sync: of the branches.
        audio_fake, video_fake, out_of_sync: fusion's separate answers.
        missing: ``branch: reason`` for each branch without evidence, and the error if any.
        model: fingerprint of all weights that took part, see `eval.run_facts`.
        commit: of the code that ran; ``+`` behind it marks uncommitted changes.
        protocol: fingerprint of what decides which clip stands behind an id.
    """

    id: str
    level: str
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
    protocol: str

    @property
    def key(self) -> Key:
        """What is unique in a file."""
        return (self.id, self.level)

    def llr(self, answer: str) -> float | None:
        """One of `eval.answers.ANSWERS`, None where it abstained."""
        value: float | None = getattr(self, "fake_llr" if answer == "fused" else answer)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLabels:
    """What is written into every row of a run: fingerprints of model and protocol, the commit."""

    model: str
    commit: str
    protocol: str


COLUMNS = tuple(field.name for field in fields(ScoreRow))
_FIGURES = ("fake_llr", *BRANCHES, *MODALITIES)


def score_row(clip_id: str, level: str, verdict: Verdict, labels: RunLabels) -> ScoreRow:
    """The row of one verdict."""
    branches = {
        name: verdict.branches[name].fake_llr if name in verdict.branches else None
        for name in BRANCHES
    }
    reasons = [f"{branch}: {reason}" for branch, reason in sorted(verdict.missing.items())]
    if verdict.error is not None:
        reasons.append(f"{verdict.error.code}: {verdict.error.message}")
    return ScoreRow(
        id=clip_id,
        level=level,
        decision=verdict.decision.value,
        fake_llr=verdict.fake_llr,
        **branches,
        **{name: getattr(verdict.modalities, name) for name in MODALITIES},
        # A line break inside a reason would end the row early for a line-wise reader.
        missing=" ".join("; ".join(reasons).split()),
        model=labels.model,
        commit=labels.commit,
        protocol=labels.protocol,
    )


def read_scores(path: Path) -> dict[Key, ScoreRow]:
    """Read a score file; a last line without its end (an interrupted run) is left out.

    Raises:
        ScoresError: no such file, other columns than `COLUMNS`, a row of another length, a figure
            that is no number, or an id twice at one level.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ScoresError(f"{path}: cannot be read ({error.strerror}); run first") from error
    except UnicodeDecodeError as error:
        raise ScoresError(f"{path}: is not UTF-8 text; start anew with --fresh") from error
    reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1]))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ScoresError(
            f"{path}: is not the scores.csv of a run (columns {','.join(COLUMNS)}); "
            "name that file, or start anew with --fresh"
        )
    rows: dict[Key, ScoreRow] = {}
    for cells in reader:
        row = _parse(path, cells)
        if row.key in rows:
            raise ScoresError(f"{path}: id {row.id!r} occurs twice at level {row.level!r}")
        rows[row.key] = row
    return rows


def refuse_other_run(path: Path, rows: Mapping[Key, ScoreRow], labels: RunLabels) -> None:
    """Raise `ScoresError` if a row was made by another model or under another protocol."""
    _refuse_other(path, {row.model for row in rows.values()}, "model", labels.model)
    refuse_other_protocol(path, rows, labels.protocol)


def refuse_other_protocol(path: Path, rows: Mapping[Key, ScoreRow], protocol: str) -> None:
    """Raise `ScoresError` if a row is of another protocol, or of other media under the same ids."""
    _refuse_other(path, {row.protocol for row in rows.values()}, "protocol or manifest", protocol)


def _refuse_other(path: Path, found: set[str], what: str, ours: str) -> None:
    others = found - {ours}
    if others:
        raise ScoresError(
            f"{path}: holds rows of another {what} ({', '.join(sorted(others))}, now {ours}); "
            "use --fresh to throw them away, or --out for another folder"
        )


def refuse_other_model(path: Path, rows: Mapping[Key, ScoreRow], model: str) -> None:
    """Raise `ScoresError` if the scores would be quoted under another model's name."""
    others = {row.model for row in rows.values()} - {model}
    if others:
        raise ScoresError(
            f"{path}: scored by model {', '.join(sorted(others))}, and not by {model}, which would "
            "be named beside the figures; run anew, with --fresh where weights changed"
        )


def refuse_unknown_ids(path: Path, rows: Mapping[Key, ScoreRow], known: Iterable[str]) -> None:
    """Raise `ScoresError` if the file scores a clip that the manifest does not hold."""
    strangers = sorted({row.id for row in rows.values()} - set(known))
    if strangers:
        raise ScoresError(
            f"{path}: {len(strangers)} ids are not in the manifest, such as {strangers[0]!r}; "
            "use --fresh, or the manifest that was scored"
        )


def append_scores(path: Path, rows: Iterable[ScoreRow]) -> None:
    """Append rows in one write each, so that an interruption costs at most the last line."""
    with path.open("a", encoding="utf-8", newline="") as stream:
        for row in rows:
            stream.write(_lines([row], header=False))
            stream.flush()


def write_scores(path: Path, rows: Iterable[ScoreRow]) -> None:
    """Write the whole file at once, sorted by level and id; on failure the old one stays."""
    ordered = sorted(rows, key=lambda row: (row.level != CLEAN, row.level, row.id))
    write_whole(path, _lines(ordered, header=True))


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all; raises `OutputError` and leaves the old one."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error


def _lines(rows: Iterable[ScoreRow], *, header: bool) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    if header:
        writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in asdict(row).items()})
    return buffer.getvalue()


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.6f}"


def _parse(path: Path, cells: dict[str, str]) -> ScoreRow:
    if None in cells or None in cells.values():
        raise ScoresError(f"{path}, id {cells['id']!r}: not as many fields as there are columns")
    try:
        figures = {name: float(cells[name]) if cells[name] else None for name in _FIGURES}
    except ValueError:
        figures = {"": math.nan}
    if not all(figure is None or math.isfinite(figure) for figure in figures.values()):
        raise ScoresError(f"{path}, id {cells['id']!r}: a figure is not a finite number")
    words = {name: cells[name] for name in COLUMNS if name not in _FIGURES}
    return ScoreRow(**words, **figures)  # type: ignore[arg-type]
