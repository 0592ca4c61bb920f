"""Run cues over the data folder: one row of features for every clip, and the seconds it cost."""

from __future__ import annotations

import csv
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from avdetect.branches.base import BranchOutput
from avdetect.cues.base import ClipFacts, Cue, CueTools, Measurement, Medium
from avdetect.errors import InputError
from avdetect.media.clip import open_clip
from avdetect.observation import Observation
from avdetect.observe import observe
from eval.cues.cache import read_observations, write_observations
from eval.cues.material import Sample, made_alike
from eval.errors import ScoresError

Outputs = dict[str, list[BranchOutput]]
RunBranches = Callable[[Observation], Outputs]
_STILL_S = 1.0  # of media, that a photograph is counted as


@dataclass(frozen=True, slots=True, kw_only=True)
class CueRow:
    """What one cue measured of one clip.

    Attributes:
        cue: its name.
        medium: what it was measured on.
        id: of the clip.
        features: in the order of the cue's; empty where ``missing`` says why.
        missing: why nothing was measured.
        cpu_s: processor seconds the cue took.
        media_s: seconds of media it saw.
    """

    cue: str
    medium: str
    id: str
    features: tuple[float, ...]
    missing: str
    cpu_s: float
    media_s: float


def observations_of(
    sample: Sample, root: Path, cache: Path | None
) -> tuple[ClipFacts, list[Observation]]:
    """A sample as cues see it, from the cache where it is there.

    Raises:
        InputError, OSError, ValueError, IndexError: it cannot be read.
    """
    path = None if cache is None else cache / sample.medium / f"{_short(sample.row.id)}.npz"
    if path is not None and path.is_file():
        return read_observations(path)
    with tempfile.TemporaryDirectory(prefix="avdetect-cues-") as folder:
        with open_clip(made_alike(sample, root, Path(folder))) as clip:
            facts = ClipFacts.of(clip)
            pictures = sample.medium is not Medium.SOUND
            seen = list(observe(clip, pictures=pictures, whole_pictures=pictures))
    if path is not None:
        write_observations(path, facts, seen)
    return facts, seen


def gather(
    cues: Sequence[Cue],
    samples: Sequence[Sample],
    root: Path,
    *,
    tools: CueTools,
    branches: RunBranches,
    cache: Path | None = None,
) -> Iterator[CueRow]:
    """Measure every cue on every sample, in the order of samples.

    Args:
        cues: that are measured on the samples' medium.
        samples: of one medium.
        root: data root.
        tools: what cues borrow.
        branches: what branches say of an observation, for cues that read it.
        cache: folder of observations, written where they are not there.
    """
    for sample in samples:
        try:
            facts, seen = observations_of(sample, root, cache)
        except (InputError, OSError, ValueError, IndexError) as error:
            for cue in cues:
                yield _row(cue, sample, (), f"cannot be read: {error}", 0.0, 0.0)
            continue
        outputs = [branches(observation) for observation in seen]
        media_s = _STILL_S if facts.is_still else max((o.segment.end_s for o in seen), default=0.0)
        for cue in cues:
            started = time.process_time()
            reading = cue.start(facts, tools)
            for observation, said in zip(seen, outputs, strict=True):
                reading.add(observation, said)
            found = reading.measurements()
            cost_s = time.process_time() - started
            features, missing = _first(found)
            yield _row(cue, sample, features, missing, cost_s, media_s)


def write_rows(path: Path, cue: Cue, rows: Sequence[CueRow]) -> None:
    """Write one cue's rows on one medium, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["id", "missing", "cpu_s", "media_s", *cue.features])
        for row in rows:
            numbers = [f"{value:.7g}" for value in row.features]
            blank = [""] * (len(cue.features) - len(numbers))
            cost = [f"{row.cpu_s:.4f}", f"{row.media_s:.2f}"]
            writer.writerow([row.id, row.missing, *cost, *numbers, *blank])
    part.replace(path)


def read_rows(path: Path, cue: Cue, medium: Medium) -> list[CueRow]:
    """Read what `write_rows` wrote.

    Raises:
        ScoresError: not there, or of other features than the cue has now.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.reader(stream)
            head = next(reader, [])
            cells = list(reader)
    except OSError as error:
        raise ScoresError(f"{path}: not there; measure with python -m eval cues --fresh") from error
    if head[4:] != list(cue.features):
        raise ScoresError(f"{path}: holds other features than the cue; measure it with --fresh")
    return [
        CueRow(
            cue=cue.name,
            medium=medium,
            id=row[0],
            missing=row[1],
            cpu_s=float(row[2]),
            media_s=float(row[3]),
            features=() if row[1] else tuple(float(value) for value in row[4:]),
        )
        for row in cells
    ]


def _row(
    cue: Cue,
    sample: Sample,
    features: tuple[float, ...],
    missing: str,
    cpu_s: float,
    media_s: float,
) -> CueRow:
    return CueRow(
        cue=cue.name,
        medium=sample.medium,
        id=sample.row.id,
        features=features,
        missing=missing,
        cpu_s=cpu_s,
        media_s=media_s,
    )


def _first(found: Sequence[Measurement]) -> tuple[tuple[float, ...], str]:
    """The measurement that stands for a clip: these clips show one face, or let one voice speak."""
    measured = [m for m in found if m.missing is None]
    if measured:
        longest = max(measured, key=lambda m: m.segment.duration_s if m.segment else 0.0)
        return longest.features, ""
    return (), next((m.missing for m in found if m.missing), "nothing to measure")


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]
