"""Observations on disk are those of the engine; rows survive their file; material is made alike."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

from avdetect.cues import CUES
from avdetect.cues.base import ClipFacts, CueTools, Medium
from avdetect.media.clip import open_clip
from avdetect.observe import observe
from eval.cues.cache import read_observations, write_observations
from eval.cues.gather import gather, read_rows, write_rows
from eval.cues.material import STILL_PX, Sample, made_alike
from eval.errors import ScoresError
from eval.manifest.row import ManifestRow
from tests.paths import SAMPLES

PORTRAIT = SAMPLES / "portrait_real.jpg"
CUE = CUES["exposure"]


def sample(path: str, medium: Medium = Medium.STILL) -> Sample:
    row = ManifestRow(id=path, path=path, label="real", video_label="real")
    return Sample(row=row, medium=medium, fold="a", group="somebody")


@pytest.fixture(scope="module")
def portrait():
    with open_clip(PORTRAIT) as clip:
        return ClipFacts.of(clip), list(observe(clip, whole_pictures=True))


def test_observations_come_back_as_they_were(tmp_path, portrait):
    facts, seen = portrait
    write_observations(tmp_path / "one.npz", facts, seen)
    again, back = read_observations(tmp_path / "one.npz")
    assert again == facts
    assert [o.segment for o in back] == [o.segment for o in seen]
    assert np.array_equal(back[0].faces[0].faces, seen[0].faces[0].faces)
    assert np.array_equal(back[0].pictures[0].native_luma, seen[0].pictures[0].native_luma)


def test_pictures_are_brought_to_one_size_and_coding(tmp_path):
    for number, (size, kind) in enumerate([((640, 480), "PNG"), ((256, 256), "JPEG")]):
        original = tmp_path / f"{number}.{kind.lower()}"
        Image.new("RGB", size, (120, 90, 60)).save(original, kind)
        folder = tmp_path / str(number)
        folder.mkdir()
        with Image.open(made_alike(sample(original.name), tmp_path, folder)) as picture:
            assert picture.format == "JPEG"
            assert min(picture.size) == STILL_PX


def test_a_file_that_cannot_be_read_is_a_row_with_its_reason(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (row,) = gather(
        [CUE], [sample("broken.jpg")], tmp_path, tools=CueTools(), branches=lambda seen: {}
    )
    assert row.features == ()
    assert "cannot be read" in row.missing


def test_rows_come_back_and_other_features_are_refused(tmp_path):
    rows = list(
        gather([CUE], [sample(PORTRAIT.name)], SAMPLES, tools=CueTools(), branches=lambda seen: {})
    )
    path = tmp_path / "rows.csv"
    write_rows(path, CUE, rows)
    (back,) = read_rows(path, CUE, Medium.STILL)
    assert back.features == pytest.approx(rows[0].features, rel=1e-5)
    text = path.read_text().splitlines()
    head = next(csv.reader(text[:1]))
    path.write_text("\n".join([",".join([*head[:4], "another"]), *text[1:]]))
    with pytest.raises(ScoresError, match="--fresh"):
        read_rows(path, CUE, Medium.STILL)
