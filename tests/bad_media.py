"""Every kind of bad or odd input, made in code: what a judge of clips must survive with one line.

`make_corpus` writes them all and returns them by name. `REFUSED` says which must be refused when
opened or read and with which error; all others decode, however little there is in them to judge.
"""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import numpy as np

from avdetect.errors import InputError, InputLimitError, InputNotFoundError, UnreadableMediaError
from tests import synth

_NOT_FOUND = "missing missing_in_missing_folder name_too_long path_through_a_file"
_NOT_A_FILE = "fifo device folder_without_media folder_empty"
_UNREADABLE = """
    empty text text_named_mp4 html zip random_bytes playlist_of_others concatenation_of_others
    subtitles id3_only mp4_without_moov mp4_head_only wav_cut_in_header wav_no_samples
    ogg_head_only jpg_head_only jpg_cut_in_half wav_rate_zero wav_no_channels wav_1000_channels
    png_claims_3600_megapixels
"""
_BEYOND_LIMITS = """
    png_20k_wide wav_rate_2_ghz wav_100_channels hole_of_20_hours
"""
REFUSED: dict[str, type[InputError]] = {
    **dict.fromkeys(_NOT_FOUND.split(), InputNotFoundError),
    **dict.fromkeys(_NOT_A_FILE.split(), InputError),
    **dict.fromkeys(_UNREADABLE.split(), UnreadableMediaError),
    **dict.fromkeys(_BEYOND_LIMITS.split(), InputLimitError),
}


