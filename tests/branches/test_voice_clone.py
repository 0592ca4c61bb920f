from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from avdetect.branches.base import BranchOutput
from avdetect.branches.voice_clone import VoiceCloneBranch, build_voice_clone
from avdetect.branches.voice_front_ends import build_voice_net
from avdetect.checkpoint import Checkpoint, ModelCard
from avdetect.errors import CheckpointError
from avdetect.observation import ChannelAudio, Observation
from avdetect.speech.redrawn import N_REDRAWN
from avdetect.types import Part, Segment
from tests.channels.test_codecs import chirps

CONFIG = {"front_end": "spectrogram", "width": 16, "token_width": 8, "dropout": 0.0}
MONO = Part(channel="mono")


def checkpoint(state: dict[str, torch.Tensor] | None = None, **more: object) -> Checkpoint:
    torch.manual_seed(0)
    net = build_voice_net(CONFIG | more)
    card = ModelCard(
        name="tiny",
        role="voice_clone",
        summary="",
        licence="",
        weights_sha256="",
        config=CONFIG | more,
        facts={},
    )
    return Checkpoint(card=card, state=state or net.state_dict(), calibration=None)


@pytest.fixture(scope="module")
def branch() -> VoiceCloneBranch:
    return build_voice_clone(checkpoint(), torch.device("cpu"))


def observe(
    start_s: float, seconds: float, *speech: Segment, fresh_s: float | None = None, seed: int = 0
) -> Observation:
    rng = np.random.default_rng(seed)
    waveform = chirps(seconds) + 0.01 * rng.normal(size=int(seconds * 16_000)).astype(np.float32)
    segment = Segment(start_s, start_s + seconds)
    channel = ChannelAudio(channel="mono", waveform=waveform.astype(np.float32), speech=speech)
    fresh = Segment(start_s if fresh_s is None else fresh_s, segment.end_s)
    return Observation(segment=segment, fresh=fresh, channels=(channel,))


def flat(outputs: list[list[BranchOutput]]) -> list[BranchOutput]:
    return [output for per_observation in outputs for output in per_observation]


def test_rows_are_half_seconds_on_the_clips_clock(branch: VoiceCloneBranch) -> None:
    [[output]] = branch.run([observe(30.0, 4.0, Segment(30.0, 31.25))])
    assert output.segments.tolist() == [[30 + k / 2, 30.5 + k / 2] for k in range(8)]
    assert output.weights.tolist() == [1.0, 1.0, 0.5, 0, 0, 0, 0, 0]
    assert output.tokens.shape == (8, branch.token_width)
    assert output.facts["speech_s"] == pytest.approx(1.25)


def test_a_short_clip_has_only_the_rows_it_has(branch: VoiceCloneBranch) -> None:
    [[output]] = branch.run([observe(0.0, 1.7, Segment(0.0, 1.7))])
    assert output.segments[-1].tolist() == pytest.approx([1.5, 1.7])
    assert output.weights.tolist() == pytest.approx([1, 1, 1, 0.4], abs=1e-3)


def test_overlapping_seconds_count_once(branch: VoiceCloneBranch) -> None:
    observations = [
        observe(0.0, 4.0, Segment(0.0, 4.0)),
        observe(3.0, 4.0, Segment(3.0, 7.0), fresh_s=4.0),
    ]
    outputs = flat(branch.run(observations))
    assert sum(output.facts["speech_s"] for output in outputs) == pytest.approx(7.0)
    assert outputs[1].weights[:2].tolist() == [0.0, 0.0]


def test_the_clip_score_is_the_speech_weighted_mean_of_its_rows(branch: VoiceCloneBranch) -> None:
    [[output]] = branch.run([observe(0.0, 4.0, Segment(0.0, 1.75))])
    pooled = branch.pool(MONO, [output])
    assert pooled.score == pytest.approx(np.average(output.scores, weights=output.weights))
    assert pooled.segment == Segment(0.0, 2.0)
    assert pooled.missing is None


def test_too_little_speech_is_said_and_not_guessed(branch: VoiceCloneBranch) -> None:
    outputs = flat(branch.run([observe(0.0, 4.0, Segment(1.0, 1.4)), observe(3.0, 4.0)]))
    assert outputs[1].missing == "no speech here"
    pooled = branch.pool(MONO, outputs)
    assert pooled.score is None
    assert pooled.missing == "too little speech: 0.4 s found, 1.0 s needed"


def test_a_part_without_any_speech_is_absent(branch: VoiceCloneBranch) -> None:
    pooled = branch.pool(MONO, flat(branch.run([observe(0.0, 4.0)])))
    assert pooled.missing == "too little speech: 0.0 s found, 1.0 s needed"
    assert pooled.quality == 0.0


