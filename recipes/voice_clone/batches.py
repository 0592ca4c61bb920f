"""Training batches: both classes through the same channels, balanced over source and generator."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import add_noise, narrow_band
from avdetect.speech.features import STEP_SAMPLES
from eval.manifest.row import ManifestRow
from recipes.datasets.voices import VoiceStore, clip_id, is_fake
from recipes.voice_clone.settings import TrainingSettings

_CROP_STEPS = (40, 50, 60, 70)  # of 50 ms; whole rows of half a second
_CURVE_POINTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """B clips of T steps of 50 ms.

    Attributes:
        waveforms: (B, 800 T) float32.
        speech: (B, T) 1 where the VAD hears speech.
        labels: (B,) float32, 1 = fake.
    """

    waveforms: Tensor
    speech: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(
            waveforms=self.waveforms.to(device),
            speech=self.speech.to(device),
            labels=self.labels.to(device),
        )


@dataclass(frozen=True, slots=True)
class _Pick:
    clip: str
    variant: str
    label: float
    seed: int


class VoiceBatches:
    """Draws batches from a prepared store.

    Args:
        rows: training rows.
        store: where their variants lie.
        settings: counts and shares.
        shuffle_labels: deal the labels anew over clips and twins, for the control.
    """

    def __init__(
        self,
        rows: Sequence[ManifestRow],
        store: VoiceStore,
        settings: TrainingSettings,
        *,
        shuffle_labels: bool = False,
    ) -> None:
        self._store, self._settings = store, settings
        humans = [row for row in rows if not is_fake(row)]
        fakes = [row for row in rows if is_fake(row)]
        self._humans = _Balanced(humans, lambda row: row.source)
        self._fakes = _Balanced(fakes, lambda row: row.generator)
        self._has_twin = {
            clip_id(row) for row in humans if store.path("twin", clip_id(row)).is_file()
        }
        self._labels: dict[str, float] = {}
        if shuffle_labels:
            rng = np.random.default_rng(settings.seed)
            names = [clip_id(row) for row in rows] + [f"twin {c}" for c in sorted(self._has_twin)]
            self._labels = {name: float(rng.integers(2)) for name in names}

    def draw(self, rng: np.random.Generator) -> Batch:
        """One batch; the same generator state gives the same batch."""
        n_steps = int(rng.choice(_CROP_STEPS))
        made = [self._make(pick, n_steps) for pick in self._picks(rng)]
        return Batch(
            waveforms=torch.from_numpy(np.stack([waveform for waveform, _, _ in made])),
            speech=torch.from_numpy(np.stack([speech for _, speech, _ in made])),
            labels=torch.tensor([label for _, _, label in made]),
        )

    def _picks(self, rng: np.random.Generator) -> list[_Pick]:
        picks: list[_Pick] = []
        settings, n_twins = self._settings, 0
        for _ in range(settings.n_real):
            clip, seed = clip_id(self._humans.draw(rng)), int(rng.integers(2**31))
            coded = rng.random() < settings.channel_share
            twin = n_twins < settings.n_twins and clip in self._has_twin
            variant = ("channel_0" if twin else self._channel(clip, rng)) if coded else "clean"
            picks.append(_Pick(clip, variant, self._labels.get(clip, 0.0), seed))
            if twin:
                n_twins += 1
                name = "twin_channel_0" if coded else "twin"
                picks.append(_Pick(clip, name, self._labels.get(f"twin {clip}", 1.0), seed))
        for _ in range(settings.n_generated + settings.n_twins - n_twins):
            clip, seed = clip_id(self._fakes.draw(rng)), int(rng.integers(2**31))
            coded = rng.random() < settings.channel_share
            variant = self._channel(clip, rng) if coded else "clean"
            picks.append(_Pick(clip, variant, self._labels.get(clip, 1.0), seed))
        return picks

    def _channel(self, clip: str, rng: np.random.Generator) -> str:
        second = self._store.path("channel_1", clip).is_file() and rng.random() < 0.5
        return "channel_1" if second else "channel_0"

    def _make(self, pick: _Pick, n_steps: int) -> tuple[Waveform, NDArray[np.float32], float]:
        rng = np.random.default_rng(pick.seed)  # twin and original: same crop, same extras
        waveform = self._store.read(pick.variant, pick.clip)
        speech = self._store.read_speech(pick.clip)
        spare = min(len(waveform) // STEP_SAMPLES, len(speech)) - n_steps
        first = int(rng.integers(0, max(1, spare + 1)))
        waveform, speech = crop_clip(waveform, speech, n_steps, first)
        return augment(waveform, rng), speech, pick.label


def augment(waveform: Waveform, rng: np.random.Generator) -> Waveform:
    """A random spectral tilt for all, noise and a narrow line for some; (S,) to (S,)."""
    waveform = colour_spectrum(waveform, rng)
    if rng.random() < 0.3:
        waveform = add_noise(waveform, rng.uniform(10, 40), rng.uniform(0, 2), rng)
    return narrow_band(waveform) if rng.random() < 0.12 else waveform


def colour_spectrum(
    waveform: Waveform, rng: np.random.Generator, spread_db: float = 5.0
) -> Waveform:
    """Filter with a smooth random response, as microphones and rooms do; level and length kept."""
    spectrum = np.fft.rfft(waveform)
    place = np.linspace(0.0, 1.0, len(spectrum)) ** 0.5 * (_CURVE_POINTS - 1)
    gains_db = np.interp(place, np.arange(_CURVE_POINTS), rng.normal(0, spread_db, _CURVE_POINTS))
    return np.fft.irfft(spectrum * 10 ** (gains_db / 20), len(waveform)).astype(np.float32)


def crop_clip(
    waveform: Waveform, speech: NDArray[np.float32], n_steps: int, first: int
) -> tuple[Waveform, NDArray[np.float32]]:
    """Steps ``first`` to ``first + n_steps`` of a clip; a shorter clip is tiled as the branch does.

    Args:
        waveform: (S,) float32 at 16 kHz.
        speech: (T,) one per 50 ms; where none is speech, all is taken to be.
        n_steps: length wanted, steps of 50 ms.
        first: step to begin at; 0 for clips shorter than ``n_steps``.

    Returns:
        (800 n_steps,) and (n_steps,) float32.
    """
    have = max(1, min(len(waveform) // STEP_SAMPLES, len(speech)))
    end = min(have, first + n_steps)
    waveform = waveform[first * STEP_SAMPLES : end * STEP_SAMPLES]
    speech = np.resize(speech[first:end], n_steps)
    tiled = np.resize(waveform, n_steps * STEP_SAMPLES)
    return tiled, speech if speech.any() else np.ones_like(speech)


class _Balanced:
    """Draws a group by the square root of its size, then a row of it: no source rules."""

    def __init__(self, rows: Sequence[ManifestRow], key: Callable[[ManifestRow], str]) -> None:
        self._groups: dict[str, list[ManifestRow]] = defaultdict(list)
        for row in rows:
            self._groups[key(row)].append(row)
        sizes = Counter({name: len(members) for name, members in self._groups.items()})
        self._names = sorted(self._groups)
        weights = np.sqrt([sizes[name] for name in self._names])
        self._shares = weights / weights.sum()

    def draw(self, rng: np.random.Generator) -> ManifestRow:
        group = self._groups[self._names[int(rng.choice(len(self._names), p=self._shares))]]
        return group[int(rng.integers(len(group)))]
