"""The figures of sealing: what is true of an edit, what counts as found, a small measuring."""

from __future__ import annotations

import av
import numpy as np
import pytest

from avdetect.provenance.verification import (
    FindingKind,
    Outcome,
    SealFacts,
    SealFinding,
    Verification,
)
from eval.sealing.edits import Edit, Truth, apply, heard_truth, random_truth
from eval.sealing.figures import Trial, measure
from eval.sealing.scenes import FPS, RATE_HZ, Scene
from eval.sealing.splice import splice
from eval.sealing.tables import figures_text
from tests.provenance.clips import moving, speech, write


def scene(seed: int, seconds: float = 8.0, *, sound: bool = True, picture: bool = True) -> Scene:
    return Scene(
        f"scene {seed}",
        f"source {seed}",
        speech(seconds, seed) if sound else None,
        np.stack(moving(seconds, seed)) if picture else None,
    )


def trial(truth: Truth, *findings: SealFinding) -> Trial:
    facts = SealFacts(
        signer="", made_at="", made_by="", sealed_name="", sealed_sha256="", duration_s=8.0
    )
    said = Verification(path="", sha256="", outcome=Outcome.EDITED, seal=facts, findings=findings)
    return Trial("spliced", "sound", "a", truth, said)


def finding(kind: FindingKind, start_s: float, end_s: float) -> SealFinding:
    return SealFinding(
        kind=kind,
        lanes=("sound",),
        sealed_start_s=start_s,
        sealed_end_s=end_s,
        file_start_s=start_s,
        file_end_s=end_s,
        text="",
    )


def test_an_edit_counts_as_found_only_within_the_tolerance_and_by_its_kind():
    cut = Truth(Edit.CUT, (3.0, 5.0), (3.0, 3.0))
    assert trial(cut, finding(FindingKind.CUT, 2.6, 5.4)).is_found
    assert not trial(cut, finding(FindingKind.CUT, 2.4, 5.0)).is_found
    assert not trial(cut, finding(FindingKind.ALTERED, 3.0, 5.0)).is_found
    assert not trial(cut).is_found


def test_findings_beside_the_edit_are_false():
    cut = Truth(Edit.CUT, (3.0, 5.0), (3.0, 3.0))
    beside = finding(FindingKind.ALTERED, 6.0, 7.0)
    assert trial(cut, finding(FindingKind.CUT, 3.0, 5.0), beside).n_false == 1


@pytest.mark.parametrize("edit", list(Edit))
def test_edits_change_what_they_say_and_nothing_else(edit):
    before, donor = scene(1), scene(2)
    truth = random_truth(before, edit, np.random.default_rng(0), on_grid=False)
    after = apply(before, truth, donor, np.random.default_rng(0))
    length_s = sum(b - a for a, b in (truth.sealed_s, truth.file_s))
    longer = {Edit.CUT: -length_s, Edit.INSERT: length_s}.get(edit, 0.0)
    assert after.duration_s == pytest.approx(before.duration_s + longer, abs=0.05)
    start = round(truth.sealed_s[0] * RATE_HZ)
    assert np.array_equal(after.samples[:start], before.samples[:start])
    n_behind = round((before.duration_s - truth.sealed_s[1]) * FPS)
    assert np.array_equal(after.frames[-n_behind:], before.frames[-n_behind:])


def test_pauses_at_the_ends_of_an_edit_are_no_change():
    before = scene(1, picture=False)
    before.samples[2 * RATE_HZ : 3 * RATE_HZ] = 0.0
    silenced = Truth(Edit.SILENCE, (2.0, 5.0), (2.0, 5.0))
    after = apply(before, silenced, scene(2, picture=False), np.random.default_rng(0))
    assert heard_truth(silenced, before, after).sealed_s == pytest.approx((3.0, 5.0), abs=0.15)


def test_splicing_a_whole_file_copies_every_packet(tmp_path):
    path = write(tmp_path / "a.mp4", speech(3.0), moving(3.0))
    again = splice([(path, 0.0, 1e6)], tmp_path / "b.mp4")

    def packets(of):
        with av.open(str(of)) as container:
            return sorted(bytes(p) for p in container.demux() if p.size)

    assert packets(path) == packets(again)


@pytest.mark.slow
def test_a_small_measuring_finds_its_edits_and_prints_all_of_them(tmp_path):
    media = {"both": [scene(1), scene(2)], "sound": [scene(3, picture=False)] * 2}
    figures = measure(
        {**media, "sound": [scene(3, picture=False), scene(4, picture=False)]},
        tmp_path,
        n=3,
        rng=np.random.default_rng(0),
        progress=lambda words: None,
    )
    assert figures.outcomes["bit-exact copy"] == {"untouched": 3}
    assert figures.outcomes["remuxed"] == {"remuxed": 3}
    assert len(figures.edits) == 6
    assert all(one.verification.outcome is Outcome.EDITED for one in figures.edits)
    assert "| edited, re-encoded | 3 |" in figures_text(figures)
