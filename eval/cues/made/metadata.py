"""How often the rules on metadata fire on files of which it is known how they were made."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from avdetect.cues.metadata import CUE
from avdetect.cues.metadata_rules import Kind
from eval.cues.made.portraits import Picture, measured_file, portraits

_MAKE, _MODEL, _SOFTWARE = 271, 272, 305
_CAMERA = {_MAKE: "Canon", _MODEL: "Canon EOS 5D"}


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """How many of ``n`` files of each kind meet a rule of the kind expected."""
    rng = np.random.default_rng(seed)
    pictures = [each.picture for each in portraits(n, rng)]
    rows = []
    for name, kind, write in (
        ("a camera's own tables and name: no contradiction", None, _camera),
        ("a camera's name on the tables of an editor", Kind.CONTRADICTION, _resaved),
        ("an editor's name", Kind.EDITOR, _named("Adobe Photoshop 25.0 (Windows)")),
        ("a generator's name", Kind.GENERATOR, _named("Stable Diffusion XL 1.0")),
    ):
        met = [_strengths(write(picture, rng)) for picture in pictures]
        if kind is None:
            count = sum(1 for strengths in met if not any(strengths.values()))
        else:
            count = sum(1 for strengths in met if strengths[kind] > 0)
        rows.append((name, f"{count} of {n}"))
    return rows


def _strengths(blob: bytes) -> dict[Kind, float]:
    return dict(zip(Kind, measured_file(CUE, blob).features, strict=True))


def _camera(picture: Picture, rng: np.random.Generator) -> bytes:
    """Tables that no quality of the common library gives, as each maker has its own."""
    steps = np.sort(rng.integers(2, 30, (2, 64)), axis=1)
    return _written(picture, _CAMERA, qtables=[table.tolist() for table in steps])


def _resaved(picture: Picture, rng: np.random.Generator) -> bytes:
    return _written(picture, _CAMERA, quality=int(rng.integers(60, 98)))


def _named(software: str) -> Callable[[Picture, np.random.Generator], bytes]:
    def write(picture: Picture, rng: np.random.Generator) -> bytes:
        return _written(picture, {_SOFTWARE: software}, quality=int(rng.integers(60, 98)))

    return write


def _written(picture: Picture, tags: dict[int, str], **options: object) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        exif[tag] = value
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", exif=exif, **options)
    return out.getvalue()
