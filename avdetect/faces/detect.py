"""Face finder: mediapipe's two detectors propose boxes, its face mesh confirms and measures.

The short-range detector (BlazeFace) sees faces that fill the picture, the full-range one those of a
few per cent of its width; neither sees both. The mesh runs on a crop around each box, so that small
faces get the same 478 points as large ones. It takes every face for an upright one, and lays itself
upside down over a face that is not; so the crop of a face that lies or hangs is turned first.
Everything here is stateless from picture to picture.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.native_noise import quiet_native_import

with quiet_native_import():
    from mediapipe.python.solutions.face_detection import FaceDetection
    from mediapipe.python.solutions.face_mesh import FaceMesh

# mediapipe 0.10 calls a protobuf function that warns at every first result; nothing for a user.
warnings.filterwarnings("ignore", message="SymbolDatabase.GetPrototype", category=UserWarning)

_DETECT_SIDE_PX = 640  # the detectors resize to 128 and 192 px; a larger input only costs time
_MESH_SIDE_PX = 384  # the mesh resizes to 192 px; shrinking huge crops first avoids aliasing
_CROP_MARGIN = 2.0  # crop side over box side: the mesh's own detector wants surround
_SAME_FACE_IOU = 0.3
_WIDE = 1.15  # longer over shorter side from which a picture is looked at in square tiles
_SMALLEST_TILE_PX = 160
_MOST_TILES = 5
_TURN_SIDE_PX = 256
# By how much a turned face must look more like one: no upright photograph was seen to reach it.
_TURN_GAIN, _TURN_CONFIDENCE = 0.07, 0.75
_SMALLEST_CROP_PX = 8
_NOSE_TIP, _LEFT_CHEEK, _RIGHT_CHEEK = 1, 234, 454

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FaceMeasure:
    """One face in one picture.

    Attributes:
        box: left, top, right, bottom in picture pixels, tight around the mesh.
        landmarks: (478, 2) float32 x, y in picture pixels.
        yaw_deg: head turn from the mesh's depth, 0 frontal, positive to the face's own left. The
            mesh is flat: it reads 40 to 58 of a near profile, and seldom more.
        quarter_turns: counter-clockwise, by which the picture was turned to measure it.
    """

    box: Box
    landmarks: NDArray[np.float32]
    yaw_deg: float
    quarter_turns: int = 0

    @property
    def size_px(self) -> float:
        """Longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


