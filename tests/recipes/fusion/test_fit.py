"""What is fitted on measured clips, by the branches' own pooling and the engine's fusion."""

from __future__ import annotations

import math

import numpy as np
import pytest

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.checkpoint import read_bundle
from avdetect.errors import UsageError
from avdetect.fusion.any_forged import AnyForged
from avdetect.fusion.late import LateFusion
from avdetect.fusion.subjects import FACE, SYNC, VOICE
from avdetect.types import Part, Segment
from eval.protocol import read_protocol
from recipes.datasets.talking_heads import TalkingHeadClip
from recipes.fusion import measured_rows
from recipes.fusion.calibrate import load_network
from recipes.fusion.fit import (
    EQUAL_SHARES,
    Judges,
    fit,
    fused_llrs,
    is_fake,
    late_patterns,
    raw_scores,
)
from recipes.fusion.measured_rows import (
    RECOMPRESSED,
    REFACED,
    REFACED_RECOMPRESSED,
    Measured,
    pictures_of,
    recompressed,
)
from recipes.fusion.rows import Sample, load_branches
from tests.shared import requires_shared

PARTS = {
    VOICE: Part(channel="mono"),
    FACE: Part(face_track=0),
    SYNC: Part(channel="mono", face_track=0),
}
N_CLIPS = 24


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges(
        branches=load_branches()[0],
        network=load_network(read_bundle().checkpoints["cross_attention"]),
        voice=Calibration(scale=1.0, offset=0.0, limit=4.0),
    )


def measured(
    judges: Judges, number: int, variant: str, seen: tuple[str, ...], *, misread: bool = False
) -> Measured:
    """Real if even, fake if odd; scores about +1 where forged and -1 where not, of four seconds."""
    rng = np.random.default_rng([number, len(variant)])
    fake = number % 2 == 1 or variant != "real"
    outputs = {
        name: [
            BranchOutput(
                part=PARTS[name],
                segments=np.stack([np.arange(8) / 2, np.arange(8) / 2 + 0.5], 1),
                scores=np.full(8, rng.normal(1.0 if fake != misread else -1.0, 0.8), np.float32),
                tokens=rng.normal(size=(8, judges.branches[name].token_width)).astype(np.float32),
                weights=np.ones(8, np.float32),
            )
        ]
        for name in seen
    }
    label = "fake" if number % 2 else "real"
    row = {
        "file": str(number),
        "label": label,
        "video_label": label,
        "audio_label": "cloned" if number % 2 else "real",
    }
    sample = Sample(
        file=str(number), group=str(number), variant=variant, windows=[(Segment(0.0, 4.0), outputs)]
    )
    return Measured(row=row, fold="one", sample=sample)


@pytest.fixture(scope="module")
def clips(judges: Judges) -> list[Measured]:
    everything = (VOICE, FACE, SYNC)
    found = [measured(judges, number, "real", everything) for number in range(N_CLIPS)]
    return found + [measured(judges, n, "dubbed", everything) for n in range(0, N_CLIPS, 2)]


