"""Cuts end where their seconds of speech are over."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.types import Segment
from eval.manifest.row import ManifestRow
from recipes.voice_clone.speech_curve import cut_speech, eer_line

SPEECH = [Segment(1.0, 2.5), Segment(4.0, 6.0)]
SOUND = np.zeros(7 * 16_000, np.float32)


@pytest.mark.parametrize(("seconds", "end_s"), [(1.0, 2.0), (1.5, 2.5), (2.0, 4.5), (3.5, 6.0)])
def test_pauses_do_not_count(seconds: float, end_s: float) -> None:
    cut = cut_speech(SOUND, SPEECH, seconds)
    assert cut is not None
    assert len(cut) == end_s * 16_000


def test_what_nearly_suffices_is_taken_whole_and_less_is_left_out() -> None:
    whole = cut_speech(SOUND, SPEECH, 3.8)
    assert whole is not None
    assert len(whole) == len(SOUND)
    assert cut_speech(SOUND, SPEECH, 4.0) is None


def test_a_line_counts_the_clips_it_rests_on() -> None:
    rows = [
        ManifestRow(id=str(k), path="x", label="fake" if k % 2 else "real", speaker=str(k))
        for k in range(8)
    ]
    scores = {str(k): float(k % 2) for k in range(6)}
    assert eer_line(rows, scores).startswith("EER 0.000")
    assert eer_line(rows, scores).endswith("3 real, 3 fake")
    assert "one class" in eer_line(rows[::2], scores)
