"""Trace voices: which kind of vocoder made the samples of this one, if any?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.checkpoint import Checkpoint, load_checkpoint
from avdetect.errors import CheckpointError
from avdetect.speech.vad import VoiceActivity, speech_segments
from avdetect.tracing.grouping import same_source_log_odds
from avdetect.tracing.linear import LinearHead, read_head
from avdetect.tracing.matching import ExplicitMatcher, correlations, read_matcher
from avdetect.tracing.naming import Attribution, Limits, name_source, rank
from avdetect.tracing.vocoders import title_of
from avdetect.tracing.voice_features import clip_features
from avdetect.types import total_seconds

VOICE_MODEL = "voice_trace-statistics-demos-202611"
ROLE = "voice_trace"
LEAST_SPEECH_S = 1.0

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceMeasurement:
    """What is measured of one voice.

    Attributes:
        features: (D,) statistics, see `clip_features`.
        n_stretches: stretches of up to 4 s they are the mean of.
    """

    features: Array
    n_stretches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTracer:
    """A loaded checkpoint of role ``voice_trace``.

    Attributes:
        name: of the checkpoint.
        head: score per family.
        scale: logits are this times the scores.
        limits: when a family is not named.
        explicit: mean features of every family.
        pair_weights: (3,) logistic regression of two likenesses, the constant last.
    """

    name: str
    head: LinearHead
    scale: float
    limits: Limits
    explicit: ExplicitMatcher
    pair_weights: NDArray[np.float64]

    def attribute(self, measured: VoiceMeasurement) -> Attribution:
        """Name the family, or say why not."""
        logits = np.asarray(self.scale * self.head.scores(measured.features[None])[0], np.float32)
        novelty = float(self.explicit.novelty(measured.features[None])[0])
        return name_source(
            rank(self.head.names, logits, title_of),
            is_novel=self.limits.is_novel(novelty, measured.n_stretches),
            least_share=self.limits.least_share,
        )

    def same_source(self, measured: Sequence[VoiceMeasurement]) -> NDArray[np.float64]:
        """(N, N) calibrated log-odds that two voices were made by one generator."""
        features = np.stack([m.features for m in measured])
        likeness = voice_likeness(features, self.explicit, self.head)
        return same_source_log_odds(likeness, self.pair_weights)


def voice_likeness(
    features: Array, explicit: ExplicitMatcher, head: LinearHead
) -> NDArray[np.float64]:
    """(N, D) features to (N, N, 2): correlation of standardised features, and of family scores."""
    standard = explicit.whiten(features)
    scores = head.scores(features)
    return np.stack([correlations(standard, standard), correlations(scores, scores)], -1).astype(
        np.float64
    )


def measure_voice(sound: NDArray[np.float32]) -> tuple[VoiceMeasurement | None, str | None]:
    """Measure the channel with the most speech.

    Args:
        sound: (C, S) float32 at 16 kHz in [-1, 1].

    Returns:
        The measurement, or None and why there is none.
    """
    if not sound.size:
        return None, "no sound"
    spoken = [_speech_s(channel) for channel in sound]
    speech_s = max(spoken)
    if speech_s < LEAST_SPEECH_S:
        return None, f"too little speech: {speech_s:.1f} s found, {LEAST_SPEECH_S:.1f} s needed"
    found = clip_features(sound[spoken.index(speech_s)])
    if found is None:
        return None, "too little speech above the noise"
    return VoiceMeasurement(features=found[0], n_stretches=found[1]), None


def load_voice_tracer(name: str = VOICE_MODEL) -> VoiceTracer:
    """Read a checkpoint; raises `CheckpointError` if it is absent, damaged or of another role."""
    checkpoint = load_checkpoint(name)
    if checkpoint.card.role != ROLE:
        raise CheckpointError(f"{name}: has the role {checkpoint.card.role}, {ROLE} is needed")
    try:
        return _build(checkpoint)
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{name}: is not a {ROLE} checkpoint of this version: {error}"
        ) from error


def _build(checkpoint: Checkpoint) -> VoiceTracer:
    config, state = checkpoint.card.config, checkpoint.state
    return VoiceTracer(
        name=checkpoint.card.name,
        head=read_head(state, "head", config["families"]),
        scale=float(config["scale"]),
        limits=Limits(**config["limits"]),
        explicit=read_matcher(state, config["families"]),
        pair_weights=np.array(config["pair_weights"], np.float64),
    )


def _speech_s(channel: NDArray[np.float32]) -> float:
    activity = VoiceActivity()
    chances = np.concatenate([activity.push(np.ascontiguousarray(channel)), activity.finish()])
    return total_seconds(speech_segments(chances, 0.0))
