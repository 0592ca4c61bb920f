"""Attacks on the face branch: one frame of each clip, on the crop the network reads."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.branches.visual_forgery import (
    LARGEST_YAW_DEG,
    SMALLEST_FACE_PX,
    VisualForgeryBranch,
    build_visual_forgery,
    load_networks,
)
from avdetect.calibration import Calibration
from avdetect.channels.picture_levels import PICTURE_LEVELS
from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError, InputError
from avdetect.faces.align import align_face, align_mouth
from avdetect.faces.detect import FaceFinder, FaceMeasure
from avdetect.media.clip import PictureFrame, open_clip
from avdetect.observation import FaceWindow, Observation
from avdetect.types import Segment
from eval.answers import PICTURE
from eval.attacks.black_box import random_search, squares
from eval.attacks.gradient import Ball, Score, fgsm, pgd
from eval.attacks.trial import Trial
from eval.manifest.row import ManifestRow

TARGET = "visual_forgery"
EPSILONS = (1, 2, 4)  # of 255
PGD_STEPS = 10
LAUNDERING = (
    "jpeg_50",
    "h264_crf_32",
    "resize_144p",
    "blur_1.5px",
    "sensor_noise_6",
    "social_network_picture",
)
_FRAME = 12  # on the 25 Hz clock: past a cut or fade at the start
_QUERY_EPSILON = 4

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceItem:
    """One frame with a face that the branch judges.

    Attributes:
        row: the clip.
        picture: (H, W, 3) uint8 RGB.
        face: where its largest face is.
        crop: (224, 224, 3) uint8 RGB.
    """

    row: ManifestRow
    picture: Picture
    face: FaceMeasure
    crop: Picture

    @property
    def is_fake(self) -> bool:
        """The truth of its picture."""
        return PICTURE.is_fake(self.row)

    @property
    def towards(self) -> int:
        """-1 to make a fake look real, +1 to make a real face look fake."""
        return -1 if self.is_fake else 1


class FaceJudge:
    """The branch as it ships, and its network with gradients."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        if checkpoint.calibration is None:
            raise CheckpointError(f"{checkpoint.card.name}: the branch lacks its calibration")
        self.calibration: Calibration = checkpoint.calibration
        self._branch: VisualForgeryBranch = build_visual_forgery(checkpoint, torch.device("cpu"))
        networks = load_networks(checkpoint)
        if networks.head is not None:
            raise CheckpointError(f"{checkpoint.card.name}: judges over time; attacked are frames")
        self._net = networks.frames.eval().requires_grad_(False)

    def score(self, faces: Tensor) -> Tensor:
        """(B, 3, 224, 224) in [0, 1] to (B,) raw scores of still pictures, with gradients."""
        score: Tensor = self._net(faces).score
        return score

    def llr(self, item: FaceItem, crop: Picture) -> float:
        """What the branch says of a crop, through its own door, as a calibrated LLR."""
        (outputs,) = self._branch.run([_observe(item.face, crop)])
        score = self._branch.pool(outputs[0].part, outputs).score
        if score is None:
            raise InputError(f"{item.row.id}: the branch gave no score")
        return self.calibration.fake_llr(score)


def read_faces(rows: Sequence[ManifestRow], root: Path) -> Iterator[FaceItem]:
    """One item per clip whose frame shows a face that can be judged; others are left out."""
    with FaceFinder() as finder:
        for row in rows:
            picture = _frame(root / row.path)
            face = None if picture is None else find_face(finder, picture)
            if picture is not None and face is not None:
                crop = align_face(picture, face.landmarks)
                yield FaceItem(row=row, picture=picture, face=face, crop=crop)


def find_face(finder: FaceFinder, picture: Picture) -> FaceMeasure | None:
    """The largest face that the branch would judge."""
    for box in finder.propose(picture):
        face = finder.measure(picture, box)
        if face is not None and face.size_px >= SMALLEST_FACE_PX:
            return face if abs(face.yaw_deg) <= LARGEST_YAW_DEG else None
    return None


