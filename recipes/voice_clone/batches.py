"""Training batches that teach forgery: every human clip beside its twin, behind one channel."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import add_noise, narrow_band, rms
from avdetect.channels.training_chain import training_channel
from eval.manifest.row import ManifestRow
from recipes.datasets.voices import VoiceStore, clip_id, find_speech, is_fake, speech_mask
from recipes.forge.partial import join_clips, replace_by_twin
from recipes.forge.softened import soften
from recipes.voice_clone.crops import Masks, crop_clip, crop_spoof, first_step, n_frames
from recipes.voice_clone.settings import TrainingSettings

_CROP_STEPS = (40, 50, 60, 70)  # of 50 ms; whole rows of half a second
_WORD_S = (0.3, 1.6)
_FADE_SAMPLES = 160
_CURVE_POINTS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """B clips of T steps of 50 ms.

    Attributes:
        waveforms: (B, 800 T) float32.
        speech: (B, T) 1 where the VAD hears speech.
        labels: (B,) float32, 1 = fake, also where a word alone is.
        whole: (B,) bool, the label holds for all of the clip.
        frames: (B, 2.5 T) float32, 1 for every 20 ms that is fake.
        pairs: (P, 2) int64, clips that differ in the forgery alone: original, fake.
    """

    waveforms: Tensor
    speech: Tensor
    labels: Tensor
    whole: Tensor
    frames: Tensor
    pairs: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One clip of a batch; see `Batch`."""

    waveform: Waveform
    speech: Masks
    frames: Masks
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Take:
    """A human clip and a twin of it: waveforms (S,), speech (T,)."""

    original: Waveform
    twin: Waveform
    speech: Masks


