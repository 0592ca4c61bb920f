from dataclasses import replace

import pytest

from eval.errors import ManifestError
from eval.manifest.folds import assign_folds, components, fold_split, ties_cut
from eval.manifest.leaks import find_leaks
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol

PROTOCOL = Protocol(
    name="p",
    title="t",
    dataset="d",
    held_out=("speaker", "source", "generator"),
    sets={"all": ("one", "two", "three")},
    folds={"one": ("a",), "two": ("b", "c"), "three": ("d",), "apart": ("e",)},
    roles={"train": ("one",), "calibration": ("two",), "test": ("three",)},
    train_only={"quality": ("opus_24",)},
)


def _row(name: str, source: str, **fields: str) -> ManifestRow:
    label = "fake" if fields.get("generator") else "real"
    return ManifestRow(id=name, path=f"{name}.wav", label=label, source=source, **fields)


ROWS = [
    _row("free", "a", speaker="s1"),
    _row("speaker of test", "a", speaker="s9"),
    _row("generator of test", "a", generator="g9"),
    _row("speaker of calibration", "a", speaker="s5"),
    _row("coded", "a", quality="opus_24"),
    _row("calibration", "b", speaker="s5"),
    _row("calibration, of test", "c", generator="g9"),
    _row("calibration, coded", "c", quality="opus_24"),
    _row("test", "d", speaker="s9"),
    _row("test, fake", "d", generator="g9"),
    _row("test, coded", "d", speaker="s1", quality="opus_24"),
    _row("apart", "e", speaker="s1"),
]


def test_splits_follow_the_roles_and_measured_rows_keep_what_they_share():
    found = assign_folds(ROWS, PROTOCOL)
    assert [row.id for row in found] == [row.id for row in ROWS]
    assert {row.id: row.split for row in found} == {
        "free": "train",
        "speaker of test": "unused",
        "generator of test": "unused",
        "speaker of calibration": "unused",
        "coded": "train",
        "calibration": "calibration",
        "calibration, of test": "unused",
        "calibration, coded": "unused",
        "test": "test",
        "test, fake": "test",
        "test, coded": "unused",
        "apart": "unused",
    }
    assert [row.fold for row in found[-4:]] == ["three", "three", "three", "apart"]
    assert find_leaks(found, PROTOCOL.held_out) == ()


def test_only_what_the_protocol_holds_out_is_dropped():
    found = assign_folds(ROWS, replace(PROTOCOL, held_out=("source", "generator")))
    assert {row.id for row in found if row.split == "train"} == {
        "free",
        "speaker of test",
        "speaker of calibration",
        "coded",
    }


def test_cross_validation_measures_one_fold_and_trains_on_the_others():
    training, test = fold_split(ROWS, PROTOCOL, "one")
    assert [row.id for row in test] == [
        "free",
        "speaker of test",
        "generator of test",
        "speaker of calibration",
    ]
    # `apart` is in no set and has no role; the rest shares a speaker or generator with fold one.
    assert [row.id for row in training] == ["calibration, coded"]
    assert {row.split for row in training} == {"train"}
    assert find_leaks([*training, *test], PROTOCOL.held_out) == ()


def test_assigned_rows_may_be_split_again_by_fold():
    again = fold_split(assign_folds(ROWS, PROTOCOL), PROTOCOL, "three")
    assert again == fold_split(ROWS, PROTOCOL, "three")


def test_training_folds_may_be_named():
    training, _ = fold_split(ROWS, PROTOCOL, "three", training_folds=["two", "apart"])
    assert {row.fold for row in training} == {"two", "apart"}
    with pytest.raises(ManifestError, match="cannot hold out 'three' and train on"):
        fold_split(ROWS, PROTOCOL, "three", training_folds=["three", "one"])
    with pytest.raises(ManifestError, match="cannot hold out 'four'"):
        fold_split(ROWS, PROTOCOL, "four")


def test_a_source_stands_in_exactly_one_fold():
    with pytest.raises(ManifestError, match="sources in no fold: 'x'"):
        assign_folds([*ROWS, _row("x", "x")], PROTOCOL)
    twice = replace(PROTOCOL, folds=dict(PROTOCOL.folds) | {"again": ("a",)})
    with pytest.raises(ManifestError, match="source 'a' stands in folds one and again"):
        assign_folds(ROWS, twice)


@pytest.mark.parametrize(
    "roles", [{"train": ("four",)}, {"train": ("one",), "test": ("one",)}, {"dev": ("one",)}]
)
def test_a_role_is_of_a_fold_that_is_there_and_of_one_role(roles):
    with pytest.raises(ManifestError, match="protocol p: role"):
        assign_folds(ROWS, replace(PROTOCOL, roles=roles))


def test_lists_what_cutting_by_source_could_not_part():
    assert [(tie.field, tie.value, tie.splits) for tie in ties_cut(ROWS, PROTOCOL)] == [
        ("generator", "g9", ("one", "three", "two")),
        ("speaker", "s1", ("apart", "one", "three")),
        ("speaker", "s5", ("one", "two")),
        ("speaker", "s9", ("one", "three")),
    ]


def test_components_are_tied_over_others():
    rows = [
        _row("1", "a", speaker="x"),
        _row("2", "b", speaker="x"),
        _row("3", "b", generator="g"),
        _row("4", "c", generator="g"),
        _row("5", "d"),
        _row("6", "d", speaker="y"),
        _row("7", "", speaker=""),
    ]
    by_all = components(rows, ["source", "person", "generator"])
    assert [[row.id for row in part] for part in by_all] == [
        ["1", "2", "3", "4"],
        ["5", "6"],
        ["7"],
    ]
    by_speaker = components(rows, ["speaker"])
    assert [len(part) for part in by_speaker] == [2, 1, 1, 1, 1, 1]
