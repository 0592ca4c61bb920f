"""Noise floor: what is heard in pauses, against what lies under the speech, and whether it jumps.

A room and a microphone hiss on under every word and behind it. Synthesis often falls silent between
words or hisses with the voice alone; a gate or a splice makes the floor jump (Maher 2009, audio
forensic examination). Levels are those of bands between 300 and 3400 Hz, against the speech.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueTools, Measurement, Medium, Truth
from avdetect.cues.sounds import FrameGrid, SoundReading, inside, thinned
from avdetect.observation import ChannelAudio, Observation
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Part, Segment

_FRAME, _HOP = 512, 256  # 32 ms every 16 ms
_HOP_S = _HOP / SAMPLE_RATE_HZ
_BAND_EDGES_HZ = (300, 700, 1100, 1600, 2200, 2800, 3400)
_N_BANDS = len(_BAND_EDGES_HZ) - 1
_FLOOR_DB, _TOP_DB = -110.0, 0.0  # of the histograms, 1 dB a step
_N_STEPS = round(_TOP_DB - _FLOOR_DB)
_SILENT_DB = -100.0  # softer than the last bit of 16-bit sound: digital silence
_GUARD_S = 0.06  # of a pause next to speech: the end of the word is not the floor
_LEAST_PAUSE_S, _LEAST_SPEECH_S = 0.25, 0.5
_BLOCK_S = 0.1  # of pause that one level is taken over
_BLOCK_FRAMES = round(_BLOCK_S / _HOP_S)
_MOST_BLOCKS = 20_000  # more than half an hour of pauses
_UNDER_SPEECH = 10.0  # per cent: the softest frames of speech show what lies beneath

FEATURES = (
    "pause_level_db",
    "under_speech_less_pause_db",
    "pause_flatness_db",
    "pause_spread_db",
    "silent_share",
    "largest_jump_db",
    "usual_jump_db",
    "fall_db",
)


class _NoiseFloor:
    def __init__(self) -> None:
        self._grid = FrameGrid(_FRAME, _HOP)
        shape = (_N_BANDS, _N_STEPS)
        self._pause, self._speech = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        self._n_silent = 0
        self._blocks: list[tuple[float, NDArray[np.float64]]] = []  # seconds, (bands,) dB
        self._block: deque[NDArray[np.float64]] = deque(maxlen=_BLOCK_FRAMES)
        self._falls: list[float] = []
        self._seen: Segment | None = None

    def add(self, channel: ChannelAudio, observation: Observation) -> None:
        frames, times_s = self._grid.take(channel, observation.segment.start_s)
        if not len(times_s):
            return
        levels = _band_levels_db(frames)
        spoken = inside(times_s, channel.speech)
        near = inside(times_s, [_widened(s) for s in channel.speech])
        _count(self._speech, levels[spoken])
        _count(self._pause, levels[~near])
        self._n_silent += int((levels[~near].max(axis=1, initial=-np.inf) < _SILENT_DB).sum())
        self._cut_blocks(levels, times_s, near)
        self._falls += _falls(levels, spoken)[: _MOST_BLOCKS - len(self._falls)]
        first = self._seen.start_s if self._seen else float(times_s[0])
        self._seen = Segment(first, float(times_s[-1]))

    def _cut_blocks(
        self,
        levels: NDArray[np.float64],
        times_s: NDArray[np.float64],
        near: NDArray[np.bool_],
    ) -> None:
        for level, time_s, voiced in zip(levels, times_s.tolist(), near.tolist(), strict=True):
            if voiced:
                self._block.clear()
                continue
            self._block.append(level)
            if len(self._block) == _BLOCK_FRAMES and len(self._blocks) < _MOST_BLOCKS:
                middle_s = time_s - 0.5 * (_BLOCK_FRAMES - 1) * _HOP_S
                self._blocks.append((middle_s, np.median(self._block, axis=0)))
                self._block.clear()

    def measurement(self, part: Part) -> Measurement:
        pause_s, speech_s = (_HOP_S * int(h[0].sum()) for h in (self._pause, self._speech))
        if pause_s < _LEAST_PAUSE_S or speech_s < _LEAST_SPEECH_S or len(self._blocks) < 2:
            return Measurement(
                medium=Medium.SOUND,
                part=part,
                missing=f"too few pauses: {pause_s:.2f} s beside {speech_s:.1f} s of speech found, "
                f"{_LEAST_PAUSE_S:.2f} s and {_LEAST_SPEECH_S:.1f} s needed",
            )
        features = self._features()
        jump_s, jump_db = self._largest_jump()
        return Measurement(
            medium=Medium.SOUND,
            part=part,
            segment=self._seen,
            features=tuple(features.values()),
            value=jump_db,
            text=f"the floor lies {-features['pause_level_db']:.0f} dB below the speech, "
            f"{100 * self._n_silent * _HOP_S / pause_s:.0f} % of the pauses are digital silence; "
            f"its largest jump is {jump_db:.0f} dB at {jump_s:.1f} s",
        )

    def _features(self) -> dict[str, float]:
        speech_db = _percentiles(self._speech, 90.0)
        under_db = _percentiles(self._speech, _UNDER_SPEECH)
        pause_db, low_db, high_db = (_percentiles(self._pause, q) for q in (50.0, 10.0, 90.0))
        loudness_db = float(speech_db.max())
        n_pause = int(self._pause[0].sum())
        jumps = self._jumps()
        falls = self._falls or [0.0]
        return {
            "pause_level_db": max(-80.0, float(pause_db.mean()) - loudness_db),
            "under_speech_less_pause_db": float(np.clip(under_db - pause_db, -20, 50).mean()),
            "pause_flatness_db": float(np.clip(pause_db, -95, 0).std()),
            "pause_spread_db": float((high_db - low_db).mean()),
            "silent_share": float(np.log10(self._n_silent / n_pause + 0.01)),
            "largest_jump_db": float(np.log2(jumps.max() + 1.0)),
            "usual_jump_db": float(np.log2(np.median(jumps) + 1.0)),
            "fall_db": float(np.median(falls)),
        }

    def _jumps(self) -> NDArray[np.float64]:
        """Change of level from block to block of the pauses, mean over bands, dB."""
        levels = np.clip(np.array([level for _, level in self._blocks]), _SILENT_DB, None)
        return np.asarray(np.abs(np.diff(levels, axis=0)).mean(axis=1))

    def _largest_jump(self) -> tuple[float, float]:
        jumps = self._jumps()
        where = int(jumps.argmax())
        before_s, after_s = self._blocks[where][0], self._blocks[where + 1][0]
        return 0.5 * (before_s + after_s), float(jumps[where])

    def curve(self, part: Part) -> CueCurve | None:
        if len(self._blocks) < 2:
            return None
        x, y = thinned(
            np.array([time_s for time_s, _ in self._blocks]),
            np.array([float(np.clip(level, _SILENT_DB, 0).mean()) for _, level in self._blocks]),
        )
        return CueCurve(
            part=part,
            x=x,
            y=y,
            x_name="time, s",
            y_name="level of the pauses, dB",
            marks=(self._largest_jump()[0],),
            caption="Level between words, 300 to 3400 Hz; the line marks its largest jump.",
        )


def _band_levels_db(frames: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, bands) mean power of each band, dB against a full-scale sine."""
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME).astype(np.float32), axis=1)) ** 2
    edges = [round(hertz * _FRAME / SAMPLE_RATE_HZ) for hertz in _BAND_EDGES_HZ]
    bands = [power[:, a:b].sum(axis=1) for a, b in pairwise(edges)]
    full_scale = (_FRAME / 4) ** 2
    return np.asarray(10 * np.log10(np.stack(bands, axis=1) / full_scale + 1e-11), np.float64)