class VoiceBatches:
    """Draws batches from prepared stores.

    Args:
        rows: training rows.
        store: where their clean variants lie.
        forged: where twins of human clips lie, a folder for each kind.
        twins: kinds in which each human clip was forged, see `recipes.voice_clone.twins`.
        settings: counts and shares.
        shuffle_labels: exchange clips and twins at random, for the control.

    Raises:
        ValueError: no clip has a twin.
    """

    def __init__(
        self,
        rows: Sequence[ManifestRow],
        stores: tuple[VoiceStore, VoiceStore],
        twins: Mapping[str, Sequence[str]],
        settings: TrainingSettings,
        *,
        shuffle_labels: bool = False,
    ) -> None:
        (self._store, self._forged), self._twins, self._settings = stores, twins, settings
        humans = [row for row in rows if not is_fake(row) and twins.get(clip_id(row))]
        if not humans:
            raise ValueError("no human clip has a twin: run recipes.voice_clone.twins first")
        self._humans = _Balanced(humans, lambda row: row.source)
        self._fakes = _Balanced([row for row in rows if is_fake(row)], lambda row: row.generator)
        self._of_speaker: dict[str, list[ManifestRow]] = defaultdict(list)
        self._of_page: dict[str, list[ManifestRow]] = defaultdict(list)
        for row in humans:
            self._of_speaker[row.person].append(row)
            self._of_page[row.source].append(row)
        rng = np.random.default_rng(settings.seed)
        dealt = {clip_id(row) for row in rows if rng.random() < 0.5}
        self._exchanged = dealt if shuffle_labels else set[str]()

    def draw(self, rng: np.random.Generator) -> Batch:
        """One batch; the same generator state gives the same batch."""
        n_steps, settings = int(rng.choice(_CROP_STEPS)), self._settings
        couples = [self._couple(rng, n_steps) for _ in range(settings.n_pairs)]
        couples += [self._spoofed_couple(rng, n_steps) for _ in range(settings.n_partial)]
        couples += [self._generated_couple(rng, n_steps) for _ in range(settings.n_generated)]
        if not settings.paired:
            couples = [(self._couple(rng, n_steps)[0], fake) for _, fake in couples]
        return collate([example for couple in couples for example in couple], len(couples))

    def _couple(self, rng: np.random.Generator, n_steps: int) -> tuple[Example, Example]:
        row = self._humans.draw(rng)
        take = self._take(row, rng)
        first = first_step(len(take.speech), n_steps, rng)
        original, speech = crop_clip(take.original, take.speech, n_steps, first)
        twin, _ = crop_clip(take.twin, take.speech, n_steps, first)
        if rng.random() < self._settings.softened_share:
            twin = soften(original, twin, rng.random())
        frames = np.zeros(n_frames(n_steps), np.float32)
        real = Example(waveform=original, speech=speech, frames=frames)
        return self._behind_one_channel(
            row, real, replace(real, waveform=twin, frames=1 + frames), rng
        )

    def _spoofed_couple(self, rng: np.random.Generator, n_steps: int) -> tuple[Example, Example]:
        """A clip, or two of one speaker joined, of which the twin replaces a word."""
        row = self._humans.draw(rng)
        take = self._take(row, rng)
        others = self._of_speaker[row.person]
        if len(others) > 1 and rng.random() < 0.5:
            take = _joined(take, self._take(others[int(rng.integers(len(others)))], rng))
        spoof = replace_by_twin(take.original, take.twin, rng, _WORD_S)
        if spoof is None:
            return self._couple(rng, n_steps)
        original, twin, frames = crop_spoof(spoof, n_steps, rng.uniform(0.1, 0.9))
        speech = speech_mask(find_speech(original), 0.0, n_steps)
        real = Example(waveform=original, speech=speech, frames=np.zeros_like(frames), whole=False)
        return self._behind_one_channel(row, real, replace(real, waveform=twin, frames=frames), rng)

    def _generated_couple(self, rng: np.random.Generator, n_steps: int) -> tuple[Example, Example]:
        """Somebody's fake beside a human clip of the same page: the same voice where it has one."""
        row = self._fakes.draw(rng)
        humans = self._of_page[row.source]
        humans = [human for human in humans if human.person == row.person] or humans
        other = humans[int(rng.integers(len(humans)))] if humans else self._humans.draw(rng)
        examples = []
        for clip, fake in ((clip_id(other), 0.0), (clip_id(row), 1.0)):
            waveform, speech = self._store.read("clean", clip), self._store.read_speech(clip)
            first = first_step(len(speech), n_steps, rng)
            waveform, speech = crop_clip(waveform, speech, n_steps, first)
            frames = np.full(n_frames(n_steps), fake, np.float32)
            examples.append(Example(waveform=waveform, speech=speech, frames=frames))
        return self._behind_one_channel(row, examples[0], examples[1], rng)

    def _take(self, row: ManifestRow, rng: np.random.Generator) -> _Take:
        clip = clip_id(row)
        kinds = self._twins[clip]
        return _Take(
            self._store.read("clean", clip),
            self._forged.read(kinds[int(rng.integers(len(kinds)))], clip),
            self._store.read_speech(clip),
        )

    def _behind_one_channel(
        self, row: ManifestRow, real: Example, fake: Example, rng: np.random.Generator
    ) -> tuple[Example, Example]:
        """Both through one draw of everything; for the control perhaps called each other's name."""
        channel = self._channel(rng)
        real, fake = (replace(e, waveform=channel(e.waveform)) for e in (real, fake))
        if clip_id(row) in self._exchanged:
            return (
                replace(real, waveform=fake.waveform, speech=fake.speech),
                replace(fake, waveform=real.waveform, speech=real.speech),
            )
        return real, fake

    def _channel(self, rng: np.random.Generator) -> Callable[[Waveform], Waveform]:
        """A random way, the same for all that is sent through it."""
        coded = rng.random() < self._settings.channel_share
        way, seed = training_channel(rng), int(rng.integers(2**31))
        return lambda w: augment(way(w) if coded else w, np.random.default_rng(seed))


def collate(examples: Sequence[Example], n_pairs: int) -> Batch:
    """A batch of clips of one length, the first 2 ``n_pairs`` of which are real, fake, ..."""
    frames = np.stack([example.frames for example in examples])
    return Batch(
        waveforms=torch.from_numpy(np.stack([example.waveform for example in examples])),
        speech=torch.from_numpy(np.stack([example.speech for example in examples])),
        labels=torch.from_numpy(frames.max(1)),
        whole=torch.tensor([example.whole for example in examples]),
        frames=torch.from_numpy(frames),
        pairs=torch.arange(2 * n_pairs).reshape(-1, 2),
    )


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


def _joined(first: _Take, second: _Take) -> _Take:
    gain = rms(first.original) / max(rms(second.original), 1e-6)
    original, twin = (
        join_clips(a, (b * gain).astype(np.float32), _FADE_SAMPLES)
        for a, b in ((first.original, second.original), (first.twin, second.twin))
    )
    return _Take(original, twin, np.concatenate([first.speech, second.speech]))


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
