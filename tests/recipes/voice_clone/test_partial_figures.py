"""Composed calls and the figures of what is found in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.localise import Stretch
from avdetect.types import Segment
from recipes.forge.kinds import KINDS
from recipes.voice_clone import partial_figures
from recipes.voice_clone.partial_figures import (
    Found,
    average_precision,
    boundary_error,
    compose_calls,
    false_stretches,
    figures,
    hits_by_family,
    speakers_clips,
)
from tests.recipes.voice_clone.miniature import write_miniature

TRUTH = Segment(10.0, 11.0)


def found(
    *stretches: tuple[float, float, float],
    forged: bool = True,
    speaker: str = "a",
    n_shown: int = 0,
    family: str = "world",
) -> Found:
    return Found(
        speaker=speaker,
        family=family,
        forged=TRUTH if forged else None,
        stretches=[Stretch(Segment(start, end), score) for start, end, score in stretches],
        n_shown=n_shown,
    )


def test_a_false_stretch_that_is_surer_halves_precision() -> None:
    right, wrong = found((10.1, 11.1, 0.7)), found((3.0, 4.0, 0.9), forged=False)
    assert average_precision([right]) == 1.0
    assert average_precision([right, wrong]) == 0.5
    assert average_precision([right, found((3.0, 4.0, 0.6), forged=False)]) == 1.0


def test_a_stretch_twice_as_long_is_no_hit() -> None:
    assert average_precision([found((9.4, 11.6, 0.9))]) == 0.0


def test_both_edges_of_the_surest_stretch_count() -> None:
    calls = [found((10.1, 11.3, 0.9), (10.0, 11.0, 0.5)), found(forged=False)]
    assert boundary_error(calls) == pytest.approx(0.2)
    assert boundary_error([found()]) > 10


def test_only_what_a_verdict_shows_of_a_bona_fide_call_is_a_false_stretch() -> None:
    calls = [
        found((1, 2, 0.9), (3, 4, 0.1), forged=False, n_shown=1),
        found((3, 4, 0.1), forged=False),
        found((1, 2, 0.9), n_shown=1),
    ]
    assert false_stretches(calls) == 0.5


def test_hits_of_the_surest_stretch_are_counted_by_family() -> None:
    calls = [
        found((10.1, 11.0, 0.9)),
        found((3.0, 4.0, 0.9), (10.0, 11.0, 0.8)),
        found(forged=False),
        found((10.0, 11.0, 0.1), family="neural"),
    ]
    assert hits_by_family(calls) == {"neural": (1, 1), "world": (1, 2)}


def test_intervals_hold_their_figures() -> None:
    calls = [
        found((10.0, 11.0 + 0.1 * k, 0.9), forged=forged, speaker=str(k))
        for k in range(4)
        for forged in (True, False)
    ]
    for value, low, high in figures(calls).values():
        assert low <= value <= high


def test_calls_and_counterparts_differ_where_the_voice_is_forged_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, protocol = write_miniature(tmp_path)
    monkeypatch.setenv("AVDETECT_DATA", str(tmp_path))
    monkeypatch.setattr(partial_figures, "read_protocol", lambda _: protocol)
    clips = speakers_clips(rows, ["west"], least_s=1.0)
    assert {row.label for found in clips.values() for row in found} == {"real"}
    families = {"world": {"world": KINDS["mel_random_phase"]}}
    call, *_ = compose_calls(clips, families, 1)
    again, *_ = compose_calls(clips, families, 1)
    assert np.array_equal(call.spoof, again.spoof)
    assert len(call.spoof) / 16_000 == pytest.approx(30, abs=1)
    assert call.forged.duration_s == pytest.approx(1.0, abs=0.26)
    first, last = (round(16_000 * s) for s in (call.forged.start_s, call.forged.end_s))
    same = call.spoof == call.bona_fide
    assert same[: first - 400].all()
    assert same[last + 400 :].all()
    assert not same[first + 400 : last - 400].all()
