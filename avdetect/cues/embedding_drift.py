"""Drift of a face's embedding: one face looks like itself from moment to moment, a drawn one less.

Tokens of our own face network, 5 a second. Zheng et al., "Exploring Temporal Coherence for More
General Video Face Forgery Detection" (2021): successive frames of a forgery differ in what a frame
network sees of them. Ours was trained on traces of forgery, not on identities: what drifts is how
the face was made, not who it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import (
    ClipFacts,
    Cue,
    CueCurve,
    CueFigure,
    CueTools,
    Measurement,
    Medium,
    Outputs,
    Truth,
)
from avdetect.cues.face_rows import Unjudged, cosines, judged_faces, longest
from avdetect.cues.face_series import absent
from avdetect.observation import Observation
from avdetect.types import Part, Segment

LEAST_S = 2.0
_RATE_HZ = 5
_LEAST_ROWS = round(LEAST_S * _RATE_HZ)
_MOST_ROWS = 600  # two minutes of one face; its tokens are what takes memory
_FAR_ROWS = _RATE_HZ  # moments a second apart and more are far apart
_NEAR_S = 0.3

Array = NDArray[np.float64]


class _EmbeddingDrift:
    def __init__(self, clip: ClipFacts) -> None:
        self._is_still = clip.is_still
        self._unjudged = Unjudged("tokens")
        self._start_s: dict[int, Array] = {}
        self._tokens: dict[int, NDArray[np.float32]] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Remember the tokens of each face."""
        if self._is_still:
            return
        self._unjudged.note(observation, outputs)
        for track, output in judged_faces(outputs):
            known_s = self._start_s.get(track, np.zeros(0))
            tokens = self._tokens.get(track, output.tokens[:0])
            self._start_s[track] = np.concatenate([known_s, output.segments[:, 0]])[:_MOST_ROWS]
            self._tokens[track] = np.concatenate([tokens, output.tokens])[:_MOST_ROWS]
        for track in set(self._tokens) - set(longest(self._lengths())):
            del self._tokens[track], self._start_s[track]

    def measurements(self) -> list[Measurement]:
        """How far the embedding moves in a fifth of a second, and in a second or more."""
        judged = [self._measured(track) for track in sorted(self._tokens)]
        return judged + self._unjudged.measurements(self._tokens)

    def figures(self) -> list[CueFigure]:
        """Distance of successive moments, of the longest faces."""
        lengths = {t: n for t, n in self._lengths().items() if n >= _LEAST_ROWS}
        tracks = sorted(longest(lengths), key=lambda track: -lengths[track])[:4]
        return [self._curve(track) for track in tracks]

    def _lengths(self) -> dict[int, int]:
        return {track: len(times) for track, times in self._start_s.items()}

    def _measured(self, track: int) -> Measurement:
        times_s, tokens = self._start_s[track], self._tokens[track]
        if len(times_s) < _LEAST_ROWS:
            return absent(
                track,
                f"face {track} was judged {len(times_s)} times, {_LEAST_ROWS} needed for a drift",
            )
        near, far = _steps(times_s, tokens), _far(tokens)
        own = _from_mean(tokens)
        return Measurement(
            medium=Medium.VIDEO,
            part=Part(face_track=track),
            segment=Segment(float(times_s[0]), float(times_s[-1]) + 1.0 / _RATE_HZ),
            features=(
                float(np.log10(near.mean() + 1e-5)),
                float(np.log10(far + 1e-5) - np.log10(near.mean() + 1e-5)),
                float(np.log10(np.percentile(near, 95) + 1e-5) - np.log10(near.mean() + 1e-5)),
                float(np.log10(own + 1e-5)),
            ),
            value=float(near.mean()),
            text=(
                f"the face's embedding moves by {near.mean():.3f} in a fifth of a second and by "
                f"{far:.3f} in a second or more (0: alike, 1: unrelated)"
            ),
        )

    def _curve(self, track: int) -> CueCurve:
        times_s, tokens = self._start_s[track], self._tokens[track]
        return CueCurve(
            part=Part(face_track=track),
            x=times_s[1:],
            y=1.0 - cosines(tokens[1:], tokens[:-1]),
            x_name="time, s",
            y_name="distance from the moment before, 0 alike",
            caption="Peaks: the face suddenly looks otherwise to the network; see the picture.",
        )


def _steps(times_s: Array, tokens: NDArray[np.float32]) -> Array:
    """Distances of moments that follow each other."""
    follow = np.diff(times_s) <= _NEAR_S
    distances = 1.0 - cosines(tokens[1:], tokens[:-1])
    return distances[follow] if follow.any() else distances


def _far(tokens: NDArray[np.float32]) -> float:
    """Mean distance of moments a second apart, two, three, …: at most ten such lags."""
    lags = range(_FAR_ROWS, len(tokens), _FAR_ROWS)[:10]
    return float(np.mean([(1.0 - cosines(tokens[lag:], tokens[:-lag])).mean() for lag in lags]))


def _from_mean(tokens: NDArray[np.float32]) -> float:
    """Mean distance from the face's own mean."""
    mean = np.broadcast_to(tokens.mean(0), tokens.shape)
    return float((1.0 - cosines(tokens, mean)).mean())


def _start(clip: ClipFacts, tools: CueTools) -> _EmbeddingDrift:
    return _EmbeddingDrift(clip)


CUE = Cue(
    name="embedding_drift",
    title="Drift of the face's embedding",
    measures="How much a face changes from moment to moment in the eyes of our own face network.",
    reference="Zheng et al. 2021, Exploring Temporal Coherence for Video Face Forgery Detection",
    features=("log10_step", "log10_far_over_step", "log10_bursts", "log10_spread"),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO,),
    start=_start,
    least_s=LEAST_S,
)
