"""A photograph from file to shielded file: upright, every face found, PNG or JPEG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.defence.face_shield import Progress, ShieldedPicture, compose, find_changes
from avdetect.defence.targets import write_whole
from avdetect.errors import InputError, OutputError, UnreadableMediaError
from avdetect.faces.detect import Box, FaceFinder, iou
from avdetect.nn.identity_encoder import IdentityEncoder

SMALLEST_FACE_PX = 48.0  # below, a swapper has nothing to take either
_FIND_PX = 1920  # longer side at which faces are looked for
_JPEG_QUALITY = 98
_SAME_FACE_IOU = 0.3

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFaces:
    """Faces of one picture.

    Attributes:
        landmarks: (478, 2) mesh points of each face large enough.
        n_small: faces that are too small.
    """

    landmarks: tuple[NDArray[np.float32], ...]
    n_small: int


def read_photograph(path: Path) -> Picture:
    """A photograph of any size, upright, as (H, W, 3) uint8 RGB.

    Raises:
        UnreadableMediaError: it cannot be decoded.
        InputError: it has transparency or more than 8 bits, which would be lost without a word.
    """
    blob = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        stored = cv2.imdecode(blob, cv2.IMREAD_UNCHANGED)
        upright = cv2.imdecode(blob, cv2.IMREAD_COLOR)  # turned as its EXIF data says
    except cv2.error:
        stored = upright = None
    if stored is None or upright is None:
        raise UnreadableMediaError(
            f"{path}: cannot be decoded as a photograph; save it as JPEG or PNG"
        )
    if stored.dtype != np.uint8:
        raise InputError(f"{path}: has more than 8 bits a colour; save it with 8 bits")
    if stored.ndim == 3 and stored.shape[2] == 4 and stored[..., 3].min() < 255:
        raise InputError(f"{path}: has transparent parts; save it without them")
    return np.ascontiguousarray(upright[..., ::-1].astype(np.uint8, copy=False))


def find_faces(picture: Picture) -> FoundFaces:
    """All faces of a picture, by the engine's own finder."""
    height, width = picture.shape[:2]
    shrink = min(1.0, _FIND_PX / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if shrink < 1.0 else picture
    seen = np.ascontiguousarray(small, np.uint8)
    landmarks: list[NDArray[np.float32]] = []
    boxes: list[Box] = []
    n_small = 0
    with FaceFinder() as finder:
        for box in finder.propose(seen, thorough=True):
            found = finder.measure(seen, box, finder.upright(seen, box))
            if found is None or any(iou(found.box, box) > _SAME_FACE_IOU for box in boxes):
                continue
            boxes.append(found.box)
            if found.size_px / shrink < SMALLEST_FACE_PX:
                n_small += 1
            else:
                landmarks.append(np.asarray(found.landmarks / np.float32(shrink), np.float32))
    return FoundFaces(landmarks=tuple(landmarks), n_small=n_small)


def shield_photograph(
    path: Path,
    target: Path,
    encoders: Sequence[IdentityEncoder],
    *,
    least_psnr_db: float,
    progress: Progress | None = None,
) -> ShieldedPicture:
    """Shield every face of a photograph and write it.

    Args:
        path: JPEG, PNG, WebP, BMP or TIFF; its EXIF orientation is followed, other metadata is
            left behind.
        target: ``.png``, without loss, or ``.jpg``; checked before by `check_target`.
        encoders: what to shield from.
        least_psnr_db: neither the picture nor the square of any face falls below it, in the file
            as written.
        progress: called with steps done and steps in all.

    Returns:
        What was written, with its decibels as the file decodes.

    Raises:
        InputError: no face, or none large enough, or a picture that cannot be used.
        OutputError: it cannot be written, or JPEG alone costs more than the bound allows.
    """
    picture = read_photograph(path)
    faces = find_faces(picture)
    if not faces.landmarks:
        small = f" of {SMALLEST_FACE_PX:.0f} px or more ({faces.n_small} smaller)"
        raise InputError(f"{path}: no face{small if faces.n_small else ''} to shield in it")
    changes = find_changes(
        picture, faces.landmarks, encoders, least_psnr_db=least_psnr_db, progress=progress
    )
    if not changes:
        raise InputError(f"{path}: no face within the picture to shield")
    shielded = compose(
        picture, changes, least_psnr_db, lambda shown: _decoded(_encoded(shown, target))
    )
    if shielded is None:
        raise OutputError(
            f"{target}: JPEG alone takes the picture below {least_psnr_db:g} dB; write a PNG"
        )
    blob = _encoded(shielded.picture, target)
    write_whole(target, lambda part: _write_bytes(part, blob))
    return shielded


def _encoded(picture: Picture, target: Path) -> bytes:
    suffix = ".png" if target.suffix.lower() == ".png" else ".jpg"
    options = (
        []
        if suffix == ".png"
        else [
            cv2.IMWRITE_JPEG_QUALITY,
            _JPEG_QUALITY,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ]
    )
    done, blob = cv2.imencode(suffix, picture[..., ::-1], options)
    if not done:
        raise OutputError(f"{target}: cannot be encoded; choose another format")
    return bytes(blob)


def _decoded(blob: bytes) -> Picture:
    decoded = cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.asarray(decoded, np.uint8)[..., ::-1])


def _write_bytes(path: Path, blob: bytes) -> None:
    path.write_bytes(blob)
