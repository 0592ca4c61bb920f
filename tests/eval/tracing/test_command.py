"""The one command that prints every figure of tracing, from the committed tables."""

from __future__ import annotations

import pytest

from eval.__main__ import main
from eval.tracing.design_figures import design_lines


@pytest.mark.slow
def test_command_prints_every_section(capsys):
    assert main(["trace-figures"]) == 0
    out = capsys.readouterr().out
    for words in ("combined", "control, sources shuffled", "AUROC", "majority guess", "x chance"):
        assert words in out


def test_every_property_of_a_design_is_printed_beside_the_guess():
    lines = list(design_lines())
    assert sum("majority guess 0." in line for line in lines) == 16
    assert sum("properties" in line for line in lines) == 2
