"""Judges each face by its pixels: blends, resampling, redrawn skin; frame by frame, 5 a second."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.branches.base import BranchOutput, PartScore
from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError
from avdetect.nn.fixed_batch import batch_size, run_fixed
from avdetect.nn.image_encoder import FaceForgery, FaceForgeryConfig, FaceForgeryNet, mask_of
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ, exact_ratio
from avdetect.types import Part, Segment

JUDGED_RATE_HZ = 5
FRAME_STEP = exact_ratio(FRAME_RATE_HZ, JUDGED_RATE_HZ)
SMALLEST_FACE_PX = 48.0  # below, a crop is mostly enlarging, and reads like a forgery
LARGEST_YAW_DEG = 60.0  # beyond, half of the mesh is guessed
_FULL_FACE_PX = 160.0  # a face that fills its crop without enlarging
_FULL_FRAMES = 25.0  # five seconds: more frames of one clip hardly change its mean


class VisualForgeryBranch:
    """One row per judged frame of a face track; see `avdetect.branches.base.Branch`."""

    name = "visual_forgery"

    def __init__(self, net: FaceForgeryNet, token_width: int, device: torch.device) -> None:
        self.token_width = token_width
        self._net = net.eval().to(device)
        self._device = device

    def run(self, observations: Sequence[Observation]) -> list[list[BranchOutput]]:
        """Judge the frames of each observation that no earlier one covered."""
        plans = [[self._plan(face, seen) for face in seen.faces] for seen in observations]
        wanted = [each for plan in plans for each in plan if isinstance(each, _Frames)]
        if wanted:
            crops = np.concatenate([frames.crops for frames in wanted])
            judged = tuple(part.numpy() for part in self._judge(crops))
        outputs: list[list[BranchOutput]] = []
        start = 0
        for plan in plans:
            outputs.append([])
            for each in plan:
                if isinstance(each, BranchOutput):
                    outputs[-1].append(each)
                    continue
                rows = slice(start, start + len(each.crops))
                outputs[-1].append(each.output(*(part[rows] for part in judged)))
                start = rows.stop
        return outputs

    def pool(self, part: Part, outputs: Sequence[BranchOutput]) -> PartScore:
        """Mean over all judged frames of the face, each weighted by its size."""
        judged = [output for output in outputs if len(output.scores)]
        if not judged:
            reasons = [output.missing for output in outputs if output.missing]
            reason = reasons[-1] if reasons else f"{part}: no frame to judge"
            return PartScore(part=part, segment=None, score=None, quality=0.0, missing=reason)
        scores = np.concatenate([output.scores for output in judged]).astype(np.float64)
        weights = np.concatenate([output.weights for output in judged]).astype(np.float64)
        segments = np.concatenate([output.segments for output in judged])
        quality = min(1.0, len(scores) / _FULL_FRAMES) * float(weights.mean())
        return PartScore(
            part=part,
            segment=Segment(float(segments[:, 0].min()), float(segments[:, 1].max())),
            score=float(np.average(scores, weights=weights)),
            quality=quality,
        )

    def _plan(self, face: FaceWindow, seen: Observation) -> _Frames | BranchOutput:
        part = Part(face_track=face.track)
        reason = unusable(face)
        if reason is None:
            rows = judged_rows(face, seen)
            if len(rows):
                return _Frames(part, face, rows)
            reason = f"face {face.track}: no frame in this stretch that was not judged before"
        return BranchOutput.absent(part, reason, self.token_width)

    def _judge(self, crops: NDArray[np.uint8]) -> tuple[Tensor, ...]:
        """Tokens (N, D), scores (N,) and maps (N, 28, 28) in [0, 1]."""

        def batch(faces: Tensor) -> tuple[Tensor, ...]:
            pixels = faces.to(self._device).permute(0, 3, 1, 2).float() / 255.0
            said: FaceForgery = self._net(pixels)
            return said.token.cpu(), said.score.cpu(), mask_of(said.mask_logits).cpu()

        return run_fixed(batch, torch.from_numpy(crops), batch_size(self._device))


def build_visual_forgery(checkpoint: Checkpoint, device: torch.device) -> VisualForgeryBranch:
    """The branch of a checkpoint; raises `CheckpointError` if its weights do not fit its card."""
    try:
        config = FaceForgeryConfig.from_table(checkpoint.card.config)
        net = FaceForgeryNet(config)
        net.load_state_dict(checkpoint.state, strict=True)
    except (TypeError, RuntimeError) as error:
        text = str(error).splitlines()[0]
        raise CheckpointError(f"{checkpoint.card.name}: weights and card differ: {text}") from error
    return VisualForgeryBranch(net, config.token_width, device)


def unusable(face: FaceWindow) -> str | None:
    """Why a face cannot be judged, in words; None where it can."""
    if face.size_px < SMALLEST_FACE_PX:
        return f"face {face.track} is {face.size_px:.0f} px wide, {SMALLEST_FACE_PX:.0f} px needed"
    if abs(face.yaw_deg) > LARGEST_YAW_DEG:
        return (
            f"face {face.track} is turned {abs(face.yaw_deg):.0f} degrees, "
            f"at most {LARGEST_YAW_DEG:.0f} can be judged"
        )
    return None


def judged_rows(face: FaceWindow, seen: Observation) -> NDArray[np.int64]:
    """Rows of a window to judge: on the 5 Hz grid of the clip, in its fresh part.

    Where the face was found in none of the grid's frames (a short flash, a still picture), the
    one fresh frame nearest to the grid is taken.
    """
    times = face.frame_index / FRAME_RATE_HZ
    # Half a frame of slack: ticks and segment borders are both multiples of a frame.
    slack = 0.5 / FRAME_RATE_HZ
    fresh = (times >= seen.fresh.start_s - slack) & (times < seen.fresh.end_s - slack)
    if seen.is_still:
        fresh = np.ones(len(times), bool)
    rows = np.flatnonzero(fresh & (face.frame_index % FRAME_STEP == 0))
    if len(rows) == 0 and fresh.any():
        candidates = np.flatnonzero(fresh)
        phase = face.frame_index[candidates] % FRAME_STEP
        rows = candidates[[int(np.minimum(phase, FRAME_STEP - phase).argmin())]]
    return np.asarray(rows, np.int64)


class _Frames:
    """Frames of one face to judge, and how they become an output."""

    def __init__(self, part: Part, face: FaceWindow, rows: NDArray[np.int64]) -> None:
        self.part = part
        self.crops = face.faces[rows]
        start_s = face.frame_index[rows] / FRAME_RATE_HZ
        self._segments = np.stack([start_s, start_s + 1.0 / JUDGED_RATE_HZ], 1)
        self._weight = min(1.0, face.size_px / _FULL_FACE_PX)

    def output(
        self,
        tokens: NDArray[np.float32],
        scores: NDArray[np.float32],
        maps: NDArray[np.float32],
    ) -> BranchOutput:
        return BranchOutput(
            part=self.part,
            segments=self._segments,
            scores=np.asarray(scores, np.float32),
            tokens=np.asarray(tokens, np.float32),
            weights=np.full(len(scores), self._weight, np.float32),
            maps=np.asarray(maps, np.float32),
        )
