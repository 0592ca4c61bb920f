"""The synchrony section of the page: what is drawn stands where the numbers say."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from avdetect.report.html import render_page
from avdetect.report.sync_charts import matrix_uri, sync_figures
from tests.report import known
from tests.report.test_html import Page

EXHIBITS = known.sync_exhibits()


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_page(known.talking_face(), exhibits=EXHIBITS))


def picture(uri: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(uri.split(",", 1)[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def test_the_section_says_how_to_read_it_and_what_was_found(page):
    text = re.sub(r"\s+", " ", page.text)
    assert page.open == []
    assert "How to read it: where mouth and sound belong together" in text
    assert "The sound is 120 ms late: a constant offset is a fault of the recording." in text
    assert "LSE\u2011D 1.08" in text
    assert "+120 ms" in text
    assert "0:02.0–0:03.2, where they fit least" in text


def test_a_face_without_a_statement_is_not_drawn(page):
    assert "face 7" not in page.text
    bare = render_page(known.fake_call(), exhibits=EXHIBITS)
    assert "Lips beside sound" not in bare


def test_the_mark_stands_at_the_dip():
    (figure,) = sync_figures(EXHIBITS.synchrony, known.talking_face(), media=True)
    points = re.findall(r"([\d.]+) ([\d.]+)", figure.curve.path)
    assert len(points) == 31
    x, y = max(((float(x), float(y)) for x, y in points), key=lambda point: point[1])
    assert figure.curve.found_x == pytest.approx(x, abs=0.1)
    assert figure.curve.found_y == pytest.approx(y, abs=0.1)
    assert x == pytest.approx((15 + 3) / 30 * 680, abs=0.1)


def test_late_sound_lies_above_in_the_matrix_and_the_unjudged_is_grey():
    shown = picture(matrix_uri(EXHIBITS.synchrony[0].similarity))
    assert shown.shape == (31, 200, 3)
    assert (shown[:, :10] == 214).all()
    assert shown[:, 100].sum(1).argmax() == 15 - 3


def test_the_wave_is_drawn_as_recorded_and_moved_by_the_offset():
    (figure,) = sync_figures(EXHIBITS.synchrony, known.talking_face(), media=True)
    (strip,) = figure.strips
    assert len(strip.mouths) == 15
    assert picture(strip.mouths[4]).max() == 40
    assert strip.heard.startswith("M") and strip.moved.startswith("M")
    untold = known.talking_face().synchrony[0].model_copy(update={"av_offset_s": None})
    verdict = known.talking_face().model_copy(update={"synchrony": (untold,)})
    (figure,) = sync_figures(EXHIBITS.synchrony, verdict, media=True)
    assert figure.strips[0].moved == ""
    assert "+120 ms, not clear" in Page(render_page(verdict, exhibits=EXHIBITS)).text


def test_without_media_the_curve_stays_and_no_picture_does():
    text = render_page(known.talking_face(), exhibits=EXHIBITS, media=False)
    assert "data:" not in text.split("</head>")[1]
    assert 'class="curve"' in text


def test_a_face_that_was_heard_at_no_offset_can_be_drawn():
    silent = replace(
        EXHIBITS.synchrony[0],
        distances=np.full(31, np.nan),
        similarity=np.full((4, 31), np.nan, np.float32),
        strips=(),
    )
    exhibits = replace(EXHIBITS, synchrony=(silent,))
    assert Page(render_page(known.talking_face(), exhibits=exhibits)).open == []
