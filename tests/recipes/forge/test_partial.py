from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import fftconvolve

from avdetect.channels.codecs import Waveform
from avdetect.types import Segment
from recipes.forge.kinds import KINDS
from recipes.forge.partial import (
    PartialSpoof,
    compose_call,
    find_cuts,
    find_stretches,
    replace_word,
    splice,
)
from tests.recipes.forge.drawn_speech import spoken

_SYLLABLE = 3_840


def forge(waveform: Waveform, rng: np.random.Generator) -> Waveform:
    return KINDS["quantised_residual"](waveform, rng)


def check_labels(spoof: PartialSpoof) -> None:
    """Fake frames differ from the counterpart, others do not, and the labels say which."""
    assert spoof.waveform.shape == spoof.bona_fide.shape
    changed = spoof.waveform != spoof.bona_fide
    (segment,) = spoof.segments
    first, last = (round(16_000 * s) for s in (segment.start_s, segment.end_s))
    half = round(16_000 * spoof.fade_s / 2)
    assert not changed[: first - half].any()
    assert not changed[last + half :].any()
    assert changed[first:last].mean() > 0.9
    labels = spoof.frame_labels()
    assert labels.shape == (-(-len(changed) // 320),)
    padded = np.pad(changed, (0, -len(changed) % 320)).reshape(-1, 320)
    assert padded[labels == 1].any(axis=1).all()
    assert labels.sum() * 0.02 == pytest.approx(segment.duration_s, abs=0.021)
    inner = labels[1:-1].astype(bool) & labels[:-2].astype(bool) & labels[2:].astype(bool)
    assert padded[1:-1][inner].mean() > 0.9


def test_cuts_lie_between_syllables() -> None:
    cuts = find_cuts(spoken(2.4))
    assert len(cuts) >= 6
    assert (np.abs(cuts - np.rint(cuts / _SYLLABLE) * _SYLLABLE) < 480).all()


def test_stretches_are_as_long_as_words_and_voiced() -> None:
    speech = np.concatenate([spoken(1.2), np.zeros(16_000, np.float32), spoken(1.2, seed=3)])
    stretches = find_stretches(speech, (0.3, 0.9))
    assert stretches
    for start, end in stretches:
        assert 0.3 <= (end - start) / 16_000 <= 0.9
        assert not (start < 20_000 and end > 35_000)  # not the pause
    assert find_stretches(np.zeros(16_000, np.float32)) == []
    assert find_stretches(spoken(0.2)) == []


def test_a_splice_of_the_same_stretch_changes_nothing() -> None:
    speech = spoken(1.2)
    spliced = splice(speech, (4_000, 9_000), speech, (4_000, 9_000), 160)
    assert np.allclose(spliced, speech, atol=1e-7)


def test_a_splice_lays_the_cross_fades_around_the_cuts() -> None:
    host, donor = np.zeros(8_000, np.float32), np.ones(8_000, np.float32)
    out = splice(host, (2_000, 3_000), donor, (1_000, 4_000), 100)
    assert out.shape == (10_000,)
    assert not out[:1_950].any()
    assert not out[5_050:].any()
    assert (out[2_050:4_950] == 1.0).all()
    assert (np.diff(out[1_950:2_050]) > 0).all()
    assert out[1_999:2_001].mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("own", [True, False])
def test_a_replaced_word_is_where_the_labels_say(own: bool) -> None:
    host, donor = spoken(2.4), None if own else spoken(1.9, seed=4)
    for seed in range(6):
        spoof = replace_word(host, forge, np.random.default_rng(seed), donor)
        assert spoof is not None
        check_labels(spoof)
        assert 0.3 <= spoof.segments[0].duration_s <= 2.0


@pytest.mark.parametrize("own", [True, False])
def test_the_counterpart_has_joins_and_nothing_forged(own: bool) -> None:
    host, donor = spoken(2.4), None if own else 2.0 * spoken(1.9, seed=4)
    for seed in range(4):
        spoof = replace_word(host, forge, np.random.default_rng(seed), donor)
        assert spoof is not None
        first, last = (
            round(16_000 * s) for s in (spoof.segments[0].start_s, spoof.segments[0].end_s)
        )
        middle = spoof.bona_fide[first + 400 : last - 400].astype(np.float64)
        source = host if donor is None else donor
        power = fftconvolve(source.astype(np.float64) ** 2, np.ones(len(middle)), "valid")
        likeness = fftconvolve(source, middle[::-1], "valid") / np.sqrt(power * np.sum(middle**2))
        assert likeness.max() > 0.9999  # found in bona fide speech, at another level perhaps
        if len(spoof.bona_fide) == len(host):
            assert not np.array_equal(spoof.bona_fide[first:last], host[first:last])


def test_speech_without_words_cannot_be_spoofed_in_part() -> None:
    hiss = 0.01 * np.random.default_rng(0).normal(size=16_000).astype(np.float32)
    assert replace_word(hiss, forge, np.random.default_rng(0)) is None
    assert replace_word(spoken(2.4), forge, np.random.default_rng(0), hiss) is None


def test_the_same_seed_replaces_the_same_word() -> None:
    first, second = (replace_word(spoken(2.4), forge, np.random.default_rng(2)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.array_equal(first.waveform, second.waveform)
    assert first.segments == second.segments


def test_a_call_holds_one_insert_of_the_asked_length() -> None:
    clips = [spoken(2.4, seed=seed) for seed in range(6)]
    for seed in range(3):
        call = compose_call(clips, forge, np.random.default_rng(seed), inserted_s=1.0, total_s=9.0)
        check_labels(call)
        assert 0.75 <= call.segments[0].duration_s <= 1.25
        assert len(call.waveform) / 16_000 == pytest.approx(9.0, abs=0.5)


def test_a_call_of_all_clips_takes_its_insert_from_itself() -> None:
    clips = [spoken(2.4, seed=seed) for seed in range(3)]
    check_labels(compose_call(clips, forge, np.random.default_rng(1), total_s=7.0))


def test_too_little_speech_for_a_call_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2\.4 s of speech do not fill a call of 30 s"):
        compose_call([spoken(2.4)], forge, np.random.default_rng(0))


def test_labels_turn_at_half_a_frame() -> None:
    silence = np.zeros(3_300, np.float32)
    segments = (Segment(0.029, 0.051),)
    spoof = PartialSpoof(waveform=silence, bona_fide=silence, segments=segments, fade_s=0.0)
    assert spoof.frame_labels().tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]
