"""Random but harmless changes of mouths and sound: what a camera, a codec or a room would do."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from avdetect.nn.sync_encoder import NET_CROP_PX
from recipes.lip_sync.windows import Window

# The lips run 61 .. 291 along the lower side and back along the upper one: mirrored, each side
# is read backwards. Outer and inner contour alike have 11 lower and 9 upper points.
_MIRROR = np.concatenate(
    [np.r_[base + np.arange(11)[::-1], base + 11 + np.arange(9)[::-1]] for base in (0, 20)]
)


def augment(window: Window, rng: np.random.Generator) -> Window:
    """A changed copy: mirrored, shifted, scaled, relit, blurred, compressed; sound with noise."""
    mouths, lips = window.mouths, window.lips
    if rng.random() < 0.5:
        vigour = np.float32(rng.uniform(0.5, 1.3))
        mouths, lips = (articulated(stream, vigour) for stream in (mouths, lips))
    mouths, lips = _move(mouths, lips, rng)
    return Window(
        mouths=_degrade(mouths, rng),
        lips=lips + rng.normal(0, 0.004, lips.shape).astype(np.float32),
        sound=_degrade_sound(window.sound, rng),
        heard=window.heard,
    )


def articulated(stream: NDArray[np.float32], vigour: np.float32) -> NDArray[np.float32]:
    """Movement about the mean, more or less of it: some people hardly open their mouths."""
    mean = stream.mean(0, keepdims=True)
    return np.asarray(mean + vigour * (stream - mean), np.float32)


def mirror(window: Window) -> Window:
    """The window as seen in a mirror; the sound stays."""
    lips = window.lips[:, _MIRROR] * np.array([-1.0, 1.0], np.float32)
    return Window(
        mouths=np.ascontiguousarray(window.mouths[:, :, ::-1]),
        lips=lips,
        sound=window.sound,
        heard=window.heard,
    )


def _move(
    mouths: NDArray[np.float32], lips: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    side_px = mouths.shape[-1]
    centre = side_px / 2
    scale, turn = rng.uniform(0.85, 1.2), rng.normal(0, 4.0)
    matrix = np.asarray(cv2.getRotationMatrix2D((centre, centre), turn, scale), np.float64)
    shift = rng.normal(0, 1.5, 2) * (side_px / NET_CROP_PX)
    matrix[:, 2] += shift
    moved = np.stack(
        [
            cv2.warpAffine(m, matrix, (side_px, side_px), borderMode=cv2.BORDER_REFLECT_101)
            for m in mouths
        ]
    )
    linear = matrix[:, :2].astype(np.float32)
    return np.asarray(moved, np.float32), lips @ linear.T + (shift / centre).astype(np.float32)


def _degrade(mouths: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    if rng.random() < 0.4:
        sigma = rng.uniform(0.3, 1.3) * (mouths.shape[-1] / NET_CROP_PX)
        mouths = np.stack([cv2.GaussianBlur(m, (0, 0), sigma) for m in mouths])
    mouths = np.clip(mouths, 0, 1) ** np.float32(np.exp(rng.normal(0, 0.25)))
    gain, lift = rng.uniform(0.6, 1.2), rng.uniform(-0.1, 0.15)
    mouths = np.clip(mouths * gain + lift, 0, 1)
    if rng.random() < 0.3:
        grain = rng.normal(0, rng.uniform(0.005, 0.03), mouths.shape)
        mouths = mouths + grain.astype(np.float32)
    if rng.random() < 0.4:
        mouths = _jpeg(mouths, int(rng.integers(25, 90)))
    return np.clip(mouths, 0, 1).astype(np.float32)


def _jpeg(mouths: NDArray[np.float32], quality: int) -> NDArray[np.float32]:
    strip = np.clip(np.hstack(list(mouths)) * 255, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    plain = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32) / 255
    return np.stack(np.hsplit(plain, len(mouths)))


def _degrade_sound(sound: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    level = float(np.sqrt(np.mean(sound**2))) + 1e-6
    if rng.random() < 0.25:
        sound = _in_a_room(sound, rng)
    if rng.random() < 0.6:
        noise_db = rng.uniform(8, 45)
        tilt = rng.uniform(0.0, 0.95)  # white to nearly brown
        noise = rng.normal(0, 1, len(sound)).astype(np.float32)
        noise = noise + tilt * np.concatenate([[0], noise[:-1]]).astype(np.float32)
        sound = sound + noise * np.float32(level * 10 ** (-noise_db / 20))
    return np.asarray(sound * np.float32(10 ** (rng.uniform(-12, 6) / 20)), np.float32)


def _in_a_room(sound: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    length = int(16_000 * rng.uniform(0.05, 0.25))
    tail = rng.normal(0, 1, length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= rng.uniform(0.1, 0.6) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    return np.asarray(fftconvolve(sound, tail)[: len(sound)], np.float32)
