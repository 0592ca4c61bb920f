import os

import numpy as np
import pytest

from eval.datasets.pickled_labels import read_pickled_labels
from eval.errors import ManifestError


@pytest.mark.parametrize(
    "labels", [np.array(["0", "1"]), np.array([0, 1], np.int8), ["0", "1"], [0, 1]]
)
def test_reads_digits_and_numbers(tmp_path, labels):
    np.save(tmp_path / "l.npy", {"a": labels}, allow_pickle=True)
    (found,) = read_pickled_labels(tmp_path / "l.npy").items()
    assert found[0] == "a"
    assert found[1].dtype == np.int64
    assert found[1].tolist() == [0, 1]


class _Bomb:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_inside_is_run(tmp_path):
    np.save(tmp_path / "l.npy", {"a": _Bomb(tmp_path / "made")}, allow_pickle=True)
    with pytest.raises(ManifestError, match=r"l\.npy: not read: holds \w+\.mkdir, not labels"):
        read_pickled_labels(tmp_path / "l.npy")
    assert not (tmp_path / "made").exists()


def test_other_contents_are_named(tmp_path):
    path = tmp_path / "l.npy"
    np.save(path, np.zeros(3))
    with pytest.raises(ManifestError, match="not a dict of frame labels"):
        read_pickled_labels(path)
    path.write_bytes(b"no array at all")
    with pytest.raises(ManifestError, match="not a dict of frame labels"):
        read_pickled_labels(path)
    np.save(path, {"a": ["x"]}, allow_pickle=True)
    with pytest.raises(ManifestError, match="not a dict of frame labels"):
        read_pickled_labels(path)