def make_corpus(folder: Path) -> dict[str, Path]:
    """Write the whole corpus into ``folder``; names the file system refuses are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus: dict[str, Path] = {}
    for make in (_absent, _not_media, _cut, _sounds, _odd_waves, _pictures, _clocks, _names):
        corpus |= make(folder)
    return corpus


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _speech_wav(seconds: float = 1.0) -> bytes:
    samples = (synth.speech_like(seconds, 8000) * 32767).astype("<i2")
    return synth.wav_bytes(samples, 8000)


def _absent(folder: Path) -> dict[str, Path]:
    corpus = {
        "missing": folder / "missing.wav",
        "missing_in_missing_folder": folder / "nowhere" / "missing.wav",
        "name_too_long": folder / ("x" * 300 + ".wav"),
        "path_through_a_file": _written(folder / "file.txt", b"x") / "clip.wav",
        "folder_without_media": folder / "folder_without_media",
        "folder_empty": folder / "folder_empty",
        "device": Path("/dev/zero"),
        "fifo": folder / "fifo.wav",
    }
    corpus["folder_empty"].mkdir()
    corpus["folder_without_media"].mkdir()
    (corpus["folder_without_media"] / "notes.txt").write_text("nothing to hear here\n")
    os.mkfifo(corpus["fifo"])
    return corpus


def _not_media(folder: Path) -> dict[str, Path]:
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("clip.wav", _speech_wav())
    secret = _written(folder / "others.wav", _speech_wav())
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{secret}\n#EXT-X-ENDLIST\n"
    random_bytes = np.random.default_rng(0).integers(0, 256, 40_000, np.uint8).tobytes()
    texts = {
        "text": ("text.txt", b"Dear customer,\nyour voice is your passport.\n" * 40),
        "text_named_mp4": ("text.mp4", b"this is no video\n" * 40),
        "html": ("page.html", b"<!doctype html><html><body>404 not found</body></html>\n"),
        "subtitles": ("lines.srt", b"1\n00:00:00,000 --> 00:00:02,000\nHello\n\n"),
        "random_bytes": ("random.mp3", random_bytes),
        "playlist_of_others": ("list.m3u8", playlist.encode()),
        "concatenation_of_others": (
            "list.ffconcat",
            f"ffconcat version 1.0\nfile '{secret}'\n".encode(),
        ),
        "empty": ("empty.wav", b""),
    }
    written = {name: _written(folder / file, data) for name, (file, data) in texts.items()}
    return written | {"zip": folder / "archive.zip"}


def _cut(folder: Path) -> dict[str, Path]:
    sound = synth.Sound(samples=synth.speech_like(4.0), rate_hz=16000)
    opus = synth.Sound(samples=synth.speech_like(4.0, 48000), rate_hz=48000, codec="libopus")
    mp3 = synth.Sound(samples=synth.speech_like(4.0), rate_hz=16000, codec="libmp3lame")
    moving = synth.numbered_pictures(synth.constant_rate(100, 25))
    vp9 = synth.numbered_pictures(synth.constant_rate(50, 25), codec="libvpx-vp9")
    mp4 = synth.encode(folder / "whole.mp4", sound=sound, pictures=moving).read_bytes()
    mkv = synth.encode(folder / "whole.mkv", sound=sound, pictures=moving).read_bytes()
    webm = synth.encode(folder / "whole.webm", sound=opus, pictures=vp9).read_bytes()
    ogg = synth.encode(folder / "whole.ogg", sound=opus).read_bytes()
    tagged = synth.encode(folder / "whole.mp3", sound=mp3).read_bytes()
    jpg = synth.photograph(folder / "whole.jpg", _scene(320, 240)).read_bytes()
    wav = _speech_wav(4.0)
    pieces = {
        "mp4_without_moov": ("no_moov.mp4", mp4[: mp4.index(b"moov") - 4]),
        "mp4_head_only": ("head.mp4", mp4[:20]),
        "mkv_cut_in_half": ("half.mkv", mkv[: len(mkv) // 2]),
        "webm_cut_in_half": ("half.webm", webm[: len(webm) // 2]),
        "ogg_cut_in_half": ("half.ogg", ogg[: len(ogg) // 2]),
        "ogg_head_only": ("head.ogg", ogg[:40]),
        "mp3_cut_in_frame": ("frame.mp3", tagged[: len(tagged) // 2 + 7]),
        "wav_cut_in_half": ("half.wav", wav[: len(wav) // 2 + 1]),
        "wav_cut_in_header": ("header.wav", wav[:20]),
        "wav_no_samples": ("no_samples.wav", synth.wav_bytes(np.zeros(0, "<i2"), 8000)),
        "jpg_cut_in_half": ("half.jpg", jpg[: len(jpg) // 2]),
        "jpg_head_only": ("head.jpg", jpg[:30]),
        "mkv_damaged_middle": ("damaged.mkv", _damaged(mkv)),
        "mp3_damaged_middle": ("damaged.mp3", _damaged(tagged)),
        "mp4_claims_10_hours": ("ten_hours.mp4", _claiming(mp4, 10 * 3600)),
        "mkv_claims_10_hours": ("ten_hours.mkv", _mkv_claiming(mkv, 10 * 3600)),
        "id3_only": ("tag.mp3", b"ID3\x04\x00\x00\x00\x00\x00\x0aTIT2\x00\x00\x00\x00\x00\x00"),
    }
    return {name: _written(folder / file, data) for name, (file, data) in pieces.items()}


def _damaged(data: bytes) -> bytes:
    """A tenth of the file, in its middle, overwritten with noise."""
    start, size = len(data) // 2, len(data) // 10
    junk = np.random.default_rng(1).integers(0, 256, size, np.uint8).tobytes()
    return data[:start] + junk + data[start + size :]


def _claiming(mp4: bytes, seconds: int) -> bytes:
    """An MP4 whose movie and track headers tell another duration."""
    data = bytearray(mp4)
    for box in (b"mvhd", b"mdhd"):
        at = -1
        while (at := mp4.find(box, at + 1)) >= 0:
            (timescale,) = struct.unpack_from(">I", mp4, at + 16)
            struct.pack_into(">I", data, at + 20, seconds * timescale)
    return bytes(data)


def _mkv_claiming(mkv: bytes, seconds: int) -> bytes:
    """A Matroska file whose Duration element (0x4489, float64, ms) tells another duration."""
    at = mkv.index(b"\x44\x89\x88") + 3
    return mkv[:at] + struct.pack(">d", seconds * 1000.0) + mkv[at + 8 :]


def _sounds(folder: Path) -> dict[str, Path]:
    samples = {
        "tone": synth.tone(3.0),
        "noise": synth.noise(3.0),
        "silence": np.zeros(48_000, np.float32),
        "one_sample": np.zeros(1, np.float32),
        "speech_of_50_ms": synth.speech_like(0.05),
        "eight_channels": np.stack([synth.tone(1.0, hz=200 + 100 * k) for k in range(8)]),
    }
    corpus = {
        name: synth.encode(
            folder / f"{name}.wav", sound=synth.Sound(samples=data, codec="pcm_s16le")
        )
        for name, data in samples.items()
    }
    with_nan = synth.speech_like(2.0)
    with_nan[5000:6000] = np.nan
    with_nan[7000], with_nan[7001] = np.inf, -np.inf
    corpus["nan_samples"] = _float_wav(folder / "nan.wav", with_nan, 16000)
    corpus["all_nan"] = _float_wav(folder / "all_nan.wav", np.full(16000, np.nan), 16000)
    corpus["huge_samples"] = _float_wav(folder / "huge.wav", np.full(16000, 3e38), 16000)
    return corpus


def _float_wav(path: Path, samples: np.ndarray, rate_hz: int) -> Path:
    return _written(path, synth.wav_bytes(samples.astype("<f4"), rate_hz, codec=3, bits=32))


def _odd_waves(folder: Path) -> dict[str, Path]:
    short = np.zeros(2000, "<i2")
    short[::7] = 9000
    no_channels = bytearray(synth.wav_bytes(short, 8000))
    no_channels[22:24] = b"\0\0"
    many = synth.wav_bytes(np.zeros((500, 100), "<i2"), 8000)
    return {
        "wav_100_channels": _written(folder / "100_channels.wav", many),
        "wav_1_khz": _written(folder / "1khz.wav", synth.wav_bytes(short, 1000)),
        "wav_384_khz": _float_wav(folder / "384khz.wav", synth.tone(0.5, 384_000), 384_000),
        "wav_rate_zero": _written(folder / "0hz.wav", synth.wav_bytes(short, 0)),
        "wav_rate_2_ghz": _written(folder / "2ghz.wav", synth.wav_bytes(short, 2_000_000_000)),
        "wav_no_channels": _written(folder / "no_channels.wav", bytes(no_channels)),
        "wav_1000_channels": _written(
            folder / "1000_channels.wav", synth.wav_bytes(np.zeros((50, 1000), "<i2"), 8000)
        ),
    }


def _scene(width: int, height: int) -> np.ndarray:
    """A coloured picture without a face."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], axis=2).astype(np.uint8)


