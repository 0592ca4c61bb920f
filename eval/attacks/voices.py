"""Attacks on the voice branch: the first seconds of each clip, through the branch's own door.

The branch's score comes from a linear judge of numbers that NumPy computes: no gradient reaches the
sound. So the branch is attacked by queries and laundering; by gradient its network is, which sees
two views of the sound and gives a clip no score; what that does to the branch is told as transfer.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.branches.voice_clone import build_voice_clone, tile_waveform
from avdetect.branches.voice_front_ends import VoiceJudge, front_end
from avdetect.calibration import Calibration
from avdetect.channels.sound_levels import SOUND_LEVELS
from avdetect.checkpoint import Checkpoint
from avdetect.errors import CheckpointError, InputError
from avdetect.media.bandwidth import effective_bandwidth_hz
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.nn.trained_state import load_trained_state
from avdetect.observation import ChannelAudio, Observation
from avdetect.speech.features import STEP_SAMPLES
from avdetect.speech.vad import VoiceActivity, speech_segments
from avdetect.timebase import OBSERVATION_S, SAMPLE_RATE_HZ, seconds_to_samples
from avdetect.types import Segment
from eval.answers import SOUND
from eval.attacks.black_box import random_search, stretches
from eval.attacks.gradient import Ball, fgsm, pgd
from eval.attacks.trial import Trial
from eval.manifest.row import ManifestRow

TARGET, NETWORK = "voice_clone", "voice_network"
SNRS_DB = (40, 30)  # of speech over the largest change of any sample
PGD_STEPS = 10
LAUNDERING = (
    "ulaw",
    "opus_16",
    "mp3_32",
    "white_25db",
    "replay_laptop",
    "laundered_messenger",
    "laundered_phone",
)
_QUERY_SNR_DB = 30

Waveform = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceItem:
    """The first four seconds of a clip.

    Attributes:
        row: the clip.
        waveform: (S,) float32 at 16 kHz.
        speech: where speech is.
        bandwidth_hz: as the engine measures it.
    """

    row: ManifestRow
    waveform: Waveform
    speech: tuple[Segment, ...]
    bandwidth_hz: float | None

    @property
    def is_fake(self) -> bool:
        """The truth of its sound."""
        return SOUND.is_fake(self.row)

    @property
    def towards(self) -> int:
        """-1 to make a fake look real, +1 to make a real voice look fake."""
        return -1 if self.is_fake else 1

    def epsilon(self, snr_db: float) -> float:
        """Largest change of a sample, so that the noise is at least so far below the sound."""
        level = float(np.sqrt(np.mean(np.square(self.waveform, dtype=np.float64))))
        return float(level * 10.0 ** (-snr_db / 20.0))


class VoiceAttackJudge:
    """The branch as it ships, and its network with gradients."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        if checkpoint.calibration is None:
            raise CheckpointError(f"{checkpoint.card.name}: the branch lacks its calibration")
        self.calibration: Calibration = checkpoint.calibration
        self._branch = build_voice_clone(checkpoint, torch.device("cpu"))
        self._front = front_end(checkpoint.card.config)
        net = self._front.build(checkpoint.card.config)
        load_trained_state(net, checkpoint.state)
        self._net = cast(VoiceJudge, net.eval().requires_grad_(False))

    def llr(self, item: VoiceItem, waveform: Waveform) -> float | None:
        """What the branch says of a waveform as a calibrated LLR; None where it abstains."""
        heard = ChannelAudio(
            channel="mono",
            waveform=waveform,
            speech=item.speech,
            bandwidth_hz=item.bandwidth_hz,
        )
        whole = Segment(0.0, len(waveform) / SAMPLE_RATE_HZ)
        seen = Observation(segment=whole, fresh=whole, channels=(heard,))
        (outputs,) = self._branch.run([seen])
        score = self._branch.pool(outputs[0].part, outputs).score
        return None if score is None else self.calibration.fake_llr(score)

    def network_score(self, item: VoiceItem, waveforms: Tensor) -> Tensor:
        """(B, S) to (B,) mean log-odds of the network's rows of speech, with gradients."""
        n_whole = seconds_to_samples(OBSERVATION_S)
        n_times = -(-n_whole // waveforms.shape[1])
        tiled = waveforms.repeat(1, n_times)[:, :n_whole]
        mask = _mask(item).expand(len(waveforms), -1)
        _, rows, _ = self._net(self._front.inputs(tiled, mask), mask)
        weights = mask.reshape(*rows.shape, -1).mean(2)
        return (rows * weights).sum(1) / weights.sum(1)


def read_voices(rows: Sequence[ManifestRow], root: Path) -> Iterator[VoiceItem]:
    """One item per clip with a second of speech in its first four; others are left out."""
    for row in rows:
        try:
            with open_clip(root / row.path) as clip:
                chunks = [
                    chunk
                    for chunk in takewhile(_is_early, clip.chunks(want_video=False))
                    if isinstance(chunk, AudioChunk)
                ]
        except InputError:
            continue
        waveform = np.concatenate([chunk.waveform[0] for chunk in chunks])
        native = np.concatenate([chunk.native[0] for chunk in chunks])
        activity = VoiceActivity()
        speech = speech_segments(np.concatenate([activity.push(waveform), activity.finish()]), 0.0)
        if sum(segment.duration_s for segment in speech) >= 1.0:
            bandwidth_hz = effective_bandwidth_hz(native, chunks[0].native_rate_hz)
            yield VoiceItem(
                row=row, waveform=waveform, speech=tuple(speech), bandwidth_hz=bandwidth_hz
            )


def attack_voices(
    items: Sequence[VoiceItem], judge: VoiceAttackJudge, n_queries: int, seed: int = 0
) -> Iterator[Trial]:
    """Every attack on every item that the branch judges."""
    for item in items:
        before = judge.llr(item, item.waveform)
        if before is None:
            continue
        yield from _white_box(item, judge, before, seed)
        yield _by_queries(item, judge, before, n_queries, seed)
        for level in LAUNDERING:
            after = judge.llr(item, launder(item, level, seed))
            yield _trial(TARGET, item, level, "laundering", before, after)


def white_box_waveform(
    item: VoiceItem,
    judge: VoiceAttackJudge,
    attack: str,
    snr_db: float,
    chance: torch.Generator,
) -> Waveform:
    """A waveform attacked through the network by ``fgsm`` or ``pgd``."""
    inputs = torch.from_numpy(item.waveform)[None]
    ball = Ball(epsilon=item.epsilon(snr_db), low=-1.0)
    towards = torch.tensor([float(item.towards)])

    def score(waveforms: Tensor) -> Tensor:
        return judge.network_score(item, waveforms)

    attacked = (
        fgsm(score, inputs, towards, ball)
        if attack == "fgsm"
        else pgd(score, inputs, towards, ball, PGD_STEPS, chance)
    )
    return np.asarray(attacked[0].numpy(), np.float32)


def launder(item: VoiceItem, level: str, seed: int) -> Waveform:
    """The item through a real channel of the robustness grid."""
    step = SOUND_LEVELS[level].sound
    assert step is not None
    rng = np.random.default_rng([seed, zlib.crc32(item.row.id.encode())])
    return np.asarray(step(item.waveform, rng), np.float32)


def _white_box(
    item: VoiceItem, judge: VoiceAttackJudge, before: float, seed: int
) -> Iterator[Trial]:
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        network_before = judge.network_score(item, torch.from_numpy(item.waveform)[None]).item()
    for attack in ("fgsm", "pgd"):
        for snr_db in SNRS_DB:
            attacked = white_box_waveform(item, judge, attack, snr_db, chance)
            with torch.no_grad():
                after = judge.network_score(item, torch.from_numpy(attacked)[None]).item()
            name = f"{attack} {snr_db} dB"
            yield _trial(NETWORK, item, name, "white box", network_before, after)
            if attack == "pgd":
                yield _trial(TARGET, item, name, "transfer", before, judge.llr(item, attacked))


def _by_queries(
    item: VoiceItem, judge: VoiceAttackJudge, before: float, n_queries: int, seed: int
) -> Trial:
    def query(waveform: Waveform) -> float:
        found = judge.llr(item, waveform)
        return before if found is None else found

    found = random_search(
        query,
        item.waveform,
        item.towards,
        stretches(item.waveform, item.epsilon(_QUERY_SNR_DB), SAMPLE_RATE_HZ),
        n_queries,
        np.random.default_rng([seed, zlib.crc32(item.row.id.encode())]),
    )
    name = f"{n_queries} queries {_QUERY_SNR_DB} dB"
    return _trial(TARGET, item, name, "black box", before, found.score)


def _trial(
    target: str, item: VoiceItem, attack: str, kind: str, before: float, after: float | None
) -> Trial:
    return Trial(
        target=target,
        attack=attack,
        kind=kind,
        id=item.row.id,
        person=item.row.person,
        is_fake=item.is_fake,
        before=before,
        after=after,
    )


def _mask(item: VoiceItem) -> Tensor:
    """(1, 80) share of speech of each 50 ms step, tiled as the branch tiles."""
    mask = np.zeros(len(item.waveform), np.float32)
    for segment in item.speech:
        mask[seconds_to_samples(segment.start_s) : seconds_to_samples(segment.end_s)] = 1.0
    steps = tile_waveform(mask).reshape(-1, STEP_SAMPLES).mean(1)
    return torch.from_numpy(steps)[None]


def _is_early(chunk: object) -> bool:
    return isinstance(chunk, AudioChunk) and chunk.start_s < OBSERVATION_S
