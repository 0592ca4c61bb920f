"""Every way to forge a real utterance into its fake twin, in one table.

A forge takes (S,) float32 at 16 kHz and a random generator, and gives (S,) float32 on the same
clock, at the same root-mean-square level, and with nothing in bands where the original has nothing:
the two differ in nothing but the forgery.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import numpy as np

from avdetect.channels.codecs import Waveform
from recipes.forge import (
    inversion,
    pitch_synchronous,
    prediction,
    quantised,
    resampled,
    voices,
    world,
)
from recipes.forge.band import limit_band
from recipes.forge.neural.settings import RUNS
from recipes.forge.neural.vocoders import copy_synthesise, list_vocoders
from recipes.forge.pitch import Samples

Forge = Callable[[Waveform, np.random.Generator], Waveform]
Change = Callable[[Samples, np.random.Generator], Samples]

_LOUDEST = 0.999
_LEAST_SAMPLES = 4_096  # analysis windows want a quarter of a second
_SILENT_RMS = 1e-5
_NEEDS_PYWORLD = frozenset({"world", "lpc_pulses"})  # and all that begin with world_


def _forge(change: Change, waveform: Waveform, rng: np.random.Generator) -> Waveform:
    """Run a change; back on the clock, in the band and at the level of the original."""
    level = float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))) if len(waveform) else 0.0
    if level < _SILENT_RMS:
        return waveform.copy()
    padded = np.pad(waveform.astype(np.float64), (0, max(0, _LEAST_SAMPLES - len(waveform))))
    changed = change(padded, rng)
    whole = np.pad(changed, (0, max(0, len(padded) - len(changed))))[: len(padded)]
    twin = limit_band(whole, padded)[: len(waveform)]
    twin *= level / max(float(np.sqrt(np.mean(twin**2))), 1e-9)
    loudest = max(float(np.abs(twin).max(initial=0.0)), 1e-9)
    return np.asarray(twin * min(1.0, _LOUDEST / loudest), np.float32)


def _neural(name: str, folder: Path, waveform: Samples, _rng: np.random.Generator) -> Samples:
    return copy_synthesise(waveform.astype(np.float32), name, folder).astype(np.float64)


_CHANGES: dict[str, dict[str, Change]] = {
    "world": {
        "world": voices.world,
        "world_periodic": world.periodic,
        "world_coarse": world.coarse,
        "world_smooth_pitch": world.smooth_pitch,
    },
    "mel inversion": {
        "griffin_lim": voices.griffin_lim,
        "griffin_lim_long": inversion.griffin_lim,
        "mel_magnitude": voices.mel_magnitude,
        "mel_jittered_phase": inversion.jittered_phase,
        "mel_random_phase": inversion.random_phase,
        "mel_single_pass": inversion.single_pass,
        "mel_zero_phase": inversion.zero_phase_pulses,
        "mel_minimum_phase": inversion.minimum_phase_pulses,
    },
    "linear prediction": {
        "lpc_pulses": voices.linear_prediction,
        "lpc_residual": prediction.residual_excited,
    },
    "conversion": {
        "world_warped": world.warped,
        "lpc_warped": prediction.warped,
        "lpc_psola": prediction.residual_shifted,
        "psola_shifted": pitch_synchronous.shifted,
        "psola_smoothed": pitch_synchronous.smoothed,
        "resampled_phase_vocoder": resampled.phase_vocoded,
        "resampled_wsola": resampled.overlapped,
    },
    "quantised": {
        "quantised_spectrum": quantised.spectrum_vectors,
        "quantised_residual": quantised.residual_vectors,
        "quantised_mel": quantised.mel_tokens,
    },
}


def missing_kinds() -> dict[str, str]:
    """Kinds that cannot be forged here, and why."""
    if importlib.util.find_spec("pyworld") is not None:
        return {}
    reason = "pyworld is not installed: install the extra 'train'"
    names = [name for kinds in _CHANGES.values() for name in kinds]
    return {n: reason for n in names if n in _NEEDS_PYWORLD or n.startswith("world_")}


def _families(missing: Collection[str]) -> dict[str, dict[str, Forge]]:
    families: dict[str, dict[str, Forge]] = {
        family: {n: partial(_forge, change) for n, change in kinds.items() if n not in missing}
        for family, kinds in _CHANGES.items()
    }
    return {family: kinds for family, kinds in families.items() if kinds}


FAMILIES: dict[str, dict[str, Forge]] = _families(missing_kinds())
KINDS: dict[str, Forge] = {n: forge for kinds in FAMILIES.values() for n, forge in kinds.items()}
SLOW = frozenset({"griffin_lim_long"})  # some 200 ms and more for four seconds


def neural_kinds(folder: Path = RUNS, *, least_step: int = 0) -> dict[str, Forge]:
    """One kind for every trained vocoder below a folder, by its name; empty where none is."""
    names = list_vocoders(folder, least_step=least_step)
    return {f"neural {name}": partial(_forge, partial(_neural, name, folder)) for name in names}
