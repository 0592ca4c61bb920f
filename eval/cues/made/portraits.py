"""Real portraits with their meshes, through real codecs, seen by one cue: what made figures share.

Meshes come with the data, so that no face needs to be found anew.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avdetect.channels.picture_codecs import h264
from avdetect.cues.base import ClipFacts, Cue, CueTools, Measurement
from avdetect.media.clip import AudioChunk, Clip, open_clip
from avdetect.observation import FACE_CROP_PX, MOUTH_CROP_PX, FaceWindow, Observation, WholePicture
from avdetect.types import Segment
from eval.shared_data import read_rows, shared_path

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """One real face.

    Attributes:
        picture: (256, 256, 3) uint8 RGB.
        landmarks: (478, 2) float32 mesh points in its pixels.
        name: of its file.
    """

    picture: Picture
    landmarks: NDArray[np.float32]
    name: str


def portraits(n: int, rng: np.random.Generator) -> Iterator[Portrait]:
    """``n`` real faces of ../shared/data, each of another file, drawn by ``rng``."""
    rows = read_rows("data/faces/real.csv")
    with np.load(shared_path("data/faces/landmarks.npz")) as meshes:
        known = [row["file"] for row in rows if PurePath(row["file"]).name in meshes.files]
        for index in rng.choice(len(known), n, replace=n > len(known)):
            name = PurePath(known[index]).name
            with Image.open(shared_path(f"data/faces/{known[index]}")) as image:
                picture = np.asarray(image.convert("RGB"))
            yield Portrait(picture=picture, landmarks=meshes[name].astype(np.float32), name=name)


def as_jpeg(picture: Picture, quality: int) -> bytes:
    """A picture as a JPEG with colours at half resolution, as cameras and messengers write it."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=quality, subsampling=2)
    return out.getvalue()


def from_jpeg(blob: bytes) -> Picture:
    """(H, W, 3) uint8 RGB."""
    with Image.open(io.BytesIO(blob)) as image:
        return np.asarray(image.convert("RGB"))


def photograph(blob: bytes) -> tuple[WholePicture, ClipFacts]:
    """A photograph's file, read as the engine reads it."""
    with open_clip(blob, name="made.jpg") as clip:
        frames = [item for item in clip.chunks() if not isinstance(item, AudioChunk)]
        whole = WholePicture(
            tick=0, time_s=0.0, pixels=frames[0].picture, native_luma=frames[0].native_luma
        )
        return whole, facts_of(clip)


def measured_file(cue: Cue, blob: bytes) -> Measurement:
    """What a cue that needs no face says of a photograph's file."""
    whole, facts = photograph(blob)
    reading = cue.start(facts, CueTools())
    reading.add(still(whole), {})
    return reading.measurements()[0]


def measured_portrait(cue: Cue, portrait: Portrait) -> Measurement:
    """What a cue says of one face whose mesh is known."""
    reading = cue.start(ClipFacts(is_still=True), CueTools())
    whole = WholePicture(tick=0, time_s=0.0, pixels=portrait.picture)
    reading.add(still(whole, face_window(portrait.landmarks)), {})
    return reading.measurements()[0]


CODINGS: tuple[tuple[str, Callable[[Picture], Picture]], ...] = (
    ("as they are", lambda picture: picture),
    ("JPEG of quality 90", lambda picture: from_jpeg(as_jpeg(picture, 90))),
    ("JPEG of quality 75", lambda picture: from_jpeg(as_jpeg(picture, 75))),
    ("H.264 at crf 18", lambda picture: h264(picture, 18)),
    ("H.264 at crf 28", lambda picture: h264(picture, 28)),
)


def features_of(
    cue: Cue,
    untouched: Sequence[Portrait],
    forged: Sequence[Portrait],
    coded: Callable[[Picture], Picture],
) -> tuple[list[int], NDArray[np.float64]]:
    """What a cue measures on pictures after a coding; those it abstains from are left out.

    Returns:
        labels, 1 of a forged one, and (N, K) features.
    """
    labels, rows = [], []
    for label, pictures in enumerate((untouched, forged)):
        for each in pictures:
            measured = measured_portrait(cue, replace(each, picture=coded(each.picture)))
            if measured.missing is None:
                labels.append(label)
                rows.append(measured.features)
    return labels, np.asarray(rows, np.float64)


def facts_of(clip: Clip) -> ClipFacts:
    """What is known of an opened clip."""
    return ClipFacts(
        name=clip.path,
        is_still=clip.is_still,
        duration_s=clip.duration_s,
        streams=clip.streams,
        origin=clip.origin,
    )


def face_window(landmarks: NDArray[np.float32]) -> FaceWindow:
    """A face seen once, at tick 0; its aligned crops are left black."""
    low, high = landmarks[:468].min(0), landmarks[:468].max(0)
    return FaceWindow(
        track=0,
        shot=0,
        frame_index=np.zeros(1, np.int64),
        frame_s=np.zeros(1),
        faces=np.zeros((1, FACE_CROP_PX, FACE_CROP_PX, 3), np.uint8),
        mouths=np.zeros((1, MOUTH_CROP_PX, MOUTH_CROP_PX), np.uint8),
        boxes=np.concatenate([low, high])[None].astype(np.float32),
        landmarks=landmarks[None],
        size_px=float((high - low).max()),
        yaw_deg=0.0,
    )


def still(whole: WholePicture, *faces: FaceWindow) -> Observation:
    """A photograph with the faces found in it."""
    moment = Segment(0.0, 0.04)
    return Observation(segment=moment, fresh=moment, is_still=True, faces=faces, pictures=(whole,))
