import gzip
import hashlib
import http.client
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from avdetect.errors import InputError, InputNotFoundError, UnreadableMediaError
from avdetect.media.clip import open_clip
from avdetect.media.source import display_path, open_source
from tests import synth
from tests.media.reading import read_whole

OPEN_FILES = Path("/proc/self/fd")


@pytest.fixture
def wav(tmp_path):
    samples = (synth.speech_like(1.0, 8000) * 32767).astype("<i2")
    path = tmp_path / "call.wav"
    path.write_bytes(synth.wav_bytes(samples, 8000))
    return path


def test_hash_is_that_of_the_file(wav):
    with open_source(wav) as source:
        assert source.sha256 == hashlib.sha256(wav.read_bytes()).hexdigest()
        assert source.size == wav.stat().st_size


def test_every_way_in_gives_the_same_sound(wav):
    want = read_whole(wav)
    with wav.open("rb") as stream:
        ways = [
            str(wav),
            wav.read_bytes(),
            memoryview(wav.read_bytes()),
            io.BytesIO(wav.read_bytes()),
            stream,
        ]
        for way in ways:
            got = read_whole(way)
            assert got.clip.sha256 == want.clip.sha256
            assert np.array_equal(got.waveform, want.waveform)


def test_path_in_bytes_is_taken_as_content(wav):
    with pytest.raises(UnreadableMediaError):
        read_whole(os.fsencode(wav))


def test_stream_is_read_from_where_it_stands_and_left_open(wav):
    stream = io.BytesIO(b"a header of another kind" + wav.read_bytes())
    stream.seek(24)
    assert read_whole(stream).clip.sha256 == hashlib.sha256(wav.read_bytes()).hexdigest()
    assert not stream.closed


def test_unpacking_stream_is_not_read_past(wav, tmp_path):
    packed = tmp_path / "call.wav.gz"
    packed.write_bytes(gzip.compress(wav.read_bytes()))
    with gzip.open(packed) as stream:  # its fileno() is that of the packed file
        assert read_whole(stream).clip.sha256 == hashlib.sha256(wav.read_bytes()).hexdigest()


def test_pipe_into_standard_input_is_copied_and_the_copy_vanishes(wav, tmp_path):
    code = (
        "import os, sys\n"
        "from avdetect.media.clip import open_clip\n"
        "with open_clip(sys.stdin.buffer, name='-') as clip:\n"
        "    n = sum(c.waveform.shape[1] for c in clip.chunks())\n"
        "print(clip.path, n, clip.sha256, len(os.listdir(os.environ['TMPDIR'])))\n"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path / "spool")}
    (tmp_path / "spool").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code], input=wav.read_bytes(), capture_output=True, env=environment
    )
    want = f"- 16000 {hashlib.sha256(wav.read_bytes()).hexdigest()} 0"
    assert (done.stdout.decode().strip(), done.stderr) == (want, b"")


def test_text_stream_is_refused(wav):
    with pytest.raises(InputError, match="binary mode"):
        open_source(io.StringIO("text"))


def test_array_of_floats_keeps_its_channels_in_both_orders():
    left, right = synth.tone(1.0, 8000, hz=300), synth.tone(1.0, 8000, hz=700)
    for array in (np.stack([left, right]), np.stack([left, right], axis=1)):
        whole = read_whole((array, 8000))
        assert whole.clip.streams[0].channels == 2
        assert np.array_equal(whole.native, np.stack([left, right]))


def test_array_of_int16_is_scaled():
    whole = read_whole((np.array([0, 16384, -32768] * 100, np.int16), 8000))
    assert whole.native[0, :3].tolist() == [0.0, 0.5, -1.0]


@pytest.mark.parametrize(
    "sound",
    [
        (np.zeros((2, 2, 2)), 8000),
        (np.zeros(0), 8000),
        (np.zeros(10, np.int64), 8000),
        (np.zeros(10), 8000.5),
        (np.zeros(10), -1),
    ],
)
def test_other_arrays_are_refused_in_words(sound):
    with pytest.raises(InputError, match=r"^<array>: "):
        open_source(sound)


