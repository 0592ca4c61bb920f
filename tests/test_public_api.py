"""The public names: one may come or go only by editing the committed list in the same change."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from pathlib import Path

import pytest

import avdetect
from avdetect.errors import AvdetectError

COMMITTED = Path(__file__).with_name("public_api.txt").read_text("utf-8").split()


def test_public_names_are_the_committed_ones():
    assert sorted(avdetect.__all__) == sorted(COMMITTED)


@pytest.mark.parametrize("name", COMMITTED)
def test_every_public_name_is_there_and_documented(name: str):
    member = getattr(avdetect, name)
    assert name in dir(avdetect)
    assert name == "__version__" or inspect.getdoc(member)


def test_errors_stand_in_one_tree_with_codes_of_their_own():
    errors = [getattr(avdetect, name) for name in COMMITTED if name.endswith("Error")]
    assert all(issubclass(error, AvdetectError) for error in errors)
    assert len({error.code for error in errors}) == len(errors)


def test_version_is_the_packages():
    assert avdetect.__version__ == version("avdetect")


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Detektor"):
        avdetect.Detektor  # noqa: B018
