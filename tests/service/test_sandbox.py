"""The decoding process: the same clip bit by bit, and no harm from a file that fights back."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from avdetect.errors import (
    InputError,
    InputLimitError,
    InputNotFoundError,
    UnreadableMediaError,
)
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.service import clip_wire
from avdetect.service.sandbox import DecoderCrashedError, open_confined
from avdetect.service.settings import DecodeLimits
from tests import synth
from tests.paths import ROOT, SAMPLES

LIMITS = DecodeLimits()
CLIPS = ("call_synthetic.wav", "hold_tone.ogg", "portrait_forged.mp4", "portrait_real.jpg")


def contents(clip):
    with clip:
        facts = (clip.path, clip.sha256, clip.streams, clip.duration_s, clip.is_still, clip.origin)
        items = [
            (item.start_s, item.native.tobytes(), item.waveform.tobytes(), item.native_rate_hz)
            if isinstance(item, AudioChunk)
            else (item.time_s, item.picture.tobytes(), item.ticks, luma_of(item))
            for item in clip.chunks()
        ]
        return facts, items, clip.n_bad_packets


def luma_of(picture):
    luma = picture.native_luma
    return None if luma is None else (luma.shape, luma.tobytes())


def confined(path, limits=LIMITS):
    return open_confined(path, raw=None, name=path.name, limits=limits)


@pytest.mark.parametrize("name", CLIPS)
def test_decoded_elsewhere_is_decoded_alike(name):
    assert contents(confined(SAMPLES / name)) == contents(open_clip(SAMPLES / name, name=name))


def test_what_is_no_media_is_refused_with_the_same_words(tmp_path):
    path = tmp_path / "text.mp4"
    path.write_text("this is no video\n" * 50)
    with pytest.raises(UnreadableMediaError) as here:
        open_clip(path, name="text.mp4")
    with pytest.raises(UnreadableMediaError) as there:
        confined(path)
    assert str(here.value) == str(there.value)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Flipped, overwritten, cut, doubled: at places by chance, the header among them."""
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(min(len(changed), rng.choice((64, 4_096, len(changed)))))
        match rng.randrange(4):
            case 0:
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                changed[at : at + 16] = rng.randbytes(16)
            case 2:
                del changed[at : at + rng.randrange(1, 4_096)]
            case _:
                changed[at:at] = changed[at : at + rng.randrange(1, 4_096)]
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_a_damaged_file_is_decoded_or_refused_and_nothing_else(tmp_path, name):
    rng, path = random.Random(name), tmp_path / name
    for _ in range(8):
        path.write_bytes(damaged((SAMPLES / name).read_bytes(), rng))
        with suppress(InputError):
            facts, _, _ = contents(confined(path, replace(LIMITS, cpu_s=20)))
            assert facts[1] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_media_that_is_gone_is_told_from_a_crash(tmp_path):
    with pytest.raises(InputNotFoundError):
        confined(tmp_path / "gone.wav")


def write_wav(path: Path, seconds: float) -> Path:
    samples = (synth.tone(seconds) * 32767).astype("<i2")
    path.write_bytes(synth.wav_bytes(samples, 16000))
    return path


def test_clip_longer_than_allowed_is_refused(tmp_path):
    clip = confined(write_wav(tmp_path / "long.wav", 5.0), replace(LIMITS, media_s=2.0))
    with clip, pytest.raises(InputLimitError, match="longer than"):
        list(clip.chunks())


def test_process_that_needs_too_much_memory_does_not_get_it():
    # PyAV alone takes more address space than this: the process ends, its worker does not
    with pytest.raises((DecoderCrashedError, UnreadableMediaError)):
        contents(confined(SAMPLES / "portrait_forged.mp4", replace(LIMITS, memory_bytes=1 << 20)))