def test_nan_in_an_array_becomes_silence_and_is_counted():
    samples = synth.tone(1.0)
    samples[100:200] = np.nan
    samples[300] = np.inf
    whole = read_whole((samples, 16000))
    assert whole.clip.n_bad_samples == 101
    assert np.isfinite(whole.waveform).all()


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputNotFoundError, match=r"nothing\.wav: no such file"):
        open_source(tmp_path / "nothing.wav")


def test_nul_in_a_name_is_refused():
    with pytest.raises(InputNotFoundError, match=r"a\\x00b.wav"):
        open_source("a\0b.wav")


def test_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match="is a pipe"):
        open_source(tmp_path / "pipe.wav")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_refused(wav):
    wav.chmod(0)
    with pytest.raises(InputNotFoundError, match="permission denied"):
        open_source(wav)


def test_file_that_grows_while_read_is_refused(wav):
    with open_clip(wav) as clip:
        items = clip.chunks()
        next(items)
        with wav.open("ab") as writer:
            writer.write(b"\0" * 100)
        with pytest.raises(InputError, match="changed while it was read"):
            list(items)


def test_reader_never_shows_what_was_appended(wav):
    size = wav.stat().st_size
    with open_source(wav) as source:
        with wav.open("ab") as writer:
            writer.write(b"more")
        assert len(source.reader().read()) == size
        with pytest.raises(InputError, match="changed while it was read"):
            source.check_unchanged()


@pytest.mark.skipif(not OPEN_FILES.is_dir(), reason="only Linux lists its open files")
def test_descriptor_is_closed(wav):
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(5):
        read_whole(wav)
    with pytest.raises(UnreadableMediaError):
        read_whole(__file__)
    with open_clip(wav) as clip:
        next(clip.chunks())  # left in the middle
    assert len(list(OPEN_FILES.iterdir())) == before


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain name.wav", "plain name.wav"),
        ("Gespräch-日本.wav".encode(), "Gespräch-日本.wav"),
        (b"caf\xe9.wav", r"caf\xe9.wav"),
        (b"two\nlines\x1b[31m", r"two\nlines\x1b[31m"),
        ("abc\u202egpj.exe".encode(), r"abc\u202egpj.exe"),
        (rb"caf\xe9.wav", r"caf\\xe9.wav"),
    ],
)
def test_display_path_is_one_safe_line(raw, shown):
    assert display_path(raw) == shown
    assert display_path(os.fsdecode(raw)) == shown
    display_path(raw).encode("utf-8")


def cut_off_gzip(wav):
    return gzip.open(io.BytesIO(gzip.compress(wav.read_bytes())[:2000]))


def damaged_gzip(wav):
    packed = bytearray(gzip.compress(wav.read_bytes()))
    packed[200:260] = bytes(60)
    return gzip.open(io.BytesIO(packed))


def closed_file(wav):
    stream = wav.open("rb")
    stream.close()
    return stream


def closed_memory(wav):
    stream = io.BytesIO(wav.read_bytes())
    stream.close()
    return stream


def detached_file(wav):
    stream = wav.open("rb")
    stream.detach().close()
    return stream


class CutOffDownload(io.RawIOBase):
    """As an HTTP answer whose sender hung up."""

    name = "call.wav"

    def read(self, size=-1):
        raise http.client.IncompleteRead(b"RIFF", 1000)


@pytest.mark.parametrize(
    "broken",
    [
        cut_off_gzip,
        damaged_gzip,
        closed_file,
        closed_memory,
        detached_file,
        lambda wav: CutOffDownload(),
    ],
)
def test_a_stream_that_fails_is_refused_by_its_name(wav, broken):
    stream = broken(wav)
    before = len(list(OPEN_FILES.iterdir()))
    with pytest.raises(InputError, match=r"^(<stream>|.*call\.wav): cannot be read: ."):
        open_source(stream)
    assert len(list(OPEN_FILES.iterdir())) == before


def test_samples_of_unequal_length_are_refused():
    with pytest.raises(InputError, match="<array>: want samples of one length"):
        open_source(([[0.0, 0.1], [0.2]], 16000))


def test_a_path_that_no_file_can_have_is_shown_and_not_found():
    assert display_path("half \ud800\\.wav") == r"half \xed\xa0\x80\\.wav"
    with pytest.raises(InputNotFoundError, match=r"half \\xed\\xa0\\x80.wav: cannot be opened"):
        open_source("half \ud800.wav")
