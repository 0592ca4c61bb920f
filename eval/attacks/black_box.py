"""Black-box attacks: random search on the shown score alone, within a number of queries.

The scheme of the Square Attack (Andriushchenko et al. 2020): change a random patch to the rim of
the ball, keep it if the score moved the right way. For sound a patch is a stretch of time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
# One input to the score that the detector shows, higher = more fake.
Query: TypeAlias = "Callable[[Values], float]"
# The input attacked so far, the share of queries used and chance, to the next thing to try.
Propose: TypeAlias = "Callable[[Values, float, np.random.Generator], Values]"

_FIRST_SHARE, _LAST_SHARE = 0.35, 0.06  # side of a patch over the picture's, first and last
_STRETCH_S = (0.02, 0.3)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to: the attacked input, its score, and the queries it took."""

    attacked: Values
    score: float
    n_queries: int


def random_search(
    query: Query,
    original: Values,
    towards: int,
    propose: Propose,
    n_queries: int,
    rng: np.random.Generator,
) -> Found:
    """Search with at most ``n_queries`` queries, the first of them on the original.

    Args:
        query: what the detector says.
        original: the input.
        towards: +1 to look fake, -1 to look real.
        propose: see `Propose`; must keep to the ball by itself.
        n_queries: budget, at least 1.
        rng: source of chance.
    """
    best, best_score, used = original, query(original), 1
    while used < n_queries:
        tried = propose(best, used / n_queries, rng)
        score = query(tried)
        used += 1
        if score * towards > best_score * towards:
            best, best_score = tried, score
    return Found(best, best_score, used)


def squares(original: Values, epsilon: float) -> Propose:
    """Squares of one colour at the rim of the ball; (H, W, 3) in [0, 1], whole 8-bit steps."""

    def propose(best: Values, used: float, rng: np.random.Generator) -> Values:
        share = _FIRST_SHARE * (_LAST_SHARE / _FIRST_SHARE) ** used
        height, width = original.shape[:2]
        side = max(1, round(share * min(height, width)))
        top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        place = np.s_[top : top + side, left : left + side]
        tried = best.copy()
        sign = rng.choice([-1.0, 1.0], size=(1, 1, 3)).astype(np.float32)
        tried[place] = np.clip(original[place] + sign * epsilon, 0.0, 1.0)
        return tried

    return propose


def stretches(original: Values, epsilon: float, rate_hz: int) -> Propose:
    """Stretches of noise at the rim of the ball; (S,) in [-1, 1]."""

    def propose(best: Values, used: float, rng: np.random.Generator) -> Values:
        n = min(len(original), round(rng.uniform(*_STRETCH_S) * rate_hz))
        start = int(rng.integers(0, len(original) - n + 1))
        place = np.s_[start : start + n]
        # One sign for some samples in a row: the noise reaches below the sampling rate's edge.
        hold = int(rng.integers(1, 9))
        signs = np.repeat(rng.choice([-1.0, 1.0], size=-(-n // hold)), hold)[:n]
        tried = best.copy()
        tried[place] = np.clip(original[place] + epsilon * signs.astype(np.float32), -1.0, 1.0)
        return tried

    return propose
