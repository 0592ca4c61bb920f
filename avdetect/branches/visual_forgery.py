"""Judges each face by its pixels: blends, resampling, redrawn skin; frame by frame, 5 a second.

With a temporal head in the checkpoint (``[config.temporal]``) the frame network reads every new
picture of the 25 Hz clock, and each second's score for jitter, drift and flicker is added to that
second's frames. Without one, frames alone are judged.

With ``contrast`` in the config a frame of a video is judged by how far its map marks one place
against the rest (`avdetect.nn.map_contrast`), for recordings differ more than forgeries do; a still
picture by the network's score, for it may be drawn as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.branches.base import BranchOutput, FrameScores, PartScore
from avdetect.branches.track_stretches import TrackFrames, stretches_of
from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError
from avdetect.faces.motion import MOTION_WIDTH
from avdetect.nn.face_network import FaceNetwork, build_face_network, read_face_config
from avdetect.nn.fixed_batch import batch_size, run_fixed
from avdetect.nn.image_encoder import FaceForgery, mask_of
from avdetect.nn.map_contrast import MapContrast
from avdetect.nn.temporal_head import Stretch, TemporalConfig, TemporalHead
from avdetect.nn.trained_state import load_trained_state
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ, exact_ratio
from avdetect.types import Part, Segment

JUDGED_RATE_HZ = 5
FRAME_STEP = exact_ratio(FRAME_RATE_HZ, JUDGED_RATE_HZ)
SMALLEST_FACE_PX = 48.0  # below, a crop is mostly enlarging, and reads like a forgery
# By the mesh, which reads 45 of faces that are nearer to a profile: half of it is guessed there.
LARGEST_YAW_DEG = 45.0
_FULL_FACE_PX = 160.0  # a face that fills its crop without enlarging
_FULL_FRAMES = 25.0  # five seconds: more frames of one clip hardly change its mean


class FaceNetworks(NamedTuple):
    """What a checkpoint of this branch holds; the last two may be None."""

    frames: FaceNetwork
    head: TemporalHead | None
    contrast: MapContrast | None


class VisualForgeryBranch:
    """One row per judged frame of a face track; see `avdetect.branches.base.Branch`."""

    name = "visual_forgery"

    def __init__(
        self,
        net: FaceNetwork,
        device: torch.device,
        head: TemporalHead | None = None,
        contrast: MapContrast | None = None,
    ) -> None:
        self.token_width = net.token_width
        self._net = net.eval().to(device)
        self._head = None if head is None else head.eval().to(device)
        self._contrast = None if contrast is None else contrast.eval().to(device)
        self._device = device

    @property
    def network(self) -> FaceNetwork:
        """The frame network, for cues that look into it."""
        return self._net

    def run(self, observations: Sequence[Observation]) -> list[list[BranchOutput]]:
        """Judge the frames of each observation that no earlier one covered."""
        plans = [[self._plan(face, seen) for face in seen.faces] for seen in observations]
        wanted = [each for plan in plans for each in plan if isinstance(each, _Frames)]
        if wanted:
            crops = np.concatenate([frames.crops for frames in wanted])
            still = np.repeat([frames.still for frames in wanted], [len(f.crops) for f in wanted])
            judged = tuple(part.numpy() for part in self._judge(crops, still))
        outputs: list[list[BranchOutput]] = []
        start = 0
        for plan in plans:
            outputs.append([])
            for each in plan:
                if isinstance(each, BranchOutput):
                    outputs[-1].append(each)
                    continue
                rows = slice(start, start + len(each.crops))
                outputs[-1].append(self._output(each, *(part[rows] for part in judged)))
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
                read = rows if self._head is None else read_rows(face, seen, rows)
                return _Frames(part, face, rows, read, still=seen.is_still)
            reason = f"face {face.track}: no frame in this stretch that was not judged before"
        return BranchOutput.absent(part, reason, self.token_width)

    def _output(
        self,
        frames: _Frames,
        tokens: NDArray[np.float32],
        scores: NDArray[np.float32],
        maps: NDArray[np.float32],
    ) -> BranchOutput:
        if self._head is not None:
            scores = scores + self._over_time(self._head, frames.track_frames(tokens, scores))
        return frames.output(tokens, scores, maps)

    def _over_time(self, head: TemporalHead, frames: TrackFrames) -> NDArray[np.float32]:
        """What the head adds to each frame (T,)."""

        def batch(*parts: Tensor) -> Tensor:
            added: Tensor = head(Stretch(*(part.to(self._device) for part in parts)))
            return added.float().cpu()

        stretches, stretch_of = stretches_of(frames)
        added: NDArray[np.float32] = run_fixed(batch, stretches, batch_size(self._device)).numpy()
        return added[stretch_of]

    def _judge(self, crops: NDArray[np.uint8], still: NDArray[np.bool_]) -> tuple[Tensor, ...]:
        """Tokens (N, D), scores (N,) and maps (N, 28, 28) in [0, 1]; ``still`` (N,) of pictures."""

        def batch(faces: Tensor, still: Tensor) -> tuple[Tensor, ...]:
            pixels = faces.to(self._device).permute(0, 3, 1, 2).float() / 255.0
            said: FaceForgery = self._net(pixels)
            score = said.score
            if self._contrast is not None:
                of_still, read = self._contrast.of_still(score), self._contrast(said.mask_logits)
                score = torch.where(still.to(self._device), of_still, read)
            return said.token.cpu(), score.cpu(), mask_of(said.mask_logits).cpu()

        inputs = (torch.from_numpy(crops), torch.from_numpy(still))
        return run_fixed(batch, inputs, batch_size(self._device))


def build_visual_forgery(checkpoint: Checkpoint, device: torch.device) -> VisualForgeryBranch:
    """The branch of a checkpoint.

    Raises:
        CheckpointError: if its weights do not fit its card, or its backbone cannot be loaded.
    """
    try:
        networks = load_networks(checkpoint)
    except (TypeError, RuntimeError) as error:
        text = str(error).splitlines()[0]
        raise CheckpointError(f"{checkpoint.card.name}: weights and card differ: {text}") from error
    return VisualForgeryBranch(networks.frames, device, networks.head, networks.contrast)


def build_networks(config: Mapping[str, Any]) -> FaceNetworks:
    """The untrained networks of a card's ``[config]``: frames, and what it names beside.

    Raises:
        TypeError: on a key that is not known.
        CheckpointError: if the backbone cannot be loaded.
    """
    table = dict(config)
    temporal, contrast = table.pop("temporal", None), table.pop("contrast", False)
    net = build_face_network(read_face_config(table))
    return FaceNetworks(
        frames=net,
        head=None
        if temporal is None
        else TemporalHead(net.token_width, MOTION_WIDTH, TemporalConfig(**temporal)),
        contrast=MapContrast() if contrast else None,
    )


def load_networks(checkpoint: Checkpoint) -> FaceNetworks:
    """The networks of a checkpoint with their weights.

    Raises:
        TypeError, RuntimeError: if weights and card differ.
        CheckpointError: if the backbone cannot be loaded.
    """
    networks = build_networks(checkpoint.card.config)
    joined: nn.Module = networks.frames  # under the names of a checkpoint
    for name, part in (("temporal", networks.head), ("contrast", networks.contrast)):
        if part is not None:
            joined.add_module(name, part)
    load_trained_state(joined, checkpoint.state)
    return networks


def unusable(face: FaceWindow) -> str | None:
    """Why a face cannot be judged, in words; None where it can."""
    if face.size_px < SMALLEST_FACE_PX:
        return f"face {face.track} is {face.size_px:.0f} px large, {SMALLEST_FACE_PX:.0f} px needed"
    if abs(face.yaw_deg) > LARGEST_YAW_DEG:
        return (
            f"face {face.track} is turned {math.ceil(abs(face.yaw_deg))} degrees, "
            f"at most {LARGEST_YAW_DEG:.0f} can be judged"
        )
    return None


def judged_rows(face: FaceWindow, seen: Observation) -> NDArray[np.int64]:
    """Rows of a window to judge: on the 5 Hz grid of the clip, in its fresh part.

    Where the face was found in none of the grid's frames (a short flash, a still picture), the
    one fresh frame nearest to the grid is taken.
    """
    fresh = seen.is_fresh(face.frame_index)
    rows = np.flatnonzero(fresh & (face.frame_index % FRAME_STEP == 0))
    if len(rows) == 0 and fresh.any():
        candidates = np.flatnonzero(fresh)
        phase = face.frame_index[candidates] % FRAME_STEP
        rows = candidates[[int(np.minimum(phase, FRAME_STEP - phase).argmin())]]
    return np.asarray(rows, np.int64)


def read_rows(face: FaceWindow, seen: Observation, judged: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows a temporal head reads: every fresh picture that is new, and the judged ones."""
    is_new = np.diff(face.frame_s, prepend=-np.inf) > 0.0
    rows = np.flatnonzero(seen.is_fresh(face.frame_index) & is_new)
    return np.union1d(rows, judged).astype(np.int64)


