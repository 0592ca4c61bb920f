"""How surely a voice is judged after 1, 2, 4 and 6 seconds of speech.

python -m recipes.voice_clone.speech_curve --model NAME    # or --run RUN, of runs/voice_clone

Each measured clip is cut where its first seconds of speech are over. All clips with that much
count; since clips differ, the same figures follow for those that have enough for a longer cut.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch

from avdetect.branches.voice_clone import VoiceCloneBranch, build_voice_clone
from avdetect.channels.codecs import CODECS, Waveform
from avdetect.timebase import seconds_to_samples
from avdetect.types import Segment
from eval.bootstrap import bootstrap_interval
from eval.manifest.row import ManifestRow
from eval.metrics import eer
from recipes.datasets.voices import find_speech, is_fake, read_waveform
from recipes.voice_clone.evaluate import (
    add_model_options,
    measured_sets,
    named_checkpoint,
    score_waveform,
    send,
)

SECONDS = (1.0, 2.0, 4.0, 6.0)
_COMMON_S = 4.0
# Of what is asked; clips of six seconds have pauses, so hardly any holds six seconds of speech.
_LEAST_SHARE = 0.9


def cut_speech(waveform: Waveform, speech: Sequence[Segment], seconds: float) -> Waveform | None:
    """A clip up to the moment when ``seconds`` of its speech are over.

    Args:
        waveform: (S,) float32 at 16 kHz.
        speech: where speech is, in order.
        seconds: wanted.

    Returns:
        The beginning of the clip; None where it has less than nine tenths of that.
    """
    if sum(part.duration_s for part in speech) < _LEAST_SHARE * seconds:
        return None
    left = seconds
    for part in speech:
        if part.duration_s >= left:
            return waveform[: seconds_to_samples(part.start_s + left)]
        left -= part.duration_s
    return waveform


def score_cuts(
    branch: VoiceCloneBranch, rows: Sequence[ManifestRow], channel: str
) -> dict[float, dict[str, float]]:
    """Raw scores by seconds of speech and row; a row without so much speech has none."""
    found: dict[float, dict[str, float]] = {seconds: {} for seconds in SECONDS}
    for row in rows:
        waveform = read_waveform(row)
        speech = find_speech(waveform)
        for seconds in SECONDS:
            cut = cut_speech(waveform, speech, seconds)
            if cut is None:
                continue
            score = score_waveform(branch, send(cut, channel))
            if score is not None:
                found[seconds][row.id] = score
    return found


def eer_line(rows: Sequence[ManifestRow], scores: dict[str, float]) -> str:
    """EER with its 95 % interval over speakers, and how many clips it rests on."""
    judged = [row for row in rows if row.id in scores]
    labels = [int(is_fake(row)) for row in judged]
    if len(set(labels)) < 2:
        return f"EER n/a  {len(judged)} clips of one class"
    values = np.array([scores[row.id] for row in judged])
    low, high = bootstrap_interval(eer, labels, values, [row.person for row in judged])
    n_fake = sum(labels)
    return (
        f"EER {eer(labels, values):.3f} [{low:.3f}, {high:.3f}]  "
        f"{len(labels) - n_fake} real, {n_fake} fake"
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_options(parser, which="joined")
    parser.add_argument("--channel", default="clean", choices=("clean", *CODECS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    checkpoint = named_checkpoint(given)
    branch = build_voice_clone(checkpoint, torch.device("cpu"))
    for name, rows in measured_sets().items():
        scores = score_cuts(branch, rows, given.channel)
        print(f"{checkpoint.card.name}  {name}  {given.channel}")
        for seconds, found in scores.items():
            print(f"    {seconds:g} s of speech       {eer_line(rows, found)}")
        common = set(scores[_COMMON_S])
        for seconds in (s for s in SECONDS if s <= _COMMON_S):
            same = {key: value for key, value in scores[seconds].items() if key in common}
            print(f"    {seconds:g} s, the same clips  {eer_line(rows, same)}")


if __name__ == "__main__":
    main()
