"""What each part of what the linear judge learns is worth: the same fits without it.

python -m recipes.voice_clone.judge_ablation

The judge alone gives a clip its score, so this is what the branch would be without a part. Every
variant is fitted anew for every fold of the pool, which it is then measured on, as recorded and
through the six codecs of `MEASURED_THROUGH`, and for the newer generators on the whole pool.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from avdetect.errors import AvdetectError
from avdetect.speech.statistics import BANDS, N_STATISTICS
from eval.manifest.row import ManifestRow
from eval.metrics import auc
from eval.protocol import read_protocol
from recipes.datasets.voices import is_fake
from recipes.voice_clone.folds import Turn, turns
from recipes.voice_clone.judge import fit, judge
from recipes.voice_clone.rows import PROTOCOL, measurable, voice_rows
from recipes.voice_clone.samples import MEASURED_THROUGH, ClipNumbers, Numbers, clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, JudgeSettings, read_settings

_PROCEDURES = ("pool", "modern_unseen")
_RECORDED, *_CODED = MEASURED_THROUGH


def _as_it_is(numbers: Numbers) -> Numbers:
    return numbers


def _without_statistics(numbers: Numbers) -> Numbers:
    kept = numbers.copy()
    kept[..., -N_STATISTICS:] = 0.0
    return kept


def _statistics_alone(numbers: Numbers) -> Numbers:
    kept = numbers.copy()
    kept[..., :-N_STATISTICS] = 0.0
    return kept


def _without(*made: str) -> Callable[[JudgeSettings], JudgeSettings]:
    """Settings that leave out all versions of clips that were made so."""

    def changed(settings: JudgeSettings) -> JudgeSettings:
        recorded, coded = (
            [version for version in taught if not version.startswith(made)]
            for taught in (settings.recorded_from, settings.coded_from)
        )
        return replace(settings, recorded_from=recorded, coded_from=coded)

    return changed


def _without_channels(settings: JudgeSettings) -> JudgeSettings:
    return replace(settings, coded_from=settings.recorded_from)


def _same(settings: JudgeSettings) -> JudgeSettings:
    return settings


def _others_fakes_left_out(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    return [row for row in rows if not is_fake(row)]


class Variant:
    """One procedure: its settings, which numbers it reads, which clips teach it."""

    def __init__(
        self,
        settings: Callable[[JudgeSettings], JudgeSettings] = _same,
        numbers: Callable[[Numbers], Numbers] = _as_it_is,
        taught_by: Callable[[Sequence[ManifestRow]], Sequence[ManifestRow]] = list,
    ) -> None:
        self.settings, self.numbers, self.taught_by = settings, numbers, taught_by

    def measured(self, clips: Mapping[str, ClipNumbers]) -> dict[str, ClipNumbers]:
        """The numbers this variant reads of every clip."""
        return {
            name: replace(clip, taught=self.numbers(clip.taught), heard=self.numbers(clip.heard))
            for name, clip in clips.items()
        }


VARIANTS: Mapping[str, Variant] = {
    "all": Variant(),
    "without forging": Variant(_without("twin", "said")),
    "without vocoded twins": Variant(_without("twin")),
    "without speech synthesisers": Variant(_without("said")),
    "without fakes of others": Variant(taught_by=_others_fakes_left_out),
    "without channels": Variant(_without_channels),
    f"coherence and phase of {len(BANDS)} bands alone": Variant(numbers=_without_statistics),
    "differences of statistics alone": Variant(numbers=_statistics_alone),
}


def figures(
    variant: Variant,
    planned: Sequence[Turn],
    clips: Mapping[str, ClipNumbers],
    settings: JudgeSettings,
) -> dict[tuple[str, str], float]:
    """AUC by procedure and channel; scores of all its folds together."""
    measured, changed = variant.measured(clips), variant.settings(settings)
    scored: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for turn in planned:
        head = fit(variant.taught_by(turn.training), measured, changed)
        for channel in MEASURED_THROUGH:
            found = [(is_fake(row), judge(head, measured[row.id], channel)) for row in turn.test]
            scored.setdefault((turn.procedure, channel), []).extend(
                (int(fake), score) for fake, score in found if score is not None
            )
    return {key: auc(*zip(*pairs, strict=True)) for key, pairs in scored.items()}


def line(name: str, found: Mapping[tuple[str, str], float]) -> str:
    """One row of the table: each procedure as recorded, and the mean over codecs."""
    cells = []
    for procedure in _PROCEDURES:
        coded = float(np.mean([found[procedure, channel] for channel in _CODED]))
        cells += [f"{found[procedure, _RECORDED]:.3f}", f"{coded:.3f}"]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--jobs", type=int, default=1, help="processes that measure clips")
    given = parser.parse_args()
    torch.set_num_threads(1)
    protocol, settings = read_protocol(PROTOCOL), read_settings(given.config).judge
    try:
        rows = measurable(voice_rows(), protocol)
        clips = clip_numbers(rows, NUMBERS, settings.vocoder, n_jobs=given.jobs)
    except AvdetectError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    planned = [turn for turn in turns(rows, protocol) if turn.procedure in _PROCEDURES]
    print(
        "| judge | pool, recorded | coded | newer generators, recorded | coded |\n"
        + "|---" * 5
        + "|"
    )
    for name, variant in VARIANTS.items():
        print(line(name, figures(variant, planned, clips, settings)), flush=True)


if __name__ == "__main__":
    main()
