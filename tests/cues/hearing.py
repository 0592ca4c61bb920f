"""Sound made in code, read by a cue as the engine would read it from a file."""

from __future__ import annotations

import numpy as np

from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueTools, Measurement
from avdetect.media.clip import open_clip
from avdetect.observation import ChannelAudio, Observation
from avdetect.observe import observe
from avdetect.types import Segment

RATE_HZ = 16_000


def cut_up(waveform: np.ndarray, speech: tuple[Segment, ...] = ()) -> list[Observation]:
    """Observations as the engine cuts them, with speech where the test says it is."""
    length_s, start_s, covered_s = len(waveform) / RATE_HZ, 0.0, 0.0
    found = []
    while covered_s < length_s:
        if start_s + 4.0 > length_s:
            start_s = max(0.0, length_s - 4.0)
        segment = Segment(start_s, min(start_s + 4.0, length_s))
        channel = ChannelAudio(
            channel="mono",
            waveform=waveform[round(segment.start_s * RATE_HZ) : round(segment.end_s * RATE_HZ)],
            speech=tuple(s for piece in speech if (s := piece.overlap(segment)) is not None),
        )
        fresh = Segment(covered_s, segment.end_s)
        found.append(Observation(segment=segment, fresh=fresh, channels=(channel,)))
        covered_s, start_s = segment.end_s, start_s + 3.0
    return found


def listen(
    cue: Cue, waveform: np.ndarray, speech: tuple[Segment, ...] = ()
) -> tuple[Measurement, CueCurve | None]:
    """What a cue says of a waveform, and its curve."""
    reading = cue.start(ClipFacts(), CueTools())
    for observation in cut_up(waveform, speech):
        reading.add(observation, {})
    curves = [figure for figure in reading.figures() if isinstance(figure, CueCurve)]
    return reading.measurements()[0], curves[0] if curves else None


def listen_to_speech(cue: Cue, waveform: np.ndarray) -> tuple[Measurement, CueCurve | None]:
    """The same where all of it was found to be speech."""
    return listen(cue, waveform, (Segment(0.0, len(waveform) / RATE_HZ),))


def listen_to_file(cue: Cue, source) -> tuple[Measurement, CueCurve | None]:
    """The same of a media file: a path, bytes, or (samples, rate)."""
    with open_clip(source) as clip:
        reading = cue.start(ClipFacts.of(clip), CueTools())
        for observation in observe(clip, pictures=False):
            reading.add(observation, {})
    curves = [figure for figure in reading.figures() if isinstance(figure, CueCurve)]
    return reading.measurements()[0], curves[0] if curves else None


def pulses(seconds: float, hertz: np.ndarray | float, seed: int = 0) -> np.ndarray:
    """(S,) float32 voice-like tone: thirty harmonics in phase, of a pitch that may move."""
    n = round(seconds * RATE_HZ)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, n)) / RATE_HZ
    harmonics = [np.cos(k * phase) / k for k in range(1, 31)]
    noise = 1e-3 * np.random.default_rng(seed).standard_normal(n)
    voice = np.sum(harmonics, axis=0) + noise
    return (0.3 * voice / np.abs(voice).max()).astype(np.float32)
