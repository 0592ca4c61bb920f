"""Find, verify and read models: whole or not at all, never a pickle.

A checkpoint is a folder ``models/<name>/``:

    card.toml                 facts for people and for the loader (see `ModelCard`)
    weights.safetensors       the network; its SHA-256 stands in the card
    calibration.safetensors   scale, offset, limit and unknown as float64 scalars, see `Calibration`

A bundle is a TOML file beside them naming the checkpoint of each role; ``default.toml`` is used
unless told otherwise. Models are looked for in ``$AVDETECT_MODELS``, else the repository's
``models/``, else the copy inside the installed wheel.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avdetect.calibration import Calibration
from avdetect.decision import DecisionRule
from avdetect.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

_PACKAGE_DIR = Path(__file__).resolve().parent
ROLES = (
    "voice_clone",
    "visual_forgery",
    "lip_sync",
    "cross_attention",
    "late",
    "cues",
    "codec_history",
    "picture_trace",
    "voice_trace",
    "face_shield",
    "voice_shield",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What ``card.toml`` says.

    Attributes:
        name: the folder's name, also the model's id on the wire.
        role: one of `ROLES`.
        summary: one sentence.
        licence: SPDX id of the weights.
        weights_sha256: hex digest of ``weights.safetensors``.
        config: the ``[config]`` table, handed to the network's builder.
        facts: the whole file, for display (training data, figures, limits).
    """

    name: str
    role: str
    summary: str
    licence: str
    weights_sha256: str
    config: dict[str, Any]
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A verified model: card, tensors in memory, calibration (None where the role has none)."""

    card: ModelCard
    state: dict[str, Tensor]
    calibration: Calibration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """The set of checkpoints one Detector uses.

    Attributes:
        name: the bundle file's stem.
        checkpoints: role -> checkpoint name.
        decision: the ``[decision]`` table, what mistakes cost; see `DecisionRule.at_costs`.
        speaker_model: folder of the speaker model for reference voices, which is not ours and not
            shipped; ``speaker_model`` in the file, relative to it. None where it names none.
    """

    name: str
    checkpoints: dict[str, str]
    decision: dict[str, float]
    speaker_model: Path | None = None

    def rule(self) -> DecisionRule:
        """When a clip is called fake or real; `CheckpointError` if the costs make no sense."""
        try:
            return DecisionRule.at_costs(**self.decision)
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                f"bundle {self.name}: [decision] must hold false_alarm_cost and miss_cost, what "
                f"calling a real clip fake and a fake one real cost in second looks: {error}"
            ) from error


def models_dir() -> Path:
    """Folder that holds the models; raises `CheckpointError` where there is none."""
    chosen = os.environ.get("AVDETECT_MODELS")
    candidates = (
        [Path(chosen)] if chosen else [_PACKAGE_DIR.parent / "models", _PACKAGE_DIR / "_models"]
    )
    for folder in candidates:
        if (folder / "default.toml").is_file():
            return folder
    raise CheckpointError(
        f"no models in {' or '.join(str(c) for c in candidates)}: "
        "point $AVDETECT_MODELS at a folder that holds default.toml"
    )


def list_checkpoints() -> list[str]:
    """Names of all checkpoints at hand, sorted."""
    return sorted(path.parent.name for path in models_dir().glob("*/card.toml"))


def list_bundles() -> list[str]:
    """Names of all bundles at hand, sorted."""
    return sorted(path.stem for path in models_dir().glob("*.toml"))


def read_bundle(name: str = "default") -> Bundle:
    """Read ``models/<name>.toml``, or any bundle file by its path."""
    path = Path(name) if name.endswith(".toml") else models_dir() / f"{name}.toml"
    if not path.is_file():
        raise CheckpointError(f"no model bundle {name!r}; there are: {', '.join(list_bundles())}")
    table = _read_toml(path)
    checkpoints = table.get("checkpoints")
    if not isinstance(checkpoints, dict) or not set(checkpoints) <= set(ROLES):
        raise CheckpointError(f"{path}: [checkpoints] must name some of {', '.join(ROLES)}")
    return Bundle(
        name=path.stem,
        checkpoints={role: str(value) for role, value in checkpoints.items()},
        decision={key: float(value) for key, value in table.get("decision", {}).items()},
        speaker_model=path.parent / str(named) if (named := table.get("speaker_model")) else None,
    )


def read_card(name: str) -> ModelCard:
    """Read a checkpoint's card without touching its weights."""
    path = models_dir() / name / "card.toml"
    if not path.is_file():
        raise CheckpointError(f"no model {name!r}; there are: {', '.join(list_checkpoints())}")
    table = _read_toml(path)
    try:
        return ModelCard(
            name=name,
            role=str(table["role"]),
            summary=str(table["summary"]),
            licence=str(table["licence"]),
            weights_sha256=str(table["weights_sha256"]),
            config=dict(table.get("config", {})),
            facts=table,
        )
    except KeyError as error:
        raise CheckpointError(f"{path}: the card lacks {error}") from error


def load_checkpoint(name: str) -> Checkpoint:
    """Read a checkpoint whole; raises `CheckpointError` if a byte differs from its card."""
    from safetensors.torch import load

    card = read_card(name)
    folder = models_dir() / name
    blob = _read_bytes(folder / "weights.safetensors")
    digest = hashlib.sha256(blob).hexdigest()
    if digest != card.weights_sha256:
        raise CheckpointError(
            f"{folder / 'weights.safetensors'}: SHA-256 is {digest}, "
            f"the card says {card.weights_sha256}; restore the file"
        )
    return Checkpoint(
        card=card,
        state={key: tensor.float() for key, tensor in load(blob).items()},
        calibration=_read_calibration(folder / "calibration.safetensors"),
    )


def verify_checkpoint(name: str) -> str:
    """Check a checkpoint's hash and readability; returns its SHA-256."""
    return load_checkpoint(name).card.weights_sha256


def _read_calibration(path: Path) -> Calibration | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if not path.is_file():
        return None
    blob = _read_bytes(path)
    try:
        table = load(blob)
        values = {key: float(table[key].item()) for key in ("scale", "offset", "limit")}
        if "unknown" in table:  # older files claim to know all fakes
            values["unknown"] = float(table["unknown"].item())
        return Calibration(**values)
    except (KeyError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{path}: not a calibration: {error}; restore the file") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
