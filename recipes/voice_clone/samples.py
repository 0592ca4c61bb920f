"""What the judges on statistics read of every clip, measured once and kept.

Twins, channels and statistics cost minutes, a fit costs seconds: the folds share one measurement.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.channels import chain, codecs, degrade
from avdetect.channels.chain import random_channel
from avdetect.channels.codecs import Waveform, through_codec
from avdetect.speech import statistics, vad
from avdetect.speech.statistics import voice_statistics
from avdetect.timebase import OBSERVATION_S, seconds_to_samples
from eval.manifest.row import ManifestRow
from recipes.datasets import voices
from recipes.datasets.voices import find_speech, is_fake, observe_waveform, read_waveform
from recipes.forge import voices as forgeries
from recipes.forge.voices import VOCODERS, forge_twin

Numbers = NDArray[np.float32]
MEASURED_THROUGH = ("clean", "ulaw")  # as recorded, and by telephone
# Numbers that other code measured are not mixed in.
_MEASURED_BY = (chain, codecs, degrade, statistics, vad, voices, forgeries)
_FILES = (Path(__file__), *(Path(str(module.__file__)) for module in _MEASURED_BY))
_FINGERPRINT = hashlib.sha256(b"".join(path.read_bytes() for path in _FILES)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipStatistics:
    """One clip; K statistics each, see `voice_statistics`.

    Attributes:
        taught: (2, K) of the first four seconds, as recorded and through a random channel; of a
            real clip (4, K), the same two of its twin behind them.
        heard: (C, O, K) of each observation through each of `MEASURED_THROUGH`.
        speech_s: (C, O) seconds of speech in it that no observation before had.
    """

    taught: Numbers
    heard: Numbers
    speech_s: Numbers


def clip_statistics(
    rows: Sequence[ManifestRow], store: Path, *, n_jobs: int = 1
) -> dict[str, ClipStatistics]:
    """Statistics of rows by id, from the store where they are there, else measured and kept.

    Args:
        rows: clips of both classes.
        store: NumPy archive; one that other code measured is begun anew.
        n_jobs: processes that measure.
    """
    known = _read(store)
    left = [row for row in rows if row.id not in known]
    if left:
        with ProcessPoolExecutor(n_jobs, mp_context=get_context("spawn")) as pool:
            found = pool.map(_measure, left, chunksize=8) if n_jobs > 1 else map(_measure, left)
            for done, (row, clip) in enumerate(zip(left, found, strict=True), 1):
                known[row.id] = clip
                if done % 100 == 0:
                    print(f"statistics of {done} of {len(left)} clips", flush=True)
        _write(store, known)
    return {row.id: known[row.id] for row in rows}


def _measure(row: ManifestRow) -> ClipStatistics:
    torch.set_num_threads(1)
    waveform = read_waveform(row)
    heard = [_observed(waveform, channel) for channel in MEASURED_THROUGH]
    return ClipStatistics(
        taught=_taught(row, waveform[: seconds_to_samples(OBSERVATION_S)]),
        heard=np.stack([numbers for numbers, _ in heard]),
        speech_s=np.stack([seconds for _, seconds in heard]),
    )


def _taught(row: ManifestRow, waveform: Waveform) -> Numbers:
    rng = np.random.default_rng(zlib.crc32(row.id.encode()))
    channel = random_channel(rng)
    versions = [waveform]
    if not is_fake(row):
        versions.append(forge_twin(waveform, str(rng.choice(sorted(VOCODERS))), rng))
    return np.stack(
        [voice_statistics(s) for version in versions for s in (version, channel(version))]
    )


def _observed(waveform: Waveform, channel: str) -> tuple[Numbers, Numbers]:
    sound = waveform if channel == "clean" else through_codec(waveform, channel)
    numbers, seconds = [], []
    for observation in observe_waveform(sound, find_speech(sound)):
        (heard,) = observation.channels
        fresh = [s.overlap(observation.fresh) for s in heard.speech]
        numbers.append(voice_statistics(heard.waveform))
        seconds.append(sum(part.duration_s for part in fresh if part is not None))
    return np.stack(numbers), np.array(seconds, np.float32)


def _read(store: Path) -> dict[str, ClipStatistics]:
    if not store.is_file():
        return {}
    with np.load(store) as archive:
        if str(archive["fingerprint"]) != _FINGERPRINT:
            print(f"{store} was measured by other code: measuring anew", flush=True)
            return {}
        ids, n_taught, n_heard = archive["ids"], archive["n_taught"], archive["n_heard"]
        taught = np.split(archive["taught"], np.cumsum(n_taught)[:-1])
        heard = np.split(archive["heard"], np.cumsum(n_heard)[:-1], axis=1)
        speech_s = np.split(archive["speech_s"], np.cumsum(n_heard)[:-1], axis=1)
    return {
        str(name): ClipStatistics(taught=t, heard=h, speech_s=s)
        for name, t, h, s in zip(ids, taught, heard, speech_s, strict=True)
    }


def _write(store: Path, known: dict[str, ClipStatistics]) -> None:
    clips = list(known.values())
    store.parent.mkdir(parents=True, exist_ok=True)
    part = store.with_suffix(".part.npz")
    np.savez(
        part,
        fingerprint=np.array(_FINGERPRINT),
        ids=np.array(list(known)),
        n_taught=np.array([len(clip.taught) for clip in clips]),
        n_heard=np.array([clip.heard.shape[1] for clip in clips]),
        taught=np.concatenate([clip.taught for clip in clips]),
        heard=np.concatenate([clip.heard for clip in clips], axis=1),
        speech_s=np.concatenate([clip.speech_s for clip in clips], axis=1),
    )
    part.replace(store)
