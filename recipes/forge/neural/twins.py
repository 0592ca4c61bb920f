"""Copy-synthesise every human training clip with vocoders drawn for it.

python -m recipes.forge.neural.twins [--count 2] [--least-step 4000] [--without NAME ...]

Writes ``runs/voice_clone/neural_twins/<clip>__<vocoder>.npy``, int16 at 16 kHz, on the clock of the
``clean`` variant of `recipes.datasets.voices`. Run again with more vocoders, it makes what the new
draw wants, and removes what it wants no more.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import high_pass
from eval.datasets import demo_voices
from eval.manifest.row import ManifestRow
from eval.protocol import read_protocol
from recipes.datasets.voices import clip_id
from recipes.forge.neural.settings import RUNS
from recipes.forge.neural.speech import clean_speech, human_rows
from recipes.forge.neural.vocoders import copy_synthesise, list_vocoders

TWINS = RUNS.parent / "voice_clone" / "neural_twins"
_SEPARATOR = "__"


def draw_vocoders(clip: str, names: Sequence[str], count: int) -> list[str]:
    """Which vocoders copy a clip: ``count`` different trainings, a step and bit rate of each.

    Args:
        clip: its id, which seeds the draw.
        names: of all vocoders.
        count: at most as many as there are trainings.
    """
    rng = np.random.default_rng(zlib.crc32(clip.encode()))
    trainings = sorted({name.partition("@")[0] for name in names})
    drawn = rng.choice(trainings, count, replace=False)
    return [str(rng.choice([n for n in names if n.startswith(f"{t}@")])) for t in drawn]


def write_twins(rows: Sequence[ManifestRow], names: Sequence[str], count: int) -> None:
    """Write the twins of human clips that are not there yet; see the module."""
    TWINS.mkdir(parents=True, exist_ok=True)
    wanted = {
        TWINS / f"{clip_id(row)}{_SEPARATOR}{name}.npy": (row, name)
        for row in rows
        for name in draw_vocoders(clip_id(row), names, count)
    }
    lacking = [path for path in wanted if not path.is_file()]
    for done, path in enumerate(lacking, 1):
        row, name = wanted[path]
        partial = path.with_suffix(".part")
        with partial.open("wb") as stream:
            # The original is high-passed too: rumble that a network adds tells no other network.
            np.save(stream, _int16(high_pass(copy_synthesise(clean_speech(row), name))))
        partial.replace(path)
        if done % 100 == 0:
            print(f"{done} of {len(lacking)} twins", flush=True)
    for path in set(TWINS.glob("*.npy")) - wanted.keys():
        path.unlink()
    print(f"{len(wanted)} twins of {len(rows)} clips by {len(names)} vocoders in {TWINS}")


def _int16(waveform: Waveform) -> NDArray[np.int16]:
    peak = max(float(np.abs(waveform).max(initial=0.0)), 1.0)
    return np.round(waveform / peak * 32767).astype(np.int16)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2, help="vocoders a clip")
    parser.add_argument("--least-step", type=int, default=0, help="no vocoder kept before it")
    parser.add_argument("--without", nargs="*", default=[], help="trainings not yet good enough")
    given = parser.parse_args()
    torch.set_num_threads(1)
    names = [
        name
        for name in list_vocoders(least_step=given.least_step)
        if name.partition("@")[0] not in given.without
    ]
    held_out = read_protocol("voice").roles["test"]
    rows = [row for row in human_rows(held_out) if row.quality != demo_voices.OPUS]
    write_twins(rows, names, given.count)


if __name__ == "__main__":
    main()
