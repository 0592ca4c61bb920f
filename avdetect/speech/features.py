"""Spectral views of a voice, by torchaudio: what a forgery leaves is in the fine spectrum.

Frames are 25 ms wide and 12.5 ms apart, so that four make one 50 ms step and forty one 0.5 s row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import torch
import torchaudio.functional as AF
from torch import Tensor

from avdetect.nn.shapes import check_shape
from avdetect.timebase import SAMPLE_RATE_HZ, exact_ratio

HOP_SAMPLES = 200
STEP_SAMPLES = 800  # of speech masks
FRAMES_PER_STEP = exact_ratio(STEP_SAMPLES, HOP_SAMPLES)
N_MELS = 64
N_LFCC = 30
N_FINE = 48
N_VIEWS = N_MELS + 3 * N_LFCC + N_FINE

_WINDOW = 400
_N_FFT = 512
_LOW_HZ, _HIGH_HZ = 80.0, 7_600.0  # below lies hum, above the skirts of resampling filters
_N_LINEAR = 70
# 70 dB below speech level: noise floors of studios tell corpora apart, not forgeries.
_FLOOR = 1e-7
_FINE_EDGES = (3, 20, 40, 64, 96, 128, 160, 200, 243)  # bins of 31.25 Hz: 94 Hz to 7.6 kHz


def level_speech(waveform: Tensor, speech: Tensor) -> Tensor:
    """Scale each item so that its speech has unit power.

    Args:
        waveform: (B, S) float32 at 16 kHz, S a multiple of 800.
        speech: (B, S / 800) share of each 50 ms step that is speech, 0..1; where all is 0 the whole
            item sets the level.

    Returns:
        (B, S) float32.

    Raises:
        ShapeError: if the two do not fit.
    """
    check_shape(speech, f"{waveform.shape[0]} {waveform.shape[-1] // STEP_SAMPLES}", "speech")
    steps = waveform.reshape(waveform.shape[0], -1, STEP_SAMPLES).square().mean(-1)
    weights = torch.where(speech.sum(1, keepdim=True) > 0, speech, torch.ones_like(speech))
    power = (steps * weights).sum(1, keepdim=True) / weights.sum(1, keepdim=True)
    return waveform / (power + 1e-10).sqrt()


def log_mel(waveform: Tensor, *, n_mels: int = N_MELS) -> Tensor:
    """Log-mel spectrogram of a levelled waveform.

    Args:
        waveform: (B, S) float32 at 16 kHz, speech at unit power (`level_speech`).
        n_mels: bands between 80 Hz and 7.6 kHz.

    Returns:
        (B, n_mels, S // 200) float32, natural log of band power, floored 70 dB below speech.

    Raises:
        ShapeError: if ``waveform`` is not (B, S).
    """
    return _log_bands(_power(waveform), _mel_bank(n_mels))


def lfcc(waveform: Tensor, *, n_lfcc: int = N_LFCC) -> Tensor:
    """Linear-frequency cepstra with first and second differences (Sahidullah et al. 2015).

    Args:
        waveform: as for `log_mel`.
        n_lfcc: cepstra kept, from 1 on: the 0th is loudness.

    Returns:
        (B, 3 * n_lfcc, S // 200) float32: cepstra, deltas, delta-deltas.

    Raises:
        ShapeError: if ``waveform`` is not (B, S).
    """
    return _cepstra(_power(waveform), n_lfcc)


def spectral_views(waveform: Tensor, speech: Tensor) -> Tensor:
    """All views of a waveform, levelled by its speech.

    Args:
        waveform: (B, S) float32 at 16 kHz in [-1, 1], S a multiple of 800.
        speech: (B, S / 800) share of each 50 ms step that is speech.

    Returns:
        (B, `N_VIEWS`, S / 200) float32: `N_MELS` log-mel bands, 3 x `N_LFCC` cepstra, `N_FINE`
        measures of `fine_structure`.

    Raises:
        ShapeError: if the two do not fit.
    """
    spectrum = _spectrum(level_speech(waveform, speech))
    power = _power_of(spectrum)
    mel = _log_bands(power, _mel_bank(N_MELS))
    return torch.cat([mel, _cepstra(power, N_LFCC), _fine(spectrum, power)], 1)


def fine_structure(waveform: Tensor) -> Tensor:
    """How regular phase and power are from bin to bin and frame to frame, in eight bands.

    Vocoders build phase and noise by rule: group delay (Yegnanarayana & Murthy 1992) and
    instantaneous frequency spread otherwise than in a throat, and power jumps less.

    Args:
        waveform: as for `log_mel`.

    Returns:
        (B, `N_FINE`, S // 200) float32; six blocks of eight bands: flatness (log), concentration
        (0..1) of group delay, of its slope and of the phase advance, mean jump of log power over
        time and over frequency.

    Raises:
        ShapeError: if ``waveform`` is not (B, S).
    """
    spectrum = _spectrum(waveform)
    return _fine(spectrum, _power_of(spectrum))


def _spectrum(waveform: Tensor) -> Tensor:
    check_shape(waveform, "B S", "waveform")
    window = torch.hann_window(_WINDOW, device=waveform.device)
    spectrum = torch.stft(
        waveform, _N_FFT, HOP_SAMPLES, _WINDOW, window, center=True, return_complex=True
    )
    return spectrum[..., : waveform.shape[-1] // HOP_SAMPLES]


def _power_of(spectrum: Tensor) -> Tensor:
    return (spectrum.real.square() + spectrum.imag.square()) / (_WINDOW * _N_FFT)


def _power(waveform: Tensor) -> Tensor:
    return _power_of(_spectrum(waveform))


def _fine(spectrum: Tensor, power: Tensor) -> Tensor:
    log_power = (power + 1e-10).log()
    unit = spectrum / (spectrum.abs() + 1e-7)
    delay = unit[:, 1:] * unit[:, :-1].conj()
    slope = delay[:, 1:] * delay[:, :-1].conj()
    turn = -2 * math.pi * HOP_SAMPLES / _N_FFT * torch.arange(unit.shape[1], device=unit.device)
    steady = torch.polar(torch.ones_like(turn), turn)[:, None]
    advance = unit[..., 1:] * unit[..., :-1].conj() * steady
    over_time = (log_power[..., 1:] - log_power[..., :-1]).abs()
    over_frequency = (log_power[:, 1:] - log_power[:, :-1]).abs()
    flatness = [
        log_power[:, a:b].mean(1) - power[:, a:b].mean(1).add(1e-10).log() for a, b in _fine_bands()
    ]
    return torch.stack(
        flatness
        + [measure[:, a:b].mean(1).abs() for measure in (delay, slope) for a, b in _fine_bands()]
        + [_from_second(advance[:, a:b].mean(1).abs()) for a, b in _fine_bands()]
        + [_from_second(over_time[:, a:b].mean(1)) for a, b in _fine_bands()]
        + [over_frequency[:, a:b].mean(1) for a, b in _fine_bands()],
        1,
    )


def _fine_bands() -> Iterator[tuple[int, int]]:
    return pairwise(_FINE_EDGES)


def _from_second(differences: Tensor) -> Tensor:
    """Differences between frames, the first one twice, so that there is one per frame."""
    return torch.cat([differences[..., :1], differences], -1)


def _log_bands(power: Tensor, bank: Tensor) -> Tensor:
    return (bank.to(power.device).T @ power + _FLOOR).log()


def _cepstra(power: Tensor, n_lfcc: int) -> Tensor:
    bands = _log_bands(power, _linear_bank())
    cepstra = _dct(n_lfcc).to(bands.device) @ bands
    delta = AF.compute_deltas(cepstra)
    return torch.cat([cepstra, delta, AF.compute_deltas(delta)], 1)


@lru_cache(maxsize=8)
@torch.inference_mode(False)  # kept for callers who need gradients, whoever asked first
def _mel_bank(n_mels: int) -> Tensor:
    bank: Tensor = AF.melscale_fbanks(
        _N_FFT // 2 + 1, _LOW_HZ, _HIGH_HZ, n_mels, SAMPLE_RATE_HZ, norm=None, mel_scale="htk"
    )
    return bank


@lru_cache(maxsize=1)
@torch.inference_mode(False)
def _linear_bank() -> Tensor:
    bank: Tensor = AF.linear_fbanks(_N_FFT // 2 + 1, _LOW_HZ, _HIGH_HZ, _N_LINEAR, SAMPLE_RATE_HZ)
    return bank


@lru_cache(maxsize=8)
@torch.inference_mode(False)
def _dct(n_lfcc: int) -> Tensor:
    matrix: Tensor = AF.create_dct(n_lfcc + 1, _N_LINEAR, norm="ortho")
    return matrix.T[1:].contiguous()
