"""Speech sent through drawn histories, once, kept on disk: what the classifier learns from."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.channels.histories import FAMILIES, FILES, LINEAR, History, make_history
from avdetect.timebase import OBSERVATION_S, SAMPLE_RATE_HZ, seconds_to_samples
from eval.cues.made.speech import untouched_clips
from recipes.datasets.voices import read_waveform

RUNS = Path("runs/codec_history")
N_MADE = {"train": 4000, "modern": 1000}
_LEAST_S = 2.0
_LENGTH = seconds_to_samples(OBSERVATION_S)
_COLUMNS = ("file", "first", "last", "in_own_file", "clip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One stretch of sound with its history.

    Attributes:
        waveform: (S,) float32 at 16 kHz, at most an observation long.
        history: what it went through.
        clip: id of the clip it was made from.
    """

    waveform: NDArray[np.float32]
    history: History
    clip: str


def draw_history(rng: np.random.Generator) -> History:
    """Three in five end in a file of their own; half have one codec before the last."""
    if rng.random() < 0.6:
        last = str(rng.choice([*FILES, "opus"]))  # voice messages and calls: twice as often
        first = LINEAR if rng.random() < 0.4 else str(rng.choice(list(FAMILIES)))
        return History(first=first, last=last, in_own_file=True)
    if rng.random() < 0.2:
        return History()
    first = LINEAR if rng.random() < 0.5 else str(rng.choice(list(FAMILIES)))
    return History(first=first, last=str(rng.choice(list(FAMILIES))))


def prepare(table: str, n: int, seed: int) -> None:
    """Make ``n`` stretches of one table's clips; what is there already stays."""
    folder = RUNS / table
    folder.mkdir(parents=True, exist_ok=True)
    rows = untouched_clips(table, _LEAST_S)
    lines: list[dict[str, object]] = []
    for number in range(n):
        rng = np.random.default_rng([seed, number])
        row = rows[int(rng.integers(len(rows)))]
        history, path = draw_history(rng), folder / f"{number:05d}.npy"
        lines.append(_line(path, history, row.id))
        if not path.is_file():
            made = make_history(_stretch(read_waveform(row), rng), history, rng)
            part = path.with_suffix(".part.npy")
            np.save(part, np.round(np.clip(made, -1, 1) * 32767).astype(np.int16))
            part.replace(path)
        if (number + 1) % 200 == 0:
            print(f"{table}: {number + 1} of {n} made", flush=True)
    _write(folder / "made.csv", lines)


def read_made(table: str) -> Iterator[Made]:
    """What `prepare` made, in its order."""
    with (RUNS / table / "made.csv").open(newline="", encoding="utf-8") as stream:
        for cells in csv.DictReader(stream):
            history = History(
                first=cells["first"], last=cells["last"], in_own_file=cells["in_own_file"] == "True"
            )
            samples = np.load(RUNS / table / cells["file"])
            yield Made(
                waveform=np.asarray(samples / 32768.0, np.float32),
                history=history,
                clip=cells["clip"],
            )


def _stretch(waveform: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Two to four seconds from anywhere in a clip."""
    length = min(len(waveform), int(rng.uniform(_LEAST_S, OBSERVATION_S + 1) * SAMPLE_RATE_HZ))
    length = min(length, _LENGTH)
    begin = int(rng.integers(len(waveform) - length + 1))
    return waveform[begin : begin + length]


def _line(path: Path, history: History, clip: str) -> dict[str, object]:
    return {
        "file": path.name,
        "first": history.first,
        "last": history.last,
        "in_own_file": history.in_own_file,
        "clip": clip,
    }


def _write(path: Path, lines: Sequence[dict[str, object]]) -> None:
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    part.replace(path)


def main() -> None:
    """Make both tables."""
    parser = argparse.ArgumentParser(prog="python -m recipes.codec_history.prepare")
    parser.add_argument("--seed", type=int, default=20261128)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for number, (table, n) in enumerate(N_MADE.items()):
        prepare(table, n, arguments.seed + number)


if __name__ == "__main__":
    main()
