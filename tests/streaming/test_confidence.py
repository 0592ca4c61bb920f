import numpy as np
import pytest

from avdetect.branches.base import BranchOutput
from avdetect.streaming.confidence import standing_confidence
from avdetect.types import Part


def outputs(scores):
    return [
        BranchOutput(
            part=Part(channel="mono"),
            segments=np.array([[k, k + 1.0]]),
            scores=np.array([score], np.float32),
            tokens=np.zeros((1, 0), np.float32),
            weights=np.ones(1, np.float32),
        )
        for k, score in enumerate(scores)
    ]


def mean(found):
    return float(np.mean([output.scores[0] for output in found])) if found else None


def test_of_many_stretches_it_is_the_t_test_of_their_mean():
    scores = np.array([1.0, 2.0, 3.0, 2.0])
    expected = 0.9876  # P(T < 4.899) of Student's T with 3 degrees of freedom, by quadrature
    t = 2.0 / (scores.std(ddof=1) / 2)
    x = np.linspace(-2_000, t, 4_000_001)
    density = 2 / (np.pi * np.sqrt(3)) / (1 + x**2 / 3) ** 2
    expected = float(np.trapezoid(density, x))
    assert standing_confidence(outputs(scores), mean, 2.0) == pytest.approx(expected, abs=1e-4)


def test_it_grows_with_agreement_and_with_margin():
    wild, calm = outputs([4.0, -2.0, 3.0, 1.0]), outputs([1.6, 1.4, 1.5, 1.5])
    assert standing_confidence(calm, mean, 1.0) > standing_confidence(wild, mean, 1.0)
    assert standing_confidence(wild, mean, 2.0) > standing_confidence(wild, mean, 1.0)
    assert standing_confidence(wild, mean, 1e-9) == pytest.approx(0.5, abs=1e-6)


def test_few_stretches_say_nothing():
    assert standing_confidence(outputs([2.0, 2.1]), mean, 1.0) is None


def test_a_long_call_costs_no_more_than_a_dozen_poolings():
    n_pooled = 0

    def counting(found):
        nonlocal n_pooled
        n_pooled += 1
        return mean(found)

    assert standing_confidence(outputs(np.linspace(0.9, 1.1, 500)), counting, 1.0) > 0.99
    assert n_pooled == 12


def test_pauses_are_no_stretches():
    silent = outputs([0.0] * 20)
    for output in silent:
        output.weights[:] = 0.0
    assert standing_confidence([*silent, *outputs([1.0, 1.1])], mean, 1.0) is None
