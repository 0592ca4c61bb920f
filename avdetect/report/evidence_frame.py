"""One frame of an evidence video: boxes and maps on the picture, scores and verdict below it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.media.picture import MAX_SHOWN_PX
from avdetect.observation import FACE_CROP_PX
from avdetect.report.heat import heat
from avdetect.report.words import llr_words, time_words
from avdetect.sightings import TrackSightings
from avdetect.timebase import FRAME_RATE_HZ

_NARROWEST_PX = 640  # smaller pictures are enlarged, or the verdict could not be read
_JUDGED_EVERY_S = 0.2
_JUDGED_FOR_TICKS = 10  # a score holds for 0.4 s around its frame
_FAKE, _REAL, _UNJUDGED = (180, 35, 24), (29, 95, 191), (130, 138, 150)  # those of the page
_INK, _SOFT, _GROUND = (26, 34, 48), (88, 97, 116), (245, 247, 250)
_KEY = (
    "up: fake, down: real, worst face of each moment; colours on a face: where it looks forged "
    "(weak evidence)"
)
_FONT = cv2.FONT_HERSHEY_SIMPLEX

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FaceNow:
    """One face at one tick; ``fake_llr`` and ``forgery_map`` are None where it was not judged."""

    track: int
    box: NDArray[np.float32]
    transform: NDArray[np.float32]
    fake_llr: float | None
    forgery_map: NDArray[np.float32] | None


def faces_at(tracks: Sequence[TrackSightings], tick: int, shown_since: int) -> Iterator[FaceNow]:
    """Faces on the picture shown at ``tick``.

    Args:
        tracks: where each face was seen.
        tick: position on the clip's 25 Hz clock.
        shown_since: first tick of the same picture: a face is looked for only at the first ticks
            of a picture that stands still.
    """
    for track in tracks:
        seen = int(np.searchsorted(track.ticks, tick, side="right")) - 1
        if seen < 0 or track.ticks[seen] < shown_since:
            continue
        row = _judged_row(track, int(track.ticks[seen]))
        yield FaceNow(
            track=track.track,
            box=track.boxes[seen],
            transform=track.transforms[seen],
            fake_llr=None if row is None else float(track.fake_llrs[row]),
            forgery_map=None if row is None else track.maps[row].astype(np.float32) / 255.0,
        )


def _judged_row(track: TrackSightings, tick: int) -> int | None:
    after = int(np.searchsorted(track.judged_ticks, tick, side="right"))
    rows = [row for row in (after - 1, after) if 0 <= row < len(track.judged_ticks)]
    nearest = min(rows, key=lambda row: abs(int(track.judged_ticks[row]) - tick), default=None)
    if nearest is None or abs(int(track.judged_ticks[nearest]) - tick) > _JUDGED_FOR_TICKS:
        return None
    return nearest


class FrameArtist:
    """Draws frames of one size: the picture above, a panel of scores and the verdict below.

    Args:
        size: width and height of the clip's first picture, pixels.
        tracks: where each face was seen and what was said of it.
        duration_s: of the clip.
        verdict_line: the verdict in one line.
    """

    def __init__(
        self,
        size: tuple[int, int],
        tracks: Sequence[TrackSightings],
        duration_s: float,
        verdict_line: str,
    ) -> None:
        enlarge = max(1.0, min(_NARROWEST_PX / size[0], MAX_SHOWN_PX / size[1]))
        # Even sides: H.264 halves the resolution of colour.
        width, self._height = (2 * math.ceil(side * enlarge / 2) for side in size)
        self._width = max(width, _NARROWEST_PX)
        self._tracks, self._duration_s = tracks, duration_s
        self._unit = self._width / _NARROWEST_PX  # of every line and letter
        self._panel = self._draw_panel(verdict_line)

    def draw(self, picture: Picture | None, tick: int, shown_since: int) -> Picture:
        """(H, W, 3) uint8 RGB: the frame shown at ``tick``; black where there is no picture."""
        stage = np.zeros((self._height, self._width, 3), np.uint8)
        label = "no face here" if picture is not None else "no picture here"
        if picture is not None:
            scale, left, top = self._place(picture, stage)
            faces = list(faces_at(self._tracks, tick, shown_since))
            for face in faces:
                self._draw_map(stage, face, scale, left, top)
            for face in faces:
                self._draw_box(stage, face, scale, left, top)
            label = ", ".join(_label(face) for face in faces) or label
        panel = self._panel.copy()
        time_s = tick / FRAME_RATE_HZ
        x = round(min(1.0, time_s / self._duration_s) * (self._width - 1))
        strip_top, strip_bottom = self._px(46), self._px(82)
        cv2.line(panel, (x, strip_top), (x, strip_bottom), _INK, max(1, self._px(1.5)))
        self._write(panel, f"{time_words(time_s)}  {label}", 38, 0.42, _INK)
        return np.concatenate([stage, panel])

    def _place(self, picture: Picture, stage: Picture) -> tuple[float, int, int]:
        height, width = picture.shape[:2]
        scale = min(self._width / width, self._height / height)
        shown = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (self._width - shown[0]) // 2, (self._height - shown[1]) // 2
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        stage[top : top + shown[1], left : left + shown[0]] = cv2.resize(
            picture, shown, interpolation=how
        )
        return scale, left, top

    def _draw_map(self, stage: Picture, face: FaceNow, scale: float, left: int, top: int) -> None:
        if face.forgery_map is None:
            return
        cell_px = FACE_CROP_PX / len(face.forgery_map)
        # Picture to crop, then to cells whose centres lie half a cell in.
        to_cells = face.transform.astype(np.float64) / cell_px
        to_cells[:, 2] -= 0.5 - 0.5 / cell_px
        to_cells[:, :2] /= scale
        to_cells[:, 2] -= to_cells[:, :2] @ np.array([left, top])
        laid = cv2.warpAffine(
            face.forgery_map,
            to_cells,
            (self._width, self._height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        rows, columns = np.flatnonzero(laid.any(1)), np.flatnonzero(laid.any(0))
        if len(rows) == 0:
            return
        area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        colour, density = heat(np.asarray(laid[area], np.float32))
        stage[area] = np.rint(stage[area] * (1.0 - density) + colour * density)

    def _draw_box(self, stage: Picture, face: FaceNow, scale: float, left: int, top: int) -> None:
        corners = np.rint(face.box.reshape(2, 2) * scale + (left, top)).astype(int)
        (x0, y0), (x1, y1) = corners.tolist()
        colour = _colour(face.fake_llr)
        cv2.rectangle(stage, (x0, y0), (x1, y1), colour, max(1, self._px(2)))
        text, size = _label(face), 0.45 * self._unit
        thick = max(1, self._px(1))
        (width, height), _ = cv2.getTextSize(text, _FONT, size, thick)
        pad = self._px(4)
        x = min(max(0, x0), max(0, self._width - width - 2 * pad))
        above = y0 - height - 2 * pad
        y = above if above >= 0 else min(y1, self._height - height - 2 * pad)
        corner = (x + width + 2 * pad, y + height + 2 * pad)
        cv2.rectangle(stage, (x, y), corner, colour, cv2.FILLED)
        place = (x + pad, y + height + pad)
        cv2.putText(stage, text, place, _FONT, size, (255, 255, 255), thick, cv2.LINE_AA)

    def _draw_panel(self, verdict_line: str) -> Picture:
        panel = np.full((2 * math.ceil(48 * self._unit), self._width, 3), _GROUND, np.uint8)
        self._write(panel, verdict_line, 18, 0.5, _INK)
        worst = _worst_llrs(self._tracks, self._duration_s, self._width)
        span = max(3.0, float(np.nanmax(np.abs(worst), initial=0.0)))
        middle, reach = self._px(64), self._px(18)
        for x in np.flatnonzero(~np.isnan(worst)).tolist():
            y = middle - round(reach * float(worst[x]) / span)
            cv2.line(panel, (x, middle), (x, y), _colour(float(worst[x])), 1)
        cv2.line(panel, (0, middle), (self._width, middle), _SOFT, 1)
        self._write(panel, _KEY, 93, 0.4, _SOFT)
        return panel

    def _write(
        self, panel: Picture, text: str, base: float, size: float, ink: tuple[int, int, int]
    ) -> None:
        thick = max(1, self._px(1))
        (width, _), _ = cv2.getTextSize(text, _FONT, size * self._unit, thick)
        fit = min(1.0, (self._width - self._px(16)) / max(1, width))
        place = (self._px(8), self._px(base))
        cv2.putText(panel, text, place, _FONT, size * self._unit * fit, ink, thick, cv2.LINE_AA)

    def _px(self, units: float) -> int:
        return round(units * self._unit)


def _label(face: FaceNow) -> str:
    said = "not judged" if face.fake_llr is None else f"LLR {llr_words(face.fake_llr)}"
    return f"face {face.track}: {said}"


def _colour(fake_llr: float | None) -> tuple[int, int, int]:
    if fake_llr is None:
        return _UNJUDGED
    return _FAKE if fake_llr > 0 else _REAL


def _worst_llrs(
    tracks: Sequence[TrackSightings], duration_s: float, n_columns: int
) -> NDArray[np.float64]:
    """The highest LLR of any face in each column of the time axis, NaN where none was judged."""
    worst = np.full(n_columns, np.nan)
    for track in tracks:
        for tick, fake_llr in zip(track.judged_ticks, track.fake_llrs, strict=True):
            start_s = tick / FRAME_RATE_HZ
            first = int(start_s / duration_s * n_columns)
            last = max(first + 1, math.ceil((start_s + _JUDGED_EVERY_S) / duration_s * n_columns))
            worst[first:last] = np.fmax(worst[first:last], fake_llr)
    return worst
