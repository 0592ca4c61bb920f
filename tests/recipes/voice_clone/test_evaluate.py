from __future__ import annotations

import pytest

from avdetect.types import Segment, total_seconds
from eval.manifest.row import ManifestRow
from recipes.datasets.voices import observe_waveform
from recipes.voice_clone.evaluate import Trials, measure, per_generator
from tests.channels.test_codecs import chirps


@pytest.mark.parametrize("seconds", [0.7, 4.0, 4.6, 11.3])
def test_observations_cover_a_clip_once(seconds: float) -> None:
    observations = observe_waveform(chirps(seconds), [Segment(0.5, 11.0)])
    assert total_seconds(o.fresh for o in observations) == pytest.approx(seconds, abs=1e-3)
    assert all(o.segment.duration_s <= 4.0 for o in observations)
    for o in observations:
        assert len(o.channels[0].waveform) == pytest.approx(o.segment.duration_s * 16_000, abs=1)


def _real(speaker: str) -> ManifestRow:
    return ManifestRow(id=speaker, path="x", label="real", speaker=speaker)


def _fake(speaker: str, generator: str) -> ManifestRow:
    return ManifestRow(id=speaker, path="x", label="fake", speaker=speaker, generator=generator)


def test_figures_count_what_was_not_scored() -> None:
    rows = [_real(f"r{k}") for k in range(4)] + [_fake(f"f{k}", "G") for k in range(4)]
    figures = measure(Trials(rows=rows, scores=[0, 1, 2, 3, 2.5, 4, 5, 6], n_missing=2))
    assert (figures.n_real, figures.n_fake, figures.n_missing) == (4, 4, 2)
    assert figures.auc == pytest.approx(15 / 16)
    assert figures.auc_low <= figures.auc <= figures.auc_high


def test_each_generator_is_ranked_against_all_real_clips() -> None:
    rows = [_real("r"), _fake("a", "good"), _fake("b", "bad")]
    trials = Trials(rows=rows, scores=[0.0, -1.0, 1.0], n_missing=0)
    assert per_generator(trials) == {"bad": (1.0, 1), "good": (0.0, 1)}
