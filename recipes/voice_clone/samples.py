"""What the linear judge reads of every clip, measured once and kept.

Twins, channels and numbers cost minutes, a fit costs seconds: the folds share one measurement.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.branches import voice_numbers as measures
from avdetect.branches.voice_clone import is_narrow, tile_waveform
from avdetect.branches.voice_numbers import voice_numbers
from avdetect.channels import chain, codecs, degrade
from avdetect.channels.chain import random_channel
from avdetect.channels.codecs import Waveform, through_codec
from avdetect.nn.redrawing_judge import RedrawingJudge
from avdetect.speech import redrawn, statistics, vad
from avdetect.timebase import OBSERVATION_S, seconds_to_samples
from eval.manifest.row import ManifestRow
from recipes.datasets import voices
from recipes.datasets.voices import find_speech, is_fake, observe_waveform, read_waveform
from recipes.forge import text_to_speech
from recipes.forge import voices as forgeries
from recipes.forge.text_to_speech import missing_engines, synthesiser_kinds
from recipes.forge.voices import VOCODERS, forge_twin
from recipes.voice_clone.drawing import unfitted_judge

Numbers = NDArray[np.float32]
# As recorded, by telephone, and as files and calls over the internet come.
MEASURED_THROUGH = ("clean", "ulaw", "amr_7.4", "opus_12", "aac_64", "mp3_128", "opus_24")
# Of a fake the first three.
TAUGHT = ("clean", "channel_0", "channel_1", "twin", "twin_channel_0", "said", "said_channel_0")
_SAID_BY = ("espeak-ng", "flite")
_NOT_SAID_BY = ("flite slt", "espeak-ng en-gb")  # speak in the embedded samples
# Numbers that other code measured are not mixed in.
_MEASURED_BY = (
    chain,
    codecs,
    degrade,
    measures,
    redrawn,
    statistics,
    vad,
    voices,
    forgeries,
    text_to_speech,
)
_FILES = (Path(__file__), *(Path(str(module.__file__)) for module in _MEASURED_BY))
_CODE = hashlib.sha256(b"".join(path.read_bytes() for path in _FILES)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipNumbers:
    """One clip; K numbers each, see `voice_numbers`.

    Attributes:
        taught: (V, K) of the first four seconds, one for each of `TAUGHT` that there is: as
            recorded, through two random channels; and beside a real clip its twin and what a
            speech synthesiser says in its stead, as they are and through the first channel.
        heard: (C, O, K) of each observation through each of `MEASURED_THROUGH`.
        speech_s: (C, O) seconds of speech in it that no observation before had.
        narrow: (C, O) 1 where the sound has a telephone's bandwidth.
    """

    taught: Numbers
    heard: Numbers
    speech_s: Numbers
    narrow: Numbers


def clip_numbers(
    rows: Sequence[ManifestRow], store: Path, vocoder: str, *, n_jobs: int = 1
) -> dict[str, ClipNumbers]:
    """Numbers of rows by id, from the store where they are there, else measured and kept.

    Args:
        rows: clips of both classes.
        store: NumPy archive; one that other code or another vocoder measured is begun anew.
        vocoder: name of what draws speech anew.
        n_jobs: processes that measure.
    """
    missing = "; ".join(_missing_sayers())
    if missing:
        print(f"{missing}: no speech synthesiser teaches the judge, and figures will differ")
    fingerprint = f"{vocoder} {_CODE} {missing}".strip()
    known = _read(store, fingerprint)
    left, measure = [row for row in rows if row.id not in known], partial(_measure, vocoder=vocoder)
    if left:
        with ProcessPoolExecutor(n_jobs, mp_context=get_context("spawn")) as pool:
            found = pool.map(measure, left, chunksize=8) if n_jobs > 1 else map(measure, left)
            for done, (row, clip) in enumerate(zip(left, found, strict=True), 1):
                known[row.id] = clip
                if done % 100 == 0:
                    print(f"numbers of {done} of {len(left)} clips", flush=True)
                    _write(store, known, fingerprint)
        _write(store, known, fingerprint)
    return {row.id: known[row.id] for row in rows}


def _measure(row: ManifestRow, vocoder: str) -> ClipNumbers:
    torch.set_num_threads(1)
    waveform = read_waveform(row)
    observed = [_observed(waveform, channel) for channel in MEASURED_THROUGH]
    versions = _versions(row, waveform[: seconds_to_samples(OBSERVATION_S)])
    stretches = [*versions, *(s for heard, _, _ in observed for s in heard)]
    numbers = voice_numbers(
        _judge(vocoder),
        np.stack([tile_waveform(stretch) for stretch in stretches]),
        [len(stretch) for stretch in stretches],
        torch.device("cpu"),
    )
    taught, heard = numbers[: len(versions)], numbers[len(versions) :]
    return ClipNumbers(
        taught=taught,
        heard=heard.reshape(len(MEASURED_THROUGH), -1, heard.shape[1]),
        speech_s=np.array([seconds for _, seconds, _ in observed], np.float32),
        narrow=np.array([narrow for _, _, narrow in observed], np.float32),
    )


@lru_cache(maxsize=1)
def _judge(vocoder: str) -> RedrawingJudge:
    return unfitted_judge(vocoder)


def _versions(row: ManifestRow, waveform: Waveform) -> list[Waveform]:
    rng = np.random.default_rng(zlib.crc32(row.id.encode()))
    channels = random_channel(rng), random_channel(rng)
    versions = [waveform, *(channel(waveform) for channel in channels)]
    if not is_fake(row):
        twin = forge_twin(waveform, str(rng.choice(sorted(VOCODERS))), rng)
        for made in (twin, *_say_in_its_stead(row, waveform)):
            versions += [made, channels[0](made)]
    return versions


def _say_in_its_stead(row: ManifestRow, waveform: Waveform) -> list[Waveform]:
    """One stretch of synthetic speech, or none where the engines are not installed."""
    if _missing_sayers():
        return []
    voices = {k: v for k, v in synthesiser_kinds().items() if k not in _NOT_SAID_BY}
    rng = np.random.default_rng(zlib.crc32(f"spoken {row.id}".encode()))
    return [voices[str(rng.choice(sorted(voices)))](waveform, rng)]


def _missing_sayers() -> list[str]:
    return [why for engine, why in missing_engines().items() if engine in _SAID_BY]


def _observed(waveform: Waveform, channel: str) -> tuple[list[Waveform], list[float], list[bool]]:
    """Stretches, fresh seconds of speech in each, and whether each is narrow."""
    sound = waveform if channel == "clean" else through_codec(waveform, channel)
    stretches, seconds, narrow = [], [], []
    for observation in observe_waveform(sound, find_speech(sound)):
        (heard,) = observation.channels
        fresh = [s.overlap(observation.fresh) for s in heard.speech]
        stretches.append(heard.waveform)
        seconds.append(sum(part.duration_s for part in fresh if part is not None))
        narrow.append(is_narrow(heard.bandwidth_hz))
    return stretches, seconds, narrow


def _read(store: Path, fingerprint: str) -> dict[str, ClipNumbers]:
    if not store.is_file():
        return {}
    with np.load(store) as archive:
        if str(archive["fingerprint"]) != fingerprint:
            print(f"{store} was measured by other code: measuring anew", flush=True)
            return {}
        ids, n_taught, n_heard = archive["ids"], archive["n_taught"], archive["n_heard"]
        taught = np.split(archive["taught"], np.cumsum(n_taught)[:-1])
        heard, speech_s, narrow = (
            np.split(archive[name], np.cumsum(n_heard)[:-1], axis=1)
            for name in ("heard", "speech_s", "narrow")
        )
    return {
        str(name): ClipNumbers(taught=t, heard=h, speech_s=s, narrow=n)
        for name, t, h, s, n in zip(ids, taught, heard, speech_s, narrow, strict=True)
    }


def _write(store: Path, known: dict[str, ClipNumbers], fingerprint: str) -> None:
    clips = list(known.values())
    store.parent.mkdir(parents=True, exist_ok=True)
    part = store.with_suffix(".part.npz")
    np.savez(
        part,
        fingerprint=np.array(fingerprint),
        ids=np.array(list(known)),
        n_taught=np.array([len(clip.taught) for clip in clips]),
        n_heard=np.array([clip.heard.shape[1] for clip in clips]),
        taught=np.concatenate([clip.taught for clip in clips]),
        heard=np.concatenate([clip.heard for clip in clips], axis=1),
        speech_s=np.concatenate([clip.speech_s for clip in clips], axis=1),
        narrow=np.concatenate([clip.narrow for clip in clips], axis=1),
    )
    part.replace(store)
