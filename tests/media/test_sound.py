import io
import subprocess
import sys
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest

from avdetect.errors import InputLimitError, UsageError
from avdetect.media.clip import RawFormat, open_clip
from avdetect.media.sound import CHUNK_SAMPLES, SoundReader
from tests import synth
from tests.media.reading import read_whole

TELEPHONE = [
    # file name, encoder, rate given, decoder, rate told, delay of the codec itself in ms
    ("call.wav", "pcm_mulaw", 8000, "pcm_mulaw", 8000, 0),
    ("call.wav", "pcm_alaw", 8000, "pcm_alaw", 8000, 0),
    ("call.wav", "pcm_s16le", 8000, "pcm_s16le", 8000, 0),
    ("call.au", "pcm_mulaw", 8000, "pcm_mulaw", 8000, 0),
    ("call.wav", "adpcm_g726", 8000, "g726", 8000, 1),
    ("call.wav", "g722", 16000, "g722", 16000, 2),
    ("call.g722", "g722", 16000, "g722", 16000, 2),
    ("call.amr", "libopencore_amrnb", 8000, "amrnb", 8000, 15),
    ("call.3gp", "libopencore_amrnb", 8000, "amrnb", 8000, 10),
    ("call.ogg", "libopus", 8000, "opus", 48000, 0),
    ("call.mka", "libopus", 16000, "opus", 48000, 1),
    ("call.mp3", "libmp3lame", 16000, "mp3float", 16000, 0),
    ("call.m4a", "aac", 16000, "aac", 16000, 0),
    ("call.flac", "flac", 16000, "flac", 16000, 0),
]


@pytest.mark.parametrize(
    ("file", "encoder", "rate_hz", "decoder", "told_hz", "delay_ms"), TELEPHONE
)
def test_telephone_form_keeps_codec_rate_and_time(
    tmp_path, file, encoder, rate_hz, decoder, told_hz, delay_ms
):
    samples = synth.click(2.0, 1.0, rate_hz, length_s=0.01)
    path = synth.encode(
        tmp_path / file, sound=synth.Sound(samples=samples, rate_hz=rate_hz, codec=encoder)
    )
    whole = read_whole(path)
    (stream,) = whole.clip.streams
    assert (stream.kind, stream.codec, stream.rate, stream.channels) == (
        "audio",
        decoder,
        told_hz,
        1,
    )
    assert whole.chunks[0].native_rate_hz == told_hz
    assert whole.onset_s - whole.chunks[0].start_s == pytest.approx(
        1.0 + delay_ms / 1000, abs=0.002
    )
    assert not whole.clip.has_video and not whole.pictures


@pytest.mark.parametrize(("encoding", "encode"), [("ulaw", "ulaw_bytes"), ("alaw", "alaw_bytes")])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_raw_telephone_sound(encoding, encode, channels):
    clicks = np.stack([synth.click(2.0, 0.5 + 0.25 * k, 8000, 0.01) for k in range(channels)])
    data = getattr(synth, encode)(clicks)
    whole = read_whole(data, raw=RawFormat(encoding, 8000, channels))
    assert whole.clip.streams[0].codec == {"ulaw": "pcm_mulaw", "alaw": "pcm_alaw"}[encoding]
    onsets = [int(np.argmax(np.abs(row) > 0.3)) for row in whole.waveform]
    assert onsets == pytest.approx([8000 + 4000 * k for k in range(channels)], abs=4)


def test_raw_linear_sound():
    samples = (synth.tone(1.0, 11025) * 32767).astype("<i2")
    whole = read_whole(samples.tobytes(), raw=RawFormat("s16le", 11025))
    assert whole.native.shape == (1, 11025)


def test_unknown_raw_encoding_is_wrong_usage():
    with pytest.raises(UsageError, match="ulaw"):
        open_clip(b"\xff" * 100, raw=RawFormat("gsm"))


def test_raw_file_without_the_option_gets_a_hint(tmp_path):
    path = tmp_path / "payload.ulaw"
    path.write_bytes(synth.ulaw_bytes(synth.tone(1.0, 8000)))
    with pytest.raises(Exception, match="--format"):
        open_clip(path)


