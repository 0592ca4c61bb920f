"""JPEG double compression: a photograph that was opened, changed and saved again keeps a trace.

An earlier coding on the same grid shows in the histograms of DCT coefficients (Popescu & Farid
2004; the comparison of both models block by block follows Bianchi & Piva 2012), one on another grid
(a picture that was cropped) in coefficients that keep to multiples there. A region that lacks
the trace of its surround was pasted in. Every editor and messenger leaves the same traces.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import (
    ClipFacts,
    Cue,
    CueFigure,
    CuePicture,
    CueTools,
    Measurement,
    Medium,
    Outputs,
)
from avdetect.cues.faces import fresh_pictures
from avdetect.cues.jpeg_history import (
    ZIGZAG,
    AlignedHistory,
    ShiftedHistory,
    aligned_history,
    second_steps,
    shifted_history,
)
from avdetect.cues.jpeg_tables import near_quality
from avdetect.cues.regions import heat, view
from avdetect.observation import Observation

SMALLEST_PX = 128
ALIGNED_GAIN = 0.15  # natural-log units a coefficient; single codings stay below 0.12
SHIFTED_PEAK = 7.0  # robust deviations; of 63 grids of a single coding the best reaches 4
_SMOOTH_BLOCKS = 5


class _DoubleCompression:
    def __init__(self, clip: ClipFacts) -> None:
        self._jpeg = clip.origin.jpeg
        self._is_still = clip.is_still
        self._aligned: AlignedHistory | None = None
        self._shifted: ShiftedHistory | None = None
        self._luma: NDArray[np.uint8] | None = None

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Read the history of a photograph; pictures of a video are passed over."""
        for picture in fresh_pictures(observation):
            if picture.native_luma is None:
                continue
            self._luma = picture.native_luma
            if min(self._luma.shape) >= SMALLEST_PX:
                table = self._jpeg.tables[0] if self._jpeg and self._jpeg.tables else None
                self._aligned = aligned_history(self._luma, second_steps(table))
                self._shifted = shifted_history(self._luma)

    def measurements(self) -> list[Measurement]:
        """Of the whole photograph; nothing of a video."""
        if not self._is_still:
            return []
        if self._luma is None or self._aligned is None or self._shifted is None:
            reason = f"the photograph is smaller than {SMALLEST_PX} px"
            return [Measurement(medium=Medium.STILL, missing=reason)]
        if not math.isfinite(self._aligned.gain):
            reason = "the photograph has too little detail for its coding to be read"
            return [Measurement(medium=Medium.STILL, missing=reason)]
        gain, peak = self._aligned.gain, self._shifted.peak
        return [
            Measurement(
                medium=Medium.STILL,
                features=(
                    math.log10(max(gain, 0.0) + 0.01),
                    math.log10(max(peak, 0.0) + 1.0),
                    float(smoothed(self._aligned.block_llr).std()),
                ),
                value=max(gain, 0.0),
                text=_told(self._aligned, self._shifted, self._jpeg is not None),
            )
        ]

    def figures(self) -> list[CueFigure]:
        """Where in the picture two codings explain the blocks better than one."""
        if self._luma is None or self._aligned is None:
            return []
        grey = np.repeat(self._luma[..., None], 3, axis=2)
        bright = max(ALIGNED_GAIN, float(np.quantile(smoothed(self._aligned.block_llr), 0.95)))
        pixels = heat(smoothed(self._aligned.block_llr), 0.0, bright, view(grey))
        caption = (
            "Bright: blocks that two JPEG codings explain better than one. A dark region in a "
            "bright picture was not coded with the rest; flat regions are dark, too."
        )
        return [CuePicture(pixels=pixels, caption=caption)]


def smoothed(block_llr: NDArray[np.float64]) -> NDArray[np.float64]:
    """(h, w) the map of blocks, each a mean with its neighbours."""
    side = (_SMOOTH_BLOCKS, _SMOOTH_BLOCKS)
    return np.asarray(cv2.blur(block_llr, side, borderType=cv2.BORDER_REFLECT), np.float64)


def _told(aligned: AlignedHistory, shifted: ShiftedHistory, is_jpeg: bool) -> str:
    again = "coded as JPEG more than once" if is_jpeg else "a JPEG before it was saved as it is now"
    if aligned.gain >= ALIGNED_GAIN:
        known = np.isfinite(aligned.gains)
        places = [place for place, is_known in zip(ZIGZAG, known, strict=True) if is_known]
        quality = near_quality([int(step) for step in aligned.steps[known]], places)
        return f"the picture was {again}, earlier at a quality of about {quality}, on one grid"
    if shifted.peak >= SHIFTED_PEAK:
        down, right = shifted.grid
        return f"the picture was {again}, earlier on a grid shifted by {right}, {down} px"
    return f"no trace that the picture was {again}"


def _start(clip: ClipFacts, tools: CueTools) -> _DoubleCompression:
    return _DoubleCompression(clip)


CUE = Cue(
    name="double_compression",
    title="JPEG double compression",
    measures="Traces of an earlier JPEG coding under the last one: the photograph was saved again.",
    reference="Popescu & Farid 2004; Bianchi & Piva 2012 (TIFS), double JPEG compression",
    unit="nats a coefficient",
    features=("log10_aligned_gain", "log10_shifted_peak", "block_spread"),
    truth=None,
    media=(Medium.STILL,),
    start=_start,
)
