"""Rows as files: muxed, cut, or a verdict that says why not."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import av

from eval.manifest.row import ManifestRow
from eval.run.files import as_files, clean_file
from tests import synth
from tests.eval.run.known import voice_row
from tests.eval.test_mux import write_flashes, write_onset


def files_of(rows, root):
    make = partial(clean_file, root=root)
    return as_files(rows, root, lambda row, folder: make(row, folder=folder))


def test_picture_and_sound_reach_the_detector_as_one_file_that_is_gone_afterwards(tmp_path):
    write_flashes(tmp_path / "fake_v.mp4", at_s=0.5)
    write_onset(tmp_path / "s.opus", at_s=0.5)
    row = ManifestRow(id="a", path="fake_v.mp4", audio_path="s.opus", label="fake")
    with files_of([row], tmp_path) as (files, failed):
        (path,) = files
        assert not failed
        assert "fake" not in Path(path).name
        with av.open(path) as container:
            assert [stream.type for stream in container.streams] == ["video", "audio"]
    assert not Path(path).exists()


def test_absent_and_corrupt_files_become_verdicts_with_the_reason(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"not a video" * 50)
    write_onset(tmp_path / "s.opus", at_s=0.1)
    rows = [
        ManifestRow(id="corrupt", path="broken.mp4", audio_path="s.opus", label="real"),
        ManifestRow(id="absent", path="nowhere.mp4", audio_path="s.opus", label="real"),
    ]
    with files_of(rows, tmp_path) as (files, failed):
        assert not files
        codes = {row.id: verdict.error.code for row, verdict in failed}
        assert codes == {"corrupt": "unreadable_media", "absent": "not_found"}
        assert all(verdict.fake_llr is None for _, verdict in failed)
        assert "broken.mp4" in failed[0][1].error.message


def test_a_row_that_is_a_segment_is_cut_out_of_its_file(tmp_path):
    row = voice_row(0, start_s=1.0, end_s=1.5)
    samples = synth.click(2.0, at_s=1.25)
    synth.encode(tmp_path / row.path, sound=synth.Sound(samples=samples, codec="pcm_s16le"))
    with files_of([row], tmp_path) as (files, _):
        with av.open(next(iter(files))) as container:
            heard = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
    heard = [sample for part in heard for sample in part]
    assert len(heard) == 8000
    assert abs(max(range(8000), key=lambda at: heard[at]) - 4000) <= 16