@pytest.mark.parametrize("rate_hz", [1000, 8000, 11025, 16000, 22050, 44100, 48000, 384000])
def test_click_comes_to_its_place_at_16_khz(rate_hz):
    whole = read_whole((synth.click(2.0, 1.0, rate_hz, 0.01), rate_hz))
    assert int(np.argmax(np.abs(whole.waveform[0]) > 0.45)) == pytest.approx(
        16000, abs=8 if rate_hz >= 8000 else 16
    )
    assert whole.waveform.shape == (1, 32000)
    assert whole.native.shape == (1, 2 * rate_hz)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 44100])
def test_chunks_are_half_seconds_of_one_stretch(rate_hz):
    whole = read_whole((synth.tone(3.3, rate_hz), rate_hz))
    assert [c.start_s for c in whole.chunks] == [0.5 * k for k in range(7)]
    assert all(c.waveform.shape[1] == CHUNK_SAMPLES for c in whole.chunks[:-1])
    assert all(abs(c.native.shape[1] - rate_hz / 2) <= 1 for c in whole.chunks[:-1])
    assert whole.waveform.shape[1] == pytest.approx(3.3 * 16000, abs=1)
    assert whole.waveform.dtype == whole.native.dtype == np.float32


def test_chunked_resampling_has_no_seams():
    whole = read_whole((synth.tone(4.0, 8000, hz=440.0), 8000))
    want = synth.tone(4.0, 16000, hz=440.0)
    assert np.abs(whole.waveform[0, 200:-200] - want[200:-200]).max() < 2e-3


@pytest.mark.parametrize(
    ("file", "codec", "channels"),
    [
        ("c.wav", "pcm_s16le", 2),
        ("c.wav", "pcm_mulaw", 2),
        ("c.flac", "flac", 8),
        ("c.m4a", "aac", 8),  # planar with eight channels: PyAV reads past its planes
        ("c.mka", "libopus", 8),
        ("c.wav", "pcm_f32le", 12),
    ],
)
def test_channels_stay_apart(tmp_path, file, codec, channels):
    tones = np.stack([synth.tone(1.0, 48000, hz=500 + 250 * k) for k in range(channels)])
    tones[-1] = 0
    layout = "7.1" if channels == 8 else None
    path = synth.encode(
        tmp_path / file, sound=synth.Sound(samples=tones, rate_hz=48000, codec=codec, layout=layout)
    )
    heard = read_whole(path).waveform
    assert len(heard) == channels
    spectra = np.abs(np.fft.rfft(heard[:, 4000:12000] * np.hanning(8000), axis=1))
    loud = spectra.max(axis=1) > 50
    found_hz = sorted(spectra.argmax(axis=1)[loud] * 2)
    want_hz = [500 + 250 * k for k in range(channels - 1)]
    if codec in ("aac", "libopus"):  # their low-frequency channel keeps the lowest tones alone
        assert set(found_hz) <= set(want_hz) and len(found_hz) >= channels - 2
    else:
        assert found_hz == want_hz
        assert np.abs(heard[-1]).max() < 1e-3


@pytest.mark.parametrize(
    ("codec", "file"),
    [
        ("pcm_u8", "w.wav"),
        ("pcm_s24le", "w.wav"),
        ("pcm_s32le", "w.wav"),
        ("pcm_f32le", "w.wav"),
        ("pcm_f64le", "w.wav"),
        ("pcm_s16be", "w.aiff"),
        ("wavpack", "w.wv"),
        ("alac", "w.m4a"),
    ],
)
def test_sample_formats_share_one_scale(tmp_path, codec, file):
    sound = synth.Sound(samples=synth.tone(1.0, amplitude=0.5), codec=codec)
    heard = read_whole(synth.encode(tmp_path / file, sound=sound)).native[0]
    assert heard.max() == pytest.approx(0.5, abs=0.01)
    assert heard.min() == pytest.approx(-0.5, abs=0.01)


