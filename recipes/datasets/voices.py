"""Speech clips decoded, trimmed, forged and sent through channels, once, kept on disk.

A store is a folder with one sub-folder per variant; in each, ``<clip>.npy`` int16 at 16 kHz:

    clean            high-passed, silence at both ends cut
    channel_0, _1    the clean clip through a random channel; _1 for train.csv only
    twin             (human clips of train.csv) the clean clip through a vocoder
    twin_channel_0   the twin through the very channel of its original
    speech           (T,) uint8, one per 50 ms of the clean clip: does the VAD hear speech
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import av
import librosa
import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.channels.chain import random_channel
from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import high_pass
from avdetect.errors import UnreadableMediaError
from avdetect.media.bandwidth import effective_bandwidth_hz
from avdetect.observation import ChannelAudio, Observation
from avdetect.speech.vad import VoiceActivity, speech_segments
from avdetect.timebase import OBSERVATION_HOP_S, OBSERVATION_S, SAMPLE_RATE_HZ, seconds_to_samples
from avdetect.types import Segment
from eval.manifest.row import ManifestRow
from eval.shared_data import shared_path
from recipes.forge.voices import VOCODERS, forge_twin

STEP_S = 0.05  # of the speech mask
_MOST_S = 6.0
_LEAST_LOST_S = 0.1
_SILENCE_DB = 40.0


def read_waveform(row: ManifestRow) -> Waveform:
    """A row's file as (S,) float32 at 16 kHz, untouched otherwise.

    Raises:
        UnreadableMediaError: if less can be decoded than the row's ``duration_s``.
    """
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ)
    path, frames = shared_path(row.path), []
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(audio=0):
                frames += resampler.resample(frame)
        except av.error.InvalidDataError:
            pass  # one file has stray bytes behind its last frame; the length check below decides
    frames += resampler.resample(None)
    joined = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
    if len(joined) < ((row.duration_s or 0.0) - _LEAST_LOST_S) * SAMPLE_RATE_HZ:
        raise UnreadableMediaError(f"{path}: only {len(joined)} samples could be decoded")
    return (joined / 32768.0).astype(np.float32)


def find_speech(waveform: Waveform) -> tuple[Segment, ...]:
    """Speech segments of a whole clip, seconds from its start."""
    activity = VoiceActivity()
    return speech_segments(np.concatenate([activity.push(waveform), activity.finish()]), 0.0)


def observe_waveform(waveform: Waveform, speech: Sequence[Segment]) -> list[Observation]:
    """A waveform cut as the engine cuts it (`avdetect.observe`), one channel named ``mono``."""
    length_s, covered_s, next_s = len(waveform) / SAMPLE_RATE_HZ, 0.0, 0.0
    observations: list[Observation] = []
    while covered_s < length_s:
        whole = next_s + OBSERVATION_S <= length_s
        # The last observation reaches back, so that it is not shorter than it need be.
        reach_s = max(0.0, next_s - (OBSERVATION_S - OBSERVATION_HOP_S), length_s - OBSERVATION_S)
        start_s = next_s if whole else reach_s
        segment = Segment(start_s, min(start_s + OBSERVATION_S, length_s))
        first, last = seconds_to_samples(segment.start_s), seconds_to_samples(segment.end_s)
        inside = tuple(part for s in speech if (part := s.overlap(segment)) is not None)
        channel = ChannelAudio(
            channel="mono",
            waveform=waveform[first:last],
            speech=inside,
            bandwidth_hz=effective_bandwidth_hz(waveform[first:last], SAMPLE_RATE_HZ),
        )
        fresh = Segment(covered_s, segment.end_s)
        observations.append(Observation(segment=segment, fresh=fresh, channels=(channel,)))
        next_s, covered_s = next_s + OBSERVATION_HOP_S, segment.end_s
    return observations


def is_fake(row: ManifestRow) -> bool:
    """True for synthetic speech."""
    return row.label == "fake"


def clip_id(row: ManifestRow) -> str:
    """File name without folder and suffix; unique over all CSVs."""
    return Path(row.path).stem


class VoiceStore:
    """The prepared clips below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, variant: str, clip: str) -> Path:
        """Where a variant of a clip lies."""
        return self.root / variant / f"{clip}.npy"

    def read(self, variant: str, clip: str) -> Waveform:
        """A variant as (S,) float32."""
        return np.asarray(np.load(self.path(variant, clip)) / 32768.0, np.float32)

    def read_speech(self, clip: str) -> NDArray[np.float32]:
        """(T,) 1 where the VAD hears speech, else 0; one per `STEP_S`."""
        return np.asarray(np.load(self.path("speech", clip)), np.float32)

    def write(self, variant: str, clip: str, samples: NDArray[np.int16 | np.uint8]) -> None:
        """Write whole or not at all."""
        path = self.path(variant, clip)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial_path = path.with_suffix(".part.npy")
        np.save(partial_path, samples)
        partial_path.replace(path)


def prepare_store(rows: Sequence[ManifestRow], root: Path, *, n_workers: int = 2) -> VoiceStore:
    """Prepare what is not there yet; running it again finishes what was begun."""
    store = VoiceStore(root)
    left = [row for row in rows if not store.path("speech", clip_id(row)).is_file()]
    with get_context("spawn").Pool(
        n_workers, initializer=torch.set_num_threads, initargs=(1,)
    ) as p:
        for done, _ in enumerate(p.imap_unordered(partial(_prepare, root), left), 1):
            if done % 100 == 0:
                print(f"prepared {done} of {len(left)}", flush=True)
    return store


def speech_mask(segments: Sequence[Segment], start_s: float, n_steps: int) -> NDArray[np.float32]:
    """Share of each 50 ms step from ``start_s`` on that is speech, (n_steps,) in 0..1."""
    mask = np.zeros(n_steps, np.float32)
    for segment in segments:
        edges = start_s + STEP_S * np.arange(n_steps + 1)
        inside = np.minimum(edges[1:], segment.end_s) - np.maximum(edges[:-1], segment.start_s)
        mask += np.clip(inside, 0, None).astype(np.float32) / STEP_S
    return np.minimum(mask, 1.0)


def _prepare(root: Path, row: ManifestRow) -> None:
    store, clip = VoiceStore(root), clip_id(row)
    seed = zlib.crc32(clip.encode())
    raw = high_pass(read_waveform(row)[: int(_MOST_S * SAMPLE_RATE_HZ)])
    clean = librosa.effects.trim(raw, top_db=_SILENCE_DB)[0]
    first, second = (random_channel(np.random.default_rng([seed, k])) for k in range(2))
    variants: dict[str, Waveform] = {"clean": clean, "channel_0": first(clean)}
    if row.id.startswith("train/"):
        variants["channel_1"] = second(clean)
        if not is_fake(row):
            rng = np.random.default_rng([seed, 2])
            variants["twin"] = forge_twin(clean, str(rng.choice(list(VOCODERS))), rng)
            variants["twin_channel_0"] = first(variants["twin"])
    for name, waveform in variants.items():
        store.write(name, clip, _int16(waveform))
    n_steps = int(np.ceil(len(clean) / SAMPLE_RATE_HZ / STEP_S))
    mask = speech_mask(find_speech(clean), 0.0, n_steps)
    store.write("speech", clip, (mask > 0.5).astype(np.uint8))  # last: marks the clip as done


def _int16(waveform: Waveform) -> NDArray[np.int16]:
    peak = max(float(np.abs(waveform).max(initial=0.0)), 1.0)
    return np.round(waveform / peak * 32767).astype(np.int16)
