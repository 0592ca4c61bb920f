"""How sure a running decision is to stand: leave out a stretch of the call, see what moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from avdetect.branches.base import BranchOutput

FEWEST_BLOCKS = 3  # with fewer, what they have in common cannot be told from chance
_MOST_BLOCKS = 12  # a long call is cut into so many stretches, or every update would cost more

Pooled = Callable[[Sequence[BranchOutput]], float | None]


def standing_confidence(
    outputs: Sequence[BranchOutput], fake_llr: Pooled, margin: float
) -> float | None:
    """Probability that a decision stands when more speech of the same kind is heard.

    The jackknife over stretches of the call (Quenouille 1956, Tukey 1958) gives the standard error
    of the pooled LLR, Student's distribution the probability that it does not cross the threshold.

    Args:
        outputs: one part's outputs in time order.
        fake_llr: pools outputs to their calibrated LLR, None where they are too few.
        margin: how far the LLR lies beyond the nearest other decision, > 0.

    Returns:
        In (0.5, 1], or None with too few stretches of speech to tell.
    """
    from scipy.special import stdtr  # here: it takes a moment to import

    blocks = list(_blocks([output for output in outputs if output.weights.any()]))
    without = [
        fake_llr([output for block in blocks[:k] + blocks[k + 1 :] for output in block])
        for k in range(len(blocks))
    ]
    left = np.array([llr for llr in without if llr is not None])
    if len(left) < max(FEWEST_BLOCKS, len(blocks)):
        return None
    error = math.sqrt((len(left) - 1) / len(left) * float(((left - left.mean()) ** 2).sum()))
    return float(stdtr(len(left) - 1, margin / error)) if error > 0 else 1.0


def _blocks(outputs: Sequence[BranchOutput]) -> Iterator[list[BranchOutput]]:
    n_blocks = min(len(outputs), _MOST_BLOCKS)
    edges = [k * len(outputs) // max(1, n_blocks) for k in range(n_blocks + 1)]
    for begin, end in pairwise(edges):
        yield list(outputs[begin:end])
