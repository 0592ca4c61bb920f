"""Human speech by speaker: decoded once, silence at both ends cut, who is held out."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from avdetect.channels.codecs import through_codec
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.shared_data import read_rows, shared_path
from recipes.defence.settings import RUNS

SETS = ("train", "extra")
_NOBODY = frozenset({"wwb-unknown", "trump"})  # no single known voice; one of them much imitated
_HELD_OUT_SHARE = 4  # one speaker in four
_MOST_S, _LEAST_S = 6.0, 1.5
_SILENCE_DB = 40.0
_CODECS = ("ulaw", "opus_16", "mp3_32", "g722")


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceClips:
    """Speech of known people.

    Attributes:
        waveforms: N of (S,) float32 at 16 kHz.
        coded: the same, each through one of four codecs.
        speakers: (N,) who speaks.
        files: (N,) below ``data/audio``.
        recordings: (N,) what a clip was cut from; two cuts of one recording tell the room as well.
        held_out: (N,) never trained on.
    """

    waveforms: list[NDArray[np.float32]]
    coded: list[NDArray[np.float32]]
    speakers: NDArray[np.str_]
    files: NDArray[np.str_]
    recordings: NDArray[np.str_]
    held_out: NDArray[np.bool_]


def speaker_is_held_out(speaker: str) -> bool:
    """Decided by a hash of the name, never by chance."""
    return zlib.crc32(speaker.encode()) % _HELD_OUT_SHARE == 0


def load_voices() -> VoiceClips:
    """Read the clips, decoding them on the first call."""
    path = RUNS / "voices.npz"
    if not path.is_file():
        _decode_all(path)
    table = dict(np.load(path))
    edges = table.pop("edges")
    waveforms, coded = (
        [(table[name][a:b] / 32768.0).astype(np.float32) for a, b in pairwise(edges)]
        for name in ("samples", "coded")
    )
    kept = {name: table[name] for name in ("speakers", "files", "recordings", "held_out")}
    return VoiceClips(waveforms=waveforms, coded=coded, **kept)


def _decode_all(path: Path) -> None:
    rows = [row for name in SETS for row in read_rows(f"data/audio/{name}.csv")]
    waveforms, coded, kept = [], [], []
    rng = np.random.default_rng(0)
    for row in rows:
        if row["label"] != "bonafide" or row["speaker"] in _NOBODY or not row["speaker"]:
            continue
        waveform = read_speech(row["file"])
        if len(waveform) >= _LEAST_S * SAMPLE_RATE_HZ:
            waveforms.append(_whole(waveform))
            coded.append(_whole(through_codec(waveform, str(rng.choice(_CODECS)))))
            kept.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(
        part,
        samples=np.concatenate(waveforms),
        coded=np.concatenate(coded),
        edges=np.cumsum([0, *(len(w) for w in waveforms)]),
        speakers=np.array([row["speaker"] for row in kept]),
        files=np.array([row["file"] for row in kept]),
        recordings=np.array([row["source_path"].split("#")[0] for row in kept]),
        held_out=np.array([speaker_is_held_out(row["speaker"]) for row in kept]),
    )
    part.replace(path)


def _whole(waveform: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.round(np.clip(waveform, -1.0, 1.0) * 32767).astype(np.int16)


def read_speech(file: str) -> NDArray[np.float32]:
    """A file below ``data/audio`` as (S,) float32 at 16 kHz, at most 6 s, ends trimmed."""
    with open_clip(shared_path(f"data/audio/{file}")) as clip:
        parts = [c.waveform[0] for c in clip.chunks(want_video=False) if isinstance(c, AudioChunk)]
    waveform = np.concatenate(parts)[: int(_MOST_S * SAMPLE_RATE_HZ)]
    trimmed, _ = librosa.effects.trim(waveform, top_db=_SILENCE_DB)
    return np.asarray(np.clip(trimmed, -1.0, 1.0), np.float32)
