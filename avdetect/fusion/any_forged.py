"""Late fusion for forgeries of one kind: a clip is forged if any of its parts is.

A lip-synced video has a true voice, a cloned voice may speak over a true face. What finds one of
them genuine says nothing of the other, so evidence is not added up: the clip's likelihood ratio is
the mean of the branches' own, each weighted by how often its part is the forged one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class AnyForged:
    """Shares of forgeries by the branch that could see them; implements `late.LateRule`."""

    shares: dict[str, float]

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> AnyForged:
        """Read one positive share a branch; raises `CheckpointError` on any other layout."""
        shares = {name: float(t.item()) for name, t in checkpoint.state.items() if t.numel() == 1}
        if len(shares) != len(checkpoint.state) or not all(s > 0.0 for s in shares.values()):
            raise CheckpointError(f"{checkpoint.card.name}: not a checkpoint of shares")
        return cls(shares)

    def fake_llr(self, fake_llrs: Mapping[str, float]) -> float:
        """Fused LLR of the branches present (at least one); a lone one passes unchanged."""
        parts = [self._log_share(name) + llr for name, llr in fake_llrs.items()]
        return _log_sum(parts) - _log_sum([self._log_share(name) for name in fake_llrs])

    def terms(self, fake_llrs: Mapping[str, float]) -> dict[str, float]:
        """How far each branch moves the fused LLR from where it stood had it found nothing."""
        whole = self.fake_llr(fake_llrs)
        return {name: whole - self.fake_llr({**fake_llrs, name: 0.0}) for name in sorted(fake_llrs)}

    def _log_share(self, name: str) -> float:
        if name not in self.shares:
            raise CheckpointError(f"late fusion has no share for {name}")
        return math.log(self.shares[name])


def _log_sum(values: list[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values))
