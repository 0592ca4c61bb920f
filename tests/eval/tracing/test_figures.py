"""Shares, intervals, fused weights: on numbers whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from eval.errors import ScoresError
from eval.tracing.figures import balanced_share, separation, share
from eval.tracing.fusing import fit_pair, fit_weights, fuse
from eval.tracing.scores import number, read_table, write_table


def test_share_and_its_interval_draw_whole_groups():
    of_one = share([True] * 50 + [False] * 50, ["a"] * 50 + ["b"] * 50)
    of_many = share([True, False] * 50, [str(n // 2) for n in range(100)])
    assert of_one.value == of_many.value == 0.5
    assert (of_one.low, of_one.high) == (0.0, 1.0)
    assert (of_many.low, of_many.high) == (0.5, 0.5)


def test_balanced_share_counts_classes_alike():
    right = [True] * 90 + [False] * 10
    figure = balanced_share(right, ["a"] * 90 + ["b"] * 10, [str(n) for n in range(100)])
    assert figure.value == 0.5


def test_separation_is_the_auroc():
    figure = separation([True, True, False, False], [3.0, 1.0, 2.0, 0.0], list("abcd"))
    assert figure.value == 0.75


def test_evidence_that_tells_gets_the_weight():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    telling = rng.normal(size=(300, 3))
    telling[np.arange(300), truth] += 2.0
    evidence = np.stack([rng.normal(size=(300, 3)), telling], 1)
    idle, used = fit_weights(evidence, truth, np.ones(300))
    assert used > 1.0
    assert idle < 0.2
    assert (fuse(evidence, np.array([0.0, 1.0])) == telling).all()


def test_pair_regression_is_even_between_the_classes():
    likeness = np.array([[0.9], [0.8], [0.2], [0.1]])
    slope, constant = fit_pair(likeness, np.array([True, True, False, False]))
    assert slope > 0
    assert slope * 0.5 + constant == pytest.approx(0.0, abs=1e-3)


def test_table_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "table.csv"
    write_table(path, [{"id": "a", "score": 0.25}, {"id": "b", "score": ""}])
    first, second = read_table(path, ("id", "score"))
    assert number(path, first, "score") == 0.25
    with pytest.raises(ScoresError, match="score is '', not a number"):
        number(path, second, "score")
    with pytest.raises(ScoresError, match="no column 'fold'"):
        read_table(path, ("fold",))
    with pytest.raises(ScoresError, match="cannot be read"):
        read_table(tmp_path / "absent.csv", ())
