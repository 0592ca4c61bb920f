"""Faces in whole pictures: the native pixels of each face, with where its mesh lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.visual_forgery import unusable
from avdetect.observation import Observation, WholePicture


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceMoment:
    """One face in one whole picture.

    Attributes:
        track: number of the face track.
        time_s: seconds from clip start.
        picture: the whole picture.
        box: left, top, right, bottom of the face in it, whole pixels within the picture.
        landmarks: (478, 2) float32 mesh points x, y in pixels of the picture.
    """

    track: int
    time_s: float
    picture: WholePicture
    box: tuple[int, int, int, int]
    landmarks: NDArray[np.float32]

    @property
    def crop(self) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 the face's box at the source's own pixels: never resized."""
        left, top, right, bottom = self.box
        return self.picture.pixels[top:bottom, left:right]


def face_moments(observation: Observation) -> Iterator[FaceMoment]:
    """Every usable face of every fresh whole picture, in time order.

    Faces that the visual-forgery branch would not judge (too small, turned away) are left out.
    """
    for picture in fresh_pictures(observation):
        for face in observation.faces:
            rows = np.flatnonzero(face.frame_index == picture.tick)
            if len(rows) == 0 or unusable(face) is not None:
                continue
            height, width = picture.pixels.shape[:2]
            left, top, right, bottom = face.boxes[rows[0]]
            box = (
                max(0, round(float(left))),
                max(0, round(float(top))),
                min(width, round(float(right))),
                min(height, round(float(bottom))),
            )
            if box[2] - box[0] < 8 or box[3] - box[1] < 8:
                continue
            yield FaceMoment(
                track=face.track,
                time_s=picture.time_s,
                picture=picture,
                box=box,
                landmarks=face.landmarks[rows[0]],
            )


def fresh_pictures(observation: Observation) -> list[WholePicture]:
    """The whole pictures that no earlier observation showed."""
    ticks = np.array([picture.tick for picture in observation.pictures], np.int64)
    fresh = observation.is_fresh(ticks)
    return [p for p, is_fresh in zip(observation.pictures, fresh, strict=True) if is_fresh]
