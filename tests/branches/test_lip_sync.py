"""The branch on observations made in code: what it says and when it is silent."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avdetect.branches.lip_sync import LipSyncBranch, build_lip_sync
from avdetect.branches.sync_windows import (
    CROWD,
    OTHERS_TURN,
    STILL_MOUTH,
    sound_around,
    unbroken_runs,
)
from avdetect.checkpoint import Checkpoint, ModelCard
from avdetect.errors import CheckpointError
from avdetect.nn.sync_encoder import SyncEncoder
from avdetect.nn.sync_head import ConsistencyHead
from avdetect.types import Part, Segment
from tests.synth import noise
from tests.talking_mouth import meshes, observation, opening

CONFIG = {"mouth_width": 8, "speech_width": 8, "embedding": 16, "head_width": 8}


def _state():
    torch.manual_seed(3)
    encoder = SyncEncoder(mouth_width=8, speech_width=8, embedding=16)
    head = ConsistencyHead(embedding=16, width=8)
    return {
        **{f"encoder.{key}": value for key, value in encoder.state_dict().items()},
        **{f"head.{key}": value for key, value in head.state_dict().items()},
    }


def _checkpoint(state):
    card = ModelCard(
        name="test", role="lip_sync", summary="", licence="", weights_sha256="",
        config=CONFIG, facts={},
    )  # fmt: skip
    return Checkpoint(card=card, state=state, calibration=None)


@pytest.fixture(scope="module")
def branch() -> LipSyncBranch:
    return build_lip_sync(_checkpoint(_state()), torch.device("cpu"))


def _only(branch, seen):
    (output,) = branch.run([seen])[0]
    return output


def test_four_seconds_give_a_row_every_0_4_s(branch):
    output = _only(branch, observation())
    assert output.missing is None
    assert output.part == Part(channel="mono", face_track=0)
    assert output.segments[0].tolist() == [0.0, 1.2]
    assert np.allclose(np.diff(output.segments[:, 0]), 0.4)
    assert output.tokens.shape == (len(output.segments), branch.token_width)
    assert branch.token_width <= 96
    assert np.isfinite(output.tokens).all()
    assert {"av_offset_s", "sync_distance", "sync_confidence"} == set(output.facts)


def test_rows_do_not_depend_on_company(branch):
    seen, other = observation(seed=1), observation(seed=2)
    alone = _only(branch, seen)
    for company in ([other, seen], [other, other, other, seen]):
        together = branch.run(company)[-1][0]
        assert np.array_equal(together.scores, alone.scores)
        assert np.array_equal(together.tokens, alone.tokens)
        assert together.facts == alone.facts


def test_rows_seen_by_an_earlier_observation_are_left_out(branch):
    seen = replace(observation(), fresh=Segment(2.0, 4.0))
    assert _only(branch, seen).segments[0, 1] > 2.0


def _with_faces(seen, *openings):
    """The observation with further faces whose lips move as told."""
    others = [
        replace(seen.faces[0], track=1 + k, landmarks=meshes(openness))
        for k, openness in enumerate(openings)
    ]
    return replace(seen, faces=(*seen.faces, *others))


def _with_sound(seen, waveform):
    return replace(seen, channels=(replace(seen.channels[0], waveform=waveform),))


def _still(seen):
    return replace(seen, faces=(replace(seen.faces[0], landmarks=meshes(np.full(100, 0.3))),))


SPOILT = {
    "no sound": lambda o: replace(o, channels=()),
    "no face": lambda o: replace(o, faces=()),
    "several faces, none seen speaking": lambda o: replace(
        o, faces=(o.faces[0], replace(o.faces[0], track=1)), speaking_track=None
    ),
    "no speech here": lambda o: replace(o, channels=(replace(o.channels[0], speech=()),)),
    "face 0 is turned away by 60 degrees": lambda o: replace(
        o, faces=(replace(o.faces[0], yaw_deg=-60.0),)
    ),
    "face 0 is too small: 30 px, needs 48": lambda o: replace(
        o, faces=(replace(o.faces[0], size_px=30.0),)
    ),
    "a still picture": lambda o: replace(o, is_still=True),
    STILL_MOUTH: _still,
    CROWD: lambda o: _with_sound(o, noise(4.0)),
    OTHERS_TURN: lambda o: _with_faces(o, 3 * opening(100, 5)),
    "no 1.2 s of unbroken mouth with speech": lambda o: replace(
        o, faces=(replace(o.faces[0], frame_index=np.arange(100) * 2),)
    ),
}


@pytest.mark.parametrize("reason", SPOILT)
def test_absent_with_its_reason(branch, reason):
    output = _only(branch, SPOILT[reason](observation()))
    assert output.missing == reason
    assert len(output.scores) == 0
    pooled = branch.pool(output.part, [output])
    assert pooled.score is None
    assert pooled.missing == reason


def test_a_smile_is_no_speech(branch):
    smile = np.interp(np.arange(100), [0, 40, 60, 99], [0.0, 0.0, 1.0, 1.0])
    seen = observation()
    output = _only(branch, replace(seen, faces=(replace(seen.faces[0], landmarks=meshes(smile)),)))
    assert output.missing == STILL_MOUTH


def test_windows_of_anothers_turn_are_left_out_and_ones_own_judged(branch):
    reply = 3 * opening(100, 5) * (np.arange(100) >= 50)
    output = _only(branch, _with_faces(observation(), reply))
    assert output.missing is None
    assert output.part.face_track == 0
    assert output.segments[:, 1].max() <= 2.5


def test_a_face_that_mostly_listens_is_not_judged_by_one_laugh(branch):
    judged = _only(branch, observation())
    still = _only(branch, _still(observation()))
    pooled = branch.pool(judged.part, [still, still, still, judged, still])
    assert pooled.score is None
    assert pooled.missing == STILL_MOUTH
    assert branch.pool(judged.part, [still, judged, judged]).score is not None


def test_neither_sound_nor_face_says_nothing(branch):
    assert branch.run([replace(observation(), channels=(), faces=())]) == [[]]
    assert branch.run([]) == []


def test_pool_is_the_mean_weighted_by_speech(branch):
    output = replace(
        _only(branch, observation()),
        segments=np.array([[0.0, 1.2], [1.2, 2.4]]),
        scores=np.array([1.0, 4.0], np.float32),
        weights=np.array([1.0, 0.5], np.float32),
    )
    pooled = branch.pool(output.part, [output])
    assert pooled.score == pytest.approx(2.0)
    assert pooled.segment == Segment(0.0, 2.4)
    assert pooled.quality == pytest.approx(2.4 * 0.75 / 5.0)


def test_too_little_speech_is_no_guess(branch):
    output = replace(
        _only(branch, observation()),
        segments=np.array([[0.0, 1.2]]),
        scores=np.array([9.0], np.float32),
        weights=np.array([0.5], np.float32),
    )
    pooled = branch.pool(output.part, [output])
    assert pooled.score is None
    assert "0.6 s of speech" in pooled.missing


def test_agreement_holds_each_frame_once_and_its_facts(branch):
    output = _only(branch, observation())
    frames = output.agreement.frame_index
    assert frames.tolist() == list(range(100))
    assert output.agreement.similarity.shape == (100, 31)
    assert output.facts == output.agreement.sums.facts()


def test_runs_break_where_frames_are_missing():
    assert unbroken_runs(np.array([3, 4, 5, 9, 10])) == [(0, 3), (3, 5)]
    assert unbroken_runs(np.zeros(0, np.int64)) == []


def test_sound_beyond_the_recording_is_unheard():
    waveform = np.arange(19_200, dtype=np.float32)
    sound, heard = sound_around(waveform, 0)
    assert not heard[:15].any()
    assert heard[15:45].all()
    assert not heard[45:].any()
    assert sound[15 * 640] == 0.0
    assert sound[15 * 640 + 7] == 7.0


def test_weights_of_another_network_are_refused():
    state = _state()
    del state["head.frame_score.bias"]
    with pytest.raises(CheckpointError, match="not a lip_sync model"):
        build_lip_sync(_checkpoint(state), torch.device("cpu"))
