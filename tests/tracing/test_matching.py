"""Explicit fingerprints: residuals, averages, normalised correlation."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.tracing.blocks import cut_blocks
from avdetect.tracing.matching import average_fingerprints, correlations
from avdetect.tracing.residual import (
    N_SPECTRUM,
    correlate,
    denoising_residual,
    fingerprint_of,
    residual_spectrum,
)
from tests.tracing.made_sources import MAKERS, nearest, small, transposed


def spectra_of(maker, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([residual_spectrum(cut_blocks(maker(rng))) for _ in range(n)])


def test_planted_pattern_is_found_in_the_average_of_residuals():
    rng = np.random.default_rng(3)
    pattern = np.where(np.indices((64, 64)).sum(0) % 4 < 2, 2.0, -2.0)[..., None]
    pictures = np.stack([np.clip(small(rng) + pattern, 0, 255) for _ in range(40)])
    clean = np.stack([np.clip(small(rng), 0, 255) for _ in range(40)])
    planted = np.broadcast_to(pattern, (64, 64, 3)).astype(np.float32)
    found = fingerprint_of(denoising_residual(pictures.round().astype(np.uint8)))
    other = fingerprint_of(denoising_residual(clean.round().astype(np.uint8)))
    assert correlate(found, planted) > 0.5
    assert abs(correlate(other, planted)) < 0.1


def test_flat_picture_leaves_no_residual():
    assert not denoising_residual(np.full((64, 64, 3), 117, np.uint8)).any()


def test_correlation_with_itself_is_one_and_with_a_constant_nothing():
    values = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    assert correlate(values, 3 * values + 7) == pytest.approx(1.0, abs=1e-5)
    assert correlate(values, np.ones((8, 8), np.float32)) == 0.0


def test_two_ways_of_upsampling_are_told_apart_by_their_fingerprints():
    learned = {name: spectra_of(MAKERS[name], 8, seed=1) for name in ("nearest", "transposed")}
    labels = [name for name, of in learned.items() for _ in of]
    matcher = average_fingerprints(np.concatenate(list(learned.values())), labels, list(learned))
    for index, maker in enumerate((nearest, transposed)):
        said = matcher.correlations(spectra_of(maker, 10, seed=2)).argmax(1)
        assert (said == index).all()


def test_spectrum_is_that_of_the_mirrored_picture():
    picture = transposed(np.random.default_rng(5))[:64, :64]
    assert residual_spectrum(picture[None]).shape == (N_SPECTRUM,)
    assert residual_spectrum(picture[None]) == pytest.approx(
        residual_spectrum(np.ascontiguousarray(picture[None, :, ::-1])), abs=0.05
    )


def test_novelty_is_about_one_at_home_and_large_abroad():
    learned = spectra_of(nearest, 10, seed=1), spectra_of(transposed, 10, seed=1)
    matcher = average_fingerprints(np.concatenate(learned), ["a"] * 10 + ["b"] * 10, ["a", "b"])
    assert matcher.novelty(spectra_of(nearest, 5, seed=9)).mean() == pytest.approx(1.0, abs=0.5)
    assert matcher.novelty(spectra_of(MAKERS["smooth"], 5, seed=9)).min() > 2.0


def test_correlations_of_a_constant_row_are_zero():
    one = np.ones((1, 4), np.float32)
    assert correlations(one, np.arange(4, dtype=np.float32)[None]).tolist() == [[0.0]]


def test_blocks_stay_on_the_pixel_grid_and_reach_the_edges():
    picture = np.random.default_rng(0).integers(0, 255, (100, 150, 3)).astype(np.uint8)
    blocks = cut_blocks(picture)
    assert (blocks[0] == picture[:64, :64]).all()
    assert (blocks[-1] == picture[-64:, -64:]).all()


def test_many_blocks_are_thinned_and_a_small_picture_has_none():
    assert len(cut_blocks(np.zeros((600, 600, 3), np.uint8), most=12)) == 12
    assert len(cut_blocks(np.zeros((63, 200, 3), np.uint8))) == 0