def test_killed_process_is_told_from_a_bad_file(tmp_path):
    clip = confined(write_wav(tmp_path / "a.wav", 600.0))
    chunks = clip.chunks()
    next(chunks)
    os.kill(clip._process._process.pid, signal.SIGKILL)
    with pytest.raises(DecoderCrashedError):
        list(chunks)
    clip.close()


def test_process_that_says_nothing_is_given_up(tmp_path):
    clip = confined(write_wav(tmp_path / "a.wav", 600.0), replace(LIMITS, stall_s=20.0))
    clip._process._stall_s = 0.2
    os.kill(clip._process._process.pid, signal.SIGSTOP)
    with clip, pytest.raises(InputLimitError, match="nothing could be decoded"):
        list(clip.chunks())


def test_closed_clip_leaves_no_process(tmp_path):
    clip = confined(write_wav(tmp_path / "a.wav", 2.0))
    pid = clip._process._process.pid
    clip.close()
    clip.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open('/tmp/x', 'w')",
        "socket.socket()",
        "os.execv('/bin/true', ['true'])",
        "os.fork()",
        "subprocess.run(['/bin/true'])",
        "os.kill(os.getppid(), 0)",
        "os.unlink('/tmp/x')",
        "os.listdir('/')",
    ],
)
def test_confined_process_may_not(attempt):
    code = f"""
        import os, socket, subprocess
        from avdetect.service.confinement import confine
        confine()
        try:
            {attempt}
        except PermissionError:
            os.write(1, b"refused")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, check=False
    )
    assert done.stdout == b"refused", done.stderr


def test_confined_process_may_start_threads():
    code = """
        import threading
        from avdetect.service.confinement import confine
        confine()
        thread = threading.Thread(target=print, args=("ran",))
        thread.start()
        thread.join()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, check=False
    )
    assert done.stdout == b"ran\n", done.stderr


SOUND = {"start_s": 0.0, "rate_hz": 16000, "shapes": [[1, 2], [1, 2]]}
PICTURE = {"time_s": 0.0, "shape": [1, 1, 3], "ticks": [0, 1]}


@pytest.mark.parametrize(
    ("kind", "facts", "data"),
    [
        (clip_wire.SOUND, SOUND | {"shapes": [[1, 9], [1, 2]]}, bytes(16)),
        (clip_wire.SOUND, SOUND | {"shapes": [[99, 2], [99, 2]]}, bytes(16)),
        (clip_wire.SOUND, SOUND | {"shapes": [[-1, -2], [-1, -2]]}, bytes(16)),
        (clip_wire.SOUND, SOUND | {"start_s": float("inf")}, bytes(16)),
        (clip_wire.SOUND, SOUND | {"start_s": -1}, bytes(16)),
        (clip_wire.SOUND, SOUND, b"\xff" * 16),  # not a number
        (clip_wire.SOUND, {}, bytes(16)),
        (clip_wire.PICTURE, PICTURE | {"shape": [9000, 9000, 3]}, bytes(3)),
        (clip_wire.PICTURE, PICTURE | {"ticks": [5, 2]}, bytes(3)),
        (clip_wire.PICTURE, PICTURE | {"ticks": [0, 10**15]}, bytes(3)),
        (clip_wire.PICTURE, PICTURE, bytes(7)),
        (clip_wire.ENDED, {}, b""),
    ],
)
def test_nonsense_of_a_process_taken_over_is_refused(kind, facts, data):
    with pytest.raises(clip_wire.WireError):
        clip_wire.item(kind, facts, bytearray(data))


@pytest.mark.parametrize(
    "stream",
    [
        b"X" + bytes(8),
        b"S\xff\xff\xff\xff" + bytes(4),
        b"S\x01\0\0\0\0\0\0\0{",
        b"S" + b"\x02\0\0\0\0\0\0\0[]",
    ],
)
def test_stream_of_nonsense_is_no_message(stream):
    position = 0

    def read(size):
        nonlocal position
        position += size
        return bytearray(stream[position - size : position])

    with pytest.raises(clip_wire.WireError):
        clip_wire.receive(read)