class FaceFinder:
    """Detectors and mesh of one scan; not shared between threads. Use as a context manager."""

    def __init__(self, min_confidence: float = 0.5) -> None:
        self._detectors = [
            FaceDetection(model_selection=kind, min_detection_confidence=min_confidence)
            for kind in (0, 1)
        ]
        self._mesh = FaceMesh(
            static_image_mode=True,
            max_num_faces=1,
            refine_landmarks=True,
            min_detection_confidence=min_confidence,
        )

    def __enter__(self) -> FaceFinder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the native graphs."""
        for graph in (*self._detectors, self._mesh):
            graph.close()

    def propose(self, picture: NDArray[np.uint8], *, thorough: bool = False) -> list[Box]:
        """Boxes of possible faces, largest first.

        Args:
            picture: (H, W, 3) uint8 RGB.
            thorough: look at half the scale, too, for crowds; several times as slow.

        Returns:
            Boxes in picture pixels, without doubles.
        """
        short_range, full_range = self._detectors
        found = _detect(short_range, picture, 0, 0)
        for left, top, tile in _square_tiles(picture):
            found += _detect(full_range, tile, left, top)
        if thorough and min(picture.shape[:2]) >= 2 * _SMALLEST_TILE_PX:
            for left, top, tile in _half_scale_tiles(picture):
                found += _detect(full_range, tile, left, top)
        boxes: list[Box] = []
        for candidate in sorted(found, key=_area, reverse=True):
            if all(iou(candidate, other) < _SAME_FACE_IOU for other in boxes):
                boxes.append(candidate)
        return boxes

    def propose_turned(self, picture: NDArray[np.uint8]) -> list[Box]:
        """Boxes of faces that lie or hang, which `propose` may miss; three times as slow."""
        boxes: list[Box] = []
        for turns in (2, 1, 3):
            turned = np.ascontiguousarray(np.rot90(picture, turns))
            for left, top, right, bottom in self.propose(turned):
                corners = np.array([[left, top], [right, bottom]], np.float32)
                sides = turned.shape[1], turned.shape[0]
                low, high = np.sort(_turned_back(corners, turns, *sides), axis=0)
                box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
                if self.upright(picture, box) == turns:
                    boxes.append(box)
        return boxes

    def upright(self, picture: NDArray[np.uint8], box: Box) -> int:
        """Quarter turns, counter-clockwise, of a picture that stand the face at ``box`` upright."""
        crop, _, _ = _square_crop(picture, box)
        if min(crop.shape[:2]) < _SMALLEST_CROP_PX:
            return 0
        crop = _resize(crop, min(1.0, _TURN_SIDE_PX / max(crop.shape[:2])))
        likeness = [self._likeness(np.rot90(crop, turns)) for turns in range(4)]
        best = int(np.argmax(likeness))
        surely = likeness[best] > max(_TURN_CONFIDENCE, likeness[0] + _TURN_GAIN)
        return best if surely else 0

    def _likeness(self, crop: NDArray[np.uint8]) -> float:
        """Confidence of the short-range detector, which knows upright faces; 0 for none."""
        found = self._detectors[0].process(np.ascontiguousarray(crop)).detections or ()
        return max((float(each.score[0]) for each in found), default=0.0)

    def measure(
        self, picture: NDArray[np.uint8], box: Box, quarter_turns: int = 0
    ) -> FaceMeasure | None:
        """Mesh of the face at ``box``, or None where the mesh sees no face there.

        Args:
            picture: (H, W, 3) uint8 RGB.
            box: of the face, in its pixels.
            quarter_turns: that stand it upright, see `upright`.
        """
        crop, left, top = _square_crop(picture, box)
        if min(crop.shape[:2]) < _SMALLEST_CROP_PX:
            return None
        shrink = min(1.0, _MESH_SIDE_PX / max(crop.shape[:2]))
        turned = np.rot90(_resize(crop, shrink), quarter_turns)
        result = self._mesh.process(np.ascontiguousarray(turned))
        if not result.multi_face_landmarks:
            return None
        mesh = result.multi_face_landmarks[0].landmark
        height, width = np.rot90(crop, quarter_turns).shape[:2]
        points = np.array([(p.x * width, p.y * height, p.z * width) for p in mesh], np.float32)
        yaw_deg = _yaw_deg(points)
        landmarks = _turned_back(points[:, :2], quarter_turns, width, height)
        landmarks = landmarks + np.array([left, top], np.float32)
        low, high = landmarks[:468].min(0), landmarks[:468].max(0)
        box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        return FaceMeasure(box, landmarks, yaw_deg, quarter_turns)


def _detect(detector: FaceDetection, picture: NDArray[np.uint8], left: int, top: int) -> list[Box]:
    """Boxes in the coordinates of the whole picture, of which ``picture`` is a part."""
    height, width = picture.shape[:2]
    shrink = min(1.0, _DETECT_SIDE_PX / max(height, width))
    boxes = []
    for found in detector.process(_resize(picture, shrink)).detections or ():
        box = found.location_data.relative_bounding_box
        x, y = left + box.xmin * width, top + box.ymin * height
        boxes.append((x, y, x + box.width * width, y + box.height * height))
    return boxes


def _square_tiles(picture: NDArray[np.uint8]) -> list[tuple[int, int, NDArray[np.uint8]]]:
    """Overlapping squares along the longer side: the detectors squeeze their input into a square.

    Without them a face of 60 px in a 1280 px wide picture reaches the network at 9 px.
    """
    height, width = picture.shape[:2]
    side, longer = min(height, width), max(height, width)
    if longer <= _WIDE * side or side < _SMALLEST_TILE_PX:
        return [(0, 0, picture)]
    count = min(math.ceil((longer - side) / (side / 2)) + 1, _MOST_TILES)
    starts = np.linspace(0, longer - side, count).round().astype(int).tolist()
    if width >= height:
        return [(s, 0, np.ascontiguousarray(picture[:, s : s + side])) for s in starts]
    return [(0, s, np.ascontiguousarray(picture[s : s + side])) for s in starts]


def _half_scale_tiles(
    picture: NDArray[np.uint8],
) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Squares of half the shorter side, overlapping by half."""
    height, width = picture.shape[:2]
    side = min(height, width) // 2
    for top in range(0, height - side + 1, side // 2):
        for left in range(0, width - side + 1, side // 2):
            yield left, top, np.ascontiguousarray(picture[top : top + side, left : left + side])


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (_area(a) + _area(b) - common)


def _yaw_deg(points: NDArray[np.float32]) -> float:
    """Turn of the cheek-to-cheek axis out of the picture plane."""
    axis = points[_RIGHT_CHEEK] - points[_LEFT_CHEEK]
    return math.degrees(math.atan2(float(axis[2]), max(float(np.hypot(axis[0], axis[1])), 1e-6)))


def _turned_back(
    points: NDArray[np.float32], quarter_turns: int, width: int, height: int
) -> NDArray[np.float32]:
    """(N, 2) points of a picture turned counter-clockwise to width x height, in the unturned."""
    x, y = points[:, 0], points[:, 1]
    before = [(x, y), (height - y, x), (width - x, height - y), (y, width - x)]
    return np.stack(before[quarter_turns % 4], 1)


def _square_crop(picture: NDArray[np.uint8], box: Box) -> tuple[NDArray[np.uint8], int, int]:
    height, width = picture.shape[:2]
    half = _CROP_MARGIN * max(box[2] - box[0], box[3] - box[1]) / 2
    centre_x, centre_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top = max(0, int(centre_x - half)), max(0, int(centre_y - half))
    right, bottom = min(width, int(centre_x + half)), min(height, int(centre_y + half))
    return picture[top : max(bottom, top), left : max(right, left)], left, top


def _resize(picture: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    if factor == 1.0:
        return picture
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
