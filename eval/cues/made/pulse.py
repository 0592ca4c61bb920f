"""Remote pulse on videos of a photograph whose skin beats at a known rate, through H.264."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avdetect.cues.base import ClipFacts, CueTools, Measurement
from avdetect.cues.pulse import CUE, LEAST_S
from avdetect.media.clip import open_clip
from avdetect.observe import observe

_PORTRAIT = Path(__file__).resolve().parents[3] / "samples" / "portrait_real.jpg"
_MOST_CASES = 12  # each is ten seconds of video that is made, encoded, decoded and searched
_NEAR_BPM = 5.0
_BLOOD = np.array([0.33, 0.77, 0.53]) / 0.77  # red, green, blue of a pulse (de Haan & van Leest)
_SIDE_PX = 320


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """How often the rate is within 5 beats a minute, and how far a still skin stays from it."""
    n = min(n, _MOST_CASES)
    errors, beating_db, still_db = [], [], []
    for case in range(n):
        rng = np.random.default_rng((seed, case))
        bpm = float(rng.uniform(50.0, 140.0))
        found = measured(bpm, rng, seconds=10.0)
        errors.append(np.inf if found.missing else abs((found.value or 0.0) - bpm))
        beating_db += [] if found.missing else [10.0 * found.features[0]]
        if case % 3 == 0:
            still = measured(0.0, rng, seconds=10.0)
            still_db += [] if still.missing else [10.0 * still.features[0]]
    near = sum(error <= _NEAR_BPM for error in errors)
    return [
        ("heart rate within 5 bpm after H.264 at CRF 18 to 23, 10 s", f"{near} of {n} videos"),
        ("median error", f"{float(np.median(errors)):.1f} bpm"),
        (
            "signal to noise, beating and still skin (medians)",
            f"{float(np.median(beating_db)):+.1f} dB, {float(np.median(still_db)):+.1f} dB",
        ),
    ]


def measured(
    bpm: float, rng: np.random.Generator, *, seconds: float = LEAST_S, fps: float = 25.0
) -> Measurement:
    """What the cue says of one made video, read as the engine reads any; 0 bpm is a mask."""
    with tempfile.TemporaryDirectory(prefix="avdetect-pulse-") as folder:
        path = pulsing_video(Path(folder) / "pulse.mp4", bpm, rng, seconds=seconds, fps=fps)
        reading = CUE.start(ClipFacts(), CueTools())
        with open_clip(str(path)) as clip:
            for observation in observe(clip):
                reading.add(observation, {})
    return reading.measurements()[0]


def pulsing_video(
    path: Path, bpm: float, rng: np.random.Generator, *, seconds: float, fps: float
) -> Path:
    """Write a silent H.264 video: a swaying head in uneven light, 0.5 to 1 % of pulse in its skin.

    Args:
        path: of an ``.mp4``.
        bpm: beats a minute; 0 for none.
        rng: light, movement, noise, depth of the pulse and the encoder's quality (CRF 18 to 23).
        seconds: length.
        fps: pictures a second.
    """
    still = _portrait()
    blood = _skin(still)[..., None] * _BLOOD * rng.uniform(0.005, 0.01)
    times_s = np.arange(round(seconds * fps)) / fps
    phase = 2 * np.pi * bpm / 60.0 * times_s + rng.uniform(0, 6)
    beat = np.zeros(len(times_s)) if bpm == 0.0 else np.cos(phase) + 0.3 * np.cos(2 * phase)
    light = 1.0 + 0.01 * np.sin(2 * np.pi * 0.3 * times_s + rng.uniform(0, 6))
    sway = np.cumsum(rng.normal(0.0, 0.15, (len(times_s), 2)), 0)
    options: dict[str, object] = {"crf": str(int(rng.integers(18, 24)))}
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.width, stream.height, stream.pix_fmt = _SIDE_PX, _SIDE_PX, "yuv420p"
        stream.options = options
        for strength, level, (x, y) in zip(beat, light, sway, strict=True):
            picture = _moved(still * (1.0 + strength * blood) * level, x, y)
            noisy = picture + rng.normal(0.0, 2.0, picture.shape)
            pixels = np.clip(noisy, 0, 255).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def _portrait() -> NDArray[np.float32]:
    """The sample photograph, (320, 320, 3) RGB, 0..255."""
    pixels = np.asarray(Image.open(_PORTRAIT).convert("RGB"))
    small = cv2.resize(pixels, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _skin(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) 0..1 where the photograph shows skin, by its chroma (Chai & Ngan 1999)."""
    red_chroma = cv2.cvtColor(picture / 255.0, cv2.COLOR_RGB2YCrCb)[..., 1]
    skin = ((red_chroma > 0.53) & (red_chroma < 0.70)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(skin, (0, 0), 3), np.float32)


def _moved(picture: NDArray[np.floating], x: float, y: float) -> NDArray[np.float32]:
    shift = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    moved = cv2.warpAffine(
        picture.astype(np.float32), shift, (_SIDE_PX, _SIDE_PX), borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(moved, np.float32)
