"""Remote pulse: blood colours the whole face at one beat; a forged face has none, or many.

Wang et al., "Algorithmic Principles of Remote PPG" (2017), plane orthogonal to skin (POS), on
patches of skin; Ciftci, Demir & Yin, "FakeCatcher" (2020): what tells a forgery is less the rate
than that the patches do not agree on it. The quality of a pulse is de Haan & Jeanne's (2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from avdetect.cues.base import Cue, CueCurve, Measurement, Medium, Truth
from avdetect.cues.face_series import (
    FaceSeries,
    Piece,
    Series,
    SeriesRecipe,
    absent,
)
from avdetect.cues.skin import N_PATCHES, patch_colours
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part

LEAST_S = 6.0  # below, beats ten a minute apart cannot be told from each other
HUMAN_BPM = (42.0, 180.0)

_POS_S = 1.6  # of a projection: one beat at least (Wang et al. 2017)
_LONG_S = (12.0, 4.0)  # windows of a spectrum and their hop
_SHORT_S = (5.0, 1.0)  # the same, to see whether the beat stays where it is
_N_FFT = 2048  # 0.73 beats a minute a bin
_NEAR_HZ = 0.12  # of the pulse and its second harmonic, as half width
_SAME_BPM = 6.0
_DARKEST = 25.0  # 8-bit: below, the codec leaves no colour to read
_FAINTEST = 1.0  # 8-bit step: a primary below it is cut off, as blue is in deep orange light
_STILLEST = 1e-3  # of an 8-bit step: skin that changes less over seconds is a picture shown still
_BAND = butter(3, [bpm / 60.0 for bpm in HUMAN_BPM], "bandpass", fs=FRAME_RATE_HZ, output="sos")

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What the spectra of a face's patches say.

    Attributes:
        bpm: (B,) beats a minute of the bins.
        spectrum: (B,) power of the mean over the patches, averaged over windows, sum 1.
        rate_bpm: its peak.
        snr_db: power at the peak and its second harmonic against the rest (de Haan & Jeanne).
        coherence: 0..1 how far the patches share one phase at the peak (1: all beat together).
        coherence_elsewhere: the same over the rest of the band: light and movement are shared, too.
        agreeing: share of patches whose own peak lies within 6 beats a minute.
        drift_bpm: mean distance of the peak of every five seconds from the whole clip's.
    """

    bpm: Array
    spectrum: Array
    rate_bpm: float
    snr_db: float
    coherence: float
    coherence_elsewhere: float
    agreeing: float
    drift_bpm: float


def pulse_signal(colours: Array) -> Array:
    """Plane orthogonal to skin: (N, P, 3) colours of P patches to (N, P) pulse, band-passed.

    Args:
        colours: mean RGB at 25 Hz, above 0, N at least `LEAST_S` long.
    """
    span = round(_POS_S * FRAME_RATE_HZ)
    windows = np.lib.stride_tricks.sliding_window_view(colours, span, axis=0)  # (W, P, 3, span)
    normal = windows / np.maximum(windows.mean(3, keepdims=True), 1e-3) - 1.0
    red, green, blue = normal[:, :, 0], normal[:, :, 1], normal[:, :, 2]
    across, along = green - blue, green + blue - 2.0 * red
    ratio = across.std(2) / np.maximum(along.std(2), 1e-9)
    pieces = across + ratio[..., None] * along
    pieces -= pieces.mean(2, keepdims=True)
    summed = np.zeros(colours.shape[:2])
    for shift in range(span):
        summed[shift : shift + len(pieces)] += pieces[:, :, shift]
    return np.asarray(sosfiltfilt(_BAND, summed, axis=0))


def read_pulse(pieces: list[Piece]) -> Pulse:
    """The pulse of one face from its unbroken pieces of `LEAST_S` or more."""
    signals = [pulse_signal(_colours(piece)) for piece in pieces]
    spectra = np.concatenate([_spectra(signal, _LONG_S) for signal in signals])
    short = np.concatenate([_spectra(signal, _SHORT_S) for signal in signals])
    hz = np.asarray(np.fft.rfftfreq(_N_FFT, 1.0 / FRAME_RATE_HZ), np.float64)
    band = (hz >= HUMAN_BPM[0] / 60.0) & (hz <= HUMAN_BPM[1] / 60.0)
    spectra, short, hz = spectra[:, band], short[:, band], hz[band]  # (W, B, P)
    each = np.abs(spectra) ** 2
    together = np.abs(spectra.mean(2)) ** 2
    mean = together.mean(0)
    peak = _peak(mean)
    near = np.abs(hz - hz[peak]) <= _NEAR_HZ
    beat = near | (np.abs(hz - 2.0 * hz[peak]) <= _NEAR_HZ)
    shared = together.sum(0) / np.maximum(each.mean(2).sum(0), 1e-12)
    own = hz[each.mean(0).argmax(0)]
    moments = hz[np.abs(short.mean(2)).argmax(1)]
    return Pulse(
        bpm=60.0 * hz,
        spectrum=mean / mean.sum(),
        rate_bpm=60.0 * _refined(hz, mean, peak),
        snr_db=float(10.0 * np.log10(mean[beat].sum() / max(mean[~beat].sum(), 1e-12) + 1e-6)),
        coherence=float(np.average(shared[near], weights=mean[near])),
        coherence_elsewhere=float(shared[~beat].mean()),
        agreeing=float((np.abs(own - hz[peak]) <= _SAME_BPM / 60.0).mean()),
        drift_bpm=float(60.0 * np.abs(moments - hz[peak]).mean()),
    )


