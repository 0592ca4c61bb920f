"""Trace pictures: which known generator made this one, if any, and what is its design?

Three ways of matching (`picture_evidence`) are weighed into one logit per known source. Where none
is strong enough the source is ``unknown``: a tracer that always names somebody accuses somebody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.checkpoint import Checkpoint, load_checkpoint
from avdetect.errors import CheckpointError
from avdetect.nn.fingerprint_network import FingerprintTracer, read_fingerprint_config
from avdetect.tracing.grouping import same_source_log_odds
from avdetect.tracing.linear import LinearHead, read_head
from avdetect.tracing.matching import read_matcher
from avdetect.tracing.naming import Attribution, Limits, name_source, rank, softmax
from avdetect.tracing.picture_evidence import Matchers, Measurement, measure, pair_similarities
from avdetect.tracing.properties import PROPERTIES, title_of
from avdetect.tracing.results import ParsedProperty

PICTURE_MODEL = "picture_trace-fingerprint-faces-202611"
ROLE = "picture_trace"

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTracer:
    """A loaded checkpoint of role ``picture_trace``.

    Attributes:
        name: of the checkpoint.
        sources: (K,) known sources.
        matchers: the three ways of matching.
        weights: (3,) of their evidence in one logit.
        limits: when a source is not named.
        pair_weights: (3,) logistic regression of two likenesses, the constant last.
        design: property -> head on residual spectra.
    """

    name: str
    sources: tuple[str, ...]
    matchers: Matchers
    weights: Array
    limits: Limits
    pair_weights: NDArray[np.float64]
    design: dict[str, LinearHead]

    def measure(self, pictures: Sequence[NDArray[np.uint8]]) -> Measurement:
        """Measure pictures of one source, each (H, W, 3) uint8 RGB of 64 px or more each way."""
        return measure(self.matchers.network, pictures)

    def attribute(self, measured: Measurement) -> Attribution:
        """Name the source, or say why not."""
        evidence = self.matchers.evidence([measured])[0]
        logits = np.asarray(self.weights @ evidence, np.float32)
        novelty = float(self.matchers.novelty([measured])[0])
        return name_source(
            rank(self.sources, logits, title_of),
            is_novel=self.limits.is_novel(novelty, measured.n_blocks),
            least_share=self.limits.least_share,
        )

    def parse_design(self, measured: Measurement) -> tuple[ParsedProperty, ...]:
        """The likeliest value of every property."""
        parsed = []
        for name, head in self.design.items():
            # Targets are +1 and -1: twice the score is about a logit.
            share = softmax(2.0 * head.scores(measured.spectrum[None])[0])
            best = int(share.argmax())
            parsed.append(
                ParsedProperty(
                    name=name,
                    value=head.names[best],
                    probability=round(float(share[best]), 4),
                )
            )
        return tuple(parsed)

    def same_source(self, measured: Sequence[Measurement]) -> NDArray[np.float64]:
        """(N, N) calibrated log-odds that two measurements share a source."""
        n = len(measured)
        likeness = np.zeros((n, n, 2))
        for i in range(n):
            for j in range(i + 1, n):
                pair = pair_similarities(measured[i], measured[j], self.matchers.explicit)
                likeness[i, j] = likeness[j, i] = pair
        return same_source_log_odds(likeness, self.pair_weights)


def load_picture_tracer(name: str = PICTURE_MODEL) -> PictureTracer:
    """Read a checkpoint; raises `CheckpointError` if it is absent, damaged or of another role."""
    checkpoint = load_checkpoint(name)
    if checkpoint.card.role != ROLE:
        raise CheckpointError(f"{name}: has the role {checkpoint.card.role}, {ROLE} is needed")
    try:
        return _build(checkpoint)
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"{name}: is not a {ROLE} checkpoint of this version: {error}"
        ) from error


def _build(checkpoint: Checkpoint) -> PictureTracer:
    config, state = checkpoint.card.config, checkpoint.state
    network = FingerprintTracer(read_fingerprint_config(config["network"]))
    prefix = "network."
    network.load_state_dict(
        {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    )
    sources = tuple(config["sources"])
    design = {
        name: read_head(state, f"design.{name}", config["design"][name]) for name in PROPERTIES
    }
    return PictureTracer(
        name=checkpoint.card.name,
        sources=sources,
        matchers=Matchers(
            network=network.eval(),
            explicit=read_matcher(state, sources),
            whitened=read_head(state, "whitened", sources),
        ),
        weights=np.array(config["weights"], np.float32),
        limits=Limits(**config["limits"]),
        pair_weights=np.array(config["pair_weights"], np.float64),
        design=design,
    )
