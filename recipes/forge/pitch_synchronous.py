"""TD-PSOLA: pitch periods cut out, moved, and laid over each other again (Moulines et al. 1990).

The grains are the speaker's own; only their rhythm is forged, as in voice changers and in the
concatenative synthesisers of the 1990s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from avdetect.timebase import SAMPLE_RATE_HZ
from recipes.forge.pitch import HOP, Samples, mark_pitch, track_pitch

_LEAST_WEIGHT = 0.3  # of overlapped windows: between stretched periods there may be a gap


def shift_pitch(waveform: Samples, factor: float) -> Samples:
    """Higher or lower by ``factor`` (0.6 to 1.7), formants and rhythm kept; (S,) to (S,)."""
    pitch = track_pitch(waveform)
    return repitch(waveform, pitch, pitch * factor)


def repitch(waveform: Samples, pitch_hz: Samples, target_hz: Samples) -> Samples:
    """Lay pitch periods anew so that they follow another contour.

    Args:
        waveform: (S,) at 16 kHz.
        pitch_hz: (ceil(S / 80),) what it has, 0 where there is none.
        target_hz: the same shape; only read where ``pitch_hz`` is above 0.

    Returns:
        (S,) on the same clock.
    """
    if len(waveform) < 4 * HOP:
        return waveform.copy()
    marks = mark_pitch(waveform, pitch_hz)
    centres = _new_marks(marks, pitch_hz, target_hz)
    nearest = np.clip(np.searchsorted((marks[1:] + marks[:-1]) / 2, centres), 1, len(marks) - 2)
    return _overlap_add(waveform, marks, nearest, np.rint(centres).astype(np.int64))


def shifted(waveform: Samples, rng: np.random.Generator) -> Samples:
    """A voice changer: two to five semitones up or down."""
    return shift_pitch(waveform, draw_shift(rng))


def draw_shift(rng: np.random.Generator) -> float:
    """A factor of two to five semitones up or down."""
    return float(2 ** (rng.uniform(2, 5) * rng.choice([-1, 1]) / 12))


def smoothed(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Intonation without jitter, its swings drawn in or out: a contour as a predictor makes it."""
    pitch = track_pitch(waveform)
    voiced = pitch > 0
    if not voiced.any():
        return waveform.copy()
    steps = np.arange(len(pitch))
    contour = np.interp(steps, steps[voiced], np.log(pitch[voiced]))
    smooth = gaussian_filter1d(contour, rng.uniform(4, 16), mode="nearest")
    mean = float(np.mean(smooth[voiced]))
    return repitch(waveform, pitch, np.exp(mean + rng.uniform(0.2, 1.2) * (smooth - mean)))


def _new_marks(marks: NDArray[np.int64], pitch_hz: Samples, target_hz: Samples) -> Samples:
    """Where periods go; unvoiced marks keep their spacing."""
    spacing = np.diff(marks)
    centres, place, last = [float(marks[1])], float(marks[1]), float(marks[-2])
    while place < last:
        frame = min(int(place) // HOP, len(pitch_hz) - 1)
        if pitch_hz[frame] > 0 and target_hz[frame] > 0:
            place += SAMPLE_RATE_HZ / float(target_hz[frame])
        else:
            here = int(np.searchsorted(marks, place, side="right")) - 1
            place += float(spacing[min(here, len(spacing) - 1)])
        centres.append(place)
    return np.array(centres[:-1] if place >= last else centres)


def _overlap_add(
    waveform: Samples,
    marks: NDArray[np.int64],
    nearest: NDArray[np.int64],
    centres: NDArray[np.int64],
) -> Samples:
    out, weight = np.zeros(len(waveform)), np.zeros(len(waveform))
    for index, centre in zip(nearest.tolist(), centres.tolist(), strict=True):
        before, mark, after = marks[index - 1 : index + 2].tolist()
        left, right = min(mark - before, centre), min(after - mark, len(waveform) - centre)
        window = np.concatenate(
            [
                0.5 - 0.5 * np.cos(np.pi * np.arange(mark - before) / (mark - before)),
                0.5 + 0.5 * np.cos(np.pi * np.arange(after - mark) / (after - mark)),
            ]
        )[mark - before - left : mark - before + right]
        out[centre - left : centre + right] += waveform[mark - left : mark + right] * window
        weight[centre - left : centre + right] += window
    moved = out / np.maximum(weight, _LEAST_WEIGHT)
    # Outside the first and the last grain the waveform fades back into itself.
    for end in (slice(0, int(centres[0])), slice(int(centres[-1]), None)):
        moved[end] = out[end] + (1 - weight[end]) * waveform[end]
    return moved