def test_sound_too_muffled_to_judge_is_said_and_not_guessed(branch: VoiceCloneBranch) -> None:
    heard = observe(0.0, 4.0, Segment(0.0, 4.0))
    (channel,) = heard.channels
    for bandwidth_hz, judged in ((500.0, False), (1900.0, False), (3400.0, True), (None, True)):
        muffled = replace(heard, channels=(replace(channel, bandwidth_hz=bandwidth_hz),))
        found = branch.pool(MONO, flat(branch.run([muffled])))
        assert (found.score is not None) == judged
        assert (
            judged
            or found.missing == f"the sound ends at {bandwidth_hz:.0f} Hz, 2000 Hz are needed"
        )


def test_quality_grows_with_speech(branch: VoiceCloneBranch) -> None:
    qualities = [
        branch.pool(MONO, flat(branch.run([observe(0.0, 4.0, Segment(0.0, s))]))).quality
        for s in (1.0, 2.0, 4.0)
    ]
    assert qualities == pytest.approx([0.25, 0.5, 1.0])


def test_a_result_does_not_depend_on_company_bit_for_bit(branch: VoiceCloneBranch) -> None:
    crowd = [observe(0.0, 4.0, Segment(0.0, 4.0), seed=k) for k in range(6)]
    together = flat(branch.run(crowd))
    for index in (0, 1, 4, 5):
        [[alone]] = branch.run([crowd[index]])
        assert np.array_equal(alone.scores, together[index].scores)
        assert np.array_equal(alone.tokens, together[index].tokens)


def test_sound_beside_speech_changes_little(branch: VoiceCloneBranch) -> None:
    """Level is set by speech: a quiet clip scores as a loud one does."""
    loud = observe(0.0, 4.0, Segment(0.0, 4.0))
    [channel] = loud.channels
    quiet = Observation(
        segment=loud.segment,
        fresh=loud.fresh,
        channels=(
            ChannelAudio(
                channel="mono",
                waveform=(channel.waveform * np.float32(0.1)),
                speech=channel.speech,
            ),
        ),
    )
    scores = [output.scores for output in flat(branch.run([loud, quiet]))]
    assert np.allclose(*scores, atol=1e-2)


def test_an_observation_without_sound_gives_nothing(branch: VoiceCloneBranch) -> None:
    silent = Observation(segment=Segment(0.0, 4.0), fresh=Segment(0.0, 4.0))
    assert branch.run([silent]) == [[]]


JUDGE = {"n_numbers": N_REDRAWN, "n_fft": 256, "hop": 64, "n_mels": 20, "width": 8, "n_blocks": 1}


def test_speech_that_nothing_was_measured_of_is_no_evidence() -> None:
    judging = build_voice_clone(checkpoint(linear_judge=JUDGE), torch.device("cpu"))
    speech = Segment(0.0, 4.0)
    usable, faint = observe(0.0, 4.0, speech), observe(0.0, 4.0, speech)
    (channel,) = faint.channels
    waveform = 0.001 * channel.waveform
    waveform[16_000:16_800] += chirps(0.05)  # one loud click, beside which no speech stands out
    faint = replace(faint, channels=(replace(channel, waveform=waveform),))
    [[heard], [unheard]] = judging.run([usable, faint])
    assert heard.missing is None and np.isfinite(heard.scores).all()
    assert "too faint" in str(unheard.missing)
    pooled = judging.pool(MONO, [unheard])
    assert pooled.score is None and "too faint" in str(pooled.missing)


def test_weights_are_loaded_whole_or_not_at_all() -> None:
    state = dict(checkpoint().state)
    state.pop("score.1.weight")
    with pytest.raises(CheckpointError, match=r"score\.1\.weight"):
        build_voice_clone(checkpoint(state), torch.device("cpu"))


def test_a_config_that_builds_nothing_is_refused() -> None:
    tiny = checkpoint()
    config = {key: value for key, value in CONFIG.items() if key != "width"}
    with pytest.raises(CheckpointError, match="tiny: of another config"):
        build_voice_clone(
            replace(tiny, card=replace(tiny.card, config=config)), torch.device("cpu")
        )


def test_a_model_with_a_head_for_them_scores_frames_that_really_exist() -> None:
    fine = build_voice_clone(checkpoint(frame_width=8), torch.device("cpu"))
    spoken = Segment(30.0, 31.0)
    [[whole], [short]] = fine.run([observe(30.0, 4.0, spoken), observe(30.0, 2.5, spoken)])
    assert whole.frames is not None
    assert short.frames is not None
    assert whole.frames.scores.shape == whole.frames.weights.shape == (200,)
    assert short.frames.scores.shape == (125,)
    assert whole.frames.segments[:2].tolist() == pytest.approx(
        np.array([[30.0, 30.02], [30.02, 30.04]])
    )
    assert whole.frames.weights.tolist() == [1.0] * 50 + [0.0] * 150


def test_frames_change_nothing_of_the_rows(branch: VoiceCloneBranch) -> None:
    plain = checkpoint()
    fine = checkpoint(frame_width=8)
    fine.state.update(plain.state)
    heard = [observe(0.0, 4.0, Segment(0.0, 4.0))]
    [[rows]] = branch.run(heard)
    [[located]] = build_voice_clone(fine, torch.device("cpu")).run(heard)
    assert rows.frames is None
    assert np.array_equal(rows.scores, located.scores)
