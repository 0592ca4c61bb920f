"""Partial spoofs: one word of an utterance or call is fake, and where is known.

Every spoof has a bona fide counterpart that differs from it in the replaced stretch alone: the same
cuts, the same cross-fades, the same words, but unforged. So a join by itself proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from avdetect.branches.base import FRAME_S
from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import rms
from avdetect.timebase import SAMPLE_RATE_HZ, seconds_to_samples
from avdetect.types import Segment
from recipes.forge.kinds import Forge

_ENERGY_HOP = 160  # 10 ms
_SMOOTH_FRAMES = 2.0
_LEAST_DIP_DB = 6.0
_LEAST_APART_FRAMES = 8
_HEARD_DB = 25.0  # under the clip's loud passages; what is softer is a pause
_LEAST_HEARD = 0.6  # of a word-like stretch
_EDGE_S = 0.1
_CONTEXT_S = 0.4  # around a donor's stretch, for the forger's analysis windows
_FADE_S = (0.004, 0.02)
_SHIFT_S = (0.001, 0.008)
_WORD_S = (0.3, 2.0)
_TOLERANCE = 0.25  # of an insert's length

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialSpoof:
    """A waveform with fake stretches, and its bona fide counterpart.

    Attributes:
        waveform: (S,) float32 at 16 kHz.
        bona_fide: (S,) the same joins, nothing forged.
        segments: what is fake; edges lie in the middle of the cross-fades.
        fade_s: length of the cross-fades.
    """

    waveform: Waveform
    bona_fide: Waveform
    segments: tuple[Segment, ...]
    fade_s: float

    def frame_labels(self) -> NDArray[np.float32]:
        """(ceil(S / 320),) 1 for every 20 ms of which at least half is fake, else 0."""
        n_frames = -(-len(self.waveform) // seconds_to_samples(FRAME_S))
        edges = FRAME_S * np.arange(n_frames + 1)
        share = np.zeros(n_frames)
        for segment in self.segments:
            inside = np.minimum(edges[1:], segment.end_s) - np.maximum(edges[:-1], segment.start_s)
            share += np.clip(inside, 0.0, None) / FRAME_S
        return (share >= 0.5).astype(np.float32)


def find_cuts(waveform: Waveform) -> NDArray[np.int64]:
    """Samples at which the energy dips, as between words and syllables; none at the ends."""
    n_frames = len(waveform) // _ENERGY_HOP
    if n_frames < 3:
        return np.zeros(0, np.int64)
    level_db = gaussian_filter1d(_levels_db(waveform), _SMOOTH_FRAMES)
    dips, _ = find_peaks(-level_db, prominence=_LEAST_DIP_DB, distance=_LEAST_APART_FRAMES)
    cuts = dips * _ENERGY_HOP + _ENERGY_HOP // 2
    edge = seconds_to_samples(_EDGE_S)
    return np.asarray(cuts[(cuts >= edge) & (cuts < len(waveform) - edge)], np.int64)


def find_stretches(waveform: Waveform, lasting_s: tuple[float, float] = _WORD_S) -> list[Stretch]:
    """Word-like stretches: between two cuts, of a length within ``lasting_s``, mostly voice.

    Returns:
        First and last sample (exclusive) of each, in order; they overlap.
    """
    cuts = find_cuts(waveform)
    if not len(cuts):
        return []
    level_db = _levels_db(waveform)
    heard = level_db > np.quantile(level_db, 0.95) - _HEARD_DB
    counts = np.concatenate([[0], np.cumsum(heard)])
    least, most = (seconds_to_samples(s) for s in lasting_s)
    return [
        (start, end)
        for index, start in enumerate(cuts.tolist())
        for end in cuts[index + 1 :].tolist()
        if least <= end - start <= most
        and counts[end // _ENERGY_HOP] - counts[start // _ENERGY_HOP]
        >= _LEAST_HEARD * (end - start) / _ENERGY_HOP
    ]


def splice(host: Waveform, gone: Stretch, donor: Waveform, taken: Stretch, fade: int) -> Waveform:
    """Put a stretch of one waveform in place of a stretch of another, cross-faded at both joins.

    Args:
        host: (S,) float32.
        gone: samples of the host that go.
        donor: (D,) float32.
        taken: samples of the donor that come in; at least ``fade`` long, like ``gone``, and with
            half of ``fade`` around each cut.
        fade: even number of samples over which one passes into the other, around each cut.

    Returns:
        (S - gone + taken,) float32.
    """
    half = fade // 2
    before, after = host[: gone[0] + half], host[gone[1] - half :]
    middle = donor[taken[0] - half : taken[1] + half]
    rising = np.square(np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / max(fade, 1)))
    out = np.zeros(gone[0] + taken[1] - taken[0] + len(host) - gone[1], np.float64)
    start, end = gone[0] - half, gone[0] + taken[1] - taken[0] + half
    out[: start + fade] = before
    out[end - fade :] = after
    joined = middle.astype(np.float64)
    joined[:fade] = joined[:fade] * rising + before[start:] * (1 - rising)
    joined[-fade:] = joined[-fade:] * (1 - rising) + after[:fade] * rising
    out[start:end] = joined
    return out.astype(np.float32)


def replace_word(
    host: Waveform,
    forge: Forge,
    rng: np.random.Generator,
    donor: Waveform | None = None,
    lasting_s: tuple[float, float] = _WORD_S,
) -> PartialSpoof | None:
    """Replace a word-like stretch by forged speech of the same voice.

    Args:
        host: (S,) float32 at 16 kHz, bona fide.
        forge: makes a fake twin, one of `recipes.forge.kinds.KINDS`.
        rng: draws places, fades, and the forgery.
        donor: (D,) another clip of the same speaker, of which a stretch is taken; None takes one
            of the host: the very stretch, some milliseconds off, or another.
        lasting_s: of the stretches.

    Returns:
        The spoof with its counterpart; None where host or donor has no such stretch.
    """
    places = find_stretches(host, lasting_s)
    sources = places if donor is None else find_stretches(donor, lasting_s)
    if not places or not sources:
        return None
    gone, taken = _draw_stretches(places, sources, rng, same=donor is None)
    return _replace(host, gone, host if donor is None else donor, taken, (forge, rng))


def replace_by_twin(
    host: Waveform,
    twin: Waveform,
    rng: np.random.Generator,
    lasting_s: tuple[float, float] = _WORD_S,
) -> PartialSpoof | None:
    """Replace a word-like stretch by one of a twin that has been forged already.

    Args:
        host: (S,) float32 at 16 kHz, bona fide.
        twin: (S,) its twin on the same clock.
        rng: draws places and fades; the twin's stretch is the very one, some milliseconds off, or
            another.
        lasting_s: of the stretches.

    Returns:
        The spoof with its counterpart; None where the host has no such stretch.
    """
    places = find_stretches(host, lasting_s)
    if not places:
        return None
    gone, taken = _draw_stretches(places, places, rng, same=True)
    return _spoof(host, gone, (twin, host), taken, _draw_fade(rng))


def compose_call(
    clips: Sequence[Waveform],
    forge: Forge,
    rng: np.random.Generator,
    *,
    inserted_s: float = 1.0,
    total_s: float = 30.0,
) -> PartialSpoof:
    """A call joined of one speaker's clips, one stretch of it fake.

    Clips are joined end to end at one level, in random order. The stretch comes from a clip that
    the call does not hold, where one has such a stretch, else from the call itself.

    Args:
        clips: (S,) float32 at 16 kHz each, bona fide, of one speaker.
        forge: makes the insert's twin.
        rng: draws order, place and forgery.
        inserted_s: length of the insert; dips in energy allow it within a quarter.
        total_s: length of the call before the insert goes in place of about as much.

    Raises:
        ValueError: the clips are too short for the call, or have no stretch of such a length.
    """
    if sum(map(len, clips)) < total_s * SAMPLE_RATE_HZ:
        seconds = sum(map(len, clips)) / SAMPLE_RATE_HZ
        raise ValueError(f"{seconds:.1f} s of speech do not fill a call of {total_s:g} s")
    order = [clips[int(index)] for index in rng.permutation(len(clips))]
    fade = _draw_fade(rng)
    call = order.pop(0)
    while len(call) < total_s * SAMPLE_RATE_HZ and order:
        following = order.pop(0)
        following = (following * (rms(call) / rms(following))).astype(np.float32)
        call = join_clips(call, following, fade)
    call = call[: seconds_to_samples(total_s)]
    lasting_s = (inserted_s * (1 - _TOLERANCE), inserted_s * (1 + _TOLERANCE))
    for donor in (*order, None):
        spoof = replace_word(call, forge, rng, donor, lasting_s)
        if spoof is not None:
            return spoof
    raise ValueError(f"no stretch of about {inserted_s:g} s stands between two dips in energy")


def _replace(
    host: Waveform,
    gone: Stretch,
    donor: Waveform,
    taken: Stretch,
    forging: tuple[Forge, np.random.Generator],
) -> PartialSpoof:
    forge, rng = forging
    context = seconds_to_samples(_CONTEXT_S)
    first = max(0, taken[0] - context)
    near = donor[first : taken[1] + context]
    near = (near * (rms(host) / rms(donor))).astype(np.float32)
    inside = (taken[0] - first, taken[1] - first)
    fade = _draw_fade(rng)
    return _spoof(host, gone, (forge(near, rng), near), inside, fade)


def _draw_stretches(
    places: Sequence[Stretch], sources: Sequence[Stretch], rng: np.random.Generator, *, same: bool
) -> tuple[Stretch, Stretch]:
    """What goes and what comes in; ``same`` if both are of one clip."""
    gone = places[int(rng.integers(len(places)))]
    taken = sources[int(rng.integers(len(sources)))]
    if same and (taken == gone or rng.random() < 0.5):
        # Cut where it stood, the counterpart would have no join at all.
        shift = seconds_to_samples(rng.uniform(*_SHIFT_S)) * int(rng.choice([-1, 1]))
        taken = (gone[0] + shift, gone[1] + shift)
    return gone, taken


def _spoof(
    host: Waveform,
    gone: Stretch,
    donors: tuple[Waveform, Waveform],
    taken: Stretch,
    fade: int,
) -> PartialSpoof:
    """From donors on one clock: the forged, and the same unforged."""
    fake, bona_fide = (splice(host, gone, donor, taken, fade) for donor in donors)
    end = gone[0] + taken[1] - taken[0]
    return PartialSpoof(
        waveform=fake,
        bona_fide=bona_fide,
        segments=(Segment(gone[0] / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ),),
        fade_s=fade / SAMPLE_RATE_HZ,
    )


def _draw_fade(rng: np.random.Generator) -> int:
    return 2 * (seconds_to_samples(rng.uniform(*_FADE_S)) // 2)


def join_clips(first: Waveform, second: Waveform, fade: int) -> Waveform:
    """End to end, overlapping by ``fade`` samples; (S,) and (R,) to (S + R - fade,)."""
    rising = np.square(np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
    seam = first[-fade:] * (1 - rising) + second[:fade] * rising
    return np.concatenate([first[:-fade], seam, second[fade:]])


def _levels_db(waveform: Waveform) -> NDArray[np.float64]:
    whole = waveform[: len(waveform) // _ENERGY_HOP * _ENERGY_HOP].reshape(-1, _ENERGY_HOP)
    return np.asarray(10 * np.log10(np.mean(whole.astype(np.float64) ** 2, axis=1) + 1e-9))
