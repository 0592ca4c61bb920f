"""A clip's cues: all are shown every observation; only one with a worth speaks in numbers."""

from __future__ import annotations

import pytest

from avdetect.cues import CUES
from avdetect.cues.base import ClipFacts, CueCurve, CueTools, Measurement, Medium
from avdetect.cues.session import CueSession
from avdetect.cues.worth import read_worths
from avdetect.media.clip import open_clip
from avdetect.observe import observe
from tests.cues.test_worth import checkpoint
from tests.paths import SAMPLES

CUE = CUES["exposure"]
WORTHLESS = [0.55, 0.45, 0.65, 0.5, 0.4, 0.5, 40.0, 50.0]


@pytest.fixture(scope="module")
def session():
    with open_clip(SAMPLES / "portrait_forged.mp4") as clip:
        session = CueSession([CUE], ClipFacts.of(clip), CueTools())
        for observation in observe(clip, whole_pictures=True):
            session.add(observation, {})
    return session


def test_a_cue_that_was_shown_to_separate_speaks(session):
    (finding,) = session.findings(read_worths(checkpoint(), CUES))
    assert finding.fake_llr is not None
    assert finding.measurement.medium is Medium.VIDEO
    assert finding.measurement.part.face_track == 0


def test_a_cue_no_better_than_chance_is_measured_and_says_nothing(session):
    (finding,) = session.findings(read_worths(checkpoint(figures=WORTHLESS), CUES))
    assert finding.measurement.value is not None
    assert finding.worth is not None
    assert finding.fake_llr is None and finding.added_llr == 0.0


def test_without_a_checkpoint_measurements_stand_alone(session):
    (finding,) = session.findings({})
    assert finding.measurement.text and finding.worth is None and finding.fake_llr is None


def test_figures_carry_the_name_of_their_cue(session):
    (exhibit,) = session.exhibits()
    assert exhibit.cue == "exposure" and isinstance(exhibit.figure, CueCurve)


def test_a_measurement_is_either_there_or_missing_with_a_reason():
    with pytest.raises(ValueError, match="reason"):
        Measurement(medium=Medium.STILL)
    with pytest.raises(ValueError, match="finite"):
        Measurement(medium=Medium.STILL, features=(float("nan"),))