class _Frames:
    """Frames of one face to read, those of them to judge, and how they become an output."""

    def __init__(
        self,
        part: Part,
        face: FaceWindow,
        rows: NDArray[np.int64],
        read: NDArray[np.int64],
        *,
        still: bool,
    ) -> None:
        self.part = part
        self.still = still
        self.crops = face.faces[read]
        self._face, self._read = face, read
        self._judged = np.searchsorted(read, rows)
        start_s = face.frame_index[rows] / FRAME_RATE_HZ
        self._segments = np.stack([start_s, start_s + 1.0 / JUDGED_RATE_HZ], 1)
        self._weight = min(1.0, face.size_px / _FULL_FACE_PX)

    def track_frames(self, tokens: NDArray[np.float32], scores: NDArray[np.float32]) -> TrackFrames:
        return TrackFrames(
            frame_index=self._face.frame_index[self._read],
            frame_s=self._face.frame_s[self._read],
            landmarks=self._face.landmarks[self._read],
            tokens=tokens,
            scores=scores,
        )

    def output(
        self,
        tokens: NDArray[np.float32],
        scores: NDArray[np.float32],
        maps: NDArray[np.float32],
    ) -> BranchOutput:
        judged = self._judged
        rows = FrameScores(
            segments=self._segments,
            scores=np.asarray(scores[judged], np.float32),
            weights=np.full(len(judged), self._weight, np.float32),
            relative=True,
        )
        return BranchOutput(
            part=self.part,
            segments=rows.segments,
            scores=rows.scores,
            tokens=np.asarray(tokens[judged], np.float32),
            weights=rows.weights,
            maps=np.asarray(maps[judged], np.float32),
            frames=None if self.still else rows,
        )
