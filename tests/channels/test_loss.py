from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.loss import draw_losses, silence_lost


@pytest.mark.parametrize(("share", "burst"), [(0.01, 1.5), (0.05, 2.0), (0.2, 4.0)])
def test_share_and_burst_length_are_as_asked(share: float, burst: float) -> None:
    lost = draw_losses(400_000, share, burst, np.random.default_rng(0))
    starts = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int)])) > 0)
    assert lost.mean() == pytest.approx(share, rel=0.1)
    assert lost.sum() / len(starts) == pytest.approx(burst, rel=0.05)


def test_the_same_chance_loses_the_same_packets() -> None:
    once, again = (draw_losses(500, 0.1, 2.0, np.random.default_rng(7)) for _ in range(2))
    assert once.any()
    assert np.array_equal(once, again)
    assert not draw_losses(500, 0.0, 2.0, np.random.default_rng(7)).any()


def test_lost_packets_are_zeros_and_the_rest_untouched() -> None:
    sound = np.random.default_rng(0).normal(size=1_000).astype(np.float32)
    heard = silence_lost(sound, np.array([False, True, False]), 160)
    assert not heard[160:320].any()
    assert np.array_equal(np.delete(heard, slice(160, 320)), np.delete(sound, slice(160, 320)))
