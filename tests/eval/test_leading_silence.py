from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from avdetect.detector import Detector
from avdetect.errors import InputError
from eval.__main__ import main
from eval.leading_silence import SilenceTrial, read_sound, silence_text, silence_trials
from eval.manifest.row import ManifestRow
from tests import synth
from tests.paths import SAMPLES

VOICES = ("call_synthetic.wav", "portrait_forged.mp4")
MOST_SHIFT = 0.8  # nats: windows fall elsewhere, which alone moves these two by up to 0.67


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(device="cpu")


def voice_llr(detector: Detector, sound: np.ndarray, rate_hz: int) -> float:
    llr = detector.scan((sound, rate_hz)).branches["voice_clone"].fake_llr
    assert llr is not None
    return llr


def figure(text: str, name: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name}")]
    return line.split("|")[2].strip()


def trial(number: int, *, is_fake: bool, leading_s: float, llr: float | None) -> SilenceTrial:
    return SilenceTrial(
        id=str(number),
        is_fake=is_fake,
        person=f"speaker {number}",
        leading_s=leading_s,
        llr=llr,
        llr_trimmed=None if llr is None else 0.0 if number % 2 else 0.5,
    )


@pytest.mark.parametrize("name", VOICES)
@pytest.mark.parametrize(("lead_s", "tone"), [(0.3, 1e-3), (1.0, 0.0)])
def test_leading_silence_hardly_moves_the_voice_llr(
    detector: Detector, name: str, lead_s: float, tone: float
) -> None:
    sound = read_sound(SAMPLES / name)
    pause = np.random.default_rng(0).normal(
        0.0, tone, (len(sound.native), round(lead_s * sound.rate_hz))
    )
    later = np.concatenate([pause.astype(np.float32), sound.native], axis=1)
    before = voice_llr(detector, sound.native, sound.rate_hz)
    after = voice_llr(detector, later, sound.rate_hz)
    assert after == pytest.approx(before, abs=MOST_SHIFT)


def test_silence_is_found_and_trimmed_at_both_ends_at_the_native_rate(tmp_path: Path) -> None:
    pause, end = np.zeros(4_800, np.float32), np.zeros(9_600, np.float32)
    samples = np.concatenate([pause, synth.tone(1.0, 48_000), end])
    path = synth.encode(
        tmp_path / "a.flac", sound=synth.Sound(samples=samples, rate_hz=48_000, codec="flac")
    )
    sound = read_sound(path)
    assert sound.rate_hz == 48_000
    assert sound.leading_s == pytest.approx(0.1, abs=0.011)
    assert sound.trailing_s == pytest.approx(0.2, abs=0.011)
    assert sound.trimmed().shape[1] == pytest.approx(48_000, abs=1_000)


def test_a_silent_picture_is_refused() -> None:
    with pytest.raises(InputError, match="portrait_real"):
        read_sound(SAMPLES / "portrait_real.jpg")


def test_rows_are_scored_as_they_are_and_trimmed_and_unreadable_ones_left_out(
    detector: Detector, tmp_path: Path
) -> None:
    native = read_sound(SAMPLES / "call_synthetic.wav").native.mean(axis=0)[:48_000]
    samples = np.concatenate([np.zeros(4_000, np.float32), native])
    (tmp_path / "call.wav").write_bytes(
        synth.wav_bytes((samples * 32_767).astype("<i2"), 8_000, codec=1, bits=16)
    )
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    rows = [
        ManifestRow(id=name, path=name, label="fake", audio_label="fake")
        for name in ("call.wav", "broken.wav", "absent.wav")
    ]
    unknown = ManifestRow(id="u", path="call.wav", label="fake", audio_label="")
    (scored,) = silence_trials(detector, [*rows, unknown], tmp_path)
    assert scored.id == "call.wav"
    assert scored.leading_s == pytest.approx(0.5, abs=0.05)
    assert scored.llr is not None
    assert scored.llr_trimmed == pytest.approx(scored.llr, abs=MOST_SHIFT)


def test_data_that_silence_gives_away_is_found_out() -> None:
    leaking = [
        trial(k, is_fake=k < 20, leading_s=(0.05 if k < 20 else 0.5) + 0.001 * k, llr=0.1 * (k % 7))
        for k in range(40)
    ]
    fair = [
        trial(k, is_fake=k < 20, leading_s=0.01 * (k % 20), llr=0.1 * (k % 7)) for k in range(40)
    ]
    assert figure(silence_text(leaking), "AUC of leading silence").startswith("1.000")
    assert figure(silence_text(fair), "AUC of leading silence").startswith("0.500")


def test_one_person_has_figures_without_an_interval() -> None:
    trials = [trial(k, is_fake=k < 20, leading_s=0.01 * k, llr=0.1 * (k % 7)) for k in range(40)]
    alone = [dataclasses.replace(trial, person="the only one") for trial in trials]
    assert figure(silence_text(alone), "AUC of leading silence") == "1.000"


def test_a_score_that_lives_on_silence_is_found_out() -> None:
    # The shorter the pause, the more fake: nothing of it is left when the pause is trimmed.
    trials = [trial(k, is_fake=k < 20, leading_s=0.01 * k, llr=1.0 - 0.05 * k) for k in range(40)]
    trials.append(trial(40, is_fake=True, leading_s=0.2, llr=None))
    text = silence_text(trials)
    assert figure(text, "AUC as they are").startswith("1.000")
    assert figure(text, "AUC without the silence").startswith("0.500")
    assert figure(text, "judged as they are") == "40, 40 of 41"
    assert figure(text, "LLR against leading silence, Spearman, real").startswith("-1.00")


def test_an_unknown_set_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leading-silence", "voice", "--set", "nowhere"]) == 2
    message = capsys.readouterr().err
    assert "nowhere" in message
    assert "modern" in message
