"""A miniature of the speech folder: real FLAC files, three old sources and two newer ones."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np

from avdetect.media.clip import open_clip
from eval.datasets import demo_voices
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol, read_protocol
from tests.paths import SAMPLES
from tests.synth import Sound, encode

_SECONDS, _RATE_HZ = 2.0, 16_000
_PROTOCOL = """\
title = "Miniature"
dataset = "demo_voices"
held_out = ["speaker", "source", "generator"]

[sets]
pool = ["north", "south", "west"]
modern = ["modern"]

[roles]
train = ["north", "south"]
test = ["west", "modern"]

[train_only]
quality = ["opus_24"]

[folds]
north = ["a/north"]
south = ["a/south"]
west = ["a/west"]
modern = ["b/new", "b/newer"]
"""
_COLUMNS = (
    "file,label,generator,family,speaker,language,source_repo,source_path,repo_license,"
    "original_rate_hz,original_codec,duration_s"
).split(",")
_TIED = "Everywhere"  # a generator of two sources


def write_miniature(root: Path) -> tuple[list[ManifestRow], Protocol]:
    """Write ``data/audio`` and a protocol below a folder; every source has both classes."""
    clips = [
        (table, source, label, k)
        for table, sources in (("train", ("a/north", "a/south", "a/west")), ("modern", _NEW))
        for source in sources
        for label in ("bonafide", "spoof")
        for k in range(2)
    ]
    cells = [_write_clip(root / "data" / "audio", n, *clip) for n, clip in enumerate(clips)]
    for table in ("train", "modern", "extra"):
        chosen = [c for c in cells if c["file"].startswith(f"{table}/")]
        _write_table(root / "data" / "audio" / f"{table}.csv", chosen)
    path = root / "miniature.toml"
    path.write_text(_PROTOCOL, "utf-8")
    return demo_voices.read(root), read_protocol(str(path))


_NEW = ("b/new", "b/newer")


def _write_clip(
    folder: Path, number: int, table: str, source: str, label: str, k: int
) -> dict[str, str]:
    fake = label == "spoof"
    name = f"{table}/{label}_{number:02d}.flac"
    (folder / table).mkdir(parents=True, exist_ok=True)
    sound = speech(0.3 * number)
    encode(folder / name, sound=Sound(samples=dull(sound) if fake else sound, codec="flac"))
    tied = fake and k and source in ("a/south", "a/west")
    known = {
        "file": name,
        "label": label,
        "generator": (_TIED if tied else f"G {source} {k}") if fake else "human",
        "family": "vocoder" if fake else "human",
        "speaker": f"{source} {k}",
        "language": "en",
        "source_repo": source,
        "original_rate_hz": str(_RATE_HZ),
        "original_codec": "flac",
        "duration_s": str(_SECONDS),
    }
    return dict.fromkeys(_COLUMNS, "") | known


def _write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def speech(start_s: float) -> np.ndarray:
    """(S,) of the sample call's left channel, from some second on."""
    begin = round(start_s * _RATE_HZ)
    return _call()[begin : begin + round(_SECONDS * _RATE_HZ)]


def dull(sound: np.ndarray) -> np.ndarray:
    """Nothing above 2 kHz: a forgery that any judge of spectra can tell."""
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(len(sound), 1 / _RATE_HZ) > 2_000] *= 0.03
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


@lru_cache
def _call() -> np.ndarray:
    with open_clip(SAMPLES / "call_synthetic.wav") as clip:
        return np.concatenate([chunk.waveform[0] for chunk in clip.chunks()])