def _count(histograms: NDArray[np.int64], levels: NDArray[np.float64]) -> None:
    steps = np.clip((levels - _FLOOR_DB).astype(int), 0, _N_STEPS - 1)
    for band in range(_N_BANDS):
        histograms[band] += np.bincount(steps[:, band], minlength=_N_STEPS)


def _percentiles(histograms: NDArray[np.int64], per_cent: float) -> NDArray[np.float64]:
    """(bands,) dB, to half a step."""
    summed = np.cumsum(histograms, axis=1)
    wanted = summed[:, -1:] * per_cent / 100
    return np.asarray(_FLOOR_DB + 0.5 + (summed < wanted).sum(axis=1), np.float64)


def _widened(segment: Segment) -> Segment:
    return Segment(segment.start_s - _GUARD_S, segment.end_s + _GUARD_S)


def _falls(levels: NDArray[np.float64], spoken: NDArray[np.bool_]) -> list[float]:
    """Steepest fall over two frames in the 0.2 s around each end of speech, dB."""
    loud = levels.mean(axis=1)
    ends = np.flatnonzero(spoken[:-1] & ~spoken[1:])
    reach = round(0.2 / _HOP_S)
    found = []
    for end in ends:
        around = np.clip(loud[max(0, end - reach) : end + reach], -90.0, None)
        if len(around) > 2:
            found.append(float((around[:-2] - around[2:]).max()))
    return found


def _start(clip: ClipFacts, tools: CueTools) -> SoundReading:
    return SoundReading(_NoiseFloor)


CUE = Cue(
    name="noise_floor",
    title="Noise floor",
    measures="Whether what is heard in pauses goes on under the speech: rooms hiss on, "
    "synthesis, gates and splices do not.",
    reference="Maher 2009, Audio forensic examination; Martin 2001, minimum statistics",
    unit="dB",
    features=FEATURES,
    truth=Truth.AUDIO,
    media=(Medium.SOUND,),
    start=_start,
    least_s=_LEAST_PAUSE_S,
)
