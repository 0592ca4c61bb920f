"""Late fusion's weights are fitted per set of branches and never negative."""

import numpy as np
import pytest

from recipes.fusion.late_fit import fit_patterns


def make(n=400, useless="visual_forgery", seed=0):
    rng = np.random.default_rng(seed)
    llrs, labels = [], []
    for _ in range(n):
        audio, video, sync = (int(rng.random() < 0.4) for _ in range(3))
        labels.append(
            {
                "fake": max(audio, video, sync),
                "audio_fake": audio,
                "video_fake": video,
                "out_of_sync": sync,
            }
        )
        truth = {"voice_clone": audio, "visual_forgery": video, "lip_sync": sync}
        llrs.append(
            {
                name: float(rng.normal(0.0 if name == useless else 4.0 * value - 2.0, 1.0))
                for name, value in truth.items()
            }
        )
    return llrs, labels


def test_every_set_of_two_or_three_branches_is_fitted():
    fitted = fit_patterns(*make())
    assert sorted(fitted) == [
        "lip_sync+visual_forgery",
        "lip_sync+visual_forgery+voice_clone",
        "lip_sync+voice_clone",
        "visual_forgery+voice_clone",
    ]
    assert all((vector[:-1] >= 0).all() for vector in fitted.values())


def test_a_branch_that_says_nothing_weighs_less_than_one_that_does():
    lip_sync, visual, voice, _ = fit_patterns(*make())["lip_sync+visual_forgery+voice_clone"]
    assert visual < 0.5 * min(lip_sync, voice)


def test_a_branch_that_points_the_wrong_way_is_not_turned_round():
    llrs, labels = make()
    for llr in llrs:
        llr["lip_sync"] *= -1.0
    assert fit_patterns(llrs, labels)["lip_sync+voice_clone"][0] == pytest.approx(0.0, abs=0.05)


def test_samples_without_a_branch_do_not_spoil_the_others():
    llrs, labels = make()
    for llr in llrs[::2]:
        del llr["lip_sync"]
    fitted = fit_patterns(llrs, labels)
    assert all(np.isfinite(vector).all() for vector in fitted.values())
