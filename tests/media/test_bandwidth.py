import csv

import numpy as np
import pytest

from avdetect.media.bandwidth import effective_bandwidth_hz
from avdetect.media.clip import open_clip
from eval.shared_data import shared_root
from tests import synth
from tests.media.reading import read_whole
from tests.shared import requires_shared


def _noisy_speech(rate_hz, seconds=4.0):
    return synth.speech_like(seconds, rate_hz) + synth.noise(seconds, rate_hz, amplitude=0.01)


def _resampled(samples, rate_hz, to_hz):
    """Ideal resampling by the spectrum: nothing above the lower half rate."""
    spectrum = np.fft.rfft(samples)
    n = round(len(samples) * to_hz / rate_hz)
    wide = np.zeros(n // 2 + 1, complex)
    kept = min(len(spectrum), len(wide))
    wide[:kept] = spectrum[:kept]
    return (np.fft.irfft(wide, n) * to_hz / rate_hz).astype(np.float32)


@pytest.mark.parametrize("to_hz", [16000, 44100, 48000])
def test_telephone_call_stored_at_a_higher_rate_is_seen(tmp_path, to_hz):
    call = read_whole(_ulaw(tmp_path)).native[0]
    assert effective_bandwidth_hz(call, 8000) == pytest.approx(3900, abs=150)
    wide = _resampled(call, 8000, to_hz)
    assert effective_bandwidth_hz(wide, to_hz) == pytest.approx(3900, abs=250)


def _ulaw(folder):
    sound = synth.Sound(samples=_noisy_speech(8000), rate_hz=8000, codec="pcm_mulaw")
    return synth.encode(folder / "call.wav", sound=sound)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_full_band_reaches_half_the_rate(rate_hz):
    assert effective_bandwidth_hz(_noisy_speech(rate_hz), rate_hz) > 0.45 * rate_hz


@pytest.mark.parametrize("edge_hz", [3400, 7000, 12000])
def test_cut_band_ends_where_it_was_cut(edge_hz):
    noise = synth.noise(3.0, 48000)
    spectrum = np.fft.rfft(noise)
    spectrum[round(edge_hz * 3) :] *= 1e-3
    cut = np.fft.irfft(spectrum).astype(np.float32)
    assert effective_bandwidth_hz(cut, 48000) == pytest.approx(edge_hz, abs=150)


def test_wide_band_voice_through_a_narrow_band_codec(tmp_path):
    sound = synth.Sound(samples=_noisy_speech(8000), rate_hz=8000, codec="libopencore_amrnb")
    native = read_whole(synth.encode(tmp_path / "call.amr", sound=sound)).native[0]
    assert effective_bandwidth_hz(_resampled(native, 8000, 48000), 48000) < 4200


def test_mp3_of_a_low_rate_ends_below_its_half_rate(tmp_path):
    sound = synth.Sound(
        samples=synth.noise(4.0, 44100), rate_hz=44100, codec="libmp3lame", bit_rate=48000
    )
    native = read_whole(synth.encode(tmp_path / "voice.mp3", sound=sound)).native[0]
    assert effective_bandwidth_hz(native, 44100) < 15000


def test_silence_has_no_bandwidth():
    assert effective_bandwidth_hz(np.zeros(48000, np.float32), 48000) is None
    assert effective_bandwidth_hz(np.ones(10, np.float32), 48000) is None


def test_loudness_does_not_matter():
    speech = _noisy_speech(16000)
    assert effective_bandwidth_hz(speech, 16000) == effective_bandwidth_hz(speech / 64, 16000)


def test_every_rate_has_an_answer():
    for rate_hz in (1000, 11025, 384_000):
        answer = effective_bandwidth_hz(synth.noise(1.0, rate_hz), rate_hz)
        assert answer is not None and 0.4 * rate_hz < answer <= 0.5 * rate_hz


@requires_shared
def test_real_recordings_made_at_8_khz_are_told_apart():
    root = shared_root() / "data/audio"
    with (root / "train.csv").open() as table:
        rows = [r for r in csv.DictReader(table) if r["label"] == "bonafide"]
    narrow = [r["file"] for r in rows if r["original_rate_hz"] == "8000"][:5]
    wide = [r["file"] for r in rows if r["original_rate_hz"] == "48000"][:5]

    def answers(files):
        for file in files:
            with open_clip(root / file) as clip:
                at_16_khz = np.concatenate([chunk.waveform[0] for chunk in clip.chunks()])
            yield effective_bandwidth_hz(at_16_khz, 16000)

    assert max(answers(narrow)) < 4800  # resampled to 16 kHz, the band's edge is mirrored a little
    assert min(answers(wide)) > 7000