def _colours(piece: Piece) -> Array:
    return piece.values.reshape(len(piece.values), N_PATCHES, 3)


def _spectra(signal: Array, window_and_hop_s: tuple[float, float]) -> NDArray[np.complex128]:
    """(N, P) pulse to (W, F, P) spectra of windows, each patch at unit power."""
    span, hop = (round(seconds * FRAME_RATE_HZ) for seconds in window_and_hop_s)
    span = min(len(signal), span)
    starts = range(0, len(signal) - span + 1, hop)
    windows = np.stack([signal[start : start + span] for start in starts])
    windows = windows / np.maximum(windows.std(1, keepdims=True), 1e-9)
    shaped = windows * np.hanning(span)[None, :, None]
    return np.asarray(np.fft.rfft(shaped, _N_FFT, axis=1))


def _peak(spectrum: Array) -> int:
    return int(spectrum.argmax())


def _refined(hz: Array, spectrum: Array, peak: int) -> float:
    """Peak between the bins, by a parabola through three of them."""
    if not 0 < peak < len(hz) - 1:
        return float(hz[peak])
    left, top, right = np.log(np.maximum(spectrum[peak - 1 : peak + 2], 1e-20))
    bend = left - 2.0 * top + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(hz[peak] + shift * (hz[1] - hz[0]))


def _extract(observation: Observation, face: FaceWindow, rows: NDArray[np.int64]) -> Series:
    return patch_colours(face.faces[rows]).reshape(len(rows), -1)


def _measure(series: FaceSeries) -> Measurement:
    pieces = series.pieces(LEAST_S)
    if (reason := _unreadable(series.part, pieces)) is not None:
        return absent(series.track, reason)
    pulse = read_pulse(pieces)
    return Measurement(
        medium=Medium.VIDEO,
        part=series.part,
        segment=series.segment,
        features=(
            pulse.snr_db / 10.0,
            pulse.coherence,
            pulse.coherence_elsewhere,
            pulse.agreeing,
            float(np.log2(pulse.drift_bpm + 3.0)),
        ),
        value=pulse.rate_bpm,
        text=(
            f"strongest beat in the skin at {pulse.rate_bpm:.0f} a minute, {pulse.snr_db:+.1f} dB "
            f"against the rest, shared by {100 * pulse.agreeing:.0f} % of the patches of skin"
        ),
    )


def _unreadable(part: Part, pieces: list[Piece]) -> str | None:
    """Why no pulse can be read from the pieces of a face, None where one can."""
    if not pieces:
        return f"{part}: no {LEAST_S:.0f} s in one piece for a pulse"
    colours = [_colours(piece) for piece in pieces]
    if min(float(colour.mean((0, 2)).min()) for colour in colours) < _DARKEST:
        return f"{part} is too dark for a pulse to show in its skin"
    if min(float(colour.mean(0).min()) for colour in colours) < _FAINTEST:
        return f"{part} is lit in too few colours for a pulse to show in its skin"
    if max(float(np.ptp(colour, axis=0).max()) for colour in colours) < _STILLEST:
        return f"{part} is the same in every picture: no pulse can show in a still"
    return None


def _draw(series: FaceSeries) -> CueCurve | None:
    pieces = series.pieces(LEAST_S)
    if _unreadable(series.part, pieces) is not None:
        return None
    pulse = read_pulse(pieces)
    return CueCurve(
        part=series.part,
        x=pulse.bpm,
        y=pulse.spectrum / pulse.spectrum.max(),
        x_name="beats a minute",
        y_name="strength in all patches of skin together",
        marks=(pulse.rate_bpm,),
        bands=((50.0, 110.0),),
        caption="A pulse is one narrow peak, and a weaker one at twice its rate; shaded: at rest.",
    )


_RECIPE = SeriesRecipe(extract=_extract, measure=_measure, draw=_draw, least_s=LEAST_S)

CUE = Cue(
    name="pulse",
    title="Remote pulse",
    measures="The beat of blood in the skin's colour: a face has one in all its patches.",
    reference=(
        "Wang et al. 2017, Algorithmic Principles of Remote PPG (POS); de Haan & Jeanne 2013; "
        "Ciftci, Demir & Yin 2020, FakeCatcher"
    ),
    unit="beats a minute",
    features=(
        "snr_10db",
        "coherence_at_beat",
        "coherence_elsewhere",
        "patches_agreeing",
        "log2_drift_bpm",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO,),
    start=_RECIPE.start,
    least_s=LEAST_S,
)
