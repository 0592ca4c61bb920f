"""What a figure was made with: commit, versions, machine, weights."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path
from typing import Any

from avdetect.checkpoint import models_dir, read_bundle, read_card

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("avdetect", "av", "mediapipe", "numpy", "silero-vad", "torch", "transformers")
_CODE = ("avdetect", "models")  # what a verdict depends on
SOUND_ROLES = ("voice_clone", "cues")  # of a bundle, those that have a say on sound alone


def commit() -> str:
    """Short hash of the checked-out commit, ``+`` behind it if the detector's code was changed.

    ``unknown`` outside a git checkout.
    """
    head = _git("rev-parse", "--short=12", "HEAD")
    if head is None:
        return "unknown"
    return head + ("+" if _git("status", "--porcelain", "--", *_CODE) else "")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a score may depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


def machine(device: str) -> dict[str, str]:
    """The device the networks ran on and the machine around it."""
    return {"device": device, "machine": platform.machine(), "system": platform.system()}


def model_facts(bundle_name: str, roles: Collection[str] | None = None) -> dict[str, Any]:
    """Every file that a bundle's scores depend on, by role, with hashes.

    Cues without a say are shown beside the scores and are not among them.

    Args:
        bundle_name: of ``models/``.
        roles: those that can have a say on what is scored; None for all of the bundle.

    Returns:
        ``bundle``, ``decision``, ``checkpoints`` {role: {name, weights_sha256,
        calibration_sha256}}, and ``fingerprint``, a short hash over all of these.
    """
    bundle = read_bundle(bundle_name)
    facts: dict[str, Any] = {
        "bundle": bundle.name,
        "decision": bundle.decision,
        "checkpoints": {
            role: {
                "name": name,
                "weights_sha256": read_card(name).weights_sha256,
                "calibration_sha256": _sha256(models_dir() / name / "calibration.safetensors"),
            }
            for role, name in sorted(bundle.checkpoints.items())
            if (roles is None or role in roles)
            and (role != "cues" or read_card(name).config.get("enters_verdict", True))
        },
    }
    canonical = json.dumps({key: facts[key] for key in ("decision", "checkpoints")}, sort_keys=True)
    return facts | {"fingerprint": hashlib.sha256(canonical.encode()).hexdigest()[:16]}


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
