from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from avdetect.channels.chain import Channel
from avdetect.channels.codecs import Waveform
from recipes.forge.kinds import FAMILIES, KINDS, SLOW
from recipes.forge.pairs import NEURAL, SHARES, SPOKEN, TwinMaker, available_families
from tests.recipes.forge.drawn_speech import spoken


def unchanged(waveform: Waveform, _rng: np.random.Generator) -> Waveform:
    return waveform.copy()


def no_channel(_rng: np.random.Generator) -> Channel:
    return Channel(names=(), steps=())


def test_an_original_that_equals_its_twin_comes_out_equal() -> None:
    make = TwinMaker({"quantised": {"nothing": unchanged}})
    names: set[str] = set()
    for seed in range(25):
        pair = make(spoken(0.6), np.random.default_rng(seed))
        assert np.array_equal(pair.original, pair.twin), pair.channel
        names |= set(pair.channel)
    assert len(names) > 12  # many a codec, room and noise was between


def test_the_same_seed_makes_the_same_pair() -> None:
    make = TwinMaker({"quantised": FAMILIES["quantised"], "conversion": FAMILIES["conversion"]})
    first, second = (make(spoken(0.6), np.random.default_rng(8)) for _ in range(2))
    assert np.array_equal(first.original, second.original)
    assert np.array_equal(first.twin, second.twin)
    assert (first.kind, first.channel) == (second.kind, second.channel)


def test_a_pair_says_what_was_done() -> None:
    clip = spoken(0.6)
    make = TwinMaker({"conversion": {"lpc_warped": KINDS["lpc_warped"]}}, no_channel)
    pair = make(clip, np.random.default_rng(0))
    assert np.array_equal(pair.original, clip)
    assert not np.array_equal(pair.twin, clip)
    assert (pair.kind, pair.is_twin, pair.channel) == ("lpc_warped", True, ())


def test_speech_of_other_words_is_no_twin() -> None:
    pair = TwinMaker({SPOKEN: {"parrot": unchanged}}, no_channel)(
        spoken(0.6), np.random.default_rng(0)
    )
    assert not pair.is_twin


def test_kinds_are_drawn_by_family_share_and_slow_ones_rarely() -> None:
    make = TwinMaker(FAMILIES)
    rng = np.random.default_rng(0)
    drawn = [make.draw_kind(rng) for _ in range(8_000)]
    families, kinds = Counter(f for f, _ in drawn), Counter(k for _, k in drawn)
    assert kinds.keys() == KINDS.keys()
    whole = sum(SHARES[family] for family in FAMILIES)
    for family in FAMILIES:
        assert families[family] / 8_000 == pytest.approx(SHARES[family] / whole, abs=0.03)
    for kind in SLOW:
        family = next(f for f, members in FAMILIES.items() if kind in members)
        others = [kinds[k] for k in FAMILIES[family] if k not in SLOW]
        assert kinds[kind] < 0.5 * np.mean(others)


def test_a_vocoder_of_many_steps_is_drawn_as_often_as_one_of_few() -> None:
    names = [*(f"neural codec@{step}~{n}" for step in (1, 2, 3) for n in (2, 4)), "neural istft@1"]
    make = TwinMaker({NEURAL: dict.fromkeys(names, unchanged)})
    rng = np.random.default_rng(0)
    drawn = Counter(make.draw_kind(rng)[1] for _ in range(4_000))
    assert drawn.keys() == set(names)
    assert drawn["neural istft@1"] / 4_000 == pytest.approx(0.5, abs=0.05)


def test_what_is_not_here_is_left_out(tmp_path) -> None:
    families = available_families(tmp_path, spoken=False)
    assert families.keys() == FAMILIES.keys()
    assert NEURAL not in families
    assert families.keys() <= SHARES.keys()
