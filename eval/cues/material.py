"""Which clips a cue is measured on, and how each is made alike before a cue sees it.

Metadata alone separates the classes of the data folder, so nothing but content may differ: videos
are cut to their first seconds, photographs and generated pictures are brought to one size and one
JPEG quality, and small tiles, which are all generated, are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avdetect.cues.base import Cue, Medium, Truth
from avdetect.types import Segment
from eval.cut import cut
from eval.datasets.read import protocol_rows
from eval.manifest.folds import assign_folds, is_train_only
from eval.manifest.row import ManifestRow
from eval.protocol import read_protocol
from eval.run.files import clean_file

PROTOCOLS = {Medium.SOUND: "voice", Medium.VIDEO: "video", Medium.STILL: "faces"}
LONGEST_S = 8.0  # of a video: what a cue sees must not tell how long the clip is
STILL_PX, STILL_QUALITY = 192, 90
_SMALLEST_STILL_PX = 200
# The protocol's folds of pictures hold one class each; held out alone, such a fold shifts the fit
# against itself and even shuffled labels score below chance. These hold both classes, and no source
# or generator stands in two.
_STILL_FOLDS = {
    "serengil/deepface": "a",
    "tharunnayak14/Real-vs-Fake-Face-Detection": "a",
    "junguler/TPDNE_example_images": "a",
    "podgorskiy/ALAE": "b",
    "ucsd-ml-arts/generative-visual-parker-visual": "b",
    "Rishank17/Text-to-Facial-Attribute-Image-Synthesis": "b",
    "emanuelebeozzo/stylegan3-perceptual-test": "c",
    "faker-js/assets-person-portrait": "c",
    "ZhuoxuanZhangHarry/AgeGAN-FaceEvolution": "c",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One clip that a cue is measured on.

    Attributes:
        row: of the manifest.
        medium: what is measured on it.
        fold: sources that are held out together.
        group: speaker, identity or source, by which intervals are drawn.
    """

    row: ManifestRow
    medium: Medium
    fold: str
    group: str

    def label(self, truth: Truth) -> str:
        """``real``, ``fake`` or empty where that truth is not known."""
        return self.row.audio_label if truth is Truth.AUDIO else self.row.video_label


def samples(medium: Medium, root: Path) -> list[Sample]:
    """Every clip of a medium, by the protocol that cuts it into folds by source."""
    protocol = read_protocol(PROTOCOLS[medium])
    rows = assign_folds(protocol_rows(protocol, root), protocol)
    measured = {fold for folds in protocol.sets.values() for fold in folds}
    kept = [row for row in rows if row.fold in measured and not is_train_only(row, protocol)]
    if medium is Medium.STILL:
        kept = [row for row in kept if _side_px(root / row.path) >= _SMALLEST_STILL_PX]
    return [
        Sample(row=row, medium=medium, fold=_fold(row, medium), group=row.person) for row in kept
    ]


def measured_cues(cues: Iterable[Cue], medium: Medium) -> list[Cue]:
    """Those that can be measured on a medium of the data folder."""
    return [cue for cue in cues if medium in cue.media and cue.truth is not None]


def made_alike(sample: Sample, root: Path, folder: Path) -> Path:
    """The file to measure, written into ``folder`` where it must differ from the original.

    Raises:
        OSError, ValueError, IndexError: it is not there or cannot be decoded.
    """
    row = sample.row
    if sample.medium is Medium.STILL:
        return _equalised(root / row.path, folder / "still.jpg")
    path = clean_file(row, root, folder)
    if sample.medium is Medium.VIDEO and (row.duration_s or LONGEST_S + 1) > LONGEST_S:
        return cut(path, Segment(0.0, LONGEST_S), folder / "cut.mkv")
    return path


def _fold(row: ManifestRow, medium: Medium) -> str:
    return _STILL_FOLDS[row.source] if medium is Medium.STILL else row.fold


def _side_px(path: Path) -> int:
    with Image.open(path) as picture:
        width, height = picture.size
    return int(min(width, height))


def _equalised(path: Path, out: Path) -> Path:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = STILL_PX / min(picture.size)
    size = tuple(max(STILL_PX, round(side * scale)) for side in picture.size)
    small = picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    small.save(out, quality=STILL_QUALITY, subsampling=0)
    return out


def equal_weights(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) weights that give both classes half of the say; labels are 1 for fake."""
    fake = labels == 1
    shares = np.where(fake, 0.5 / max(1, fake.sum()), 0.5 / max(1, (~fake).sum()))
    return np.asarray(shares, np.float64)
