"""A trained network to ``models/<name>/``: weights, calibration and card, hashes included."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import save as save_tensors

from avdetect.calibration import Calibration

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
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        key: (value.half() if half and value.is_floating_point() else value).contiguous().cpu()
        for key, value in state.items()
    }
    blob = save_tensors(tensors)
    (folder / "weights.safetensors").write_bytes(blob)
    if calibration is not None:
        write_calibration(name, calibration)
    card: dict[str, Any] = {
        "role": role,
        "summary": summary,
        "licence": "Apache-2.0",
        "parameters": sum(value.numel() for value in state.values()),
        "weights_sha256": hashlib.sha256(blob).hexdigest(),
        "config": dict(config),
        **facts,
    }
    (folder / "card.toml").write_text(to_toml(card), "utf-8")
    return folder


def write_calibration(name: str, calibration: Calibration) -> None:
    """Write or replace a checkpoint's ``calibration.safetensors``."""
    arrays = {
        key: np.array([getattr(calibration, key)], np.float64)
        for key in ("scale", "offset", "limit")
    }
    save_arrays(arrays, MODELS / name / "calibration.safetensors")


def to_toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """Nested mappings of scalars and lists as TOML; scalars of a table before its sub-tables."""
    lines = [f"{key} = {_value(v)}" for key, v in table.items() if not isinstance(v, Mapping)]
    text = "\n".join(lines) + "\n" if lines else ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            text += f"\n[{prefix}{key}]\n{to_toml(value, f'{prefix}{key}.')}"
    return text


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return "[" + ", ".join(_value(item) for item in value) + "]"
