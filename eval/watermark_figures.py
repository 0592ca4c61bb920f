"""Real photographs marked as generators do, saved in several ways, and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.provenance.watermarks import KNOWN, find_watermarks
from eval.errors import ManifestError
from eval.shared_data import read_rows, shared_path

Picture = NDArray[np.uint8]

_SIDE_PX = 256  # of the photographs; four of them make a picture of the size that generators make


def watermark_table(n: int) -> Iterator[str]:
    """Lines of a Markdown table over ``n`` pictures of 512 px, four photographs each."""
    pictures = list(_montages(n))
    marked = {known.name: [_marked(p, known.message) for p in pictures] for known in KNOWN}
    yield f"| saved as | {' | '.join(marked)} | false alarms without a mark |"
    yield "| --- " * (len(marked) + 2) + "|"
    for title, save in _SAVINGS.items():
        cells = [f"{_n_read(group, name, save)}" for name, group in marked.items()]
        alarms = sum(bool(find_watermarks([save(picture)])) for picture in pictures)
        yield f"| {title} | {' | '.join(cells)} | {alarms} |"


def _n_read(marked: list[Picture], name: str, save: Callable[[Picture], Picture]) -> int:
    found = ({match.name for match in find_watermarks([save(picture)])} for picture in marked)
    return sum(name in names for names in found)


def _montages(n: int) -> Iterator[Picture]:
    root = shared_path("data/faces")
    files = [root / row["file"] for row in read_rows("data/faces/real.csv")]
    if len(files) < 4:
        raise ManifestError("too few photographs; check the data folder")
    step = max(1, len(files) // (4 * n))
    chosen = files[::step][: len(files) // step // 4 * 4]
    for start in range(0, min(4 * n, len(chosen)), 4):
        four = [_photograph(path) for path in chosen[start : start + 4]]
        yield np.vstack([np.hstack(four[:2]), np.hstack(four[2:])])


def _photograph(path: Path) -> Picture:
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise ManifestError(f"{path}: cannot be read as a picture")
    return np.asarray(cv2.resize(bgr, (_SIDE_PX, _SIDE_PX))[..., ::-1], np.uint8)


def _marked(picture: Picture, message: str) -> Picture:
    from imwatermark import WatermarkEncoder

    encoder = WatermarkEncoder()
    encoder.set_watermark("bits", [int(bit) for bit in message])
    bgr = encoder.encode(np.ascontiguousarray(picture[..., ::-1]), "dwtDct")
    return np.asarray(bgr[..., ::-1], np.uint8)


def _jpeg(quality: int) -> Callable[[Picture], Picture]:
    def save(picture: Picture) -> Picture:
        bgr = np.ascontiguousarray(picture[..., ::-1])
        _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        read = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        return read[..., ::-1]

    return save


def _smaller(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, (448, 448), interpolation=cv2.INTER_AREA), np.uint8)


_SAVINGS: dict[str, Callable[[Picture], Picture]] = {
    "PNG": lambda picture: picture,
    "JPEG 98": _jpeg(98),
    "JPEG 95": _jpeg(95),
    "JPEG 85": _jpeg(85),
    "448 px": _smaller,
}
