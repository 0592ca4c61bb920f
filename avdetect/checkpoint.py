"""Find, verify and read models: whole or not at all, never a pickle.

A checkpoint is a folder ``models/<name>/``:

    card.toml                 facts for people and for the loader (see `ModelCard`)
    weights.safetensors       the network; its SHA-256 stands in the card
    calibration.safetensors   scalars ``scale``, ``offset``, ``limit`` (float64), see `Calibration`

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
    "picture_trace",
    "voice_trace",
