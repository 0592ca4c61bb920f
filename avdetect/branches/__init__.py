"""The experts. `BRANCHES` is the only list of them: adding one adds a row here."""

from __future__ import annotations

from collections.abc import Callable

import torch

from avdetect.branches.base import Branch
from avdetect.branches.lip_sync import build_lip_sync
from avdetect.branches.visual_forgery import build_visual_forgery
from avdetect.branches.voice_clone import build_voice_clone
from avdetect.checkpoint import Checkpoint

BranchBuilder = Callable[[Checkpoint, torch.device], Branch]

BRANCHES: dict[str, BranchBuilder] = {
    "voice_clone": build_voice_clone,
    "visual_forgery": build_visual_forgery,
    "lip_sync": build_lip_sync,
}
