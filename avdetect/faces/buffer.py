"""The last few seconds of every followed face, sampled on the 25 Hz clock."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.faces.align import align_face, align_mouth
from avdetect.faces.detect import FaceFinder, FaceMeasure
from avdetect.faces.track import FaceTracker
from avdetect.media.clip import PictureFrame
from avdetect.media.shots import ShotDetector
from avdetect.observation import FaceWindow, WholePicture
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Segment

# Longest time one picture is taken for a face on the screen; a slide says nothing more after it.
_HOLD_TICKS = FRAME_RATE_HZ // 2


@dataclass(frozen=True, slots=True)
class _Sample:
    tick: int
    time_s: float
    shot: int
    face: NDArray[np.uint8]
    mouth: NDArray[np.uint8]
    measure: FaceMeasure


class FaceBuffer:
    """Streaming store of one clip's faces; ``push`` in time order, read ``window``, ``forget``.

    Args:
        finder: of faces.
        is_still: the clip is a photograph.
        keep_pictures: keep one whole picture a second, too.
    """

    def __init__(
        self, finder: FaceFinder, *, is_still: bool = False, keep_pictures: bool = False
    ) -> None:
        self._tracker = FaceTracker(finder, thorough=is_still)
        self._keep_pictures = keep_pictures
        self._pictures: list[WholePicture] = []
        self._shots = ShotDetector()
        self._next_tick = 0
        self._samples: dict[int, list[_Sample]] = {}

    @property
    def end_s(self) -> float:
        """Time up to which all ticks are known."""
        return self._next_tick / FRAME_RATE_HZ

    @property
    def n_unfollowed(self) -> int:
        """How often a face was seen and left out because enough larger ones were followed."""
        return self._tracker.n_unfollowed

    def push(self, frame: PictureFrame) -> None:
        """Find the faces of a picture and keep them for the ticks at which it is shown."""
        elapsed = frame.ticks.stop - self._next_tick
        self._next_tick = frame.ticks.stop
        self._keep(frame)
        new_shot = self._shots.update(frame.picture)
        found = self._tracker.update(frame.picture, new_shot=new_shot, ticks=elapsed)
        for track, measure in found.items():
            face = align_face(frame.picture, measure.landmarks)
            mouth = align_mouth(frame.picture, measure.landmarks)
            self._samples.setdefault(track, []).extend(
                _Sample(tick, frame.time_s, self._tracker.shot, face, mouth, measure)
                for tick in frame.ticks[:_HOLD_TICKS]
            )

    def window(self, segment: Segment) -> tuple[FaceWindow, ...]:
        """Faces whose ticks lie within ``segment``."""
        low = math.ceil(segment.start_s * FRAME_RATE_HZ - 1e-6)
        high = math.ceil(segment.end_s * FRAME_RATE_HZ - 1e-6)
        windows = []
        for track, samples in sorted(self._samples.items()):
            inside = [sample for sample in samples if low <= sample.tick < high]
            if inside:
                windows.append(_face_window(track, inside))
        return tuple(windows)

    def pictures(self, segment: Segment) -> tuple[WholePicture, ...]:
        """Whole pictures kept whose ticks lie within ``segment``."""
        low, high = (math.ceil(s * FRAME_RATE_HZ - 1e-6) for s in (segment.start_s, segment.end_s))
        return tuple(picture for picture in self._pictures if low <= picture.tick < high)

    def forget(self, before_s: float) -> None:
        """Drop everything earlier than ``before_s``."""
        low = math.ceil(before_s * FRAME_RATE_HZ - 1e-6)
        self._pictures = [picture for picture in self._pictures if picture.tick >= low]
        kept = {
            track: [sample for sample in samples if sample.tick >= low]
            for track, samples in self._samples.items()
        }
        self._samples = {track: samples for track, samples in kept.items() if samples}

    def _keep(self, frame: PictureFrame) -> None:
        if not self._keep_pictures:
            return
        # A clip of less than a second has a picture, too.
        tick = _first_of_a_second(frame.ticks) if self._pictures else frame.ticks.start
        if tick is not None:
            self._pictures.append(
                WholePicture(
                    tick=tick,
                    time_s=frame.time_s,
                    pixels=frame.picture,
                    native_luma=frame.native_luma,
                )
            )


def _first_of_a_second(ticks: range) -> int | None:
    """The tick at which a second begins, if it is among these."""
    tick = -(-ticks.start // FRAME_RATE_HZ) * FRAME_RATE_HZ
    return tick if tick in ticks else None


def _face_window(track: int, samples: list[_Sample]) -> FaceWindow:
    measures = [sample.measure for sample in samples]
    return FaceWindow(
        track=track,
        shot=samples[0].shot,
        frame_index=np.array([sample.tick for sample in samples], np.int64),
        frame_s=np.array([sample.time_s for sample in samples]),
        faces=np.stack([sample.face for sample in samples]),
        mouths=np.stack([sample.mouth for sample in samples]),
        boxes=np.array([measure.box for measure in measures], np.float32),
        landmarks=np.stack([measure.landmarks for measure in measures]),
        size_px=float(np.median([measure.size_px for measure in measures])),
        yaw_deg=float(np.median([measure.yaw_deg for measure in measures])),
    )
