"""The voices of the data folder for tracing: families, folds by speaker and by repository."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from avdetect.tracing.vocoders import HUMAN, family_of
from eval.shared_data import read_rows

N_FOLDS = 10
LEAST_SPEAKERS = 3  # families with fewer count as unknown only
TARGETS = ("waveform", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRow:
    """One clip.

    Attributes:
        id: its file below ``data/audio``.
        generator: as the table names it, ``human`` for none.
        families: by target: ``waveform``, what made the samples (None where that is not
            established), and ``system``, the table's own column (text-to-speech, conversion, ...).
        speaker: the unit of folds and intervals.
        repo: where it is from.
        folds: by unit: ``speaker`` and ``repo``.
    """

    id: str
    generator: str
    families: dict[str, str | None]
    speaker: str
    repo: str
    folds: dict[str, int]


def voice_rows() -> list[VoiceRow]:
    """Both pools, the older and the newer generators."""
    table = read_rows("data/audio/train.csv") + read_rows("data/audio/modern.csv")
    by_speaker = _dealt([row["speaker"] for row in table])
    by_repo = _dealt([row["source_repo"] for row in table])
    return [
        VoiceRow(
            id=row["file"],
            generator=row["generator"],
            families={"waveform": _waveform(row), "system": row["family"]},
            speaker=row["speaker"],
            repo=row["source_repo"],
            folds={"speaker": by_speaker[row["speaker"]], "repo": by_repo[row["source_repo"]]},
        )
        for row in table
    ]


def known_families(rows: Sequence[VoiceRow], target: str) -> list[str]:
    """Families of a target that enough speakers have, `HUMAN` last."""
    speakers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        family = row.families[target]
        if family is not None:
            speakers[family].add(row.speaker)
    kept = {family for family, of in speakers.items() if len(of) >= LEAST_SPEAKERS}
    return [*sorted(kept - {HUMAN}), HUMAN]


def _waveform(row: dict[str, str]) -> str | None:
    return HUMAN if row["family"] == HUMAN else family_of(row["generator"])


def _dealt(groups: Sequence[str]) -> dict[str, int]:
    """Groups to folds of about one size, the largest first, ties by name."""
    load = [0] * N_FOLDS
    folds = {}
    for group, n in sorted(Counter(groups).items(), key=lambda item: (-item[1], item[0])):
        folds[group] = load.index(min(load))
        load[folds[group]] += n
    return folds
