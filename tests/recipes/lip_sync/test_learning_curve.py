"""Shares of the people: nested, whole people, no smaller than asked for."""

from itertools import pairwise

import numpy as np
import pytest

from recipes.lip_sync.learning_curve import people_of_share
from recipes.lip_sync.windows import TalkingClip


def clip(person, n_frames):
    return TalkingClip(
        file=f"{person}-{n_frames}", identity=person, source="drawn",
        mouths=np.zeros((n_frames, 1, 1), np.float32), lips=np.zeros((n_frames, 40, 2), np.float32),
        audio=np.zeros(0, np.float32), lead=0,
    )  # fmt: skip


CLIPS = [clip(f"p{n % 12}", 30 + n) for n in range(48)]


def minutes(clips):
    return sum(len(c.mouths) for c in clips)


@pytest.mark.parametrize("seed", range(3))
def test_smaller_shares_lie_within_larger_ones(seed):
    shares = [people_of_share(CLIPS, share, seed) for share in (0.1, 0.25, 0.5, 1.0)]

    for smaller, larger in pairwise(shares):
        assert {c.file for c in smaller} < {c.file for c in larger}
    assert len(shares[-1]) == len(CLIPS)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_a_share_is_of_whole_people_and_barely_more_than_asked(share):
    chosen = people_of_share(CLIPS, share, 0)

    people = {c.identity for c in chosen}
    assert len(chosen) == sum(c.identity in people for c in CLIPS)
    largest = max(minutes([c for c in CLIPS if c.identity == p]) for p in people)
    assert share * minutes(CLIPS) <= minutes(chosen) < share * minutes(CLIPS) + largest