def test_no_calibration_claims_more_than_its_clips_allow(
    judges: Judges, clips: list[Measured]
) -> None:
    # Twelve real clips; the fakes are twelve others and forgeries of the same twelve real ones.
    calibrations = fit(judges, clips).calibrations
    assert calibrations[VOICE] == judges.voice
    assert calibrations[FACE].limit == calibrations[SYNC].limit == math.log(N_CLIPS // 2)
    again = [*clips, *(measured(judges, n, "voice", (FACE, SYNC)) for n in range(0, N_CLIPS, 2))]
    assert fit(judges, again).calibrations[FACE].limit == math.log(N_CLIPS // 2)


def test_clips_as_they_are_get_one_llr_and_a_lone_branch_its_own(
    judges: Judges, clips: list[Measured]
) -> None:
    fitted = fit(judges, clips)
    alone = measured(judges, 101, "real", (FACE,))
    silent = measured(judges, 103, "real", ())
    llrs = fused_llrs(judges, fitted, [*clips, alone, silent])
    assert list(llrs) == [*map(str, range(N_CLIPS)), "101"]
    face_score = raw_scores(judges, alone)[FACE]
    assert llrs["101"] == fitted.calibrations[FACE].fake_llr(face_score)
    real = [llrs[str(n)] for n in range(0, N_CLIPS, 2)]
    fake = [llrs[str(n)] for n in range(1, N_CLIPS, 2)]
    assert np.median(fake) > 0 > np.median(real)


def test_a_sum_is_fitted_and_any_forged_part_is_not(judges: Judges, clips: list[Measured]) -> None:
    summed, shipped = fit(judges, clips, "sum"), fit(judges, clips)
    assert shipped.weights is None
    assert shipped.late == AnyForged(EQUAL_SHARES)
    assert summed.weights is not None and len(summed.weights) == 4
    assert summed.late == LateFusion(late_patterns(summed.weights))
    assert summed.calibrations == shipped.calibrations


def test_attention_without_a_say_leaves_late_fusion(judges: Judges, clips: list[Measured]) -> None:
    silent, heard = fit(judges, clips, attention=False), fit(judges, clips)
    assert silent.added.limit == heard.added.limit
    llrs = fused_llrs(judges, silent, clips)
    for clip in (c for c in clips if c.as_it_is):
        found = {
            name: silent.calibrations[name].fake_llr(score)
            for name, score in raw_scores(judges, clip).items()
        }
        bound = silent.added.limit
        expected = min(max(silent.late.fake_llr(found), -bound), bound)
        assert llrs[clip.row["file"]] == pytest.approx(expected, abs=1e-3)


def test_late_fusion_weighs_an_absent_branch_as_nothing() -> None:
    weights = np.array([0.5, 1.5, 2.0, -0.25])  # voice, face, synchrony, offset
    late = LateFusion(late_patterns(weights))
    assert late.fake_llr({VOICE: 1.0, FACE: 2.0, SYNC: 3.0}) == pytest.approx(9.25)
    assert late.fake_llr({VOICE: 1.0, SYNC: 3.0}) == pytest.approx(6.25)
    assert late.fake_llr({SYNC: 3.0}) == 3.0


@requires_shared
def test_a_clip_without_rows_is_named_and_not_left_out(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(measured_rows, "FOLDER", tmp_path)
    with pytest.raises(UsageError, match=r"npz: not made yet; run python -m recipes\.fusion"):
        measured_rows.measured_samples(read_protocol("video"))


def test_recompressed_clips_calibrate_the_picture_and_nothing_else(
    judges: Judges, clips: list[Measured]
) -> None:
    poor = [measured(judges, n, RECOMPRESSED, (FACE, SYNC)) for n in range(0, N_CLIPS, 2)]
    assert not any(m.forged or m.as_it_is for m in poor)
    before, after = fit(judges, clips), fit(judges, [*clips, *poor])
    # Real clips whose pictures look forged once recompressed: less is claimed of any.
    assert after.calibrations[FACE].fake_llr(1.0) < before.calibrations[FACE].fake_llr(1.0)
    assert after.calibrations[FACE].limit == before.calibrations[FACE].limit
    assert after.calibrations[SYNC] == before.calibrations[SYNC]
    assert fused_llrs(judges, before, [*clips, *poor]) == fused_llrs(judges, before, clips)


def test_forged_faces_of_true_pictures_calibrate_the_picture_and_nothing_else(
    judges: Judges, clips: list[Measured]
) -> None:
    # Other people's forged pictures that score as real ones do would leave the branch no say.
    unlike = [m for m in clips if m.as_it_is and not is_fake(m)]
    unlike += [measured(judges, n, "real", (FACE, SYNC), misread=True) for n in (201, 203, 205)]
    refaced = [
        measured(judges, n, variant, (FACE, SYNC))
        for n in range(0, N_CLIPS, 2)
        for variant in (REFACED, REFACED_RECOMPRESSED)
    ]
    assert all(m.forged and m.picture_alone for m in refaced)
    before, after = fit(judges, unlike), fit(judges, [*unlike, *refaced])
    assert after.calibrations[FACE].scale > 2 * before.calibrations[FACE].scale
    assert after.calibrations[SYNC] == before.calibrations[SYNC]


def test_only_true_faces_are_forged_and_nothing_else_of_a_clip(clip: TalkingHeadClip) -> None:
    row = {"file": clip.file, "video_label": "real"}
    found = pictures_of(clip, row)
    assert list(found) == [RECOMPRESSED, REFACED, REFACED_RECOMPRESSED]
    assert list(pictures_of(clip, {**row, "video_label": "fake"})) == [RECOMPRESSED]
    forged = found[REFACED].faces
    assert all((a != b).any() for a, b in zip(forged, clip.faces, strict=True))
    assert found[REFACED].audio is clip.audio and found[REFACED].mouths is clip.mouths
    np.testing.assert_array_equal(pictures_of(clip, row)[REFACED].faces, forged)


def test_a_recompressed_clip_keeps_all_but_its_pictures() -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 255, (2, 224, 224, 3), dtype=np.uint8)
    clip = TalkingHeadClip(
        file="a.mp4",
        mouths=np.zeros((2, 96, 96), np.uint8),
        frame_index=np.arange(2),
        landmarks=np.zeros((2, 478, 2), np.float32),
        faces=faces,
        face_index=np.arange(2),
        audio=np.zeros(1600, np.float32),
    )
    poor = recompressed(clip)
    assert poor.faces.shape == faces.shape and poor.faces.dtype == np.uint8
    assert np.abs(poor.faces.astype(int) - faces).mean() > 5.0
    assert poor.mouths is clip.mouths and poor.audio is clip.audio
