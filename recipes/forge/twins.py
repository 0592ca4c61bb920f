"""A stream of twins for training: real crop, forged crop, mask, after one and the same channel."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.faces.align import align_face, face_transform
from avdetect.observation import FACE_CROP_PX
from recipes.datasets.face_folds import fold
from recipes.datasets.faces import Faces, load_faces, person
from recipes.forge.face_masks import Mask
from recipes.forge.face_swap import load_swapped
from recipes.forge.faces import Face, Material, Twins, forge
from recipes.forge.picture_channel import apply_channel, draw_channel, draw_light_channel
from recipes.forge.poor_past import PoorPast, apply_past, draw_past
from recipes.forge.resynthesis import DECODERS, GROUPS, load_redrawn
from recipes.forge.retouching import Picture

_SWAPPED = "swapped"  # the one kind that only some pictures can be forged by


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinCrops:
    """Aligned twins.

    Attributes:
        real, fake: (224, 224, 3) uint8 RGB.
        mask: (224, 224) float32 in [0, 1], what was changed in ``fake``.
        kind: forgery kind.
        group, index: the picture they were made from.
    """

    real: NDArray[np.uint8]
    fake: NDArray[np.uint8]
    mask: NDArray[np.float32]
    kind: str
    group: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedPicture:
    """Twins as the forger left them, with the mesh of the real one and where it came from.

    ``earlier`` is another moment of the same video, forged alike; None where pictures stand alone.
    """

    twins: Twins
    landmarks: NDArray[np.float32]
    group: str
    index: int
    earlier: Twins | None = None


class TwinSource:
    """Draws pictures of one fold, balanced over groups and sources, and forges them."""

    def __init__(
        self,
        kinds: Mapping[str, float],
        *,
        held_out: bool,
        poor_share: float = 0.0,
        moving_share: float = 0.0,
        light_share: float = 0.0,
    ) -> None:
        """Read the pictures.

        Args:
            kinds: of forgery, with how often each is drawn.
            held_out: the people kept for measuring, or the others.
            poor_share: of the pictures, given a `PoorPast` before they are forged.
            moving_share: of the pictures with another moment, coded as the frame after it.
            light_share: of the twins, whose channel costs little.
        """
        self._kinds, self._poor_share = list(kinds), poor_share
        self._moving_share, self._light_share = moving_share, light_share
        self._odds = np.array(list(kinds.values())) / sum(kinds.values())
        self._faces = {group: load_faces(group) for group in GROUPS}
        decoders = DECODERS if {"redrawn", "reenacted"} & kinds.keys() else ()
        self._redrawn = {g: [load_redrawn(g, decoder) for decoder in decoders] for g in GROUPS}
        self._swapped = {g: load_swapped(g) for g in GROUPS if _SWAPPED in kinds}
        self._pools = {
            (group, source): ids
            for group, faces in self._faces.items()
            for source, ids in _by_source(faces, fold(faces, held_out=held_out)).items()
        }
        if self._swapped and not any(
            self._swapped[group].known[ids].any() for (group, _), ids in self._pools.items()
        ):
            raise ValueError("nobody of this fold has a swapped face")
        # The root favours large sources without letting them drown the small ones.
        weights = np.sqrt([len(ids) for ids in self._pools.values()])
        self._pool_odds = weights / weights.sum()

    def draw(self, rng: np.random.Generator, kind: str | None = None) -> TwinCrops:
        """One pair of twins, of a given kind or one by chance."""
        pair = self.forge(rng, kind)
        light = self._light_share > 0.0 and rng.random() < self._light_share
        channel = (draw_light_channel if light else draw_channel)(rng)
        before: tuple[Picture | None, Picture | None] = (None, None)
        if pair.earlier is not None:
            channel = replace(channel, h264_predicted=True)
            before = pair.earlier.real, pair.earlier.fake
        points = _shake(pair.landmarks, rng)
        crops = [
            align_face(apply_channel(channel, picture, after), points)
            for picture, after in zip((pair.twins.real, pair.twins.fake), before, strict=True)
        ]
        mask = _align_mask(pair.twins.mask, points)
        turn = -1 if rng.random() < 0.5 else 1
        return TwinCrops(
            real=np.ascontiguousarray(crops[0][:, ::turn]),
            fake=np.ascontiguousarray(crops[1][:, ::turn]),
            mask=np.ascontiguousarray(mask[:, ::turn]),
            kind=pair.twins.kind,
            group=pair.group,
            index=pair.index,
        )

    def forge(self, rng: np.random.Generator, kind: str | None = None) -> ForgedPicture:
        """A picture by chance and its forgery, before any channel."""
        group, index = self._draw_picture(rng)
        kind = kind or str(rng.choice(self._kinds, p=self._odds))
        while kind == _SWAPPED and not self._swapped[group].known[index]:
            group, index = self._draw_picture(rng)
        material = self._material(group, index, kind, rng)
        moving = self._moving_share > 0.0 and rng.random() < self._moving_share
        if self._poor_share > 0.0 and rng.random() < self._poor_share:
            material = _with_past(
                material, draw_past(rng), redrawn_too=rng.random() < 0.5, moving=moving
            )
        before = _at_the_moment(material) if moving and kind != _SWAPPED else None
        alike = copy.deepcopy(rng)
        return ForgedPicture(
            twins=forge(kind, material, rng),
            earlier=None if before is None else forge(kind, before, alike),
            landmarks=self._faces[group].landmarks[index],
            group=group,
            index=index,
        )

    def stream(self, seed: int) -> Iterator[TwinCrops]:
        """Twins without end; the same seed gives the same stream."""
        rng = np.random.default_rng(seed)
        while True:
            yield self.draw(rng)

    def _draw_picture(self, rng: np.random.Generator) -> tuple[str, int]:
        group, source = list(self._pools)[rng.choice(len(self._pools), p=self._pool_odds)]
        return group, int(rng.choice(self._pools[group, source]))

    def _material(self, group: str, index: int, kind: str, rng: np.random.Generator) -> Material:
        faces = self._faces[group]
        siblings = np.flatnonzero(faces.clip == faces.clip[index])
        other = int(rng.choice(siblings))
        return Material(
            face=_face(faces, index),
            moment=_face(faces, other) if other != index else None,
            stranger=self._stranger(group, index, rng),
            redrawn=tuple(np.asarray(r[index]) for r in self._redrawn[group]),
            moment_redrawn=tuple(np.asarray(r[other]) for r in self._redrawn[group]),
            swapped=self._swapped[group].picture(faces, index) if kind == _SWAPPED else None,
        )

    def _stranger(self, group: str, index: int, rng: np.random.Generator) -> Face:
        """Of eight other people of the fold, the one whose pose fits best."""
        faces = self._faces[group]
        ids = np.concatenate([ids for (g, _), ids in self._pools.items() if g == group])
        shape, mine = _shape(faces.landmarks[index]), person(faces.rows[faces.clip[index]])
        chosen = [int(i) for i in rng.choice(ids, 8)]
        others = [
            i
            for i in chosen
            if i != index and (group == "photographs" or person(faces.rows[faces.clip[i]]) != mine)
        ] or chosen
        misfit = [float(np.abs(_shape(faces.landmarks[i]) - shape).sum()) for i in others]
        return _face(faces, others[int(np.argmin(misfit))])


def _align_mask(mask: Mask, landmarks: NDArray[np.float32]) -> Mask:
    """Carry a mask along with its picture, edge mirrored likewise."""
    aligned = cv2.warpAffine(
        mask,
        face_transform(landmarks),
        (FACE_CROP_PX, FACE_CROP_PX),
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(aligned, np.float32)


def _by_source(faces: Faces, ids: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    names = np.array([faces.rows[faces.clip[i]]["source_repo"] for i in ids])
    return {str(name): ids[names == name] for name in np.unique(names)}


def _face(faces: Faces, index: int) -> Face:
    return Face(picture=np.asarray(faces.pictures[index]), landmarks=faces.landmarks[index])


def _at_the_moment(material: Material) -> Material | None:
    """The same material of another moment of its video; None where none is known."""
    if material.moment is None:
        return None
    return replace(
        material,
        face=material.moment,
        moment=material.face,
        redrawn=material.moment_redrawn,
        moment_redrawn=material.redrawn,
        swapped=None,
    )


def _with_past(
    material: Material, past: PoorPast, *, redrawn_too: bool, moving: bool = False
) -> Material:
    """The same clip, recorded poorly; what was drawn anew from it comes out poor or clean.

    With ``moving`` it was recorded as a video in which its two moments follow each other.
    """

    def worse(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
        return tuple(apply_past(past, p) for p in pictures) if redrawn_too else pictures

    face, moment = material.face, material.moment

    def recorded(shown: Face, before: Face | None) -> Face:
        after = before.picture if before is not None and moving else None
        return replace(shown, picture=apply_past(past, shown.picture, after))

    return replace(
        material,
        face=recorded(face, moment),
        moment=moment and recorded(moment, face),
        redrawn=worse(material.redrawn),
        moment_redrawn=worse(material.moment_redrawn),
        swapped=None if material.swapped is None else worse((material.swapped,))[0],
    )


def _shape(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    transform = face_transform(landmarks)
    return np.asarray(landmarks[::12] @ transform[:, :2].T + transform[:, 2])


def _shake(landmarks: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """The mesh as another detector might have found it: shifted, scaled, turned a little."""
    centre, size = landmarks.mean(0), float(np.ptp(landmarks, 0).max())
    turn = rng.normal(0.0, 0.04)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = (landmarks - centre) @ matrix.T * rng.normal(1.0, 0.03) + centre
    return np.asarray(moved + rng.normal(0.0, 0.015 * size, 2), np.float32)
