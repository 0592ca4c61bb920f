"""Faces put by hand into pictures made in code: where each is, is known and not found."""

from __future__ import annotations

import math

import numpy as np

from avdetect.cues.base import ClipFacts, CueTools
from avdetect.cues.regions import FACE_OVAL, LEFT_BROW, RIGHT_BROW
from avdetect.faces.align import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from avdetect.faces.lips import INNER_LIPS
from avdetect.observation import FaceWindow, Observation, WholePicture
from avdetect.types import Segment


def mesh(centre=(128.0, 128.0), width=120.0, *, gap=0.0, iris=0.1) -> np.ndarray:
    """(478, 2) float32: an upright face, 1.3 times as high as wide.

    ``gap`` is how far the lips part, ``iris`` the diameter of an iris; both over the width.
    """
    points = np.tile(np.array([0.0, 0.1]), (478, 1))
    _ring(points, FACE_OVAL, (0.0, 0.0), 0.5, 0.65, start=-90.0)
    for side, eye, brow, first in ((-1, LEFT_EYE, LEFT_BROW, 468), (1, RIGHT_EYE, RIGHT_BROW, 473)):
        _ring(points, eye, (side * 0.22, -0.12), 0.1, 0.05)
        _ring(points, brow, (side * 0.22, -0.24), 0.13, 0.03)
        points[first] = (side * 0.22, -0.12)
        _ring(points, range(first + 1, first + 5), (side * 0.22, -0.12), iris / 2, iris / 2)
    for upper, lower, x in ((159, 145, -0.22), (386, 374, 0.22)):
        points[upper], points[lower] = (x, -0.17), (x, -0.07)
    _ring(points, OUTER_LIPS, (0.0, 0.33), 0.2, 0.06 + gap / 2)
    _ring(points, INNER_LIPS, (0.0, 0.33), 0.16, 0.002 + gap / 2)
    points[78], points[308] = (-0.16, 0.33), (0.16, 0.33)
    points[13], points[14] = (0.0, 0.33 - gap / 2), (0.0, 0.33 + gap / 2)
    for nostril, x in ((98, -0.06), (327, 0.06), (2, 0.0), (1, 0.0)):
        points[nostril] = (x, 0.13)
    return (points * width + centre).astype(np.float32)


def _ring(points, ids, centre, rx, ry, start=0.0):
    ids = list(ids)
    for k, index in enumerate(ids):
        angle = math.radians(start) + 2 * math.pi * k / len(ids)
        points[index] = (centre[0] + rx * math.cos(angle), centre[1] + ry * math.sin(angle))


def face_window(meshes, ticks, track=0) -> FaceWindow:
    """One face seen at ``ticks`` with one mesh each."""
    meshes = np.stack(meshes)
    low, high = meshes[:, :468].min(1), meshes[:, :468].max(1)
    n = len(meshes)
    return FaceWindow(
        track=track,
        shot=0,
        frame_index=np.asarray(ticks, np.int64),
        frame_s=np.asarray(ticks) / 25,
        faces=np.zeros((n, 1, 1, 3), np.uint8),
        mouths=np.zeros((n, 1, 1), np.uint8),
        boxes=np.concatenate([low, high], axis=1).astype(np.float32),
        landmarks=meshes,
        size_px=float((high - low).max()),
        yaw_deg=0.0,
    )


def seen(pictures, *faces_meshes) -> Observation:
    """A clip of a second a picture; each of ``faces_meshes`` is one mesh a picture."""
    ticks = [25 * k for k in range(len(pictures))]
    segment = Segment(0.0, float(len(pictures)))
    return Observation(
        segment=segment,
        fresh=segment,
        faces=tuple(face_window(m, ticks, track) for track, m in enumerate(faces_meshes)),
        pictures=tuple(
            WholePicture(tick=tick, time_s=tick / 25, pixels=picture)
            for tick, picture in zip(ticks, pictures, strict=True)
        ),
    )


def read(cue, observation, *, is_still=False):
    """The cue's reading after one observation."""
    reading = cue.start(ClipFacts(is_still=is_still), CueTools())
    reading.add(observation, {})
    return reading


def measured(cue, picture, landmarks):
    """What a cue says of one face in one picture."""
    return read(cue, seen([picture], [landmarks])).measurements()[0]


def feature(cue, measurement, name):
    return measurement.features[cue.features.index(name)]
