"""Where a verdict hears or sees a forgery: the stretches that localisation is measured on."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from avdetect.types import Segment
from avdetect.verdict import TimelineEntry, Verdict
from eval.errors import ScoresError
from eval.run.store import Key, write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch that one branch suspects of one part.

    Attributes:
        start_s, end_s: seconds from the clip's start.
        branch: whose evidence it is.
        confidence: 0..1; of a run of timeline entries the probability of fake at even odds, from
            their mean LLR.
    """

    start_s: float
    end_s: float
    branch: str
    confidence: float

    @property
    def segment(self) -> Segment:
        """Its time alone."""
        return Segment(self.start_s, self.end_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """One clip's stretches at one level, most confident first.

    Attributes:
        id, level: as of the score file.
        duration_s: of the clip as decoded, None where it could not be.
        stretches: empty where nothing favours fake or nothing was judged.
    """

    id: str
    level: str
    duration_s: float | None
    stretches: tuple[Stretch, ...]

    @property
    def key(self) -> Key:
        """What is unique in a file."""
        return (self.id, self.level)


def locate(clip_id: str, level: str, verdict: Verdict) -> Located:
    """Where a branch suspects a forgery.

    Of a branch that located stretches by frames, those; of any other the runs of its timeline
    whose LLR is above 0.
    """
    found = [
        Stretch(start_s=s.start_s, end_s=s.end_s, branch=s.branch, confidence=s.score)
        for s in verdict.suspicious
    ]
    located = {stretch.branch for stretch in found}
    parts: dict[tuple[str, str, int], list[TimelineEntry]] = defaultdict(list)
    for entry in verdict.timeline:
        if entry.branch in located:
            continue
        track = -1 if entry.face_track is None else entry.face_track
        parts[entry.branch, entry.channel or "", track].append(entry)
    found += [stretch for entries in parts.values() for stretch in _runs(entries)]
    found.sort(key=lambda s: (-s.confidence, s.start_s, s.branch))
    return Located(
        id=clip_id, level=level, duration_s=verdict.input.duration_s, stretches=tuple(found)
    )


def _runs(entries: Iterable[TimelineEntry]) -> Iterator[Stretch]:
    run: list[TimelineEntry] = []
    for entry in sorted(entries, key=lambda e: e.start_s):
        if run and (entry.fake_llr <= 0.0 or entry.start_s > run[-1].end_s):
            yield _joined(run)
            run = []
        if entry.fake_llr > 0.0:
            run.append(entry)
    if run:
        yield _joined(run)


def _joined(run: list[TimelineEntry]) -> Stretch:
    mean_llr = sum(entry.fake_llr for entry in run) / len(run)
    return Stretch(
        start_s=run[0].start_s,
        end_s=run[-1].end_s,
        branch=run[0].branch,
        confidence=round(1.0 / (1.0 + math.exp(-mean_llr)), 6),
    )


def append_located(path: Path, found: Iterable[Located]) -> None:
    """Append one JSON line a clip."""
    with path.open("a", encoding="utf-8") as stream:
        for located in found:
            stream.write(_line(located))
            stream.flush()


def write_located(path: Path, found: Mapping[Key, Located]) -> None:
    """Write the whole file at once, sorted by key."""
    write_whole(path, "".join(_line(found[key]) for key in sorted(found)))


def read_located(path: Path) -> dict[Key, Located]:
    """Read ``segments.jsonl``; empty where there is none, half a last line is left out.

    Raises:
        ScoresError: a line is not of this layout.
    """
    if not path.is_file():
        return {}
    text = path.read_text("utf-8")
    found: dict[Key, Located] = {}
    for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), start=1):
        try:
            cells = json.loads(line)
            stretches = tuple(Stretch(**stretch) for stretch in cells.pop("stretches"))
            located = Located(**cells, stretches=stretches)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ScoresError(f"{path}, line {number}: not a located clip; use --fresh") from error
        found[located.key] = located
    return found


def _line(located: Located) -> str:
    return json.dumps(asdict(located)) + "\n"
