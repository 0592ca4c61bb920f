"""Faces whose every movement is known: meshes and crops made by hand, no detector in between."""

from __future__ import annotations

import numpy as np

from avdetect.observation import ChannelAudio, FaceWindow, Observation
from avdetect.types import Segment

# A face-like cloud: points within an oval, the same each time.
_RNG = np.random.default_rng(0)
_ANGLE, _REACH = _RNG.uniform(0, 2 * np.pi, 478), np.sqrt(_RNG.uniform(0, 1, 478))
OVAL = np.stack([130 + 55 * _REACH * np.cos(_ANGLE), 130 + 75 * _REACH * np.sin(_ANGLE)], 1)


def still_meshes(n: int) -> np.ndarray:
    """(n, 478, 2) float64 of one face that does not move at all; eyes, nose and lips in place."""
    mesh = OVAL.copy()
    for index, place in (
        (33, (85, 105)), (133, (110, 105)), (362, (150, 105)), (263, (175, 105)),
        (168, (130, 105)), (1, (130, 140)), (10, (130, 55)), (152, (130, 205)),
        (13, (130, 165)), (14, (130, 167)),
    ):  # fmt: skip
        mesh[index] = place
    return np.tile(mesh, (n, 1, 1))


def face_window(
    meshes: np.ndarray, *, track: int = 0, first_tick: int = 0, crops: np.ndarray | None = None,
    **options,
) -> FaceWindow:  # fmt: skip
    """One face on consecutive ticks; ``options`` replace other fields."""
    n = len(meshes)
    ticks = first_tick + np.arange(n)
    grey = np.broadcast_to(np.uint8(128), (n, 224, 224, 3))
    fields = {
        "frame_index": ticks,
        "frame_s": ticks / 25.0,
        "faces": grey if crops is None else crops,
        "mouths": np.broadcast_to(np.uint8(128), (n, 96, 96)),
        "boxes": np.tile(np.float32([75, 55, 185, 205]), (n, 1)),
        "landmarks": np.asarray(meshes, np.float32),
        "size_px": 150.0,
        "yaw_deg": 0.0,
    }
    return FaceWindow(track=track, shot=0, **(fields | options))


def observations(face: FaceWindow, channel: ChannelAudio | None = None) -> list[Observation]:
    """The face as the engine would show it: 4 s every 3 s, overlapping by one."""
    end_s = (face.frame_index[-1] + 1) / 25.0
    cut = []
    for start_s in np.arange(0.0, max(end_s - 1.0, 1.0), 3.0).tolist():
        segment = Segment(start_s, min(start_s + 4.0, end_s))
        clock_s = face.frame_index / 25.0
        rows = (clock_s >= segment.start_s - 1e-6) & (clock_s < segment.end_s - 1e-6)
        fresh_s = start_s + (1.0 if start_s else 0.0)
        cut.append(
            Observation(
                segment=segment,
                fresh=Segment(fresh_s, segment.end_s),
                faces=(_rows_of(face, rows),) if rows.any() else (),
                channels=() if channel is None else (_part_of(channel, segment),),
                speaking_track=None if channel is None else face.track,
            )
        )
    return cut


def read(cue, seen: list[Observation], outputs=None, clip=None, tools=None):
    """A reading of a cue that has seen everything."""
    from avdetect.cues.base import ClipFacts, CueTools

    reading = cue.start(clip or ClipFacts(), tools or CueTools())
    for index, observation in enumerate(seen):
        reading.add(observation, {} if outputs is None else outputs[index])
    return reading


def _rows_of(face: FaceWindow, rows: np.ndarray) -> FaceWindow:
    arrays = ("frame_index", "frame_s", "faces", "mouths", "boxes", "landmarks")
    return FaceWindow(
        track=face.track, shot=face.shot, size_px=face.size_px, yaw_deg=face.yaw_deg,
        **{name: getattr(face, name)[rows] for name in arrays},
    )  # fmt: skip


def _part_of(channel: ChannelAudio, segment: Segment) -> ChannelAudio:
    first, end = round(segment.start_s * 16000), round(segment.end_s * 16000)
    spoken = (piece.overlap(segment) for piece in channel.speech)
    return ChannelAudio(
        channel=channel.channel,
        waveform=channel.waveform[first:end],
        speech=tuple(piece for piece in spoken if piece is not None),
    )
