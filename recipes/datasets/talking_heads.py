"""Talking-head clips as mouth crops, face crops and sound on one 25 Hz clock, kept on disk.

Decoding and the face mesh cost far more than the crops take room, and several recipes read the
same clips, so each clip is prepared once into ``runs/talking_heads/<clip>.npz``:

    python -m recipes.datasets.talking_heads
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from mediapipe.python.solutions.face_mesh import FaceMesh
from numpy.typing import NDArray
from torchaudio.functional import resample

from avdetect.faces.align import align_face, align_mouth
from avdetect.observation import FACE_CROP_PX, MOUTH_CROP_PX
from avdetect.timebase import FRAME_RATE_HZ, SAMPLE_RATE_HZ, exact_ratio
from eval.shared_data import read_rows, shared_path
from eval.splits import Row, video_split

CACHE = Path(__file__).resolve().parents[2] / "runs" / "talking_heads"
FACE_RATE_HZ = 5  # faces change slowly; mouths are kept at every frame
_FACE_STEP = exact_ratio(FRAME_RATE_HZ, FACE_RATE_HZ)
_ROUNDING_S = 1e-3  # time stamps in milliseconds may lie this much late


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkingHeadClip:
    """One clip with one face; T counts the frames in which the face was found.

    Attributes:
        file: path below ``data/video``, as in the lists.
        mouths: (T, 96, 96) uint8 grey, aligned, centred on the lips.
        frame_index: (T,) int64 position on the clip's 25 Hz clock.
        landmarks: (T, 478, 2) float16 mesh points x, y in pixels of the source picture.
        faces: (F, 224, 224, 3) uint8 RGB, aligned, five a second.
        face_index: (F,) int64 position of each face on the 25 Hz clock.
        audio: (S,) float32 at 16 kHz in [-1, 1], sample 0 at clip start; empty without sound.
    """

    file: str
    mouths: NDArray[np.uint8]
    frame_index: NDArray[np.int64]
    landmarks: NDArray[np.float16]
    faces: NDArray[np.uint8]
    face_index: NDArray[np.int64]
    audio: NDArray[np.float32]


def load_clip(file: str) -> TalkingHeadClip:
    """Read a prepared clip, preparing it first where it is not on disk.

    Args:
        file: path below ``data/video``, as in ``sync.csv`` and ``clips.csv``.

    Raises:
        DataNotFoundError: if the clip is not in the data folder.
    """
    path = cache_path(file)
    if not path.is_file():
        prepare_clip(file)
    with np.load(path) as table:
        return TalkingHeadClip(
            file=file,
            mouths=table["mouths"],
            frame_index=table["frame_index"],
            landmarks=table["landmarks"],
            faces=table["faces"],
            face_index=table["face_index"],
            audio=table["audio"].astype(np.float32) / 32768.0,
        )


def cache_path(file: str) -> Path:
    """Where a clip's prepared arrays lie."""
    return CACHE / (file.replace("/", "__") + ".npz")


def prepare_clip(file: str) -> None:
    """Decode one clip, find its face in every frame, and write its arrays whole."""
    video = shared_path(f"data/video/{file}")
    beside = video.with_suffix(".opus")
    arrays = _faces_on_clock(video)
    sound = read_audio(beside if beside.is_file() else video)
    arrays["audio"] = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
    path = cache_path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)  # type: ignore[arg-type]  # numpy types the keywords as one bool
    part.rename(path)


def read_audio(path: Path) -> NDArray[np.float32]:
    """Sound of a file as (S,) float32 mono at 16 kHz, sample 0 at time 0; empty without sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.zeros(0, np.float32)
        rate = container.streams.audio[0].rate
        converter = av.AudioResampler(format="fltp", layout="mono", rate=rate)
        pieces = [
            (round(float(out.time or 0.0) * rate), out.to_ndarray()[0])
            for frame in container.decode(audio=0)
            for out in converter.resample(frame)
        ]
    # Laid down by time stamp: a stream that starts late or with priming samples keeps its place.
    length = max((start + len(piece) for start, piece in pieces), default=0)
    sound = np.zeros(max(length, 0), np.float32)
    for start, piece in pieces:
        kept = piece[max(-start, 0) :]
        sound[max(start, 0) : max(start, 0) + len(kept)] = kept
    return np.asarray(resample(torch.from_numpy(sound), rate, SAMPLE_RATE_HZ).numpy(), np.float32)


def frames_on_clock(path: Path) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The picture shown at each tick k/25 s: pairs of k and (H, W, 3) uint8 RGB."""
    tick, shown, end_s = 0, None, 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            frame_s = float(frame.time or 0.0)
            while shown is not None and tick / FRAME_RATE_HZ < frame_s - _ROUNDING_S:
                yield tick, shown
                tick += 1
            if shown is None:
                tick = max(0, int(np.ceil((frame_s - _ROUNDING_S) * FRAME_RATE_HZ)))
            shown = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            end_s = frame_s + float((frame.duration or 0) * (frame.time_base or 0))
    while shown is not None and tick / FRAME_RATE_HZ < end_s - _ROUNDING_S:
        yield tick, shown
        tick += 1


def _faces_on_clock(path: Path) -> dict[str, NDArray[np.generic]]:
    mouths, frame_index, landmarks, faces, face_index = [], [], [], [], []
    with FaceMesh(static_image_mode=False, max_num_faces=1, refine_landmarks=True) as mesh:
        for tick, picture in frames_on_clock(path):
            found = mesh.process(picture).multi_face_landmarks
            if not found:
                continue
            height, width = picture.shape[:2]
            points = np.array([(p.x * width, p.y * height) for p in found[0].landmark], np.float32)
            frame_index.append(tick)
            landmarks.append(points.astype(np.float16))
            mouths.append(align_mouth(picture, points))
            if tick % _FACE_STEP == 0:
                face_index.append(tick)
                faces.append(align_face(picture, points))
    return {
        "mouths": np.array(mouths, np.uint8).reshape(-1, MOUTH_CROP_PX, MOUTH_CROP_PX),
        "frame_index": np.array(frame_index, np.int64),
        "landmarks": np.array(landmarks, np.float16).reshape(-1, 478, 2),
        "faces": np.array(faces, np.uint8).reshape(-1, FACE_CROP_PX, FACE_CROP_PX, 3),
        "face_index": np.array(face_index, np.int64),
    }


def all_rows() -> list[Row]:
    """Every clip the recipes use: synchrony clips, then development rows, then test rows."""
    development, test = video_split()
    return [*read_rows("data/video/sync.csv"), *development, *test]


def main() -> None:
    """Prepare every clip that is not on disk yet."""
    torch.set_num_threads(1)
    rows = all_rows()
    for number, row in enumerate(rows, start=1):
        if not cache_path(row["file"]).is_file():
            prepare_clip(row["file"])
        if number % 50 == 0:
            print(f"{number} of {len(rows)} clips", flush=True)


if __name__ == "__main__":
    main()
