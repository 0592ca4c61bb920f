"""Measure a voice-clone model, through the branch as users run it, on other people's fakes.

python -m recipes.voice_clone.evaluate --model voice_clone-redrawn-demos-202611
python -m recipes.voice_clone.evaluate --run first --channel ulaw
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from avdetect.branches.base import BranchOutput
from avdetect.branches.voice_clone import VoiceCloneBranch, build_voice_clone
from avdetect.channels.codecs import CODECS, Waveform, through_codec
from avdetect.checkpoint import Checkpoint, ModelCard, load_checkpoint
from avdetect.types import Part
from eval.bootstrap import bootstrap_interval
from eval.manifest.row import ManifestRow
from eval.metrics import auc, eer
from eval.protocol import read_protocol
from recipes.datasets.voices import find_speech, is_fake, observe_waveform, read_waveform
from recipes.voice_clone.rows import PROTOCOL, shipped_split, voice_rows
from recipes.voice_clone.settings import RUNS

_PART = Part(channel="mono")
_FILES_OF_A_RUN = ("best", "final", "joined")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One set under one channel; clips with too little speech are counted, not scored."""

    n_real: int
    n_fake: int
    n_missing: int
    auc: float
    auc_low: float
    auc_high: float
    eer: float

    def __str__(self) -> str:
        return (
            f"AUC {self.auc:.3f} [{self.auc_low:.3f}, {self.auc_high:.3f}]  EER {self.eer:.3f}  "
            f"{self.n_real} real, {self.n_fake} fake, {self.n_missing} with too little speech"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Scored clips of one set: rows and raw scores in the same order."""

    rows: list[ManifestRow]
    scores: list[float]
    n_missing: int

    @property
    def labels(self) -> list[int]:
        """1 = fake."""
        return [int(is_fake(row)) for row in self.rows]

    @property
    def speakers(self) -> list[str]:
        """Whose voice, for intervals."""
        return [row.person for row in self.rows]


def score_rows(
    branch: VoiceCloneBranch, rows: Sequence[ManifestRow], channel: str = "clean"
) -> Trials:
    """Raw clip scores of rows, first sent through a codec of `CODECS` unless ``clean``."""
    kept, scores = [], []
    for row in rows:
        score = score_waveform(branch, send(read_waveform(row), channel))
        if score is not None:
            kept.append(row)
            scores.append(score)
    return Trials(rows=kept, scores=scores, n_missing=len(rows) - len(kept))


def score_waveform(branch: VoiceCloneBranch, waveform: Waveform) -> float | None:
    """Raw clip score of (S,) float32 at 16 kHz; None with too little speech."""
    return branch.pool(_PART, hear(branch, waveform)).score


def hear(branch: VoiceCloneBranch, waveform: Waveform) -> list[BranchOutput]:
    """What the branch says of each observation of (S,) float32 at 16 kHz."""
    observations = observe_waveform(waveform, find_speech(waveform))
    return [output for outputs in branch.run(observations) for output in outputs]


def send(waveform: Waveform, channel: str) -> Waveform:
    """(S,) through a codec of `CODECS`, or as it is if that is ``clean``."""
    return waveform if channel == "clean" else through_codec(waveform, channel)


def measure(trials: Trials) -> Figures:
    """Figures with the 95 % interval of AUC over speakers."""
    labels, scores = trials.labels, trials.scores
    low, high = bootstrap_interval(auc, labels, scores, trials.speakers)
    return Figures(
        n_real=labels.count(0),
        n_fake=labels.count(1),
        n_missing=trials.n_missing,
        auc=auc(labels, scores),
        auc_low=low,
        auc_high=high,
        eer=eer(labels, scores),
    )


def per_generator(trials: Trials) -> dict[str, tuple[float, int]]:
    """AUC of each generator's clips against all real ones of the set, and how many there are."""
    labels, scores = np.array(trials.labels), np.array(trials.scores)
    names = np.array([row.generator for row in trials.rows])
    table = {}
    for name in sorted(set(names[labels == 1])):
        chosen = (labels == 0) | (names == name)
        table[str(name)] = (auc(labels[chosen], scores[chosen]), int((names == name).sum()))
    return table


def measured_sets() -> dict[str, list[ManifestRow]]:
    """The folds that figures are stated on; none of them trained on or used for choosing."""
    return shipped_split(voice_rows(), read_protocol(PROTOCOL))[1]


def load_run(run: str, which: str = "joined") -> Checkpoint:
    """A run's network as a checkpoint without calibration."""
    saved = torch.load(RUNS / run / f"{which}.pt", weights_only=True)
    card = ModelCard(
        name=f"run {run}",
        role="voice_clone",
        summary="",
        licence="",
        weights_sha256="",
        config=saved["network"],
        facts={},
    )
    return Checkpoint(card=card, state=saved["state"], calibration=None)


def add_model_options(parser: argparse.ArgumentParser, which: str, run: str | None = None) -> None:
    """Options that name one model: of ``models/``, or of a run and its file.

    Args:
        parser: gets them.
        which: of a run's files the one meant where none is named.
        run: meant where nothing is named; None asks for a name.
    """
    named = parser.add_mutually_exclusive_group(required=run is None)
    named.add_argument("--model", help="name of a checkpoint in models/")
    named.add_argument("--run", default=run, help="or a folder below runs/voice_clone")
    parser.add_argument("--which", default=which, choices=_FILES_OF_A_RUN, help="of the run")


def named_checkpoint(given: argparse.Namespace) -> Checkpoint:
    """The model that the options name."""
    return load_checkpoint(given.model) if given.model else load_run(given.run, given.which)


def table_of(figures: Figures) -> dict[str, float | int]:
    """Figures as a card's table, three digits."""
    return {key: round(value, 3) for key, value in asdict(figures).items()}


def write_scores(path: Path, sets: dict[str, Trials]) -> None:
    """One line a clip: set, file, label, score."""
    lines = [
        f"{name},{row.id},{int(is_fake(row))},{score:.5f}"
        for name, trials in sets.items()
        for row, score in zip(trials.rows, trials.scores, strict=True)
    ]
    path.write_text("set,file,fake,score\n" + "\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_options(parser, which="joined", run="first")
    parser.add_argument("--channel", default="clean", choices=("clean", *CODECS))
    parser.add_argument("--scores", type=Path, help="also write every clip's raw score here (CSV)")
    given = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = named_checkpoint(given)
    branch = build_voice_clone(checkpoint, torch.device("cpu"))
    sets = {name: score_rows(branch, rows, given.channel) for name, rows in measured_sets().items()}
    for name, trials in sets.items():
        print(f"{checkpoint.card.name}  {name}  {given.channel}: {measure(trials)}")
        for generator, (value, count) in per_generator(trials).items():
            print(f"    {generator:32s} AUC {value:.3f}  {count} clips")
    if given.scores:
        write_scores(given.scores, sets)


if __name__ == "__main__":
    main()
