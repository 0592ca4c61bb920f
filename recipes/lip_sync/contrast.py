"""Contrastive loss of synchrony: this moment's speech against other moments' and other people's.

InfoNCE (van den Oord et al. 2018) over three sets of negatives: the speech of other offsets of the
same clip (hard), the speech of other clips of the batch (easy), and, for the mean over the window,
the whole offset curve.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.nn.offset_curve import MAX_OFFSET_FRAMES, offset_heard, offset_similarities
from avdetect.nn.sync_encoder import WINDOW_FRAMES

_NEIGHBOURS = 1  # one frame off is too alike to be called wrong


def sync_loss(mouth: Tensor, speech: Tensor, heard: Tensor, temperature: Tensor) -> Tensor:
    """Loss of a batch of windows in synchrony.

    Args:
        mouth: (B, 30, E) unit vectors.
        speech: (B, 60, E) unit vectors; speech t + 15 belongs to mouth t.
        heard: (B, 60) bool.
        temperature: scalar > 0.

    Returns:
        Scalar.
    """
    similarity = offset_similarities(mouth, speech)
    known = offset_heard(heard)
    within = _within_clip(similarity / temperature, known)
    across = _across_clips(mouth, speech, known, temperature)
    return within + 0.5 * across + _whole_window(similarity, known, temperature)


def _within_clip(logits: Tensor, known: Tensor) -> Tensor:
    offsets = torch.arange(-MAX_OFFSET_FRAMES, MAX_OFFSET_FRAMES + 1)
    too_near = (offsets.abs() <= _NEIGHBOURS) & (offsets != 0)
    rows = logits.masked_fill(~known | too_near, -1e4).flatten(0, 1)
    rows = rows[known[:, :, MAX_OFFSET_FRAMES].flatten()]
    return F.cross_entropy(rows, torch.full((len(rows),), MAX_OFFSET_FRAMES))


def _across_clips(mouth: Tensor, speech: Tensor, known: Tensor, temperature: Tensor) -> Tensor:
    batch = mouth.shape[0]
    centre = slice(MAX_OFFSET_FRAMES, MAX_OFFSET_FRAMES + WINDOW_FRAMES)
    usable = known[:, :, MAX_OFFSET_FRAMES].flatten()
    owner = torch.arange(batch).repeat_interleave(WINDOW_FRAMES)[usable]
    seen, said = mouth.flatten(0, 1)[usable], speech[:, centre].flatten(0, 1)[usable]
    logits = seen @ said.T / temperature
    own = (owner[:, None] == owner[None]) & ~torch.eye(len(owner), dtype=torch.bool)
    logits = logits.masked_fill(own, -1e4)
    target = torch.arange(len(owner))
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def _whole_window(similarity: Tensor, known: Tensor, temperature: Tensor) -> Tensor:
    weight = known.float()
    curve = (similarity * weight).sum(1) / weight.sum(1).clamp_min(1.0)
    usable = weight.sum(1) >= 8
    curve = curve.masked_fill(~usable, -1e4)
    # Ten frames stand in for the window: its frames are not independent witnesses.
    target = torch.zeros_like(curve)
    for offset, share in ((-1, 0.1), (0, 0.8), (1, 0.1)):
        target[:, MAX_OFFSET_FRAMES + offset] = share
    whole = usable[:, MAX_OFFSET_FRAMES - 1 : MAX_OFFSET_FRAMES + 2].all(1)
    if not whole.any():
        return curve.sum() * 0.0
    curve, target = curve[whole], target[whole]
    return F.cross_entropy(curve * 4.0 / temperature, target)
