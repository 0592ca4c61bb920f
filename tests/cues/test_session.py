"""A clip's cues: all are shown every observation; only one with a worth speaks in numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avdetect.cues import CUES
from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueTools, Measurement, Medium
from avdetect.cues.session import CueSession
from avdetect.cues.worth import read_worths
from avdetect.media.clip import open_clip
from avdetect.observe import observe
from tests.cues.meshes import face_window, observations, still_meshes
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


class FailingReading:
    """Raises in the step it is told to, and else measures one number."""

    def __init__(self, step: str) -> None:
        self.step, self.n_added = step, 0

    def _reach(self, step: str) -> None:
        if step == self.step:
            raise ZeroDivisionError("weights sum to zero")

    def add(self, observation, outputs) -> None:
        self.n_added += 1
        self._reach("add")

    def measurements(self) -> list[Measurement]:
        self._reach("measurements")
        return [Measurement(medium=Medium.VIDEO, features=(1.0,))]

    def figures(self) -> list[CueCurve]:
        self._reach("figures")
        return []


def failing_cue(step: str, reading: FailingReading) -> Cue:
    def start(clip, tools):
        if step == "start":
            raise KeyError("no such stream")
        return reading

    return replace(CUE, name="failing", start=start)


@pytest.mark.parametrize("step", ["start", "add", "measurements"])
def test_a_cue_that_fails_is_missing_and_ends_nothing(step, caplog):
    reading = FailingReading(step)
    other = failing_cue("nothing", FailingReading("nothing"))
    session = CueSession([failing_cue(step, reading), other], ClipFacts(), CueTools())
    for observation in observations(face_window(still_meshes(250))):
        session.add(observation, {})
    failed, found = session.findings({})
    kind = "KeyError" if step == "start" else "ZeroDivisionError"
    assert failed.cue.name == "failing" and failed.measurement.medium is Medium.VIDEO
    assert failed.measurement.missing == f"the cue failed on this input: {kind}, see the log"
    assert found.measurement.features == (1.0,)
    assert reading.n_added == {"start": 0, "add": 1}.get(step, 3)  # not asked again
    (record,) = caplog.records
    assert record.getMessage() == "cue failing failed" and record.exc_info[0].__name__ == kind
    assert session.exhibits() == ()


def test_a_figure_that_fails_leaves_the_measurements(caplog):
    session = CueSession(
        [failing_cue("figures", FailingReading("figures"))], ClipFacts(), CueTools()
    )
    (finding,) = session.findings({})
    assert finding.measurement.features == (1.0,)
    assert session.exhibits() == ()
    assert len(caplog.records) == 1


def test_a_cue_that_fails_on_a_photograph_is_missing_on_a_photograph():
    cue = failing_cue("start", FailingReading("start"))
    (finding,) = CueSession([cue], ClipFacts(is_still=True), CueTools()).findings({})
    wanted = Medium.STILL if Medium.STILL in CUE.media else CUE.media[0]
    assert finding.measurement.medium is wanted
