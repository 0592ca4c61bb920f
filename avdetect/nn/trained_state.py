"""What of a network belongs in a checkpoint: all but frozen weights, which come from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn


def trained_state(net: nn.Module) -> dict[str, Tensor]:
    """Every buffer, and every weight that requires a gradient."""
    frozen = {name for name, weight in net.named_parameters() if not weight.requires_grad}
    return {name: tensor for name, tensor in net.state_dict().items() if name not in frozen}


def load_trained_state(net: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load `trained_state` of a network that was built alike.

    Raises:
        RuntimeError: if something trained is missing, something is left over, or a shape differs;
            as from ``load_state_dict``.
    """
    found = net.load_state_dict(state, strict=False)
    missing = sorted(set(found.missing_keys) & trained_state(net).keys())
    if missing or found.unexpected_keys:
        raise RuntimeError(
            f"weights do not fit: missing {missing[:3]}, left over {found.unexpected_keys[:3]}"
        )
