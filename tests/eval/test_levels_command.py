from __future__ import annotations

import pytest

from avdetect.channels.sound_levels import SOUND_LEVELS
from eval.__main__ import main


def test_the_grid_is_printed_with_family_and_severity(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["levels"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "| opus_12 | codec | field | sound |" in lines
    assert "| amr_4.75 | codec | stress | sound |" in lines
    assert sum(line.endswith("| sound |") for line in lines) >= len(SOUND_LEVELS)
    assert all(line.count("|") == 5 for line in lines)
