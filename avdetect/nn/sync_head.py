"""Does this mouth speak this sound: a small head over the agreement of two embedding streams.

It judges at the best offset, so that a recording whose sound is merely late is not called fake.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from avdetect.nn.mouth_detail import N_DETAILS
from avdetect.nn.offset_curve import MAX_OFFSET_FRAMES, offset_curve, offset_similarities
from avdetect.nn.offset_curve import offset_heard as heard_at_offsets

_AROUND = 3  # frames either side of the best offset that the head sees
N_CURVE_FACTS = 6


class ConsistencyHead(nn.Module):
    """Frame evidence by temporal convolution, window evidence by pooling over it."""

    def __init__(self, *, embedding: int, width: int) -> None:
        super().__init__()
        self.token_width = 2 * width + N_CURVE_FACTS
        per_frame = embedding + 2 * _AROUND + 1 + 4 + N_DETAILS
        self.frames = nn.Sequential(
            nn.BatchNorm1d(per_frame),
            nn.Conv1d(per_frame, width, 5, padding=2),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Conv1d(width, width, 5, padding=2),
            nn.ReLU(),
        )
        self.frame_score = nn.Conv1d(width, 1, 1)
        self.facts = nn.BatchNorm1d(N_CURVE_FACTS)
        self.score = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(self.token_width, width),
            nn.ReLU(),
            nn.Linear(width, 1),
        )

    def forward(
        self, mouth: Tensor, speech: Tensor, heard: Tensor, offset: Tensor, detail: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Judge windows, each at a given offset.

        Args:
            mouth: (B, 30, E) unit vectors.
            speech: (B, 60, E) unit vectors; speech t + 15 belongs to mouth t at offset 0.
            heard: (B, 60) 1 where sound exists.
            offset: (B,) int64 in [-15, 15], > 0 where the sound is late.
            detail: (B, 30, 4) from `avdetect.nn.mouth_detail.mouth_detail`.

        Returns:
            Window logits (B,), frame logits (B, 30), both higher = more fake, and tokens
            (B, ``token_width``).
        """
        similarity = offset_similarities(mouth, speech)
        known = heard_at_offsets(heard)
        evidence = _frame_evidence(mouth, speech, similarity, known, offset)
        evidence = torch.cat([evidence, detail], 2)
        frames = self.frames(evidence.transpose(1, 2))  # (B, W, 30)
        facts = self.facts(curve_facts(similarity, known, offset))
        token = torch.cat([frames.mean(2), frames.amax(2), facts], 1)
        return self.score(token)[:, 0], self.frame_score(frames)[:, 0], token


def curve_facts(similarity: Tensor, known: Tensor, offset: Tensor) -> Tensor:
    """(B, 6): height, lead and width of the peak, then level, spread and low end at the offset."""
    curve = offset_curve(similarity, known)
    finite = curve.isfinite()
    safe = torch.where(finite, curve, torch.zeros_like(curve))
    column = (offset + MAX_OFFSET_FRAMES)[:, None]
    here = safe.gather(1, column)[:, 0]
    distance = (torch.arange(curve.shape[1], device=curve.device)[None] - column).abs()
    rival = curve.masked_fill(distance <= 2, float("-inf")).amax(1)
    rival = torch.where(rival.isfinite(), rival, torch.zeros_like(rival))
    near = (safe * ((distance == 2) & finite)).sum(1) / ((distance == 2) & finite).sum(1).clamp_min(
        1
    )
    at = similarity.gather(2, column[:, None].expand(-1, similarity.shape[1], 1))[:, :, 0]
    low = at.sort(1).values[:, : at.shape[1] // 4].mean(1)
    return torch.stack([here, here - rival, here - near, at.mean(1), at.std(1), low], 1)


def _frame_evidence(
    mouth: Tensor, speech: Tensor, similarity: Tensor, known: Tensor, offset: Tensor
) -> Tensor:
    frames = mouth.shape[1]
    steps = torch.arange(frames, device=mouth.device)
    index = (steps[None] + offset[:, None] + MAX_OFFSET_FRAMES)[:, :, None]
    said = speech.gather(1, index.expand(-1, -1, speech.shape[2]))
    around = torch.arange(-_AROUND, _AROUND + 1, device=mouth.device)
    column = (offset[:, None] + around + MAX_OFFSET_FRAMES).clamp(0, 2 * MAX_OFFSET_FRAMES)
    column = column[:, None].expand(-1, frames, -1)
    near = similarity.gather(2, column) * known.gather(2, column)
    mean = (similarity * known).sum(2, keepdim=True) / known.sum(2, keepdim=True).clamp_min(1)
    here = known.gather(2, column[:, :, _AROUND : _AROUND + 1]).to(mouth.dtype)
    scale = mouth.shape[2] ** 0.5
    return torch.cat([mouth * said * scale, near, mean, _change(mouth), _change(said), here], dim=2)


def _change(stream: Tensor) -> Tensor:
    step = (stream[:, 1:] - stream[:, :-1]).norm(dim=2, keepdim=True)
    return torch.cat([step[:, :1], step], 1)
