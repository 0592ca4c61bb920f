from __future__ import annotations

import numpy as np

from recipes.forge.quantised import quantise


def test_more_codebooks_leave_less_error() -> None:
    vectors = np.random.default_rng(0).normal(size=(400, 8))
    errors = [
        np.mean((quantise(vectors, 64, stages, np.random.default_rng(1)) - vectors) ** 2)
        for stages in (1, 2, 4)
    ]
    assert errors[0] < 1.0
    assert errors[2] < 0.6 * errors[1] < 0.6 * errors[0]


def test_a_stage_knows_few_shapes() -> None:
    vectors = np.random.default_rng(0).normal(size=(500, 8))
    coded = quantise(vectors, 16, 1, np.random.default_rng(1))
    shapes = coded / np.linalg.norm(coded, axis=1, keepdims=True)
    assert len(np.unique(np.abs(shapes).round(6), axis=0)) <= 16


def test_silence_stays_silent() -> None:
    coded = quantise(np.zeros((5, 8)), 16, 2, np.random.default_rng(1))
    assert np.abs(coded).max() < 1e-8
