"""Cross-attention fusion: what the branches' rows say together, added to late fusion.

The network gives a raw score of its own. Its calibration is fitted with late fusion as a fixed
offset on clips that trained nothing, so that it adds as much as it was seen to add there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError
from avdetect.fusion.late import LateRule
from avdetect.fusion.subjects import FACE, SYNC, VOICE, Subject, WindowRows
from avdetect.nn.fixed_batch import batch_size, run_fixed
from avdetect.nn.fusion_network import N_FEATURES, FusionNetwork, pool_windows

# Most rows of each branch that one window can hold; more would mean overlapping observations.
MAX_ROWS = {VOICE: 12, FACE: 24, SYNC: 12}
_LLR_SCALE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FusedScore:
    """Calibrated LLRs of one subject; a modality without its branch is None.

    ``added`` tells what each branch's finding adds to late fusion before it is bounded.
    """

    fake_llr: float
    audio_fake: float | None
    video_fake: float | None
    out_of_sync: float | None
    added: Mapping[str, float]


class CrossAttentionFusion:
    """Stateless and thread-safe."""

    def __init__(
        self,
        network: FusionNetwork | None,
        late: LateRule,
        calibration: Calibration,
        row_calibrations: dict[str, Calibration],
        device: torch.device,
    ) -> None:
        self._network = network and network.to(device).eval()
        self._late = late
        self._calibration = calibration
        self._row_calibrations = row_calibrations
        self._device = device

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint: Checkpoint,
        late: LateRule,
        row_calibrations: dict[str, Calibration],
        device: torch.device,
    ) -> CrossAttentionFusion:
        """Build from a ``cross_attention`` checkpoint and the branches' own calibrations."""
        config = checkpoint.card.config
        network = FusionNetwork(
            {name: int(size) for name, size in config["token_widths"].items()},
            width=int(config["width"]),
            heads=int(config["heads"]),
        )
        try:
            network.load_state_dict(checkpoint.state, strict=True)
        except RuntimeError as error:
            raise CheckpointError(f"{checkpoint.card.name}: of another config: {error}") from error
        if checkpoint.calibration is None:
            raise CheckpointError(f"{checkpoint.card.name}: the fusion lacks its calibration")
        return cls(network, late, checkpoint.calibration, row_calibrations, device)

    @classmethod
    def late_alone(
        cls, late: LateRule, row_calibrations: dict[str, Calibration], device: torch.device
    ) -> CrossAttentionFusion:
        """Without a network, as for branches that none was trained with: the late rule decides."""
        limit = max(calibration.limit for calibration in row_calibrations.values())
        bounds = Calibration(scale=1.0, offset=0.0, limit=limit)
        return cls(None, late, bounds, row_calibrations, device)

    @property
    def token_widths(self) -> Mapping[str, int]:
        """How many numbers a token of each branch has; empty without a network."""
        return {} if self._network is None else self._network.token_widths

    @property
    def limit(self) -> float:
        """Largest absolute LLR that the clips it was fitted on allow to claim."""
        return self._calibration.limit

    def judge(self, subject: Subject, windows: Sequence[WindowRows]) -> FusedScore:
        """Fuse one subject over a clip."""
        llrs = subject.fake_llrs
        modal = [llrs.get(VOICE), llrs.get(FACE), llrs.get(SYNC)]
        scores = self.scores(subject, windows)
        if scores is None:
            return FusedScore(
                fake_llr=self.at_moment(llrs),
                audio_fake=modal[0],
                video_fake=modal[1],
                out_of_sync=modal[2],
                added=self._late.terms(llrs),
            )
        added = [
            None if llr is None else llr + self._calibration.scale * float(scores[k + 1])
            for k, llr in enumerate(modal)
        ]
        base = self._late.fake_llr(llrs)
        return FusedScore(
            fake_llr=self._bounded(base + self._calibration.fake_llr(float(scores[0]))),
            audio_fake=added[0],
            video_fake=added[1],
            out_of_sync=added[2],
            added=self._late.terms(llrs),
        )

    def at_moment(self, fake_llrs: Mapping[str, float]) -> float:
        """Late fusion of what the branches say of one moment; one alone is passed on unchanged."""
        fused = self._late.fake_llr(fake_llrs)
        return self._bounded(fused) if len(fake_llrs) > 1 else fused

    def _bounded(self, fake_llr: float) -> float:
        # A sum of bounded LLRs must not claim more than the clips that fusion was fitted on allow.
        limit = self._calibration.limit
        return max(-limit, min(limit, fake_llr))

    def scores(self, subject: Subject, windows: Sequence[WindowRows]) -> Tensor | None:
        """(4,) raw scores of fake, audio, video, synchrony; None where no two branches met."""
        if self._network is None:
            return None
        packed = pack_windows(subject, windows, self._network.token_widths, self._row_calibrations)
        if packed is None:
            return None
        inputs = [torch.from_numpy(array).to(self._device) for array in packed]
        outputs = run_fixed(self._network, inputs, batch_size(self._device))
        return pool_windows(outputs.cpu())


def pack_windows(
    subject: Subject,
    windows: Sequence[WindowRows],
    token_widths: dict[str, int],
    row_calibrations: dict[str, Calibration],
) -> list[NDArray[np.float32]] | None:
    """One (W, L, D + 4) array per branch for the windows in which two branches met.

    Windows with a single branch carry nothing to compare and are left out; None if none is left.
    """
    parts = subject.parts()
    kept: list[tuple[WindowRows, dict[str, BranchOutput]]] = []
    for window in windows:
        found = {
            name: output
            for name in token_widths
            if name in subject.fake_llrs
            for output in window.outputs.get(name, ())
            if output.part == parts[name] and len(output.scores)
        }
        if len(found) >= 2:
            kept.append((window, found))
    if not kept:
        return None
    arrays = []
    for name, size in token_widths.items():
        array = np.zeros((len(kept), MAX_ROWS[name], size + N_FEATURES), np.float32)
        for row, (window, found) in zip(array, kept, strict=True):
            if name in found:
                _fill(row, found[name], window.segment.start_s, row_calibrations[name])
        arrays.append(array)
    return arrays


def _fill(
    row: NDArray[np.float32], output: BranchOutput, start_s: float, calibration: Calibration
) -> None:
    n_rows, size = min(len(output.scores), len(row)), output.tokens.shape[1]
    row[:n_rows, :size] = output.tokens[:n_rows]
    for index in range(n_rows):
        row[index, size] = calibration.fake_llr(float(output.scores[index])) / _LLR_SCALE
    row[:n_rows, size + 1] = output.weights[:n_rows]
    row[:n_rows, size + 2] = output.segments[:n_rows].mean(1) - start_s
    row[:n_rows, size + 3] = 1.0