def _film(path: Path, width: int, height: int, sound: synth.Sound | None = None) -> Path:
    pictures = synth.Pictures(
        pictures=[np.roll(_scene(width, height), 3 * i, axis=1) for i in range(30)],
        times_s=synth.constant_rate(30, 25),
        codec="ffv1",
        pix_fmt="bgr0",
    )
    return synth.encode(path, pictures=pictures, sound=sound)


def _pictures(folder: Path) -> dict[str, Path]:
    speech = synth.Sound(samples=synth.speech_like(1.2), rate_hz=16000)
    jpg = synth.photograph(folder / "no_face.jpg", _scene(320, 240))
    bomb = bytearray(synth.photograph(folder / "bomb.png", _scene(8, 8)).read_bytes())
    bomb[16:24] = struct.pack(">II", 60_000, 60_000)
    return {
        "film_without_sound": _film(folder / "silent.mkv", 160, 120),
        "film_without_face": _film(folder / "no_face.mkv", 160, 120, speech),
        "film_1x1_px": _film(folder / "1x1.mkv", 1, 1),
        "film_odd_size": _film(folder / "odd.mkv", 33, 17),
        "film_16k_wide": _film(folder / "wide.mkv", 16_000, 4),
        "photograph_without_face": jpg,
        "png_1x1_px": synth.photograph(folder / "1x1.png", _scene(1, 1)),
        "png_16k_wide": synth.photograph(folder / "16k.png", _scene(16_384, 8)),
        "png_20k_wide": synth.photograph(folder / "20k.png", _scene(20_000, 8)),
        "png_claims_3600_megapixels": _written(folder / "bomb.png", bytes(bomb)),
        "mp3_with_cover": _covered(folder / "cover.mp3", jpg),
    }


def make_cover_mp3(folder: Path) -> Path:
    """An MP3 of half a second with cover art."""
    return _covered(folder / "cover.mp3", synth.photograph(folder / "cover.jpg", _scene(320, 240)))


def _covered(path: Path, jpg: Path) -> Path:
    """An MP3 of half a second behind a picture tag (ID3v2.4 APIC)."""
    sound = synth.Sound(samples=synth.tone(0.5), rate_hz=16000, codec="libmp3lame")
    plain = synth.encode(path, sound=sound).read_bytes()
    picture = b"\0image/jpeg\0\x03\0" + jpg.read_bytes()
    frame = b"APIC" + _syncsafe(len(picture)) + b"\0\0" + picture
    tag = b"ID3\x04\0\0" + _syncsafe(len(frame)) + frame
    return _written(
        path, tag + plain[10 + _tag_size(plain) :] if plain[:3] == b"ID3" else tag + plain
    )


def _syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 127 for shift in (21, 14, 7, 0))


def _tag_size(data: bytes) -> int:
    return sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))


def _clocks(folder: Path) -> dict[str, Path]:
    still = synth.numbered_pictures([0.0, 0.04, 20 * 3600.0])
    late = synth.Sound(samples=synth.speech_like(1.0), rate_hz=16000, start_s=5.0)
    return {
        "hole_of_20_hours": synth.encode(folder / "hole.mkv", pictures=still),
        "sound_after_picture": synth.encode(
            folder / "late.mkv",
            sound=late,
            pictures=synth.numbered_pictures(synth.constant_rate(25, 25)),
        ),
    }


def _names(folder: Path) -> dict[str, Path]:
    names = {
        "name_with_newline": b"line\nbreak.wav",
        "name_with_escape": b"\x1b[31mred.wav",
        "name_not_utf8": b"caf\xe9\xff.wav",
        "name_with_dash": b"-rf.wav",
        "name_with_percent": b"%03d.wav",
        "name_with_protocol": b"concat:others.wav",
    }
    corpus = {}
    for name, raw in names.items():
        path = folder / os.fsdecode(raw)
        try:
            corpus[name] = _written(path, _speech_wav())
        except OSError:  # macOS and some network disks take UTF-8 alone
            continue
    return corpus
