"""Any forged part makes the clip forged; a genuine part takes little of that away."""

import math
from dataclasses import replace

import pytest
import torch

from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.errors import CheckpointError
from avdetect.fusion.any_forged import AnyForged
from avdetect.fusion.late import LateFusion
from avdetect.fusion.late_rules import load_late

THIRDS = AnyForged(dict.fromkeys(("lip_sync", "visual_forgery", "voice_clone"), 1 / 3))


def test_a_lone_branch_is_passed_on_unchanged():
    assert THIRDS.fake_llr({"visual_forgery": 1.7}) == pytest.approx(1.7)
    assert THIRDS.terms({"visual_forgery": 1.7}) == {"visual_forgery": pytest.approx(1.7)}


def test_it_is_the_mean_of_likelihood_ratios():
    llrs = {"voice_clone": math.log(8.0), "lip_sync": math.log(0.5), "visual_forgery": 0.0}

    assert THIRDS.fake_llr(llrs) == pytest.approx(math.log((8.0 + 0.5 + 1.0) / 3))
    weighted = AnyForged({"lip_sync": 3.0, "voice_clone": 1.0})
    expected = math.log((3.0 * 0.5 + 8.0) / 4)
    assert weighted.fake_llr({"lip_sync": math.log(0.5), "voice_clone": math.log(8.0)}) == (
        pytest.approx(expected)
    )


def test_a_genuine_voice_does_not_clear_a_forged_face():
    llrs = {"visual_forgery": 3.0, "voice_clone": -3.0, "lip_sync": -3.0}

    assert THIRDS.fake_llr(llrs) > 1.8
    assert THIRDS.fake_llr(dict.fromkeys(llrs, -3.0)) == pytest.approx(-3.0)


def test_terms_tell_who_moved_it_and_which_way():
    llrs = {"visual_forgery": 3.0, "voice_clone": -1.0, "lip_sync": 0.0}

    terms = THIRDS.terms(llrs)

    assert list(terms) == sorted(llrs)
    assert terms["visual_forgery"] > 1.0 > 0.0 > terms["voice_clone"] > -1.0
    assert terms["lip_sync"] == pytest.approx(0.0)


def test_numbers_far_apart_do_not_overflow():
    assert THIRDS.fake_llr({"visual_forgery": 900.0, "voice_clone": -900.0}) == pytest.approx(
        900.0 - math.log(2.0)
    )


def test_an_unknown_branch_is_an_error_not_a_guess():
    with pytest.raises(CheckpointError, match="gait"):
        THIRDS.fake_llr({"gait": 0.0})


def test_a_checkpoint_names_its_rule():
    shipped = load_checkpoint(read_bundle().checkpoints["late"])
    card = replace(shipped.card, config={})
    summed = replace(shipped, card=card, state={"lip_sync+voice_clone": torch.tensor([1.0, 1, 0])})

    assert isinstance(load_late(shipped), AnyForged)
    assert isinstance(load_late(summed), LateFusion)
    with pytest.raises(CheckpointError, match=r"rule is 'vote', not one of any, sum"):
        load_late(replace(shipped, card=replace(card, config={"rule": "vote"})))


@pytest.mark.parametrize("share", [torch.tensor(0.0), torch.tensor([0.5, 0.5])])
def test_shares_are_positive_numbers(share):
    shipped = load_checkpoint(read_bundle().checkpoints["late"])
    with pytest.raises(CheckpointError, match="not a checkpoint of shares"):
        load_late(replace(shipped, state={**shipped.state, "voice_clone": share}))
