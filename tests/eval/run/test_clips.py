"""Which clips a protocol measures, and that a leak is refused before anything is scored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eval.errors import LeakError, ManifestError
from eval.protocol import read_protocol
from eval.run.clips import read_clips, run_fingerprint, spread
from eval.shared_data import shared_root
from tests.eval.run.known import voice_row, voice_rows, write_protocol
from tests.shared import requires_shared

FOLDS = """
[sets]
all = ["one", "two"]
[folds]
one = ["somebody/0"]
two = ["somebody/1"]
rest = ["somebody/2"]
[roles]
train = ["one"]
test = ["two"]
"""


def test_only_rows_of_the_measured_splits_are_scanned(tmp_path):
    rows = [*voice_rows(8), voice_row(40, split="train"), voice_row(45, split="dev")]
    clips = read_clips(read_protocol(str(write_protocol(tmp_path, rows))), tmp_path)
    assert [row.id for row in clips.measured] == [row.id for row in rows[:8]]
    assert len(clips.rows) == 10
    assert not clips.cross_validated


def test_a_leak_between_any_splits_is_refused(tmp_path):
    leaking = [*voice_rows(8), voice_row(40, split="train"), voice_row(45, split="dev")]
    leaking = [replace(row, speaker="same") if row.split != "test" else row for row in leaking]
    with pytest.raises(LeakError, match="speaker 'same'"):
        read_clips(read_protocol(str(write_protocol(tmp_path, leaking))), tmp_path)


def test_roles_cut_the_rows_and_every_fold_of_a_set_is_held_out_once(tmp_path):
    path = write_protocol(tmp_path, voice_rows(20), more=FOLDS)
    clips = read_clips(read_protocol(str(path)), tmp_path)
    assert {row.fold for row in clips.measured} == {"two"}
    assert sorted(row.id for row in clips.cross_validated) == sorted(
        row.id for row in voice_rows(16)
    )


def test_what_is_scored_changes_the_fingerprint_and_words_do_not(tmp_path):
    path = write_protocol(tmp_path, voice_rows(20), more=FOLDS)
    protocol = read_protocol(str(path))
    assert run_fingerprint(protocol) == run_fingerprint(replace(protocol, title="other words"))
    assert run_fingerprint(protocol) != run_fingerprint(replace(protocol, splits=("dev",)))


def test_no_row_to_measure_and_no_data_set_are_errors(tmp_path):
    protocol = read_protocol(str(write_protocol(tmp_path, voice_rows(4))))
    with pytest.raises(ManifestError, match="no row of split dev"):
        read_clips(replace(protocol, splits=("dev",)), tmp_path)
    with pytest.raises(ManifestError, match="no data set 'nothing'"):
        read_clips(replace(protocol, manifest="", dataset="nothing"), tmp_path)


@pytest.mark.parametrize("key", ["answers", "conditions"])
def test_an_unknown_word_in_a_protocol_is_refused_with_those_there_are(tmp_path, key):
    protocol = read_protocol(str(write_protocol(tmp_path, voice_rows(4))))
    with pytest.raises(ManifestError, match=f"{key} names 'mood'"):
        read_clips(replace(protocol, **{key: ("mood",)}), tmp_path)


def test_a_limit_spreads_over_the_table():
    assert [row.id for row in spread(voice_rows(20), 2)] == ["pool/0.wav", "pool/10.wav"]
    assert len(spread(voice_rows(20), None)) == len(spread(voice_rows(20), 30)) == 20


@requires_shared
@pytest.mark.parametrize("name", ["voice", "video"])
def test_frozen_protocols_measure_both_classes_in_real_files(name):
    clips = read_clips(read_protocol(name), shared_root())
    assert {row.label for row in clips.measured} == {"real", "fake"}
    assert all((shared_root() / row.path).is_file() for row in clips.measured)
    assert {row.id for row in clips.measured} <= {row.id for row in clips.cross_validated}
