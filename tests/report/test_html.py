"""The page: everything in it, nothing from outside, whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import re
import wave
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from avdetect.errors import OutputError
from avdetect.report import html
from avdetect.report.html import prepare_folder, render_page, write_report
from avdetect.types import Decision, Segment
from avdetect.verdict import FusedEntry, Stream
from tests.report import known

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags with attributes, visible text, and whether every tag was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open = "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.text += " " if tag in {"td", "th"} else ""

    def handle_data(self, data):
        self.text += data

    def values(self, tag: str, attribute: str) -> list[str]:
        return [attrs[attribute] for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module")
def full_page() -> str:
    return render_page(
        known.fake_call(), exhibits=known.exhibits(), sounds=known.sounds(), written_at=NOON
    )


@pytest.mark.parametrize(
    "verdict",
    [
        known.fake_call(),
        known.fake_call(fake_llr=-2.0, prior_fake=0.01),
        known.silent_verdict(),
        known.failed_verdict(),
        known.referenced_call(),
        known.uncompared_call(),
    ],
)
def test_page_is_well_formed_for_every_kind_of_verdict(verdict):
    page = Page(render_page(verdict, exhibits=known.exhibits(), sounds=known.explained_sounds()))
    assert page.open == []


def test_page_says_what_a_fraud_analyst_files(full_page):
    text = re.sub(r"\s+", " ", Page(full_page).text)
    for words in (
        "This clip is judged to be fake. The findings give moderate support for fake",
        "about 67 times more probable if the clip is fake",
        "Starting from a prior of 50 %, the probability of fake is 98.5 %",
        "The voice on the left channel carries the decision. Decided by channel left",
        "lip sync not judged: no face speaks while the sound does",
        "face smaller than 48 px",
        "The spectrum lacks the fine structure of a recorded voice.",
        known.SHA,
        "voice_clone-aasist-202611",
        "2026-11-20 12:00 UTC",
    ):
        assert words in text


def test_page_asks_nobody_and_runs_nothing(full_page):
    page = Page(full_page)
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "base", "form"})
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert re.findall(r"https?:|url\(", full_page.split("<pre>")[0]) == []


def test_policy_allows_exactly_this_style(full_page):
    (style,) = re.findall(r"<style>(.*?)</style>", full_page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(attrs["content"] for tag, attrs in Page(full_page).tags if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy


def test_hostile_text_stays_text():
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e.wav'
    page = Page(render_page(known.fake_call(hostile)))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "img" not in {tag for tag, _ in page.tags}
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text.split("Complete record")[0]


def test_every_picture_has_words_and_headings_are_in_order(full_page):
    page = Page(full_page)
    assert all(page.values("img", "alt"))
    for tag, attributes in page.tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_pictures_and_sounds_decode_to_what_was_shown(full_page):
    page = Page(full_page)
    faces = [_content(uri) for uri in page.values("img", "src")]
    assert len(faces) == len(known.exhibits().faces[0].thumbnails)
    picture = cv2.imdecode(np.frombuffer(faces[0], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    shown = known.exhibits().faces[0].thumbnails[0].picture
    assert np.abs(picture.astype(int) - shown.astype(int)).mean() < 4

    (sound,) = [_content(uri) for uri in page.values("audio", "src")]
    with wave.open(io.BytesIO(sound)) as stream:
        assert stream.getframerate() == 16_000
        samples = np.frombuffer(stream.readframes(-1), "<i2") / 32767
    np.testing.assert_allclose(samples, known.sounds()[0].waveform, atol=1e-4)


def test_without_media_the_numbers_stay(full_page):
    page = render_page(
        known.fake_call(), exhibits=known.exhibits(), sounds=known.sounds(), media=False
    )
    body = page.split("</head>")[1]
    assert "data:" not in body
    assert 'class="lane"' in body
    assert "left out of this page on request" in body


def test_patches_say_how_the_llr_changes_without_them():
    page = render_page(known.fake_call(), sounds=known.explained_sounds())
    text = re.sub(r"\s+", " ", Page(page).text)
    assert "0:12.0–0:12.5, 2–8 kHz: without it the LLR falls by 0.52" in text
    assert "0:12.5–0:13.0, 0–2 kHz: without it the LLR rises by 0.26" in text
    assert "LLR of this stretch alone +1.90" in text
    assert "speaks for fake: LLR -0.52 without it" in text
    patches = [a for _, a in Page(page).tags if (a.get("class") or "").startswith("patch")]
    strongest = [a for a in patches if a["fill-opacity"] == "0.700"]
    assert len(patches) == 4
    assert [a["class"] for a in strongest] == ["patch f"]
    assert strongest[0]["y"] == "0.0"  # the higher band lies above


def test_explained_stretches_can_be_played_and_seen_unless_media_are_left_out():
    page = Page(render_page(known.fake_call(), sounds=known.explained_sounds()))
    assert len(page.values("audio", "src")) == 2
    (ground,) = page.values("image", "href")
    picture = cv2.imdecode(np.frombuffer(_content(ground), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture[-1].mean() < picture[0].mean() - 50  # loud is dark, low frequencies below

    bare = render_page(known.fake_call(), sounds=known.explained_sounds(), media=False)
    assert "data:" not in bare.split("</head>")[1]
    assert "without it the LLR falls by 0.52" in bare


def test_an_enrolled_voice_stands_beside_the_decision():
    text = re.sub(r"\s+", " ", Page(render_page(known.referenced_call())).text)
    for words in (
        "Compared with customer.wav (20.3 s of speech). A finding of its own",
        "channel left 41.3 s 0.62",
        "channel right 1.2 s n/a too little speech here: 1.2 s",
        "Similarity is not identity: a good clone of the enrolled person scores high, too",
        "spkrec-ecapa-voxceleb",
        "cd" * 32,
    ):
        assert words in text
    assert "enrolled" not in render_page(known.fake_call()).lower()


def test_a_voice_that_was_not_compared_says_why():
    text = re.sub(r"\s+", " ", Page(render_page(known.uncompared_call())).text)
    assert "Not compared: no speaker model: name one." in text
    assert "identity" not in text.split("Complete record")[0]


def test_a_photograph_has_no_time():
    verdict = known.fake_call("photo.jpg")
    photo = verdict.input.model_copy(update={"streams": (Stream(kind="image", codec="mjpeg"),)})
    page = render_page(verdict.model_copy(update={"input": photo}), exhibits=known.exhibits())
    assert "Along the clip" not in page
    assert "still picture" in page
    assert 'alt="Face 0"' in page


def test_what_all_say_together_stands_above_what_each_says():
    row = FusedEntry(start_s=0.0, end_s=4.0, channel="left", face_track=0, fake_llr=1.5)
    verdict = known.fake_call().model_copy(update={"fused_timeline": (row,)})
    page = render_page(verdict, exhibits=known.exhibits())
    chart = page[page.index("Along the clip") :]
    assert 0 < chart.index("<b>all together</b>") < chart.index("<b>visual forgery</b>")


def test_same_verdict_gives_the_same_page(full_page):
    again = render_page(
        known.fake_call(), exhibits=known.exhibits(), sounds=known.sounds(), written_at=NOON
    )
    assert again == full_page


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("calls/call.wav", "call-5f5f5f5f5f5f.html"),
        ("-", "stdin-5f5f5f5f5f5f.html"),
        ("../../etc/pass wd.wav", "pass_wd-5f5f5f5f5f5f.html"),
        ("...", "clip-5f5f5f5f5f5f.html"),
        ("x" * 300 + ".wav", "x" * 40 + "-5f5f5f5f5f5f.html"),
        ("Übergabe.wav", "Übergabe-5f5f5f5f5f5f.html"),
    ],
)
def test_page_is_named_after_clip_and_content(tmp_path, path, name):
    assert write_report(known.fake_call(path), tmp_path) == tmp_path / name


def test_identical_clip_rewrites_its_page(tmp_path):
    first = write_report(known.fake_call("a/call.wav"), tmp_path)
    second = write_report(known.fake_call("b/call.wav", fake_llr=-4.0), tmp_path)
    assert first == second
    assert "judged to be <b>real</b>" in first.read_text("utf-8")


def test_another_clips_page_is_never_touched(tmp_path):
    first = write_report(known.fake_call(), tmp_path)
    before = first.read_bytes()
    twin = known.fake_call()
    collision = twin.input.model_copy(update={"sha256": known.SHA[:12] + "0" * 52})
    second = write_report(twin.model_copy(update={"input": collision}), tmp_path)
    assert second != first
    assert first.read_bytes() == before


def test_a_file_that_is_no_page_is_never_touched(tmp_path):
    (tmp_path / "call-5f5f5f5f5f5f.html").write_text("my own notes")
    path = write_report(known.fake_call(), tmp_path)
    assert path.name == f"call-{known.SHA}.html"
    assert (tmp_path / "call-5f5f5f5f5f5f.html").read_text() == "my own notes"
    path.write_text("these too")
    with pytest.raises(OutputError, match="another file"):
        write_report(known.fake_call(), tmp_path)


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch, problem):
    def fail(descriptor: int) -> None:
        raise problem

    monkeypatch.setattr(html.os, "fsync", fail)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        write_report(known.fake_call(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_folder_for_reports_is_made_or_refused(tmp_path):
    prepare_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        prepare_folder(tmp_path / "file")


def _content(uri: str) -> bytes:
    return base64.b64decode(uri.split(",", 1)[1])


def test_templates_lie_beside_the_module():
    assert {"page.html.j2", "charts.html.j2", "page.css"} <= {
        path.name for path in (Path(html.__file__).parent / "templates").iterdir()
    }


def test_stretches_that_stand_out_have_their_own_table(full_page):
    page = Page(full_page)
    assert "Stretches that stand out" in page.text
    assert "0:12.3–0:13.3 voice clone channel left 0.83" in " ".join(page.text.split())
    silent = known.fake_call().model_copy(update={"suspicious": ()})
    assert "Stretches that stand out" not in Page(render_page(silent, written_at=NOON)).text


def test_a_sound_that_holds_what_stands_out_says_so():
    (bite,) = known.sounds()
    heard = replace(bite, stands_out=Segment(12.3, 12.9))
    assert "0:12.3–0:12.9 stands out" in Page(render_page(known.fake_call(), sounds=[heard])).text


def test_an_undecided_clip_is_led_in_by_whole_sentences():
    undecided = known.fake_call().model_copy(update={"decision": Decision.INCONCLUSIVE})
    assert "inconclusive. The findings" in " ".join(Page(render_page(undecided)).text.split())
