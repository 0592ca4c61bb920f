"""Which rule a ``late`` checkpoint holds: ``rule = "sum"`` or ``rule = "any"`` in its config."""

from __future__ import annotations

from collections.abc import Callable

from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError
from avdetect.fusion.any_forged import AnyForged
from avdetect.fusion.late import LateFusion, LateRule

LATE_RULES: dict[str, Callable[[Checkpoint], LateRule]] = {
    "sum": LateFusion.from_checkpoint,
    "any": AnyForged.from_checkpoint,
}


def load_late(checkpoint: Checkpoint) -> LateRule:
    """The rule of a checkpoint; one that names none is a sum.

    Raises:
        CheckpointError: if the rule is unknown or its numbers are not of its layout.
    """
    name = str(checkpoint.card.config.get("rule", "sum"))
    if name not in LATE_RULES:
        known = ", ".join(sorted(LATE_RULES))
        raise CheckpointError(f"{checkpoint.card.name}: rule is {name!r}, not one of {known}")
    return LATE_RULES[name](checkpoint)
