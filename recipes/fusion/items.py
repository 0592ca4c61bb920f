"""Samples ready for training: branches pooled and calibrated, windows packed, labelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.branches.base import Branch
from avdetect.calibration import Calibration
from avdetect.fusion.cross_attention import pack_windows
from avdetect.fusion.subjects import FACE, SYNC, VOICE, Subject, WindowRows
from avdetect.nn.fusion_network import FusionNetwork, pool_windows
from avdetect.types import Part
from recipes.fusion.rows import Sample
from recipes.fusion.variants import LABELS, VARIANTS

FUSED = (VOICE, FACE, SYNC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A sample ready for training: LLRs, packed windows and labels."""

    sample: Sample
    llrs: dict[str, float]
    packed: list[NDArray[np.float32]]
    labels: dict[str, int]


def prepare(
    samples: Sequence[Sample], branches: dict[str, Branch], calibrations: dict[str, Calibration]
) -> list[Item]:
    """Pool and calibrate each branch, pack the windows; needs two branches to be of use."""
    widths = {name: branches[name].token_width for name in FUSED}
    items = []
    for sample in samples:
        windows = [WindowRows(segment, outputs) for segment, outputs in sample.windows]
        subject = Subject(Part(channel="mono", face_track=0), {})
        llrs: dict[str, float] = {}
        for name, part in subject.parts().items():
            outputs = [o for window in windows for o in window.outputs.get(name, ())]
            pooled = branches[name].pool(part, outputs) if outputs else None
            if pooled is not None and pooled.score is not None:
                llrs[name] = calibrations[name].fake_llr(pooled.score)
        packed = pack_windows(Subject(subject.part, llrs), windows, widths, calibrations)
        if len(llrs) >= 2 and packed is not None:
            labels = dict(zip(LABELS, VARIANTS[sample.variant], strict=True))
            items.append(Item(sample=sample, llrs=llrs, packed=packed, labels=labels))
    return items


def network_logits(network: FusionNetwork, items: Sequence[Item]) -> Tensor:
    """(N, 4) logits, see `LABELS`, pooled over each item's windows."""
    inputs = [
        torch.from_numpy(np.concatenate([item.packed[k] for item in items]))
        for k in range(len(FUSED))
    ]
    sizes = [len(item.packed[0]) for item in items]
    return torch.stack([pool_windows(part) for part in network(*inputs).split(sizes)])


def present(items: Sequence[Item]) -> Tensor:
    """(N, 3) bool: which branches judged each item."""
    return torch.tensor([[name in item.llrs for name in FUSED] for item in items])
