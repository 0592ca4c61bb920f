"""``python -m eval levels``: every rung of the robustness grid."""

from __future__ import annotations

from collections.abc import Iterable

from avdetect.channels.levels import Level


def levels() -> None:
    """Print every level of the robustness grid: name, family, field or stress."""
    # Here, so that commands without codecs need not wait for them.
    from avdetect.channels.picture_levels import PICTURE_LEVELS
    from avdetect.channels.sound_levels import SOUND_LEVELS

    print(levels_table([*SOUND_LEVELS.values(), *PICTURE_LEVELS.values()]))


def levels_table(grid: Iterable[Level]) -> str:
    """A Markdown table of levels: name, family, severity, and what they touch."""
    lines = ["| level | family | severity | touches |", "| --- | --- | --- | --- |"]
    for level in grid:
        lines.append(f"| {level.name} | {level.family} | {level.severity} | {_touches(level)} |")
    return "\n".join(lines)


def _touches(level: Level) -> str:
    touched = {
        "sound": level.sound is not None,
        "picture": level.picture is not None,
        "clock": level.sound_delay_s != 0.0,
    }
    return ", ".join(word for word, is_touched in touched.items() if is_touched)
