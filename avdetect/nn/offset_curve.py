"""How far sound and lips are apart: similarity matrix, offset curve, best offset.

Offsets count frames of the 25 Hz clock and are positive where the sound is late: the mouth of
frame t agrees with the speech of frame t + offset.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.nn.shapes import check_shape

MAX_OFFSET_FRAMES = 15  # the search of SyncNet (Chung & Zisserman 2016)
MOUTH_CONTEXT = 2  # frames either side that one mouth embedding sees
_SPEECH_BEFORE, _SPEECH_AFTER = 3, 2  # frames that one speech embedding sees, spectrum included
_FEWEST_PAIRS = 8  # a mean over fewer frames is noise


def offset_similarities(mouth: Tensor, speech: Tensor) -> Tensor:
    """Cosine similarity of every mouth frame with the speech around it.

    Args:
        mouth: (B, T, E) unit-length mouth embeddings.
        speech: (B, T + 30, E) unit-length speech embeddings; speech t + 15 belongs to mouth t.

    Returns:
        (B, T, 31) in [-1, 1]; column 15 + d holds offset d.
    """
    check_shape(speech, f"B {mouth.shape[1] + 2 * MAX_OFFSET_FRAMES} {mouth.shape[2]}", "speech")
    around = speech.unfold(1, 2 * MAX_OFFSET_FRAMES + 1, 1)  # (B, T, E, 31)
    return torch.einsum("bte,bteo->bto", mouth, around)


def offset_heard(heard: Tensor) -> Tensor:
    """Which entries of `offset_similarities` rest on whole contexts.

    Frames whose context crosses the window's or the sound's edge are left out: in material cut to
    one length the edges of picture and sound coincide, and a network would read the offset there.

    Args:
        heard: (B, T + 30) 1 where a frame of sound exists.

    Returns:
        (B, T, 31) bool.
    """
    whole = heard.bool()
    missing = F.pad((~whole).float(), (_SPEECH_BEFORE, _SPEECH_AFTER), value=1.0)
    span = _SPEECH_BEFORE + _SPEECH_AFTER + 1
    whole = F.max_pool1d(missing[:, None], span, 1)[:, 0] == 0
    known = whole.unfold(1, 2 * MAX_OFFSET_FRAMES + 1, 1).clone()
    known[:, :MOUTH_CONTEXT] = False
    known[:, -MOUTH_CONTEXT:] = False
    return known


def offset_curve(similarity: Tensor, heard: Tensor) -> Tensor:
    """Evidence for each offset: the mean similarity above chance, in units of its own noise.

    An offset that moves the speech beyond the sound's edge rests on fewer frames; without the
    square root it would win by luck.

    Args:
        similarity: (B, T, 31) from `offset_similarities`.
        heard: (B, T, 31) bool from `offset_heard`.

    Returns:
        (B, 31) float32; an offset with too few frames holds -inf, unless all do (then 0).
    """
    weight = heard.to(similarity.dtype)
    curve = curve_of_sums((similarity * weight).sum(1), weight.sum(1))
    return curve / math.sqrt(similarity.shape[1])


def curve_of_sums(total: Tensor, count: Tensor) -> Tensor:
    """`offset_curve` from sums over frames, times the root of their number.

    Args:
        total: (B, 31) sum of similarities at each offset.
        count: (B, 31) how many frames each sum is of.

    Returns:
        (B, 31); an offset with too few frames holds -inf, unless all do (then 0).
    """
    chance = total.sum(1, keepdim=True) / count.sum(1, keepdim=True).clamp_min(1)
    curve = (total - chance * count) / count.clamp_min(1).sqrt()
    usable = count >= _FEWEST_PAIRS
    curve = curve.masked_fill(~usable, float("-inf"))
    return torch.where(usable.any(1, keepdim=True), curve, torch.zeros_like(curve))


def best_offset(curve: Tensor) -> Tensor:
    """(B, 31) curve to (B,) int64 offset in frames, > 0 where the sound is late."""
    return curve.argmax(1) - MAX_OFFSET_FRAMES
