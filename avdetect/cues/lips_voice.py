"""Voice, lips and head: how loud somebody speaks shows in the mouth first, in the head a little.

Agarwal & Farid, "Detecting Deep-Fake Videos from Aural and Oral Dynamics" (2021): the opening of
the lips follows the envelope of the voice, and does so less well where either was made.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.active_speaker import lip_opening
from avdetect.cues.base import Cue, CueCurve, Measurement, Medium, Truth
from avdetect.cues.face_series import FaceSeries, Series, SeriesRecipe, absent
from avdetect.cues.head_pose import head_pose, head_speed
from avdetect.cues.lags import WINDOW_S, Coupling, coupling, in_band, windows
from avdetect.observation import ChannelAudio, FaceWindow, Observation
from avdetect.timebase import SAMPLES_PER_FRAME, seconds_to_samples

LEAST_S = WINDOW_S
_LEAST_SPEECH = 0.4  # share of a window that is speech
_LIPS, _LOUDNESS, _SPEECH, _POSE = 0, 1, 2, slice(3, 9)  # columns
_FLOOR = 1e-4  # of amplitude: below, silence is silence

Array = NDArray[np.float64]


def _extract(observation: Observation, face: FaceWindow, rows: NDArray[np.int64]) -> Series:
    pose = head_pose(face.landmarks[rows])
    loudness, speech = _heard(observation, face, rows)
    return np.column_stack([lip_opening(face)[rows], loudness, speech, pose]).astype(np.float32)


def _heard(
    observation: Observation, face: FaceWindow, rows: NDArray[np.int64]
) -> tuple[Array, Array]:
    """(T,) log loudness around each picture and whether it is speech, of the speaking face."""
    nobody = np.full(len(rows), np.log(_FLOOR)), np.zeros(len(rows))
    channel = max(observation.channels, key=observation.fresh_speech_s, default=None)
    if channel is None or observation.speaking_track != face.track:
        return nobody
    times_s = face.frame_s[rows]
    spoken = np.zeros(len(rows))
    for piece in channel.speech:
        spoken[(times_s >= piece.start_s) & (times_s < piece.end_s)] = 1.0
    return _loudness(channel, times_s - observation.segment.start_s), spoken


def _loudness(channel: ChannelAudio, at_s: Array) -> Array:
    """Natural log of the amplitude within 80 ms around each moment of the observation."""
    power = np.concatenate([[0.0], np.cumsum(channel.waveform.astype(np.float64) ** 2)])
    centres = np.array([seconds_to_samples(moment) for moment in at_s.tolist()], np.int64)
    low = np.clip(centres - SAMPLES_PER_FRAME, 0, len(power) - 1)
    high = np.clip(centres + SAMPLES_PER_FRAME, 0, len(power) - 1)
    mean = (power[high] - power[low]) / np.maximum(high - low, 1)
    return np.asarray(0.5 * np.log(np.maximum(mean, _FLOOR**2)))


def _windows(series: FaceSeries) -> list[Array]:
    cut = [piece.values[rows] for piece in series.pieces() for rows in windows(len(piece.values))]
    return [window for window in cut if window[:, _SPEECH].mean() >= _LEAST_SPEECH]


def _lips(spoken: list[Array]) -> Coupling:
    return coupling((in_band(w[:, _LOUDNESS]), in_band(w[:, _LIPS])) for w in spoken)


def _measure(series: FaceSeries) -> Measurement:
    spoken = _windows(series)
    if not spoken:
        return absent(series.track, f"{series.part} is not seen speaking for {LEAST_S:.0f} s")
    lips = _lips(spoken)
    head = coupling((in_band(w[:, _LOUDNESS]), in_band(head_speed(w[:, _POSE]))) for w in spoken)
    moved = np.log10(np.mean([in_band(w[:, _LIPS]).std() for w in spoken]) + 1e-4)
    return Measurement(
        medium=Medium.VIDEO,
        part=series.part,
        segment=series.segment,
        features=(lips.peak, lips.contrast, abs(lips.lag_s), head.peak, float(moved)),
        value=lips.peak,
        text=(
            f"lips and loudness correlate by {lips.peak:.2f} at best, {1000 * lips.lag_s:+.0f} ms "
            f"apart; head and loudness by {head.peak:.2f}"
        ),
    )


def _draw(series: FaceSeries) -> CueCurve | None:
    spoken = _windows(series)
    if not spoken:
        return None
    return _lips(spoken).drawn(
        series.part,
        later="lips later than the voice",
        of="lips and loudness",
        caption="A mouth that speaks the sound has a peak near 0 s.",
    )


_RECIPE = SeriesRecipe(extract=_extract, measure=_measure, draw=_draw, least_s=LEAST_S)

CUE = Cue(
    name="lips_voice",
    title="Voice, lips and head",
    measures="How closely the opening of the lips and the head follow the loudness of the voice.",
    reference="Agarwal & Farid 2021, Detecting Deep-Fake Videos from Aural and Oral Dynamics",
    features=(
        "lip_correlation",
        "lip_contrast",
        "lip_lag_s",
        "head_correlation",
        "log10_lip_motion",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO,),
    start=_RECIPE.start,
    least_s=LEAST_S,
)
