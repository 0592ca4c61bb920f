"""Cross-attention beside late fusion: what it adds, when it is silent, and what it may claim."""

import numpy as np
import pytest
import torch

from avdetect.branches.base import BranchOutput
from avdetect.calibration import Calibration
from avdetect.fusion.cross_attention import MAX_ROWS, CrossAttentionFusion, pack_windows
from avdetect.fusion.late import LateFusion
from avdetect.fusion.subjects import FACE, SYNC, VOICE, Subject, WindowRows
from avdetect.nn.fusion_network import N_FEATURES, FusionNetwork
from avdetect.types import Part, Segment

WIDTHS = {VOICE: 6, FACE: 5, SYNC: 4}
PLAIN = {name: Calibration(scale=1.0, offset=0.0, limit=5.0) for name in WIDTHS}
PAIR = Part(channel="mono", face_track=0)
LATE = LateFusion({f"{SYNC}+{VOICE}": (1.0, 1.0, 0.0), f"{FACE}+{VOICE}": (1.0, 1.0, 0.0)})


def rows(part, width, n=3, seed=0):
    rng = np.random.default_rng(seed)
    starts = np.arange(n) * 0.5
    return BranchOutput(
        part=part,
        segments=np.stack([starts, starts + 0.5], 1),
        scores=rng.normal(size=n).astype(np.float32),
        tokens=rng.normal(size=(n, width)).astype(np.float32),
        weights=np.ones(n, np.float32),
    )


def window(start_s=0.0, **outputs):
    return WindowRows(Segment(start_s, start_s + 4.0), {k: [v] for k, v in outputs.items()})


@pytest.fixture
def windows():
    voice, sync = rows(Part(channel="mono"), 6), rows(PAIR, 4, seed=1)
    return [window(voice_clone=voice, lip_sync=sync), window(3.0, voice_clone=voice)]


def make_fusion(limit=3.0):
    torch.manual_seed(0)
    network = FusionNetwork(WIDTHS, width=16, heads=2)
    torch.nn.init.normal_(network.heads.weight)
    calibration = Calibration(scale=0.5, offset=0.1, limit=limit)
    return CrossAttentionFusion(network, LATE, calibration, PLAIN, torch.device("cpu"))


def test_a_lone_branch_passes_unchanged_and_unbounded(windows):
    score = make_fusion().judge(Subject(Part(channel="mono"), {VOICE: 4.2}), windows)
    assert score.fake_llr == 4.2
    assert (score.audio_fake, score.video_fake, score.out_of_sync) == (4.2, None, None)


def test_two_branches_that_never_met_are_summed(windows):
    score = make_fusion().judge(Subject(PAIR, {VOICE: 1.0, FACE: -0.5}), windows)
    assert score.fake_llr == pytest.approx(0.5)


def test_two_branches_that_met_get_what_the_network_adds(windows):
    fusion = make_fusion()
    subject = Subject(PAIR, {VOICE: 0.4, SYNC: -0.5})
    scores = fusion.scores(subject, windows)
    added = 0.5 * float(scores[0]) + 0.1
    assert fusion.judge(subject, windows).fake_llr == pytest.approx(-0.1 + added, abs=1e-5)


def test_the_sum_claims_no_more_than_its_limit(windows):
    score = make_fusion(limit=2.0).judge(Subject(PAIR, {VOICE: 4.0, FACE: 4.0}), windows)
    assert score.fake_llr == 2.0


def test_only_windows_in_which_two_branches_met_are_packed(windows):
    subject = Subject(PAIR, {VOICE: 0.4, SYNC: -0.5})
    voice, face, sync = pack_windows(subject, windows, WIDTHS, PLAIN)
    assert voice.shape == (1, MAX_ROWS[VOICE], 6 + N_FEATURES)
    assert voice[0, :, -1].tolist() == [1.0] * 3 + [0.0] * (MAX_ROWS[VOICE] - 3)
    assert not face.any()
    assert sync[0, :3, 6].tolist() == [0.25, 0.75, 1.25]  # seconds from window start


def test_without_a_network_the_late_rule_decides(windows):
    fusion = CrossAttentionFusion.late_alone(LATE, PLAIN, torch.device("cpu"))
    subject = Subject(PAIR, {VOICE: 1.0, SYNC: -0.25})
    assert fusion.scores(subject, windows) is None
    assert fusion.judge(subject, windows).fake_llr == pytest.approx(0.75)
    assert fusion.judge(Subject(PAIR, {VOICE: 4.0, SYNC: 4.0}), windows).fake_llr == 5.0
