from eval.shared_data import read_rows
from eval.splits import video_split
from recipes.datasets.face_folds import HELD_OUT_SOURCES, is_held_out
from tests.shared import requires_shared


def row(identity="", source="a/b"):
    return {"identity": identity, "source_repo": source}


def test_a_person_is_on_one_side_whatever_the_source():
    names = [f"person {n}" for n in range(200)]

    sides = [is_held_out(row(name)) for name in names]

    assert 0.15 < sum(sides) / len(sides) < 0.35
    assert sides == [is_held_out(row(name, "c/d")) for name in names]


def test_unknown_people_follow_their_source():
    assert is_held_out(row(source="podgorskiy/ALAE"))
    assert not is_held_out(row())


@requires_shared
def test_no_person_is_both_trained_on_and_held_out():
    development, test = video_split()
    rows = [*read_rows("data/faces/real.csv"), *read_rows("data/video/sync.csv"), *development]
    trained = [r for r in rows if not is_held_out(r)]
    held_out = [r for r in rows if is_held_out(r)]

    assert held_out
    assert not _people(trained) & _people(held_out)
    assert not _people(trained) & _people(test)
    assert not {r["source_repo"] for r in trained} & {r["source_repo"] for r in test}
    assert not {r["source_repo"] for r in trained} & HELD_OUT_SOURCES


def _people(rows):
    return {r["identity"] for r in rows if r["identity"]}
