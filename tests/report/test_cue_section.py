"""The page's cues: what was seen, what it is worth, and pictures only where media may be shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avdetect.cues.base import CueCurve, CuePicture
from avdetect.cues.session import CueExhibit
from avdetect.report.html import render_page
from avdetect.report.text import details
from avdetect.types import Part
from avdetect.verdict import Cue, CueReliability
from tests.report import known

WORTH = CueReliability(
    auc=0.71,
    auc_low=0.62,
    auc_high=0.79,
    false_alarm_rate=0.12,
    miss_rate=0.4,
    n_real=75,
    n_fake=69,
)
FACE = Part(face_track=0)
CURVE = CueCurve(
    part=FACE,
    x=np.arange(5.0),
    y=np.array([0.0, 1.0, 4.0, 1.0, 0.0]),
    x_name="seconds",
    y_name="openness of the eyes",
    marks=(2.0, 99.0),
    bands=((1.0, 3.0),),
    caption="Two blinks.",
)
PICTURE = CuePicture(
    part=FACE, time_s=1.0, pixels=np.zeros((40, 40, 3), np.uint8), caption="An eye."
)
EXHIBITS = tuple(CueExhibit(cue="exposure", figure=figure) for figure in (CURVE, PICTURE))


def verdict(**changed):
    entry = Cue(
        name="exposure",
        title="Exposure",
        face_track=0,
        value=1.5,
        unit="%",
        text="1.50 % of the face is blown out",
        fake_llr=0.8,
        reliability=WORTH,
    ).model_copy(update=changed)
    return known.fake_call().model_copy(update={"cues": (entry,)})


def test_page_tells_what_was_seen_what_it_is_worth_and_after_whom():
    page = render_page(verdict(), cues=EXHIBITS)
    assert "1.50 % of the face is blown out." in page
    assert "AUC 0.71 [0.62, 0.79] on 75 real, 69 fake; 12 % false alarms, 40 % misses" in page
    assert "McCloskey" in page
    assert "Two blinks." in page and "An eye." in page


def test_marks_outside_the_curve_are_not_drawn():
    page = render_page(verdict(), cues=EXHIBITS)
    assert page.count('<path class="found" d="M340.0 0v') == 1


def test_pictures_of_people_are_left_out_with_the_media_and_curves_stay():
    page = render_page(verdict(), cues=EXHIBITS, media=False)
    assert "An eye." not in page and "Two blinks." in page
    shown = replace(PICTURE, shows_person=False)
    assert "An eye." in render_page(
        verdict(), cues=[CueExhibit(cue="exposure", figure=shown)], media=False
    )


def test_page_says_why_nothing_was_measured():
    missing = {"missing": "the clip is too short", "fake_llr": None, "value": None}
    page = render_page(verdict(**missing))
    assert "<dt>Exposure, face 0</dt><dd>The clip is too short.</dd>" in page


def test_text_of_a_caption_cannot_be_markup():
    curve = replace(CURVE, caption="<script>alert(1)</script>")
    assert "<script>" not in render_page(verdict(), cues=[CueExhibit(cue="exposure", figure=curve)])


def test_terminal_shows_cues_that_are_surely_better_than_chance():
    (line,) = [line for line in details(verdict()) if line.startswith("cue")]
    assert line.startswith("cue       Exposure, face 0: 1.50 % of the face is blown out (LLR +0.80")


@pytest.mark.parametrize("changed", [{"reliability": None, "fake_llr": None}, {"fake_llr": None}])
def test_terminal_only_counts_the_others(changed):
    (line,) = [line for line in details(verdict(**changed)) if line.startswith("cue")]
    assert line == "cue       1 more measurement (--json, --report)"
