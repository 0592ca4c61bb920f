"""Trials to figures, and back from the file."""

import pytest

from avdetect.decision import DecisionRule
from eval.answers import PICTURE
from eval.attacks.command import balanced
from eval.attacks.tables import attacks_table, figures_of
from eval.attacks.trial import Trial, read_trials, write_trials
from eval.errors import ScoresError
from eval.manifest.row import ManifestRow

RULE = DecisionRule(fake_log_odds=1.8, real_log_odds=1.4)


def trial(number: int, is_fake: bool, before: float, after: float | None) -> Trial:
    return Trial(
        target="visual_forgery",
        attack="pgd 2/255",
        kind="white box",
        id=f"clip {number}",
        person=f"person {number}",
        is_fake=is_fake,
        before=before,
        after=after,
    )


TRIALS = [
    trial(0, True, 2.0, -2.0),
    trial(1, True, 1.0, 0.5),
    trial(2, False, -2.0, 2.0),
    trial(3, False, -1.0, -0.5),
    trial(4, False, -1.0, None),
]


def test_figures_are_those_worked_out_by_hand():
    (figure,) = figures_of(TRIALS, RULE)
    assert (figure.n_real, figure.n_fake, figure.n_lost) == (2, 2, 1)
    assert (figure.accuracy_before, figure.accuracy_after) == (1.0, 0.5)
    assert (figure.auc_before, figure.auc_after) == (1.0, 0.25)
    assert figure.fake_called_real == (0.0, 0.5)
    assert figure.real_called_fake == (0.0, 0.5)
    assert "2 / 2 (1 lost)" in attacks_table([figure])


def test_trials_come_back_from_their_file(tmp_path):
    path = tmp_path / "attacks" / "trials.csv"
    write_trials(path, TRIALS)
    assert read_trials(path) == TRIALS
    assert [p.name for p in path.parent.iterdir()] == ["trials.csv"]


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text("id,score\n1,2\n")
    with pytest.raises(ScoresError, match="no trials"):
        read_trials(path)


def test_samples_are_half_real_and_half_fake():
    rows = [
        ManifestRow(id=f"{k}", path="a.mp4", label=label, video_label=label)
        for k, label in enumerate(["real"] * 9 + ["fake"] * 30)
    ]
    chosen = balanced(rows, PICTURE, 8)
    assert [row.label for row in chosen] == ["real"] * 4 + ["fake"] * 4
