"""What every kind of twin costs, and how far it is from its original.

python -m recipes.forge.measure [--clips 8] [--seconds 4] [--neural]

CPU milliseconds a clip on one core; log-spectral distance in decibels; correlation of the spectral
envelopes, which carry the words; then what a whole pair costs. The clips are human
and of the training folds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import librosa
import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.protocol import read_protocol
from recipes.forge.kinds import FAMILIES, Forge, missing_kinds, neural_kinds
from recipes.forge.neural.speech import clean_speech, human_rows
from recipes.forge.pairs import TwinMaker

_N_FFT, _HOP, _N_BANDS = 512, 128, 24
_PAIRS_A_CLIP = 5
_RANGE_DB = 60.0  # below the loudest, nobody hears a difference


def log_spectral_distance(first: Waveform, second: Waveform) -> float:
    """Mean over frames of the root-mean-square difference of spectra, decibels."""
    a, b = (_decibels(np.abs(_spectra(x))) for x in (first, second))
    return float(np.mean(np.sqrt(np.mean((a - b) ** 2, axis=0))))


def envelope_correlation(first: Waveform, second: Waveform) -> float:
    """Correlation of two log-mel spectrograms of 24 bands, over 40 ms: 1 for the same words."""
    smooth = [_decibels(_bands(np.abs(_spectra(x)) ** 2) ** 0.5) for x in (first, second)]
    return float(np.corrcoef(smooth[0].ravel(), smooth[1].ravel())[0, 1])


def _spectra(waveform: Waveform) -> NDArray[np.complex64]:
    return np.asarray(librosa.stft(waveform, n_fft=_N_FFT, hop_length=_HOP))


def _bands(power: NDArray[np.float32]) -> NDArray[np.float32]:
    basis = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=_N_FFT, n_mels=_N_BANDS)
    bands = basis @ power
    return np.apply_along_axis(np.convolve, 1, bands, np.ones(5) / 5, "same")


def _decibels(magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
    decibels = 20 * np.log10(np.maximum(magnitude, 1e-9))
    return np.asarray(np.maximum(decibels, decibels.max() - _RANGE_DB), np.float32)


def _row(name: str, forge: Forge, clips: Sequence[Waveform]) -> str:
    forge(clips[0], np.random.default_rng(0))  # tables are made once
    begin = time.process_time()
    twins = [forge(clip, np.random.default_rng(seed)) for seed, clip in enumerate(clips)]
    each_ms = 1_000 * (time.process_time() - begin) / len(clips)
    pairs = list(zip(clips, twins, strict=True))
    distance = np.mean([log_spectral_distance(*pair) for pair in pairs])
    likeness = np.mean([envelope_correlation(*pair) for pair in pairs])
    return f"| {name} | {each_ms:.0f} | {distance:.1f} | {likeness:.3f} |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--neural", action="store_true", help="the trained vocoders too")
    given = parser.parse_args()
    torch.set_num_threads(1)
    n_samples = round(given.seconds * SAMPLE_RATE_HZ)
    rows = [
        row
        for row in human_rows(read_protocol("voice").roles["test"])
        if (row.duration_s or 0.0) > given.seconds + 1
    ]
    every = max(1, len(rows) // given.clips)
    clips = [clean_speech(row)[:n_samples] for row in rows[::every][: given.clips]]
    print(f"{len(clips)} clips\n\n| kind | ms | LSD, dB | envelope |\n|---|---|---|---|")
    families = FAMILIES | ({"neural": neural_kinds()} if given.neural else {})
    for kinds in families.values():
        for name, forge in kinds.items():
            print(_row(name, forge, clips), flush=True)
    for name, reason in missing_kinds().items():
        print(f"| {name} | {reason} | | |")
    make, rng = TwinMaker(families), np.random.default_rng(0)
    begin = time.process_time()
    for clip in clips * _PAIRS_A_CLIP:
        make(clip, rng)
    each_ms = 1_000 * (time.process_time() - begin) / (len(clips) * _PAIRS_A_CLIP)
    print(f"\nA pair, both halves through a training channel: {each_ms:.0f} ms on average")


if __name__ == "__main__":
    main()
