"""Levels are chosen by severity, family or name; a wrong word is answered with near ones."""

from __future__ import annotations

import pytest

from avdetect.channels.picture_levels import PICTURE_LEVELS
from avdetect.channels.sound_levels import SOUND_LEVELS
from avdetect.errors import UsageError
from eval.robustness import CLEAN, LEVELS, levels_named


def names(selection: str) -> list[str]:
    return [level.name for level in levels_named(selection)]


def test_the_grid_holds_every_level_of_sound_and_picture_once():
    assert not set(SOUND_LEVELS) & set(PICTURE_LEVELS)
    assert len(LEVELS) == 1 + len(SOUND_LEVELS) + len(PICTURE_LEVELS)
    assert all(name == level.name for name, level in LEVELS.items())


def test_severities_part_the_grid_and_clean_leads_each():
    field, stress = names("field"), names("stress")
    assert field[0] == stress[0] == CLEAN.name
    assert set(field) & set(stress) == {CLEAN.name}
    assert names("all") == list(LEVELS)
    assert set(field) | set(stress) == set(LEVELS)


def test_names_and_families_can_be_mixed():
    assert names("clean") == ["clean"]
    assert names(" jpeg_30 ,av_offset,") == ["clean", "jpeg_30"] + [
        level.name for level in PICTURE_LEVELS.values() if level.family == "av_offset"
    ]


@pytest.mark.parametrize(("word", "near"), [("h264_crf28", "h264_crf_28"), ("feild", "field")])
def test_an_unknown_level_is_answered_with_near_ones(word, near):
    with pytest.raises(UsageError, match=near) as error:
        levels_named(f"jpeg_30,{word}")
    assert word in str(error.value) and "\n" not in str(error.value)


def test_an_empty_selection_is_refused():
    with pytest.raises(UsageError, match="--levels"):
        levels_named(" , ")
