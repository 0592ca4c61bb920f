"""Shield a voice: a bounded change after which speaker encoders hear somebody else.

Projected gradient descent on the cosine between what surrogate encoders hear before and after, in
expectation over real codecs: a codec runs forward as it is and passes gradients straight through
(BPDA, Athalye et al. 2018). The change follows the loudness of the speech from moment to moment, so
that pauses stay as they were, and the bound holds over the whole recording and every half second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from avdetect.channels.codecs import through_codec
from avdetect.timebase import SAMPLE_RATE_HZ, seconds_to_samples

# (1, S) waveform at 16 kHz to (1, D) of length 1, with gradients.
Encoder: TypeAlias = "Callable[[Tensor], Tensor]"
Progress = Callable[[float, float | None], None]

N_STEPS = 40
LEAST_SPEECH_S = 1.0
_BLOCK_S = 6.0  # shielded at once: encoders listen to some seconds
_CODECS = ("ulaw", "opus_16", "mp3_32")  # what is expected on the way
_CODED_SHARE = 0.6
_MOMENTUM = 0.8
_STEP_SHARE = 0.2  # of the bound
_ENVELOPE_SAMPLES = 1025  # 64 ms over which loudness is taken
_SILENT_RMS = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceChange:
    """What to add to a recording.

    Attributes:
        change: (S,) float32 at 16 kHz.
        speech_s: seconds that were loud enough to be shielded.
    """

    change: NDArray[np.float32]
    speech_s: float


def find_voice_change(
    waveform: NDArray[np.float32],
    encoders: Sequence[Encoder],
    *,
    least_snr_db: float,
    n_steps: int = N_STEPS,
    seed: int = 0,
    progress: Progress | None = None,
) -> VoiceChange:
    """The change for one channel.

    Args:
        waveform: (S,) float32 at 16 kHz in [-1, 1].
        encoders: what to shield from.
        least_snr_db: of speech over change, in every block.
        n_steps: of the descent, for each block.
        seed: of the draws; the same gives the same change.
        progress: called with seconds done and seconds in all.
    """
    change = np.zeros(len(waveform), np.float32)
    blocks = _blocks(len(waveform))
    speech_s = 0.0
    for number, (start, end) in enumerate(blocks):
        block = waveform[start:end]
        if _rms(block) > _SILENT_RMS and len(block) >= seconds_to_samples(LEAST_SPEECH_S):
            change[start:end] = _shield_block(block, encoders, least_snr_db, n_steps, seed + number)
            speech_s += len(block) / SAMPLE_RATE_HZ
        if progress is not None:
            progress(end / SAMPLE_RATE_HZ, len(waveform) / SAMPLE_RATE_HZ)
    return VoiceChange(change=change, speech_s=speech_s)


def _blocks(n_samples: int) -> list[tuple[int, int]]:
    """Blocks of some seconds; a short rest joins the last one."""
    size = seconds_to_samples(_BLOCK_S)
    starts = list(range(0, max(1, n_samples - size // 2), size))
    return list(zip(starts, [*starts[1:], n_samples], strict=True))


def _shield_block(
    block: NDArray[np.float32],
    encoders: Sequence[Encoder],
    least_snr_db: float,
    n_steps: int,
    seed: int,
) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    speech = torch.from_numpy(block)[None]
    ceiling = _loudness(speech) * 10.0 ** (-least_snr_db / 20.0)
    with torch.no_grad():
        heard = [encoder(speech) for encoder in encoders]
    noise = torch.from_numpy(rng.standard_normal(speech.shape).astype(np.float32))
    change = _project(0.3 * ceiling * noise, ceiling)
    velocity = torch.zeros_like(change)
    for _ in range(n_steps):
        change.requires_grad_(True)
        arrived = _on_its_way((speech + change).clamp(-1.0, 1.0), rng)
        alike = torch.stack(
            [
                (encoder(arrived) * before).sum()
                for encoder, before in zip(encoders, heard, strict=True)
            ]
        )
        (gradient,) = torch.autograd.grad(alike.mean(), change)
        # Steps are taken in units of the ceiling: loud moments may move farther than soft ones.
        scaled = gradient * ceiling
        velocity = _MOMENTUM * velocity + scaled / scaled.abs().mean().clamp_min(1e-12)
        rms = velocity.square().mean().sqrt().clamp_min(1e-12)
        change = _project(change.detach() - _STEP_SHARE * ceiling * velocity / rms, ceiling)
    found = np.asarray(change[0].detach().numpy(), np.float32)
    allowed = _rms(block) * 10.0 ** (-least_snr_db / 20.0)
    return found * np.float32(min(1.0, allowed / max(_rms(found), 1e-12)))


def _on_its_way(waveform: Tensor, rng: np.random.Generator) -> Tensor:
    """As it may arrive: untouched, or through a real codec that passes gradients straight."""
    if rng.random() >= _CODED_SHARE:
        return waveform
    plain = waveform.detach()
    coded = through_codec(plain[0].numpy(), str(rng.choice(_CODECS)))
    return waveform + (torch.from_numpy(coded)[None] - plain)


def _project(change: Tensor, ceiling: Tensor) -> Tensor:
    """Nowhere louder than the ceiling, over 64 ms."""
    with torch.no_grad():
        return change * (ceiling / _loudness(change).clamp_min(1e-9)).clamp_max(1.0)


def _loudness(waveform: Tensor) -> Tensor:
    """(1, S) root mean square over 64 ms about each sample."""
    margin = _ENVELOPE_SAMPLES // 2
    padded = F.pad(waveform.square()[:, None], (margin, margin), mode="replicate")
    return F.avg_pool1d(padded, _ENVELOPE_SAMPLES, 1)[:, 0].clamp_min(0.0).sqrt()


def _rms(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
