"""Geometry of the cues' section: curves with their marks and bands, pictures as data URIs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.cues import CUES
from avdetect.cues.base import CueCurve, CueFigure, CuePicture
from avdetect.cues.session import CueExhibit
from avdetect.report.pictures import jpeg_uri
from avdetect.types import Part
from avdetect.verdict import Cue, Verdict

CURVE_SIZE = (680.0, 120.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveFigure:
    """A curve as an SVG path; y grows downward.

    Attributes:
        part: whose it is.
        caption, x_name, y_name: as of the cue's figure.
        path: of the line.
        marks: x of events.
        bands: left edge and width of shaded stretches.
        x_low, x_high, y_low, y_high: what the edges of the drawing stand for.
    """

    part: Part
    caption: str
    x_name: str
    y_name: str
    path: str
    marks: tuple[float, ...]
    bands: tuple[tuple[float, float], ...]
    x_low: float
    x_high: float
    y_low: float
    y_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFigure:
    """A picture as a data URI, with its caption."""

    part: Part
    caption: str
    time_s: float | None
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CueSection:
    """One cue on the page: what it measured of which parts, of which not, and what it drew."""

    name: str
    title: str
    measures: str
    reference: str
    measured: tuple[Cue, ...]
    missing: tuple[Cue, ...]
    curves: tuple[CurveFigure, ...]
    pictures: tuple[PictureFigure, ...]


def cue_sections(
    verdict: Verdict, exhibits: Sequence[CueExhibit], *, media: bool
) -> list[CueSection]:
    """One section per cue in the verdict, in its order; ``media`` allows pictures of faces."""
    drawn: dict[str, list[CueFigure]] = defaultdict(list)
    for exhibit in exhibits:
        drawn[exhibit.cue].append(exhibit.figure)
    entries: dict[str, list[Cue]] = defaultdict(list)
    for entry in verdict.cues:
        entries[entry.name].append(entry)
    return [_section(name, found, drawn[name], media) for name, found in entries.items()]


def _section(
    name: str, entries: Sequence[Cue], drawn: Sequence[CueFigure], media: bool
) -> CueSection:
    known = CUES.get(name)  # a verdict from elsewhere may name a cue that is not ours
    return CueSection(
        name=name,
        title=entries[0].title or name.replace("_", " "),
        measures=known.measures if known else "",
        reference=known.reference if known else "",
        measured=tuple(entry for entry in entries if entry.missing is None),
        missing=tuple(entry for entry in entries if entry.missing is not None),
        curves=tuple(_curve(one) for one in drawn if isinstance(one, CueCurve) and len(one.x) > 1),
        pictures=tuple(
            PictureFigure(
                part=one.part, caption=one.caption, time_s=one.time_s, uri=jpeg_uri(one.pixels)
            )
            for one in drawn
            if isinstance(one, CuePicture) and (media or not one.shows_person)
        ),
    )


def _curve(curve: CueCurve) -> CurveFigure:
    width, height = CURVE_SIZE
    x_low, x_high = float(curve.x[0]), float(curve.x[-1])
    y_low, y_high = float(curve.y.min()), float(curve.y.max())

    def across(x: float) -> float:
        return min(width, max(0.0, (x - x_low) / max(x_high - x_low, 1e-9) * width))

    ys = 6 + (height - 12) * (y_high - curve.y) / max(y_high - y_low, 1e-9)
    edges = [(across(low), across(high)) for low, high in curve.bands]
    return CurveFigure(
        part=curve.part,
        caption=curve.caption,
        x_name=curve.x_name,
        y_name=curve.y_name,
        path=_line(np.array([across(float(x)) for x in curve.x]), ys),
        marks=tuple(across(mark) for mark in curve.marks if x_low <= mark <= x_high),
        bands=tuple((left, right - left) for left, right in edges if right > left),
        x_low=x_low,
        x_high=x_high,
        y_low=y_low,
        y_high=y_high,
    )


def _line(xs: NDArray[np.float64], ys: NDArray[np.float64]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))
