"""One word for everything that a verdict depends on beside the bytes it is about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version

from avdetect.checkpoint import models_dir, read_bundle, read_card
from avdetect.options import ScanOptions


def model_fingerprint(model: str, options: ScanOptions) -> str:
    """Hash of a bundle's weights, settings and calibrations, the scan options and our version.

    Args:
        model: bundle name, or path of a bundle file.
        options: of the scans.

    Returns:
        16 hexadecimal digits. What is loaded is what was hashed: loading checks every weight
        against the SHA-256 of its card.

    Raises:
        CheckpointError: a model is absent.
    """
    bundle = read_bundle(model)
    facts = {
        "version": version("avdetect"),
        "options": asdict(options),
        "decision": bundle.decision,
        "checkpoints": {role: _checkpoint(name) for role, name in bundle.checkpoints.items()},
    }
    canonical = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _checkpoint(name: str) -> dict[str, object]:
    card = read_card(name)
    calibration = models_dir() / name / "calibration.safetensors"
    return {
        "name": name,
        "weights": card.weights_sha256,
        "config": card.config,
        "calibration": calibration.read_bytes().hex() if calibration.is_file() else None,
    }
