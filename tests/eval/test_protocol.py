import pytest

from eval.errors import ManifestError
from eval.protocol import PROTOCOLS, read_protocol


@pytest.mark.parametrize("name", ["voice", "video", "faces"])
def test_frozen_protocols_name_their_folds(name):
    protocol = read_protocol(name)
    folds = set(protocol.folds)
    assert {fold for group in protocol.sets.values() for fold in group} <= folds
    assert {fold for group in protocol.roles.values() for fold in group} <= folds
    assert protocol.text == (PROTOCOLS / f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 1 2", "not TOML"),
        ('title = "T"', "neither dataset nor manifest"),
        ('title = "T"\ndataset = "d"\ncolour = "red"', r"unknown keys \['colour'\]"),
        ('title = "T"\ndataset = "d"\nheld_out = ["speakr"]', "names no such field: speakr"),
        ('title = "T"\ndataset = "d"\n[train_only]\ntaste = ["x"]', "names no such field: taste"),
        ('title = "T"\ndataset = "d"\n[point]\nprior_fake = 2.0', "prior_fake"),
        ('title = "T"\ndataset = "d"\nmanifest = "m.csv"', "or both"),
        ('title = "T"\ndataset = "d"\nname = "n"', r"unknown keys \['name'\]"),
        ('title = "T"\ndataset = "d"\nsplits = "test"', "splits must be a list of text"),
        ('title = "T"\ndataset = "d"\nanswers = []', "at least one"),
        ('title = "T"\ndataset = "d"\n[folds]\none = "a/b"', "folds.one must be a list of text"),
        ('title = "T"\ndataset = "d"\nfolds = 3', "folds must be a table"),
        ('title = "T"\ndataset = "d"\npoint = 3', "point must be a table"),
        ('title = "T"\nmanifest = 3', "manifest must be text"),
        ("\xff", "not TOML"),
    ],
)
def test_what_a_protocol_cannot_say_is_refused(tmp_path, text, message):
    path = tmp_path / "p.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ManifestError, match=message) as caught:
        read_protocol(str(path))
    assert str(path) in str(caught.value)


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ManifestError, match=r"no protocol 'nothing' .*; there are: .*faces.*voice"):
        read_protocol("nothing")
