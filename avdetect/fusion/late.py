"""Late fusion: one weighted sum of calibrated LLRs per set of branches present.

A rule of late fusion is the control that cross-attention must beat, and what cross-attention adds
to; `avdetect.fusion.any_forged` is the other one. A branch that stands alone is passed on
unchanged: it is calibrated already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError


def pattern_name(branches: Mapping[str, float] | tuple[str, ...]) -> str:
    """Name of a set of branches, such as ``lip_sync+voice_clone``."""
    return "+".join(sorted(branches))


class LateRule(Protocol):
    """How the LLRs of the branches that judged one subject become one."""

    def fake_llr(self, fake_llrs: Mapping[str, float]) -> float:
        """Fused LLR of the branches present (at least one)."""
        ...

    def terms(self, fake_llrs: Mapping[str, float]) -> dict[str, float]:
        """What each branch present adds to the fused LLR, in the order of names."""
        ...


@dataclass(frozen=True, slots=True)
class LateFusion:
    """Implements `LateRule`; one vector per pattern of branches present, its last the offset."""

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
        return sum(self.terms(fake_llrs).values()) + self._offset(fake_llrs)

    def terms(self, fake_llrs: Mapping[str, float]) -> dict[str, float]:
        """What each branch present adds to the sum, in the order of names."""
        if len(fake_llrs) == 1:
            return dict(fake_llrs)
        names = sorted(fake_llrs)
        return {name: w * fake_llrs[name] for name, w in zip(names, self._of(names), strict=False)}

    def _offset(self, fake_llrs: Mapping[str, float]) -> float:
        return 0.0 if len(fake_llrs) == 1 else self._of(sorted(fake_llrs))[-1]

    def _of(self, names: list[str]) -> tuple[float, ...]:
        pattern = pattern_name(tuple(names))
        if pattern not in self.patterns:
            raise CheckpointError(f"late fusion has no weights for {pattern}")
        return self.patterns[pattern]
