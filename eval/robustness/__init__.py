"""The robustness grid: every level of sound and picture, and a row's media at a level."""

from __future__ import annotations

import difflib

from avdetect.channels.levels import Level
from avdetect.channels.picture_levels import PICTURE_LEVELS
from avdetect.channels.sound_levels import SOUND_LEVELS
from avdetect.errors import UsageError
from eval.robustness.degraded import degraded_file

__all__ = ["CLEAN", "LEVELS", "degraded_file", "levels_named"]

CLEAN = Level(name="clean", family="clean", severity="field")
LEVELS: dict[str, Level] = {CLEAN.name: CLEAN, **SOUND_LEVELS, **PICTURE_LEVELS}


def levels_named(selection: str) -> tuple[Level, ...]:
    """Levels in the order of the grid; `CLEAN` comes first, as all others are read against it.

    Args:
        selection: ``field``, ``stress``, ``all``, or names of levels or families, comma-separated.

    Raises:
        UsageError: no such level.
    """
    words = {word.strip() for word in selection.split(",") if word.strip()}
    families = {level.family for level in LEVELS.values()}
    unknown = sorted(words - {"field", "stress", "all"} - families - set(LEVELS))
    if unknown or not words:
        raise UsageError(_unknown_level(unknown[0] if unknown else "", sorted(families)))
    return tuple(
        level
        for level in LEVELS.values()
        if level is CLEAN or words & {"all", level.severity, level.family, level.name}
    )


def _unknown_level(word: str, families: list[str]) -> str:
    near = difflib.get_close_matches(word, [*LEVELS, *families], n=5, cutoff=0.4)
    hint = f"near it: {', '.join(near)}" if near else f"families: {', '.join(families)}"
    return f"--levels: no level {word!r}; {hint}; or field, stress, all"