def _frame(samples, start_s, rate_hz=16000):
    frame = av.AudioFrame.from_ndarray(np.atleast_2d(samples), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = rate_hz, round(start_s * rate_hz)
    frame.time_base = Fraction(1, rate_hz)
    return frame


def _heard(frames):
    reader = SoundReader("x", 0.0)
    chunks = [chunk for frame in frames for chunk in reader.feed(frame)] + list(reader.flush())
    return np.concatenate([chunk.waveform[0] for chunk in chunks])


def test_hole_in_the_timestamps_becomes_silence():
    one = np.ones(8000, np.float32)
    heard = _heard([_frame(one, 0.0), _frame(one, 1.25)])
    assert len(heard) == 16000 + 12000
    assert heard[:8000].all() and not heard[8000:20000].any() and heard[20000:].all()


def test_overlap_is_dropped():
    ramp = np.arange(16000, dtype=np.float32) / 16000
    heard = _heard([_frame(ramp[:8000], 0.0), _frame(ramp[6000:], 6000 / 16000)])
    assert np.array_equal(heard, ramp)


def test_jitter_below_a_frame_leaves_the_sound_unbroken():
    one = np.ones(1600, np.float32)
    assert _heard([_frame(one, 0.1 * k + 0.03 * (k % 2)) for k in range(10)]).all()


def test_clock_started_anew_goes_on():
    one = np.ones(16000, np.float32)
    heard = _heard([_frame(one, 0.0), _frame(one, 1.0), _frame(one, 0.0), _frame(one, 1.0)])
    assert len(heard) == 64000 and heard.all()


def test_endless_holes_are_refused():
    one = np.ones(1600, np.float32)
    with pytest.raises(InputLimitError, match="holes"):
        _heard([_frame(one, 0.0), _frame(one, 3700.0)])


def test_change_of_rate_midway_keeps_time_and_rate():
    one = synth.tone(1.0, 16000)
    frames = [_frame(one, 0.0), _frame(synth.tone(1.0, 8000), 1.0, 8000), _frame(one, 2.0)]
    heard = _heard(frames)
    assert len(heard) == pytest.approx(48000, abs=40)
    assert np.abs(heard[20000:30000]).max() == pytest.approx(0.3, abs=0.02)


def test_long_sound_is_never_held_whole(tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(synth.wav_bytes(np.zeros((400 * 8000, 2), "<i2") + 100, 8000))
    tracemalloc.start()
    with open_clip(path) as clip:
        sizes = [chunk.native.nbytes + chunk.waveform.nbytes for chunk in clip.chunks()]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(sizes) == 800
    assert max(sizes) <= 2 * 4 * (4000 + 8000)
    assert peak < 4e6  # the sound is 13 MB as a file, 26 MB as floats at 8 kHz alone


# Not getrusage: its peak includes that of the process that forked this one.
_PEAK = r"""
import re, sys
from avdetect.media.clip import open_clip
with open_clip(sys.argv[1]) as clip:
    n = sum(chunk.waveform.shape[1] for chunk in clip.chunks())
print(n // 16000, re.search(r'VmHWM:\s+(\d+)', open('/proc/self/status').read())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_two_hours_take_no_more_memory_than_two_minutes(tmp_path):
    minute = np.frombuffer(synth.ulaw_bytes(synth.speech_like(60.0, 8000)), np.uint8)
    peaks = []
    for minutes in (2, 120):
        path = tmp_path / f"{minutes}.wav"
        path.write_bytes(synth.wav_bytes(np.tile(minute, minutes), 8000, codec=7, bits=8))
        command = [sys.executable, "-c", _PEAK, str(path)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        seconds, peak = map(int, done.stdout.split())
        assert seconds == 60 * minutes
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 20_000  # kB


def test_same_bytes_same_bits():
    data = synth.ulaw_bytes(synth.speech_like(3.0, 8000))
    first = read_whole(io.BytesIO(data), raw=RawFormat("ulaw")).waveform
    assert np.array_equal(first, read_whole(data, raw=RawFormat("ulaw")).waveform)
