import pytest

from eval.errors import LeakError
from eval.manifest.leaks import Leak, find_leaks, refuse_leaks
from eval.manifest.row import ManifestRow

ALL = ("speaker", "identity", "source", "generator")


def _row(name: str, split: str, **fields: str) -> ManifestRow:
    label = "fake" if fields.get("generator") else "real"
    return ManifestRow(**{"id": name, "path": f"{name}.wav", "label": label} | fields, split=split)


@pytest.mark.parametrize("field", ALL)
def test_a_shared_value_leaks_only_where_it_is_held_out(field):
    rows = [_row("a", "train", **{field: "x"}), _row("b", "test", **{field: "x"})]
    leak = Leak(field=field, value="x", splits=("test", "train"), n_rows=2)
    assert find_leaks(rows, ALL) == (leak,)
    assert find_leaks(rows, [name for name in ALL if name != field]) == ()


def test_within_one_split_everything_may_be_shared():
    rows = [_row(name, "train", speaker="s", source="r", generator="g") for name in "ab"]
    assert find_leaks(rows, ALL) == ()


def test_unknown_values_and_unused_rows_take_no_part():
    rows = [
        _row("a", "train"),
        _row("b", "test"),
        _row("c", "", speaker="s"),
        _row("d", "unused", speaker="s"),
        _row("e", "test", speaker="s"),
    ]
    assert find_leaks(rows, ALL) == ()


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        ({"path": "same.wav"}, {"path": "same.wav"}, "path"),
        ({"audio_path": "same.opus"}, {"audio_path": "same.opus"}, "path"),
        ({"path": "same.opus"}, {"audio_path": "same.opus"}, "path"),
        ({"id": "same"}, {"id": "same"}, "id"),
        ({"path": "a/same.wav"}, {"path": "./b/../a/same.wav"}, "path"),
        ({"path": "same.wav"}, {"audio_path": "./same.wav "}, "path"),
    ],
)
def test_a_file_or_id_in_two_splits_always_leaks(one, other, field):
    rows = [_row("a", "train", **one), _row("b", "test", **other)]
    assert [(leak.field, leak.splits) for leak in find_leaks(rows, ())] == [
        (field, ("test", "train"))
    ]


def test_the_refusal_is_one_line_with_the_first_few_and_the_count():
    rows = [
        _row(f"{split}{speaker}", split, speaker=speaker)
        for split in ("train", "test")
        for speaker in ("p1", "p2", "p3", "p4", "p5")
    ]
    with pytest.raises(LeakError) as caught:
        refuse_leaks(rows, ["speaker"], name="voices.csv")
    message = str(caught.value)
    assert message.startswith("voices.csv: 5 leaks between splits: speaker 'p1' in test and train;")
    assert "and 2 more" in message
    assert "p4" not in message
    assert "\n" not in message
    assert caught.value.exit_code == 2
    refuse_leaks(rows[:5], ["speaker"], name="voices.csv")
