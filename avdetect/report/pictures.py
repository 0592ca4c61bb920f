"""Pictures and sounds as data URIs, so that a page needs nothing beside itself."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.exhibits import MaskedFace
from avdetect.report.heat import with_heat
from avdetect.timebase import SAMPLE_RATE_HZ

_DYNAMIC_RANGE_DB = 80.0  # below this a spectrogram shows only noise
_SPECTROGRAM_PX = (1200, 200)


def jpeg_uri(picture: NDArray[np.uint8]) -> str:
    """A photograph as a data URI; ``picture`` is (H, W, 3) uint8 RGB."""
    bgr = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    return _image_uri(bgr, "jpeg", [cv2.IMWRITE_JPEG_QUALITY, 85])


def png_uri(picture: NDArray[np.uint8]) -> str:
    """A small drawing without loss; ``picture`` is (H, W) grey or (H, W, 3) BGR uint8."""
    return _image_uri(picture, "png", [])


def masked_face_uri(face: MaskedFace) -> str:
    """A face under the colours of its forgery map, as a data URI."""
    return jpeg_uri(with_heat(face.picture, face.forgery_map))


def spectrogram_uri(spectrogram: NDArray[np.float32]) -> str:
    """A spectrogram as a data URI, low frequencies at the bottom, loud is bright.

    Args:
        spectrogram: (F, N) float32 dB, row 0 = 0 Hz.
    """
    return _image_uri(cv2.applyColorMap(_grey(spectrogram), cv2.COLORMAP_MAGMA), "jpeg", [])


def banded_spectrogram_uri(spectrogram: NDArray[np.float32], edges_hz: Sequence[float]) -> str:
    """A spectrogram in grey on white, loud is dark: a ground that colours can be laid over.

    Args:
        spectrogram: (F, N) float32 dB, row 0 = 0 Hz, last row = ``edges_hz[-1]``.
        edges_hz: ascending; the bands between them are drawn equally high.
    """
    n_rows = _SPECTROGRAM_PX[1]
    place = np.arange(n_rows) / (n_rows - 1) * (len(edges_hz) - 1)
    hertz = np.interp(place, np.arange(len(edges_hz)), edges_hz)
    row = np.rint(hertz / edges_hz[-1] * (len(spectrogram) - 1)).astype(int)
    return _image_uri(255 - _grey(spectrogram[row]), "jpeg", [])


def _grey(spectrogram: NDArray[np.float32]) -> NDArray[np.uint8]:
    table = np.nan_to_num(spectrogram, neginf=-300.0, posinf=0.0)
    top_db = float(table.max())
    levels = np.clip((table - top_db) / _DYNAMIC_RANGE_DB + 1.0, 0.0, 1.0)
    grey = np.asarray(255 * levels[::-1], np.uint8)
    width, height = _SPECTROGRAM_PX
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def wav_uri(waveform: NDArray[np.float32]) -> str:
    """Sound as a data URI that browsers play; ``waveform`` is (S,) in [-1, 1] at 16 kHz."""
    samples = np.asarray(np.clip(waveform, -1.0, 1.0) * 32767.0, "<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE_HZ)
        sound.writeframes(samples.tobytes())
    return _data_uri("audio/wav", buffer.getvalue())


def _image_uri(bgr: object, kind: str, settings: list[int]) -> str:
    done, encoded = cv2.imencode(f".{kind}", np.asarray(bgr), settings)
    if not done:
        raise ValueError(f"a picture could not be encoded as {kind}")
    return _data_uri(f"image/{kind}", encoded.tobytes())


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
