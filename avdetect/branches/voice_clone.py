"""The voice-clone branch: is this speech synthesised or converted, on each sound channel.

Each observation is cut into half-second rows; every row's score is given in the light of the whole
observation, of all that sounds in it. A row weighs as much as its share of speech, and seconds that
an earlier observation has judged weigh nothing, so that each second of a clip counts once. The
clip's score is the weighted mean of its rows' scores, and that mean is what training optimises.
Scores of 20 ms frames, where the model gives them, say where in a clip a forgery may lie, and
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.branches.base import FRAME_S, BranchOutput, FrameScores, PartScore
from avdetect.branches.voice_front_ends import FrontEnd, VoiceJudge, front_end
from avdetect.branches.voice_numbers import voice_numbers
from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError
from avdetect.nn.fixed_batch import batch_size, run_fixed
from avdetect.nn.redrawing_judge import RedrawingJudge
from avdetect.nn.trained_state import load_trained_state
from avdetect.observation import ChannelAudio, Observation
from avdetect.speech.features import STEP_SAMPLES
from avdetect.timebase import OBSERVATION_S, SAMPLE_RATE_HZ, seconds_to_samples
from avdetect.types import Part, Segment

LEAST_SPEECH_S = 1.0
ROW_S = 0.5
# EER falls with speech until some seconds are heard; from here on quality counts as full.
_ENOUGH_SPEECH_S = 4.0
_ROW_SAMPLES = seconds_to_samples(ROW_S)
_FRAME_SAMPLES = seconds_to_samples(FRAME_S)
_LEAST_BANDWIDTH_HZ = 2000.0  # no line that anything was learned from ends below 3 kHz
_NO_SPEECH = "no speech here"
_TOO_FAINT = "the speech here is too short, or too faint beside a louder sound, to be measured"
_NARROW_HZ = 5000.0  # between the 4 kHz of a telephone line and the 7 kHz of a wide one
_INPUT_SAMPLES = seconds_to_samples(OBSERVATION_S)


def build_voice_clone(checkpoint: Checkpoint, device: torch.device) -> VoiceCloneBranch:
    """The branch of a checkpoint.

    Raises:
        CheckpointError: if weights are missing or left over, or the front end cannot be built.
    """
    config = checkpoint.card.config
    try:
        net = front_end(config).build(config)
        load_trained_state(net, checkpoint.state)
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{checkpoint.card.name}: of another config: {error}") from error
    return VoiceCloneBranch(net, front_end(config), device)


class VoiceCloneBranch:
    """See the module's words. Stateless: ``run`` may be called from several threads."""

    name = "voice_clone"

    def __init__(self, net: nn.Module, front: FrontEnd, device: torch.device) -> None:
        self._net = cast(VoiceJudge, net.eval().requires_grad_(False).to(device))
        self._front = front
        self._device = device
        self.token_width = self._net.token_width

    @property
    def linear_judge(self) -> RedrawingJudge | None:
        """The judge beside the network, where the model has one."""
        return self._net.linear_judge

    def run(self, observations: Sequence[Observation]) -> list[list[BranchOutput]]:
        """Judge every channel of every observation; see `avdetect.branches.base.Branch`."""
        jobs = [
            _Job.of(observation, channel)
            for observation in observations
            for channel in observation.channels
        ]
        speaking = [job for job in jobs if job.unusable is None]
        rows = iter(self._judge(speaking))
        outputs = iter(
            [
                self._output(job, *next(rows)) if job.unusable is None else self._absent(job)
                for job in jobs
            ]
        )
        return [[next(outputs) for _ in observation.channels] for observation in observations]

    def pool(self, part: Part, outputs: Sequence[BranchOutput]) -> PartScore:
        """Weighted mean of the rows' scores; each second of speech counts once."""
        judged = [output for output in outputs if output.missing is None]
        weights = np.concatenate([np.zeros(0, np.float32), *(o.weights for o in judged)])
        speech_s = float(weights.sum(dtype=np.float64)) * ROW_S
        if speech_s < LEAST_SPEECH_S:
            reason = f"too little speech: {speech_s:.1f} s found, {LEAST_SPEECH_S:.1f} s needed"
            unusable = [o.missing for o in outputs if o.missing and o.missing != _NO_SPEECH]
            reason = unusable[-1] if unusable else reason
            return PartScore(part=part, segment=None, score=None, quality=0.0, missing=reason)
        scores = np.concatenate([output.scores for output in judged])
        heard = np.concatenate([output.segments for output in judged])[weights > 0]
        return PartScore(
            part=part,
            segment=Segment(float(heard[:, 0].min()), float(heard[:, 1].max())),
            score=float(np.average(scores.astype(np.float64), weights=weights)),
            quality=min(1.0, speech_s / _ENOUGH_SPEECH_S),
        )

    def _judge(self, jobs: Sequence[_Job]) -> list[tuple[NDArray[np.float32], ...]]:
        """Tokens, scores of rows and scores of frames, none where the model gives none."""
        if not jobs:
            return []
        waveforms = np.stack([job.waveform for job in jobs])
        speech = torch.from_numpy(np.stack([job.speech for job in jobs]))

        def judge(waveform: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
            on_device = waveform.to(self._device), mask.to(self._device)
            judged = self._net(self._front.inputs(*on_device), on_device[1])
            return tuple(tensor.cpu() for tensor in judged)

        inputs = torch.from_numpy(waveforms), speech
        tokens, scores, frames = run_fixed(judge, inputs, batch_size(self._device))
        if self._net.linear_judge is not None:
            judged = self._judge_whole(self._net.linear_judge, jobs, waveforms)
            scores = judged[:, None].expand_as(scores)
        return list(zip(tokens.numpy(), scores.numpy(), frames.numpy(), strict=True))

    def _judge_whole(
        self, judge: RedrawingJudge, jobs: Sequence[_Job], waveforms: NDArray[np.float32]
    ) -> Tensor:
        """(N,) one score for each observation, by the judge that needs the whole of it.

        NaN where too little of it sounds: those are no measured numbers, and mean nothing.
        """
        numbers = voice_numbers(judge, waveforms, [len(j.heard) for j in jobs], self._device)
        narrow = torch.tensor([job.narrow for job in jobs])
        with torch.inference_mode():
            given = torch.from_numpy(numbers).to(self._device), narrow.to(self._device)
            scores: Tensor = judge(*given).cpu()
        return torch.where(torch.from_numpy(numbers.any(1)), scores, torch.nan)

    def _output(
        self,
        job: _Job,
        tokens: NDArray[np.float32],
        scores: NDArray[np.float32],
        frames: NDArray[np.float32],
    ) -> BranchOutput:
        if np.isnan(scores).any():
            return BranchOutput.absent(job.part, _TOO_FAINT, self.token_width)
        return job.output(tokens, scores, frames)

    def _absent(self, job: _Job) -> BranchOutput:
        return BranchOutput.absent(job.part, job.unusable or _NO_SPEECH, self.token_width)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One channel of one observation as the network wants it: tiled to four seconds.

    Attributes:
        part: the channel.
        heard: (S,) float32, the waveform before tiling.
        waveform: (64000,) float32.
        speech: (80,) share of speech per 50 ms step, tiled alike.
        segments: (L, 2) rows that really exist, on the clip's clock.
        weights: (L,) share of each row that is speech not judged before.
        frame_weights: (F,) share of speech of each frame that really exists.
        bandwidth_hz: of the sound as recorded; None where it is not known.
    """

    part: Part
    heard: NDArray[np.float32]
    waveform: NDArray[np.float32]
    speech: NDArray[np.float32]
    segments: NDArray[np.float64]
    weights: NDArray[np.float32]
    frame_weights: NDArray[np.float32]
    bandwidth_hz: float | None

    @property
    def narrow(self) -> bool:
        """Whether the sound has a telephone's bandwidth."""
        return is_narrow(self.bandwidth_hz)

    @property
    def unusable(self) -> str | None:
        """Why it cannot be judged, in words; None where it can."""
        if not self.speech.any():
            return _NO_SPEECH
        if self.bandwidth_hz is not None and self.bandwidth_hz < _LEAST_BANDWIDTH_HZ:
            return (
                f"the sound ends at {self.bandwidth_hz:.0f} Hz, "
                f"{_LEAST_BANDWIDTH_HZ:.0f} Hz are needed"
            )
        return None

    @staticmethod
    def of(observation: Observation, channel: ChannelAudio) -> _Job:
        waveform = channel.waveform[:_INPUT_SAMPLES]
        start_s = observation.segment.start_s
        speech = _sample_mask(channel.speech, start_s, len(waveform))
        fresh = speech * _sample_mask([observation.fresh], start_s, len(waveform))
        n_rows = -(-len(waveform) // _ROW_SAMPLES)
        starts = start_s + ROW_S * np.arange(n_rows)
        ends = np.minimum(starts + ROW_S, start_s + len(waveform) / SAMPLE_RATE_HZ)
        filled = np.zeros(n_rows * _ROW_SAMPLES, np.float32)
        filled[: len(fresh)] = fresh
        return _Job(
            part=Part(channel=channel.channel),
            heard=waveform,
            waveform=tile_waveform(waveform),
            speech=tile_waveform(speech).reshape(-1, STEP_SAMPLES).mean(1),
            segments=np.stack([starts, ends], 1),
            weights=filled.reshape(n_rows, _ROW_SAMPLES).mean(1),
            frame_weights=np.pad(speech, (0, -len(speech) % _FRAME_SAMPLES))
            .reshape(-1, _FRAME_SAMPLES)
            .mean(1),
            bandwidth_hz=channel.bandwidth_hz,
        )

    def output(
        self,
        tokens: NDArray[np.float32],
        scores: NDArray[np.float32],
        frames: NDArray[np.float32],
    ) -> BranchOutput:
        n_rows = len(self.weights)
        return BranchOutput(
            part=self.part,
            segments=self.segments,
            scores=scores[:n_rows],
            tokens=tokens[:n_rows],
            weights=self.weights,
            facts={"speech_s": float(self.weights.sum(dtype=np.float64)) * ROW_S},
            frames=self._frames(frames) if len(frames) else None,
        )

    def _frames(self, scores: NDArray[np.float32]) -> FrameScores:
        starts = self.segments[0, 0] + FRAME_S * np.arange(len(self.frame_weights))
        return FrameScores(
            segments=np.stack([starts, np.minimum(starts + FRAME_S, self.segments[-1, 1])], 1),
            scores=scores[: len(starts)],
            weights=self.frame_weights,
        )


def is_narrow(bandwidth_hz: float | None) -> bool:
    """Whether sound of this bandwidth counts as a telephone's; what is not known does not."""
    return bandwidth_hz is not None and bandwidth_hz < _NARROW_HZ


def _sample_mask(segments: Sequence[Segment], start_s: float, n: int) -> NDArray[np.float32]:
    mask = np.zeros(n, np.float32)
    for segment in segments:
        begin = max(0, seconds_to_samples(segment.start_s - start_s))
        mask[begin : max(begin, seconds_to_samples(segment.end_s - start_s))] = 1.0
    return mask


def tile_waveform(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Repeat from the start up to four seconds; nothing gives silence."""
    if len(samples) == 0:
        return np.zeros(_INPUT_SAMPLES, np.float32)
    return np.resize(samples, _INPUT_SAMPLES).astype(np.float32)
