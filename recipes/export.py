"""A trained network to ``models/<name>/``: weights, calibration and card, hashes included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from avdetect.calibration import Calibration
from avdetect.checkpoint_writer import write_checkpoint

MODELS = Path(__file__).resolve().parents[1] / "models"


def export_checkpoint(  # noqa: PLR0913  (a checkpoint is these things, all by keyword)
    name: str,
    *,
    role: str,
    summary: str,
    state: Mapping[str, torch.Tensor],
    config: Mapping[str, Any],
    facts: Mapping[str, Any],
    calibration: Calibration | None = None,
    half: bool = True,
) -> Path:
    """Write a checkpoint folder; an existing one of that name is replaced file by file.

    Args:
        name: ``<branch>-<arch>-<data>-<yyyymm>``.
        role: one of `avdetect.checkpoint.ROLES`.
        summary: one sentence for people.
        state: the network's ``state_dict``.
        config: what the network's builder needs to build it again.
        facts: nested tables for the card: training data, figures with their command, limits.
        calibration: score to LLR, where the role has one.
        half: store floating tensors as float16.

    Returns:
        The folder written.
    """
    folder = MODELS / name
    tensors = {
        key: value.half() if half and value.is_floating_point() else value
        for key, value in state.items()
    }
    card = {"role": role, "summary": summary, "licence": "Apache-2.0", "config": dict(config)}
    write_checkpoint(folder, tensors, card | dict(facts), calibration)
    return folder
