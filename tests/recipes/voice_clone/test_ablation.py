"""Each variant leaves out what its name says, and results are kept between runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipes.voice_clone.ablation import VARIANTS, read_results, settings_of, write_results
from recipes.voice_clone.settings import CONFIG, read_settings


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_every_variant_sees_as_many_clips(variant: str) -> None:
    whole, found = (settings_of(v, read_settings(CONFIG), 7).training for v in ("all", variant))
    sizes = [s.n_pairs + s.n_partial + s.n_generated for s in (whole, found)]
    assert sizes[0] == sizes[1]
    assert found.n_steps == 7


def test_variants_leave_out_what_they_say() -> None:
    settings = read_settings(CONFIG)
    found = {name: settings_of(name, settings, 7) for name in VARIANTS}
    assert found["without forging"].training.n_pairs == 0
    assert found["without forging"].training.n_partial == 0
    assert found["without channels"].training.channel_share == 0
    assert not found["without pairs"].training.paired
    assert found["waveform alone"].network["front_end"] == ["waveform"]
    assert found["all"].network == settings.network


def test_results_read_back(tmp_path: Path) -> None:
    path = tmp_path / "ablation.csv"
    assert read_results(path) == []
    figures = ("fakes_clean", "fakes_coded", "twins_clean", "twins_coded", "frames")
    row = {"variant": "all", "steps": "200"} | {f"auc_{name}": "0.750" for name in figures}
    write_results(path, [row])
    assert read_results(path) == [row]
