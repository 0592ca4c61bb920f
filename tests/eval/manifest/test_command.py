from pathlib import Path

import pytest

from eval.__main__ import main
from eval.manifest.file import read_manifest, write_manifest
from eval.manifest.row import ManifestRow
from tests.shared import requires_shared


def _leaking(path: Path) -> Path:
    rows = [
        ManifestRow(id="a", path="a.wav", label="real", speaker="s", split="train"),
        ManifestRow(id="b", path="b.wav", label="fake", speaker="s", split="test"),
    ]
    write_manifest(path, rows)
    return path


def test_check_counts_rows_and_refuses_leaks(tmp_path, capsys):
    path = _leaking(tmp_path / "m.csv")
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no leaks in id, file"
    assert main(["check", str(path), "--held-out", "speaker", "--held-out", "source"]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"error: {path}: 1 leak between splits: speaker 's' in test and train; "
        "move these rows to one split or to 'unused'\n"
    )
    assert main(["check", str(path), "--held-out", "source,speaker"]) == 2
    assert "speaker 's' in test and train" in capsys.readouterr().err
    assert main(["check", str(path), "--held-out", "colour"]) == 2
    assert "--held-out colour: must be one of speaker" in capsys.readouterr().err


def test_manifest_of_an_unknown_data_set_lists_those_there_are(tmp_path, capsys):
    assert main(["manifest", "nothing", "--out", str(tmp_path / "m.csv")]) == 2
    assert "no data set 'nothing'; there are: " in capsys.readouterr().err
    assert main(["manifest", "asvspoof5", "--out", str(tmp_path / "m.csv"), "--data", "/none"]) == 2
    assert not list(tmp_path.iterdir())


def test_folds_prints_groups_ties_and_what_could_not_be_cut(tmp_path, capsys):
    rows = [
        ManifestRow(id="a", path="a.wav", label="real", speaker="s", source="one/x"),
        ManifestRow(id="b", path="b.wav", label="fake", generator="g", source="two/y"),
        ManifestRow(id="c", path="c.wav", label="real", speaker="s", source="two/y"),
    ]
    write_manifest(tmp_path / "m.csv", rows)
    (tmp_path / "p.toml").write_text(
        'title = "T"\nmanifest = "m.csv"\nheld_out = ["speaker"]\n'
        '[roles]\ntrain = ["first"]\ntest = ["second"]\n'
        '[folds]\nfirst = ["one/x"]\nsecond = ["two/y"]\n'
    )
    assert main(["folds", str(tmp_path / "p.toml"), "--data", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ["first", "1", "1", "0", "1", "0", "unused", "1"] in [line.split() for line in lines]
    assert ["second", "1", "1", "1", "2", "1", "test", "2"] in [line.split() for line in lines]
    assert "connected by source, person: 1 components" in lines
    assert lines[-1] == "  speaker 's' in first and second, 2 rows"


@requires_shared
def test_the_manifest_of_our_clips_is_whole(tmp_path, capsys):
    out = tmp_path / "m.parquet"
    assert main(["manifest", "talking_heads", "--out", str(out)]) == 0
    assert (
        capsys.readouterr().out == f"{out}: {len(read_manifest(out))} rows, 0 without their file\n"
    )


@pytest.mark.parametrize("flag", [[], ["--markdown"]])
def test_datasets_names_every_reader(flag, capsys):
    from eval.datasets import DATASETS

    assert main(["datasets", *flag]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in DATASETS)


def test_check_says_where_there_is_nothing_to_compare(tmp_path, capsys):
    path = tmp_path / "m.csv"
    write_manifest(path, [ManifestRow(id="a", path="a.wav", label="real", split="test")])
    assert main(["check", str(path)]) == 0
    assert "fewer than two splits" in capsys.readouterr().out
