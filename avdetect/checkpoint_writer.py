"""A network to a checkpoint folder: weights, calibration and card, hashes included."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avdetect.calibration import Calibration
from avdetect.errors import OutputError

if TYPE_CHECKING:
    from torch import Tensor


def write_checkpoint(
    folder: Path,
    state: Mapping[str, Tensor],
    card: Mapping[str, Any],
    calibration: Calibration | None = None,
) -> None:
    """Write ``weights.safetensors``, ``calibration.safetensors`` and ``card.toml`` into a folder.

    The files are written beside the folder first, so that a failure leaves the old ones whole.

    Args:
        folder: made if it is not there; its files of these names are replaced.
        state: tensors, stored as they are.
        card: all of the card but the hash and the number of parameters, in order.
        calibration: score to LLR, where the role has one; None removes an old one.

    Raises:
        OutputError: the folder cannot be written.
    """
    from safetensors.torch import save

    blob = save({key: value.contiguous().cpu() for key, value in state.items()})
    facts = {
        **{key: card[key] for key in ("role", "summary", "licence")},
        "parameters": sum(value.numel() for value in state.values()),
        "weights_sha256": hashlib.sha256(blob).hexdigest(),
        **{key: value for key, value in card.items() if key not in ("role", "summary", "licence")},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            (Path(scratch) / "weights.safetensors").write_bytes(blob)
            (Path(scratch) / "card.toml").write_text(to_toml(facts), "utf-8")
            if calibration is not None:
                write_calibration(Path(scratch), calibration)
            # A calibration belongs to its weights: an old one never outlives them.
            (folder / "calibration.safetensors").unlink(missing_ok=True)
            for path in sorted(Path(scratch).iterdir()):
                shutil.move(path, folder / path.name)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}") from error


def write_calibration(folder: Path, calibration: Calibration) -> None:
    """Write or replace a folder's ``calibration.safetensors``."""
    import numpy as np
    from safetensors.numpy import save_file

    arrays = {
        key: np.array([getattr(calibration, key)], np.float64)
        for key in ("scale", "offset", "limit", "unknown")
    }
    save_file(arrays, folder / "calibration.safetensors")


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
