"""Does this mouth speak this sound: synchrony of the speaking face with the speech.

Each 1.2 s of an unbroken face track is embedded together with the sound around it; the offset at
which they agree best over the whole observation is reported as a fact, and the agreement is judged
there. A sound that is merely late or early is a recording fault, not a fake.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from avdetect.branches.agreement import agree
from avdetect.branches.base import BranchOutput, PartScore
from avdetect.branches.sync_encoders import build_encoder
from avdetect.branches.sync_windows import STILL_MOUTH, SyncPart, stack_windows, sync_part
from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError
from avdetect.nn.fixed_batch import batch_size, run_fixed
from avdetect.nn.mouth_detail import mouth_detail
from avdetect.nn.offset_curve import (
    best_offset,
    offset_curve,
    offset_heard,
    offset_similarities,
)
from avdetect.nn.sync_encoder import SyncNet
from avdetect.nn.sync_head import ConsistencyHead
from avdetect.observation import Observation
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part, Segment

ENOUGH_S = 5.0  # speech with a visible mouth on which a confident judgement rests
LEAST_S = 1.0
# Of the stretches with speech: a face that is still in more of them is listened over, not speaking.
_MOST_STILL = 0.75


class LipSyncBranch:
    """The expert on agreement of lips and speech; implements `avdetect.branches.base.Branch`."""

    name = "lip_sync"

    def __init__(self, encoder: SyncNet, head: ConsistencyHead, device: torch.device) -> None:
        self.token_width = head.token_width
        self._encoder = encoder.eval().to(device)
        self._head = head.eval().to(device)
        self._hear = encoder.sound_features().eval().to(device)
        self._device = device

    def run(self, observations: Sequence[Observation]) -> list[list[BranchOutput]]:
        """Judge the speaking face of each observation with its clearest channel.

        An output's facts are ``av_offset_s`` (> 0: the sound is late), ``sync_distance`` and
        ``sync_confidence``, see `avdetect.branches.agreement.OffsetSums.facts`.
        """
        parts = [sync_part(observation) for observation in observations]
        windows = [window for part in parts if part for window in part.windows]
        if not windows:
            return [self._absent(part) for part in parts]
        stacked = stack_windows(windows, self._encoder.crop_px)
        tensors = tuple(tensor.to(self._device) for tensor in stacked)
        embedded = run_fixed(self._embed, tensors, batch_size(self._device))
        outputs, start = [], 0
        for part in parts:
            if part is None or part.missing is not None:
                outputs.append(self._absent(part))
                continue
            rows = slice(start, start + len(part.windows))
            mouth, speech, detail = (column[rows] for column in embedded)
            outputs.append([self._judge(part, mouth, speech, tensors[3][rows], detail)])
            start = rows.stop
        return outputs

    def pool(self, part: Part, outputs: Sequence[BranchOutput]) -> PartScore:
        """Mean score of the windows, weighted by their speech; needs 1 s of speech in all."""
        present = [output for output in outputs if output.missing is None]
        if not present:
            reasons = [output.missing for output in outputs if output.missing]
            reason = max(reasons, key=reasons.count) if reasons else "no face with sound"
            return PartScore(part=part, segment=None, score=None, quality=0.0, missing=reason)
        n_still = sum(output.missing == STILL_MOUTH for output in outputs)
        if n_still > _MOST_STILL * (n_still + len(present)):
            return PartScore(part=part, segment=None, score=None, quality=0.0, missing=STILL_MOUTH)
        segments = np.concatenate([output.segments for output in present])
        scores = np.concatenate([output.scores for output in present]).astype(np.float64)
        weights = np.concatenate([output.weights for output in present]).astype(np.float64)
        seconds = _covered_s(segments) * float(weights.mean())
        segment = Segment(float(segments[:, 0].min()), float(segments[:, 1].max()))
        quality = min(1.0, seconds / ENOUGH_S)
        if seconds < LEAST_S:
            reason = f"only {seconds:.1f} s of speech with a visible mouth, needs {LEAST_S:.0f} s"
            return PartScore(part=part, segment=None, score=None, quality=quality, missing=reason)
        score = float((scores * weights).sum() / weights.sum())
        return PartScore(part=part, segment=segment, score=score, quality=quality)

    def _embed(
        self, mouths: Tensor, lips: Tensor, sound: Tensor, heard: Tensor
    ) -> tuple[Tensor, ...]:
        mouth, speech = self._encoder(mouths, lips, self._hear(sound), heard)
        return mouth, speech, mouth_detail(mouths, lips)

    def _judge(
        self, part: SyncPart, mouth: Tensor, speech: Tensor, heard: Tensor, detail: Tensor
    ) -> BranchOutput:
        similarity, known = offset_similarities(mouth, speech), offset_heard(heard)
        # All windows of the observation vote for one offset: it belongs to the recording.
        votes, told = similarity.flatten(0, 1)[None], known.flatten(0, 1)[None]
        offset = best_offset(offset_curve(votes, told))
        begins = np.array([w.segment.start_s for w in part.windows])
        agreement = agree(similarity, known, np.rint(begins * FRAME_RATE_HZ).astype(np.int64))
        inputs = (mouth, speech, heard, offset.expand(len(mouth)), detail)
        score, _, tokens = run_fixed(self._head, inputs, batch_size(self._device))
        return BranchOutput(
            part=part.part,
            segments=np.array([(w.segment.start_s, w.segment.end_s) for w in part.windows]),
            scores=score.cpu().numpy().astype(np.float32),
            tokens=tokens.cpu().numpy().astype(np.float32),
            weights=np.array([w.speech_share for w in part.windows], np.float32),
            facts=agreement.sums.facts(),
            agreement=agreement,
        )

    def _absent(self, part: SyncPart | None) -> list[BranchOutput]:
        if part is None:
            return []
        return [
            BranchOutput.absent(part.part, part.missing or "nothing to judge", self.token_width)
        ]


def build_lip_sync(checkpoint: Checkpoint, device: torch.device) -> LipSyncBranch:
    """Build the branch from a verified checkpoint.

    Raises:
        CheckpointError: if the weights do not fit the network of the card's ``[config]``, or are an
            imported encoder's alone.
    """
    config, name = checkpoint.card.config, checkpoint.card.name
    if "encoder" in config and "head_width" not in config:
        raise CheckpointError(
            f"{name}: an imported encoder without projections and head: train them with "
            f'recipes.lip_sync (encoder_model = "{name}") and name what that exports in the bundle'
        )
    try:
        encoder = build_encoder(config)
        head = ConsistencyHead(embedding=int(config["embedding"]), width=int(config["head_width"]))
        encoder.load_state_dict(_below(checkpoint.state, "encoder."), strict=True)
        head.load_state_dict(_below(checkpoint.state, "head."), strict=True)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{name}: not a lip_sync model: {reason}") from error
    return LipSyncBranch(encoder, head, device)


def _below(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def _covered_s(segments: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    covered, reached = 0.0, -np.inf
    for start, end in segments[np.argsort(segments[:, 0])]:
        covered += max(0.0, float(end) - max(float(start), reached))
        reached = max(reached, float(end))
    return covered
