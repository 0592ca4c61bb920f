"""The figure over made blinks can fail: it asks for the right number at the right times."""

import numpy as np

from eval.cues.made.blink import blinking, figures, found_exactly
from tests.cues.meshes import read


def test_a_handful_of_sequences_are_counted_exactly():
    assert figures(3, seed=11) == [("sequences whose blinks are counted exactly", "3 of 3")]


def test_a_blink_that_is_missed_moved_or_made_up_is_not_exact():
    from avdetect.cues.blink import CUE

    known = [2.0, 5.0, 8.0]
    reading = read(CUE, blinking(12.0, known, np.random.default_rng(3)))
    assert found_exactly(reading, known)
    assert not found_exactly(reading, known[:2])
    assert not found_exactly(reading, [*known, 10.0])
    assert not found_exactly(reading, [2.0, 5.4, 8.0])
