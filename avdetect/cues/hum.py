"""Line hum: is there any, how does its frequency wander, and does its phase break."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueTools, Measurement, Medium
from avdetect.cues.mains import BLOCK, HOP, HOP_S, STEP_S, Hum, find_hum, refine_break, spectra_of
from avdetect.cues.sounds import FrameGrid, SoundReading, thinned
from avdetect.observation import ChannelAudio, Observation
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Part, Segment

_LEAST_S = 3.0  # a second on each side of a moment, and some to tell hum from chance
_SECTION_S = 60.0  # that are looked at together: bounds memory
_KEPT_S = 2.4  # of a section, for the moments at its end
_BREAK = 0.7  # of phase leap: on cases made for development uncut ones stay below, cuts above
_NEAR_S = 1.2  # one break has one peak
_MOST_BREAKS = 50
_MOST_TRACK = 100_000


@dataclass(slots=True)
class _Found:
    """What is kept of the sections behind."""

    track_s: list[float]
    track_hz: list[float]
    breaks: list[tuple[float, float]]  # seconds, leap
    levels_db: list[float]
    n_harmonics: int = 0
    largest_leap: float = 0.0
    followed_s: float = 0.0
    mains_hz: int = 0

    @staticmethod
    def nothing() -> _Found:
        return _Found([], [], [], [])


class _Hum:
    def __init__(self) -> None:
        self._grid = FrameGrid(BLOCK, HOP)
        self._behind = _Found.nothing()
        self._spectra: list[NDArray[np.complex64]] = []
        self._n_held = 0
        self._start_s: float | None = None  # centre of the first block held
        self._first_s = self._last_s = 0.0
        self._all: tuple[int, _Found] = (-1, _Found.nothing())

    def add(self, channel: ChannelAudio, observation: Observation) -> None:
        blocks, times_s = self._grid.take(channel, observation.segment.start_s)
        if not len(times_s):
            return
        if self._start_s is None:
            self._start_s = self._first_s = float(times_s[0])
        self._spectra.append(spectra_of(blocks))
        self._n_held += len(blocks)
        self._last_s = float(times_s[-1])
        if self._n_held * HOP_S >= _SECTION_S:
            self._behind = self._with_held()
            held, kept = np.concatenate(self._spectra), round(_KEPT_S / HOP_S)
            self._start_s += (len(held) - kept) * HOP_S
            self._spectra, self._n_held = [held[-kept:]], kept

    def _with_held(self) -> _Found:
        """What is known of the sections behind and of what is held now."""
        behind = self._behind
        if self._start_s is None or self._n_held * HOP_S < min(_LEAST_S, _KEPT_S + 0.1):
            return behind
        spectra = np.concatenate(self._spectra)
        hum = find_hum(spectra, self._start_s)
        if hum is None:
            return behind
        found = [
            (refine_break(spectra, self._start_s, hum, near_s), leap)
            for near_s, leap in _peaks(hum)
        ]
        return _Found(
            track_s=[*behind.track_s, *hum.times_s.tolist()][:_MOST_TRACK],
            track_hz=[*behind.track_hz, *hum.hertz.tolist()][:_MOST_TRACK],
            breaks=_distinct([*behind.breaks, *found])[:_MOST_BREAKS],
            levels_db=[*behind.levels_db, hum.level_db],
            n_harmonics=max(behind.n_harmonics, hum.n_harmonics),
            followed_s=behind.followed_s + float(hum.followed.sum()) * STEP_S,
            largest_leap=max(behind.largest_leap, float(hum.leap.max(initial=0.0))),
            mains_hz=hum.mains_hz,
        )

    def _found(self) -> _Found:
        n_seen = round(self._last_s / HOP_S)
        if self._all[0] != n_seen:
            self._all = (n_seen, self._with_held())
        return self._all[1]

    def measurement(self, part: Part) -> Measurement:
        length_s = self._last_s - self._first_s + BLOCK / SAMPLE_RATE_HZ
        if self._start_s is None or length_s < _LEAST_S:
            reason = f"too short for line hum: {length_s:.1f} s, {_LEAST_S:.1f} s needed"
            return Measurement(medium=Medium.SOUND, part=part, missing=reason)
        found = self._found()
        if not found.mains_hz:
            reason = "no line hum is heard: it was never there, or filtered or coded away"
            return Measurement(medium=Medium.SOUND, part=part, missing=reason)
        level_db, wander_hz = float(np.mean(found.levels_db)), float(np.std(found.track_hz))
        return Measurement(
            medium=Medium.SOUND,
            part=part,
            segment=self._segment(found),
            features=(
                level_db / 10.0,
                float(found.n_harmonics),
                float(np.log10(wander_hz + 1e-3)),
                found.largest_leap,
            ),
            value=found.largest_leap,
            text=f"hum of the {found.mains_hz} Hz mains, {found.n_harmonics} harmonics at "
            f"{level_db:.0f} dB, near {np.median(found.track_hz):.2f} Hz; {_told(found)}",
        )

    def _segment(self, found: _Found) -> Segment:
        """Around the clearest break, else the whole."""
        if not found.breaks:
            return Segment(self._first_s, self._last_s)
        at_s = max(found.breaks, key=lambda entry: entry[1])[0]
        return Segment(max(0.0, at_s - 0.2), at_s + 0.2)

    def curve(self, part: Part) -> CueCurve | None:
        found = self._found() if self._start_s is not None else _Found.nothing()
        if len(found.track_s) < 2:
            return None
        order = np.argsort(found.track_s, kind="stable")
        x, y = thinned(np.array(found.track_s)[order], np.array(found.track_hz)[order])
        return CueCurve(
            part=part,
            x=x,
            y=y,
            x_name="time, s",
            y_name="mains frequency, Hz",
            marks=tuple(at_s for at_s, _ in found.breaks),
            caption="Frequency of the line hum; lines mark where its phase breaks.",
        )


def _peaks(hum: Hum) -> list[tuple[float, float]]:
    """Moments at which the leap is highest for a while around, and high enough."""
    reach = round(_NEAR_S / STEP_S)
    found = []
    for index in np.flatnonzero(hum.leap > _BREAK):
        around = hum.leap[max(0, index - reach) : index + reach + 1]
        if hum.leap[index] == around.max():
            found.append((float(hum.times_s[index]), float(hum.leap[index])))
    return found


def _distinct(breaks: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """In time order; of several close together, the clearest."""
    kept: list[tuple[float, float]] = []
    for at_s, leap in sorted(breaks):
        if kept and at_s - kept[-1][0] < 0.5:
            kept[-1] = max(kept[-1], (at_s, leap), key=lambda entry: entry[1])
        else:
            kept.append((at_s, leap))
    return kept


def _told(found: _Found) -> str:
    breaks = found.breaks
    if found.followed_s < 0.5:
        return "too faint for its phase to be followed"
    if not breaks:
        return f"its phase runs on without a break where it was followed, {found.followed_s:.0f} s"
    told = ", ".join(f"{at_s:.1f} s" for at_s, _ in breaks[:5])
    return f"its phase breaks at {told}" + (" and elsewhere" if len(breaks) > 5 else "")


def _start(clip: ClipFacts, tools: CueTools) -> SoundReading:
    return SoundReading(_Hum)


CUE = Cue(
    name="hum",
    title="Line hum",
    measures="The hum of the power line under a recording: its phase runs on for hours and leaps "
    "where something was cut out or put in.",
    reference="Grigoras 2005, electric network frequency; Rodriguez, Apolinario & Biscainho 2010, "
    "phase continuity",
    unit="",
    features=("level_10_db", "n_harmonics", "log10_wander_hz", "largest_leap"),
    truth=None,
    media=(Medium.SOUND,),
    start=_start,
    least_s=_LEAST_S,
)
