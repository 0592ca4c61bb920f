"""What of a stretch of sound carries its voice score: patch by patch, by occlusion.

Each patch of the spectrogram, half a second of one band, is muffled by 20 dB and the sound judged
anew (occlusion, Zeiler & Fergus 2014): what the score loses is what the patch gave it. This asks
the whole model, whatever its front end, the comparison with a redrawn copy included.
Muffled, not silenced: a hole in a spectrum is a forgery of its own.
"""

from __future__ import annotations

import math

import librosa
import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import Branch
from avdetect.calibration import Calibration
from avdetect.exhibits import Attribution, SoundBite
from avdetect.observation import ChannelAudio, Observation
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Part

EDGES_HZ = (0.0, 500.0, 1000.0, 1500.0, 2000.0, 3000.0, 4000.0, 5500.0, 8000.0)
PATCH_S = 0.5
_GAIN = 0.1  # -20 dB
_N_FFT, _HOP = 512, 128
_FLOOR_DB = -100.0


def attribute(bite: SoundBite, branch: Branch, calibration: Calibration) -> Attribution | None:
    """How far the LLR of a stretch falls with each patch muffled.

    Args:
        bite: the stretch, with where speech is in it.
        branch: the voice branch.
        calibration: its calibration; beyond its limit falls still count, so that none is hidden.

    Returns:
        The attribution, None where the stretch alone holds too little speech to be judged. The same
        stretch gives the same bits.
    """
    whole = _scores([bite.waveform], bite, branch)
    if whole is None:
        return None
    spectrum = librosa.stft(bite.waveform, n_fft=_N_FFT, hop_length=_HOP)
    n_columns = math.ceil(len(bite.waveform) / (PATCH_S * SAMPLE_RATE_HZ))
    muffled = [
        _muffled(spectrum, band, column, len(bite.waveform))
        for band in range(len(EDGES_HZ) - 1)
        for column in range(n_columns)
    ]
    scores = _scores(muffled, bite, branch)
    if scores is None:
        return None
    llrs = [
        calibration.with_unknown(calibration.scale * float(score) + calibration.offset)
        for score in (whole[0], *scores)
    ]
    falls = (llrs[0] - np.array(llrs[1:])).reshape(-1, n_columns)
    level = librosa.amplitude_to_db(np.abs(spectrum) / (_N_FFT / 4), amin=1e-5, top_db=None)
    ends = PATCH_S * np.arange(1, n_columns + 1)
    return Attribution(
        fake_llr=calibration.fake_llr(float(whole[0])),
        falls=falls.astype(np.float32),
        edges_hz=EDGES_HZ,
        edges_s=(0.0, *np.minimum(ends, len(bite.waveform) / SAMPLE_RATE_HZ).tolist()),
        # the outermost frames hang over the ends, and a cut is loud in every band
        spectrogram=np.maximum(level[:, 1:-1], _FLOOR_DB).astype(np.float32),
    )


def _muffled(
    spectrum: NDArray[np.complex64], band: int, column: int, n_samples: int
) -> NDArray[np.float32]:
    rows = [round(edge * _N_FFT / SAMPLE_RATE_HZ) for edge in EDGES_HZ]
    rows[-1] += 1  # the last bin is the last edge
    step = PATCH_S * SAMPLE_RATE_HZ / _HOP
    start, end = math.ceil(column * step), math.ceil((column + 1) * step)
    changed = spectrum.copy()
    changed[rows[band] : rows[band + 1], start:end] *= _GAIN
    sound = librosa.istft(changed, n_fft=_N_FFT, hop_length=_HOP, length=n_samples)
    return np.asarray(sound, np.float32)


def _scores(
    waveforms: list[NDArray[np.float32]], bite: SoundBite, branch: Branch
) -> NDArray[np.float64] | None:
    """(W,) the branch's score of each waveform as if it were the clip; None if it gives none."""
    observations = [
        Observation(
            segment=bite.segment,
            fresh=bite.segment,
            channels=(
                ChannelAudio(
                    channel=bite.channel,
                    waveform=waveform,
                    speech=bite.speech,
                    bandwidth_hz=bite.bandwidth_hz,
                ),
            ),
        )
        for waveform in waveforms
    ]
    part = Part(channel=bite.channel)
    found = [branch.pool(part, outputs).score for outputs in branch.run(observations)]
    scores = [score for score in found if score is not None]
    return np.array(scores) if len(scores) == len(waveforms) else None
