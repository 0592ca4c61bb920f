"""Late fusion: one weighted sum of calibrated LLRs per set of branches present.

It is the control that cross-attention must beat, and the sum that cross-attention adds to. A
branch that stands alone is passed on unchanged: it is calibrated already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError


def pattern_name(branches: Mapping[str, float] | tuple[str, ...]) -> str:
    """Name of a set of branches, such as ``lip_sync+voice_clone``."""
    return "+".join(sorted(branches))


@dataclass(frozen=True, slots=True)
class LateFusion:
    """Weights per pattern of branches present; last entry of each vector is the offset."""

    patterns: dict[str, tuple[float, ...]]

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> LateFusion:
        """Read one vector per pattern; raises `CheckpointError` on any other layout."""
        patterns = {key: tuple(map(float, t.tolist())) for key, t in checkpoint.state.items()}
        if any(len(vector) != key.count("+") + 2 for key, vector in patterns.items()):
            raise CheckpointError(f"{checkpoint.card.name}: not a late fusion checkpoint")
        return cls(patterns)

    def fake_llr(self, fake_llrs: Mapping[str, float]) -> float:
        """Fused LLR of the branches present (at least one)."""
        if len(fake_llrs) == 1:
            return next(iter(fake_llrs.values()))
        vector = self.patterns.get(pattern_name(fake_llrs))
        if vector is None:
            raise CheckpointError(f"late fusion has no weights for {pattern_name(fake_llrs)}")
        terms = (w * fake_llrs[name] for w, name in zip(vector, sorted(fake_llrs), strict=False))
        return sum(terms) + vector[-1]
