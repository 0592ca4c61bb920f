"""From scores of known sources to a name, or to ``unknown`` with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.tracing.properties import UNKNOWN
from avdetect.tracing.results import Candidate

N_CANDIDATES = 3
FEW = 4

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a source is not named.

    Attributes:
        most_novelty: files farther from every known source than this are of none of them.
        most_novelty_few: the same where fewer than `FEW` blocks or stretches were measured: their
            mean strays more, whoever made them.
        least_share: the likeliest source must have this share of the probability.
    """

    most_novelty: float
    most_novelty_few: float
    least_share: float

    def is_novel(self, novelty: float, n_looked_at: int) -> bool:
        """Whether a file is of none of the known sources."""
        return novelty > (self.most_novelty_few if n_looked_at < FEW else self.most_novelty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """A decision over known sources.

    Attributes:
        source: id, or ``unknown``.
        reason: why it is unknown, None where it is not.
        candidates: likeliest first.
    """

    source: str
    reason: str | None
    candidates: tuple[Candidate, ...]


def name_source(
    candidates: tuple[Candidate, ...], *, is_novel: bool, least_share: float
) -> Attribution:
    """Name the likeliest source, or say why not.

    Args:
        candidates: likeliest first.
        is_novel: the file is too far from every known source, see `Limits`.
        least_share: of the probability that the likeliest must have.
    """
    reason = None
    if is_novel:
        reason = f"it is unlike every known source; the nearest is {candidates[0].title}"
    elif candidates[0].probability < least_share:
        reason = f"several known sources fit alike, first {candidates[0].title}"
    source = UNKNOWN if reason else candidates[0].source
    return Attribution(source=source, reason=reason, candidates=candidates)


def rank(
    sources: Sequence[str], logits: Array, title_of: Callable[[str], str]
) -> tuple[Candidate, ...]:
    """The likeliest sources.

    Args:
        sources: (K,) ids.
        logits: (K,) natural logarithm, up to a constant that known sources share.
        title_of: an id in words.
    """
    share = softmax(logits)
    order = np.argsort(-logits, kind="stable")
    return tuple(
        Candidate(
            source=sources[index],
            title=title_of(sources[index]),
            probability=round(float(share[index]), 4),
        )
        for index in order[:N_CANDIDATES]
    )


def softmax(logits: Array) -> Array:
    """(K,) logits to (K,) shares that sum to 1."""
    raised = np.exp(logits - logits.max())
    return np.asarray(raised / raised.sum(), np.float32)
