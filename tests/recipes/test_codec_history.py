"""The recipe of codec histories: what it draws, and that it learns what traces hold."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.histories import FILES, LINEAR
from avdetect.cues.codec_model import CONTAINERS, NAMES
from avdetect.cues.codec_traces import N_TRACES
from recipes.codec_history import train as recipe
from recipes.codec_history.prepare import draw_history


def _table(n: int, seed: int) -> recipe.Table:
    """Histories that end in Opus files, whose first trace gives away the codec before."""
    rng = np.random.default_rng(seed)
    first = rng.integers(len(NAMES), size=n)
    traces = rng.normal(size=(n, N_TRACES)).astype(np.float32)
    traces[np.arange(n), first] += 6.0
    return recipe.Table(
        traces=traces,
        container=np.full(n, CONTAINERS.index("opus")),
        first=first,
        last=np.full(n, NAMES.index("opus")),
        clip=np.array([f"clip {k}" for k in range(n)]),
    )


def test_drawn_histories_can_be_made_and_cover_every_codec():
    drawn = [draw_history(np.random.default_rng(k)) for k in range(400)]
    assert {history.first for history in drawn} == set(NAMES)
    assert {history.last for history in drawn} == set(NAMES)
    assert {history.last for history in drawn if history.in_own_file} == set(FILES)
    assert any(history.first == history.last == LINEAR for history in drawn)


def test_it_learns_what_traces_hold_and_nothing_from_dealt_histories(monkeypatch):
    monkeypatch.setattr(recipe, "_N_STEPS", 150)
    made, test = _table(600, 0), _table(200, 1)
    model = recipe.train(made, 0)
    learned = recipe.measure(model, test)["in_own_file"]
    dealt = recipe.train(recipe._shuffled(made, np.random.default_rng(2)), 0)
    control = recipe.measure(dealt, test)["in_own_file"]
    assert learned["likeliest_is_right"] > 0.9
    assert control["likeliest_is_right"] < 0.35


def test_g711_without_its_law_counts_as_right_and_another_codec_does_not():
    shares = np.zeros((2, len(NAMES), len(NAMES)))
    opus = NAMES.index("opus")
    shares[:, NAMES.index("ulaw"), opus] = shares[:, NAMES.index("alaw"), opus] = 0.5
    table = _table(2, 0)
    truth = recipe.Table(
        table.traces,
        table.container,
        np.array([NAMES.index("alaw"), NAMES.index("amr")]),
        table.last,
        table.clip,
    )
    named, right = recipe.told(shares, truth, 0.8)
    assert named.tolist() == [True, True]
    assert right.tolist() == [True, False]


@pytest.mark.parametrize("sure", [0.5, 0.9])
def test_figures_hold_what_their_names_say(sure, monkeypatch):
    monkeypatch.setattr(recipe, "_N_STEPS", 5)
    table = _table(50, 3)
    model = recipe._with_sure(recipe.train(_table(40, 4), 0), sure)
    figures = recipe.measure(model, table)
    assert figures["n"] == figures["n_clips"] == 50
    assert figures["unpacked"]["n"] == 0
