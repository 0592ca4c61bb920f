"""The colours of a forgery map, and its place on the page."""

import re
from dataclasses import replace

import cv2
import numpy as np

from avdetect.exhibits import MaskedFace
from avdetect.report.heat import with_heat
from avdetect.report.html import render_page
from tests.report import known
from tests.report.test_html import Page, _content

GREY = np.full((224, 224, 3), 128, np.uint8)


def a_map():
    marked = np.zeros((28, 28), np.float32)
    marked[4:10, 4:10] = 1.0
    marked[20:24, 20:24] = 0.4
    return marked


def test_clear_where_nothing_is_seen_yellow_where_little_red_where_sure():
    shown = with_heat(GREY, a_map()).astype(int)
    assert (shown[150:, :100] == 128).all()
    sure, little = shown[56, 56], shown[176, 176]
    assert sure[0] > 150 and sure[1] < 90
    assert little[0] > 150 and little[1] > 120 and little[2] < 100


def page(**changes):
    face = MaskedFace(track=2, time_s=3.4, picture=GREY, forgery_map=a_map(), fake_llr=1.234)
    exhibits = replace(known.exhibits(), masked_faces=(replace(face, **changes),))
    return Page(render_page(known.fake_call(), exhibits=exhibits))


def test_the_page_shows_the_face_beside_its_map_with_time_track_and_llr():
    shown = page()
    text = re.sub(r"\s+", " ", shown.text)
    assert "Where the faces look forged" in text
    assert "face 2 at 0:03.4 LLR +1.23" in text
    assert "A map is weak evidence" in text
    images = {a["alt"]: _content(a["src"]) for tag, a in shown.tags if tag == "img"}
    plain, masked = (
        cv2.imdecode(np.frombuffer(images[f"Face 2 at 0:03.4, {words}"], np.uint8), 1)
        for words in ("plain", "with its forgery map")
    )
    assert np.abs(plain.astype(int) - 128).max() < 4
    blue, _, red = masked[56, 56].astype(int)
    assert red - blue > 60


def test_a_moment_without_a_score_shows_none():
    assert "LLR" not in page(fake_llr=None).text.split("face 2 at 0:03.4")[1][:8]


def test_a_page_without_maps_does_not_speak_of_them():
    assert "look forged" not in render_page(known.fake_call(), exhibits=known.exhibits())


def test_without_media_no_face_is_shown():
    exhibits = replace(
        known.exhibits(),
        masked_faces=(MaskedFace(track=0, time_s=0.0, picture=GREY, forgery_map=a_map()),),
    )
    assert "look forged" not in render_page(known.fake_call(), exhibits=exhibits, media=False)
