"""Observations of a clip on disk, so that finding faces is done once for all cues."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from avdetect.cues.base import ClipFacts
from avdetect.media.origin import JpegOrigin, Origin
from avdetect.observation import ChannelAudio, FaceWindow, Observation, WholePicture
from avdetect.types import Segment, StreamInfo

_FACE_ARRAYS = ("frame_index", "frame_s", "faces", "mouths", "boxes", "landmarks")


def write_observations(path: Path, facts: ClipFacts, seen: Sequence[Observation]) -> None:
    """Write a clip's facts and observations into one uncompressed ``.npz``, whole or not at all."""
    arrays: dict[str, Any] = {}
    plain = {
        "facts": asdict(facts),
        "observations": [_plain(i, o, arrays) for i, o in enumerate(seen)],
    }
    arrays["plain"] = np.frombuffer(json.dumps(plain).encode(), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(path)


def read_observations(path: Path) -> tuple[ClipFacts, list[Observation]]:
    """Read what `write_observations` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        plain = json.loads(arrays["plain"].tobytes())
        facts = _facts(plain["facts"])
        return facts, [_observation(i, o, arrays) for i, o in enumerate(plain["observations"])]


def _plain(index: int, seen: Observation, arrays: dict[str, Any]) -> dict[str, Any]:
    for number, channel in enumerate(seen.channels):
        arrays[f"{index}/channel/{number}"] = channel.waveform
    for number, face in enumerate(seen.faces):
        for name in _FACE_ARRAYS:
            arrays[f"{index}/face/{number}/{name}"] = getattr(face, name)
    for number, picture in enumerate(seen.pictures):
        arrays[f"{index}/picture/{number}"] = picture.pixels
        if picture.native_luma is not None:
            arrays[f"{index}/luma/{number}"] = picture.native_luma
    return {
        "segment": _pair(seen.segment),
        "fresh": _pair(seen.fresh),
        "channels": [
            {
                "channel": c.channel,
                "speech": [_pair(s) for s in c.speech],
                "bandwidth_hz": c.bandwidth_hz,
            }
            for c in seen.channels
        ],
        "faces": [
            {"track": f.track, "shot": f.shot, "size_px": f.size_px, "yaw_deg": f.yaw_deg}
            for f in seen.faces
        ],
        "pictures": [{"tick": p.tick, "time_s": p.time_s} for p in seen.pictures],
        "speaking_track": seen.speaking_track,
        "is_still": seen.is_still,
    }


def _observation(index: int, plain: dict[str, Any], arrays: Any) -> Observation:
    return Observation(
        segment=Segment(*plain["segment"]),
        fresh=Segment(*plain["fresh"]),
        channels=tuple(
            ChannelAudio(
                channel=c["channel"],
                waveform=arrays[f"{index}/channel/{n}"],
                speech=tuple(Segment(*s) for s in c["speech"]),
                bandwidth_hz=c["bandwidth_hz"],
            )
            for n, c in enumerate(plain["channels"])
        ),
        faces=tuple(
            FaceWindow(**f, **{k: arrays[f"{index}/face/{n}/{k}"] for k in _FACE_ARRAYS})
            for n, f in enumerate(plain["faces"])
        ),
        pictures=tuple(
            WholePicture(
                **p,
                pixels=arrays[f"{index}/picture/{n}"],
                native_luma=arrays.get(f"{index}/luma/{n}"),
            )
            for n, p in enumerate(plain["pictures"])
        ),
        speaking_track=plain["speaking_track"],
        is_still=plain["is_still"],
    )


def _facts(plain: dict[str, Any]) -> ClipFacts:
    origin = plain["origin"]
    jpeg = origin["jpeg"]
    if jpeg is not None:
        jpeg = JpegOrigin(**{**jpeg, "tables": tuple(tuple(t) for t in jpeg["tables"])})
    return ClipFacts(
        name=plain["name"],
        is_still=plain["is_still"],
        duration_s=plain["duration_s"],
        streams=tuple(StreamInfo(**stream) for stream in plain["streams"]),
        origin=Origin(**{**origin, "jpeg": jpeg}),
    )


def _pair(segment: Segment) -> list[float]:
    return [segment.start_s, segment.end_s]
