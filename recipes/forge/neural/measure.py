"""How close the vocoders' copies of unheard speakers are to the originals.

python -m recipes.forge.neural.measure [--least-step 2000] [--clips 12]

Three figures a vocoder: L1 of log-mel frames (natural logarithm, 80 bands), log-spectral distance
in decibels, and detail: how rough the copy's log spectrum is along frequency, relative to the
original's (under 1: blurred; over 1: noisy). WORLD and Griffin-Lim stand beside them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from avdetect.channels.codecs import Waveform
from avdetect.nn.istft_vocoder import LogMel
from recipes.forge.neural.settings import CONFIGS, RUNS, read_settings
from recipes.forge.neural.speech import load_human_speech
from recipes.forge.neural.vocoders import copy_synthesise, list_vocoders
from recipes.forge.voices import forge_twin

_CLASSICAL = ("world", "griffin_lim")
_N_FFT = 512
_QUIET_DB = -60.0  # below the clip's loudest bin, nobody hears a difference


class Likeness(NamedTuple):
    """One copy, or the mean over copies, against the original; see the module."""

    mel_l1: float
    distance_db: float
    detail: float


def likeness(copied: Waveform, original: Waveform) -> Likeness:
    """Compare two (S,) float32 at 16 kHz on the same clock."""
    a, b = (torch.from_numpy(np.asarray(x, np.float32))[None] for x in (copied, original))
    mel = LogMel(1024, 256, 80)
    spectra = [_decibels(x) for x in (a, b)]
    floor = float(spectra[1].max()) + _QUIET_DB
    spectra = [s.clamp(min=floor) for s in spectra]
    distance = (spectra[0] - spectra[1]).square().mean(1).sqrt().mean()
    rough = [s.diff(dim=1).abs().mean() for s in spectra]
    return Likeness(
        mel_l1=float((mel(a) - mel(b)).abs().mean()),
        distance_db=float(distance),
        detail=float(rough[0] / rough[1]),
    )


def mean_likeness(copy: Callable[[Waveform], Waveform], clips: list[Waveform]) -> Likeness:
    """Mean over clips."""
    return Likeness(*np.mean([likeness(copy(clip), clip) for clip in clips], axis=0).tolist())


def _decibels(waveform: Tensor) -> Tensor:
    window = torch.hann_window(_N_FFT)
    spectrum = torch.stft(waveform, _N_FFT, _N_FFT // 4, window=window, return_complex=True)
    return 20 * spectrum.abs().clamp(min=1e-6).log10()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=RUNS, help="where the trainings lie")
    parser.add_argument("--least-step", type=int, default=0)
    parser.add_argument("--clips", type=int, default=12, help="evenly drawn from the unheard ones")
    given = parser.parse_args()
    torch.set_num_threads(1)
    held_out = read_settings(next(CONFIGS.glob("*_*.toml"))).training.held_out_folds
    unseen = load_human_speech(held_out, RUNS / "speech").unseen
    clips = unseen[:: max(1, len(unseen) // given.clips)][: given.clips]
    print(f"{len(clips)} clips of unheard speakers\n\n| vocoder | mel L1 | LSD, dB | detail |")
    print("|---|---|---|---|")
    for name in list_vocoders(given.folder, least_step=given.least_step):
        copy = partial(copy_synthesise, name=name, folder=given.folder)
        _print_row(name, mean_likeness(copy, clips))
    for kind in _CLASSICAL:
        forge = partial(forge_twin, kind=kind, rng=np.random.default_rng(0))
        _print_row(kind, mean_likeness(forge, clips))


def _print_row(name: str, found: Likeness) -> None:
    figures = f"{found.mel_l1:.3f} | {found.distance_db:.2f} | {found.detail:.3f}"
    print(f"| {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
