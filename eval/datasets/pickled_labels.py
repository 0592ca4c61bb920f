"""Frame labels that a data set publishes as a pickled dict, read without running what is in it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.errors import ManifestError

# All that an object array of label arrays is made of, under numpy 1 and numpy 2.
_ALLOWED = {
    (f"numpy.{core}.{module}", name)
    for core in ("core", "_core")
    for module, name in (
        ("multiarray", "_reconstruct"),
        ("multiarray", "scalar"),
        ("numeric", "_frombuffer"),
    )
} | {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


class _LabelUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"holds {module}.{name}, not labels")
        return super().find_class(module, name)


def read_pickled_labels(path: Path) -> Mapping[str, NDArray[np.int64]]:
    """Labels of a ``.npy`` file that holds ``{name: labels}``.

    Returns:
        Name -> (T,) int64, from arrays or lists of numbers or digits.

    Raises:
        ManifestError: another layout, or anything in it but arrays.
    """
    try:
        with path.open("rb") as stream:
            version = np.lib.format.read_magic(stream)
            read_header = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, _, dtype = read_header(stream)
            if shape != () or dtype != np.dtype(object):
                raise ValueError(f"an array {shape} of {dtype}")
            table = _LabelUnpickler(stream, encoding="latin1").load().item()
        return {str(name): np.asarray(labels).astype(np.int64) for name, labels in table.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, EOFError) as error:
        raise ManifestError(f"{path}: not a dict of frame labels ({error})") from error
    except pickle.UnpicklingError as error:
        raise ManifestError(f"{path}: not read: {error}; fetch the published file") from error