def attack_faces(
    items: Sequence[FaceItem], judge: FaceJudge, n_queries: int, seed: int = 0
) -> Iterator[Trial]:
    """Every attack on every item."""
    for item in items:
        before = judge.llr(item, item.crop)
        for name, kind, attacked in _crops(item, judge, n_queries, seed):
            yield _trial(item, name, kind, before, judge.llr(item, attacked))
    with FaceFinder() as finder:
        for item in items:
            before = judge.llr(item, item.crop)
            for name in LAUNDERING:
                after = laundered_llr(item, name, judge, finder, seed)
                yield _trial(item, name, "laundering", before, after)


def white_box_crop(
    score: Score,
    crop: Picture,
    towards: int,
    attack: str,
    epsilon: int,
    chance: torch.Generator,
) -> Picture:
    """A crop attacked by ``fgsm`` or ``pgd``, in whole 8-bit steps of at most ``epsilon``."""
    inputs = torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255.0
    ball = Ball(epsilon=epsilon / 255.0)
    wanted = torch.tensor([float(towards)])
    attacked = (
        fgsm(score, inputs, wanted, ball)
        if attack == "fgsm"
        else pgd(score, inputs, wanted, ball, PGD_STEPS, chance)
    )
    return np.asarray((attacked[0].permute(1, 2, 0).numpy() * 255.0).round(), np.uint8)


def laundered_llr(
    item: FaceItem, level: str, judge: FaceJudge, finder: FaceFinder, seed: int
) -> float | None:
    """What the branch says after a real channel, the face found anew; None where it is lost."""
    step = PICTURE_LEVELS[level].picture
    assert step is not None
    rng = np.random.default_rng([seed, zlib.crc32(item.row.id.encode())])
    picture = np.ascontiguousarray(step(item.picture[None], rng)[0])
    face = find_face(finder, picture)
    if face is None:
        return None
    crop = align_face(picture, face.landmarks)
    moved = FaceItem(row=item.row, picture=picture, face=face, crop=crop)
    return judge.llr(moved, crop)


def _crops(
    item: FaceItem, judge: FaceJudge, n_queries: int, seed: int
) -> Iterator[tuple[str, str, Picture]]:
    chance = torch.Generator().manual_seed(seed)
    for attack in ("fgsm", "pgd"):
        for epsilon in EPSILONS:
            attacked = white_box_crop(judge.score, item.crop, item.towards, attack, epsilon, chance)
            yield f"{attack} {epsilon}/255", "white box", attacked
    original = np.asarray(item.crop / 255.0, np.float32)
    found = random_search(
        lambda crop: judge.llr(item, _whole(crop)),
        original,
        item.towards,
        squares(original, _QUERY_EPSILON / 255.0),
        n_queries,
        np.random.default_rng([seed, zlib.crc32(item.row.id.encode())]),
    )
    yield f"{n_queries} queries {_QUERY_EPSILON}/255", "black box", _whole(found.attacked)


def _whole(crop: NDArray[np.float32]) -> Picture:
    return np.asarray(np.rint(crop * 255.0), np.uint8)


def _trial(item: FaceItem, attack: str, kind: str, before: float, after: float | None) -> Trial:
    return Trial(
        target=TARGET,
        attack=attack,
        kind=kind,
        id=item.row.id,
        person=item.row.identity or item.row.source or item.row.id,
        is_fake=item.is_fake,
        before=before,
        after=after,
    )


def _observe(face: FaceMeasure, crop: Picture) -> Observation:
    """A still picture of one face, as the engine would observe it."""
    window = FaceWindow(
        track=0,
        shot=0,
        frame_index=np.zeros(1, np.int64),
        frame_s=np.zeros(1),
        faces=crop[None],
        mouths=align_mouth(crop, face.landmarks)[None],
        boxes=np.array([face.box], np.float32),
        landmarks=face.landmarks[None],
        size_px=face.size_px,
        yaw_deg=face.yaw_deg,
    )
    moment = Segment(0.0, 0.04)
    return Observation(segment=moment, fresh=moment, faces=(window,), is_still=True)


def _frame(path: Path) -> Picture | None:
    """The frame half a second into a clip, or its last one before that; None without any."""
    try:
        with open_clip(path) as clip:
            frames = (c for c in clip.chunks() if isinstance(c, PictureFrame))
            shown = [frame.picture for frame in islice(frames, _FRAME + 1)]
    except InputError:
        return None
    return shown[-1] if shown else None
