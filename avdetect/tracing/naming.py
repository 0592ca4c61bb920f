"""From scores of known sources to a name, or to ``unknown`` with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.tracing.properties import UNKNOWN
from avdetect.tracing.results import Candidate

N_CANDIDATES = 3

Array = NDArray[np.float32]


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
    sources: Sequence[str], logits: Array, least_logit: float, title_of: Callable[[str], str]
) -> Attribution:
    """Name the source with the highest logit, unless that stays below ``least_logit``.

    Args:
        sources: (K,) ids.
        logits: (K,) natural logarithm, up to a constant that known sources share.
        least_logit: fitted so that few held-out files of known sources stay below it.
        title_of: an id in words.
    """
    share = softmax(logits)
    order = np.argsort(-logits, kind="stable")
    candidates = tuple(
        Candidate(
            source=sources[index],
            title=title_of(sources[index]),
            probability=round(float(share[index]), 4),
        )
        for index in order[:N_CANDIDATES]
    )
    if float(logits.max()) >= least_logit:
        return Attribution(source=candidates[0].source, reason=None, candidates=candidates)
    reason = (
        f"none of the {len(sources)} known sources matches well enough; "
        f"the nearest is {candidates[0].title}"
    )
    return Attribution(source=UNKNOWN, reason=reason, candidates=candidates)


def softmax(logits: Array) -> Array:
    """(K,) logits to (K,) shares that sum to 1."""
    raised = np.exp(logits - logits.max())
    return np.asarray(raised / raised.sum(), np.float32)
