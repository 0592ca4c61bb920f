"""Frame scores of clips with one forged stretch: what counts as found, and what chance is."""

import numpy as np
import pytest

from avdetect.localise import Stretch
from avdetect.types import Segment
from recipes.lip_sync.partial_figures import Judged, average_precision, elsewhere, shown_figures


def clip(forged, *found, group="a"):
    stretches = [Stretch(Segment(start, end), score) for start, end, score in found]
    return Judged(
        group=group,
        seconds=10.0,
        forged=None if forged is None else Segment(*forged),
        stretches=stretches,
        shown=[stretch for stretch in stretches if stretch.score >= 0.5],
    )


def test_a_false_stretch_that_is_surer_costs_precision():
    hit = clip((2.0, 3.0), (2.1, 3.0, 0.8))
    assert average_precision([hit, clip(None)]) == 1.0
    assert average_precision([hit, clip(None, (4.0, 5.0, 0.9))]) == pytest.approx(0.5)


def test_truth_elsewhere_keeps_its_length_and_stays_in_the_clip():
    rng = np.random.default_rng(0)
    for one in elsewhere([clip((2.0, 3.2))] * 50, rng):
        assert one.forged.duration_s == pytest.approx(1.2)
        assert 0 <= one.forged.start_s and one.forged.end_s <= 10.0


def test_shown_stretches_are_hits_in_forged_and_false_in_real_clips():
    found = [
        clip((2.0, 3.0), (2.5, 4.0, 0.7)),
        clip((2.0, 3.0), (6.0, 7.0, 0.7), (2.0, 3.0, 0.3)),
        clip(None, (1.0, 2.0, 0.6), (4.0, 5.0, 0.6)),
    ]
    assert shown_figures(found) == (1, pytest.approx(12.0))
