"""Faces and what was said of them, made by hand: where, when, how suspicious, with which map."""

from __future__ import annotations

import numpy as np

from avdetect.branches.base import BranchOutput
from avdetect.faces.align import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from avdetect.observation import FaceWindow, Observation
from avdetect.types import Part, Segment


def landmarks_at(left: float, top: float, scale: float = 1.0) -> np.ndarray:
    """(478, 2) mesh whose face crop is the picture from (left, top), enlarged by 1 / scale."""
    mesh = np.tile(np.array([112.0, 112.0]), (478, 1))
    for ids, place in ((LEFT_EYE, (83, 88)), (RIGHT_EYE, (141, 88)), (OUTER_LIPS, (112, 148))):
        mesh[list(ids)] = place
    return (mesh * scale + (left, top)).astype(np.float32)


def face(ticks, *, track=0, left=0.0, top=0.0, scale=1.0) -> FaceWindow:
    """A face seen at ``ticks``; its crops carry their tick as brightness."""
    ticks = np.asarray(ticks, np.int64)
    n = len(ticks)
    shade = (ticks % 250).astype(np.uint8)[:, None, None, None]
    box = np.array([left + 40 * scale, top + 40 * scale, left + 184 * scale, top + 184 * scale])
    return FaceWindow(
        track=track,
        shot=0,
        frame_index=ticks,
        frame_s=ticks / 25,
        faces=np.broadcast_to(shade, (n, 224, 224, 3)).copy(),
        mouths=np.zeros((n, 96, 96), np.uint8),
        boxes=np.tile(box, (n, 1)).astype(np.float32),
        landmarks=np.tile(landmarks_at(left, top, scale), (n, 1, 1)),
        size_px=144.0 * scale,
        yaw_deg=0.0,
    )


def said(ticks, scores, *, track=0, forgery_map=None) -> BranchOutput:
    """Rows of the visual-forgery branch at ``ticks``; every map is the one given."""
    start_s = np.asarray(ticks) / 25
    n = len(start_s)
    drawn = np.zeros((28, 28), np.float32) if forgery_map is None else forgery_map
    return BranchOutput(
        part=Part(face_track=track),
        segments=np.stack([start_s, start_s + 0.2], 1),
        scores=np.asarray(scores, np.float32),
        tokens=np.zeros((n, 4), np.float32),
        weights=np.ones(n, np.float32),
        maps=np.tile(drawn, (n, 1, 1)),
    )


def observation(start_s: float, end_s: float, *faces: FaceWindow) -> Observation:
    return Observation(segment=Segment(start_s, end_s), fresh=Segment(start_s, end_s), faces=faces)
