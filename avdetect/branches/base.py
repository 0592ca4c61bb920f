"""The seam between the engine and an expert: what a branch takes and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.agreement import Agreement
from avdetect.observation import Observation
from avdetect.types import Part, Segment

FRAME_S = 0.02  # of a frame, which is finer than a row


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameScores:
    """Scores that say where, never whether: F frames of one part.

    Attributes:
        segments: (F, 2) float64 start and end of each frame, `FRAME_S` or a multiple of it long,
            seconds from clip start.
        scores: (F,) float32, higher = more fake.
        weights: (F,) float32 >= 0, how much of each frame is usable.
        relative: a score says something beside the others of its part alone, for one recording's
            differ from another's more than a forged second does from the rest.
    """

    segments: NDArray[np.float64]
    scores: NDArray[np.float32]
    weights: NDArray[np.float32]
    relative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchOutput:
    """What one branch says of one part within one observation; raw, uncalibrated.

    L counts rows (windows or frames). L is 0 exactly when ``missing`` is set.

    Attributes:
        part: the channel, face, or face with channel that was judged.
        segments: (L, 2) float64 start and end of each row, seconds from clip start.
        scores: (L,) float32, higher = more fake, any scale.
        tokens: (L, D) float32, the rows' embeddings for fusion.
        weights: (L,) float32 >= 0, how much usable material a row rests on (1 = a full row).
        missing: why this part could not be judged here; None where it was.
        facts: named measurements worth reporting, such as ``av_offset_s``.
        frames: scores of frames; None of a model that gives none.
        agreement: of a mouth with the sound at each offset; None of a branch without either.
        maps: (L, 28, 28) float32 in [0, 1], where in its face crop each row looks forged; None of
            a branch that gives none, and of outputs that are remembered.
    """

    part: Part
    segments: NDArray[np.float64]
    scores: NDArray[np.float32]
    tokens: NDArray[np.float32]
    weights: NDArray[np.float32]
    missing: str | None = None
    facts: dict[str, float] = field(default_factory=dict)
    frames: FrameScores | None = None
    agreement: Agreement | None = None
    maps: NDArray[np.float32] | None = None

    @staticmethod
    def absent(part: Part, reason: str, token_width: int) -> BranchOutput:
        """An output without rows: this part could not be judged here, and why."""
        return BranchOutput(
            part=part,
            segments=np.zeros((0, 2)),
            scores=np.zeros(0, np.float32),
            tokens=np.zeros((0, token_width), np.float32),
            weights=np.zeros(0, np.float32),
            missing=reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartScore:
    """A branch's raw score for one part over the whole clip, or why there is none.

    Attributes:
        part: what was judged.
        segment: from the first to the last row judged, None without rows.
        score: raw score, higher = more fake; None when ``missing`` is set.
        quality: 0..1, the share of the material a confident judgement needs that was there.
        missing: reason in words for the user.
    """

    part: Part
    segment: Segment | None
    score: float | None
    quality: float
    missing: str | None = None


class Branch(Protocol):
    """One expert. Stateless and thread-safe: ``run`` may be called from several threads."""

    name: str
    token_width: int

    def run(self, observations: Sequence[Observation]) -> list[list[BranchOutput]]:
        """Judge several observations (of any clips) at once.

        Returns:
            One list per observation, in order; in it one output per part, judged or absent.
            An observation without anything for this branch gives an empty list.
            The rows of one observation do not depend on its neighbours in the call.
        """
        ...

    def pool(self, part: Part, outputs: Sequence[BranchOutput]) -> PartScore:
        """Reduce one part's outputs over a clip, in time order, to one raw score."""
        ...
