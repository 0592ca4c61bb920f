"""Recordings sent through known codecs into real files: are their histories named?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.channels.codecs import Waveform, fit_length, through_codec
from avdetect.channels.histories import FAMILIES, FILES, LINEAR, file_bytes
from avdetect.cues.base import Measurement
from avdetect.cues.codec_history import CUE, EITHER_LAW, TITLES
from avdetect.media.source import SourceLike
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.cues.made.speech import read_by, sentences

_LENGTH_S = 8.0
_MOST = 30  # recordings of each history
_UNLEARNED = ("g726_32", "msbc", "g723.1")


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """Named rightly, wrongly or left open, ``n`` (at most 30) recordings of each history.

    Speakers and sources are those of ``modern.csv``, of which nothing was trained on.
    """
    n, rng = min(n, _MOST), np.random.default_rng([seed, 0])
    speeches = sentences("modern", _LENGTH_S, n, rng)
    found = [
        ("µ-law, then an Opus file", _told(_files(speeches, "ulaw", "opus", rng), "ulaw", "opus")),
        ("A-law, then an Opus file", _told(_files(speeches, "alaw", "opus", rng), "alaw", "opus")),
        ("AMR, then an Opus file", _told(_files(speeches, "amr", "opus", rng), "amr", "opus")),
        ("nothing, then an Opus file", _told(_files(speeches, LINEAR, "opus", rng), "opus")),
        ("MP3, then an AAC file", _told(_files(speeches, "mp3", "aac", rng), "mp3", "aac")),
        ("Opus, then an MP3 file", _told(_files(speeches, "opus", "mp3", rng), "opus", "mp3")),
        ("nothing, then linear samples", _told([(s, SAMPLE_RATE_HZ) for s in speeches])),
    ]
    for family in FAMILIES:
        unpacked: list[SourceLike] = [(_sent(s, family, rng), SAMPLE_RATE_HZ) for s in speeches]
        found.append((f"{family}, unpacked into linear samples", _told(unpacked, family)))
    for name in _UNLEARNED:
        sources: list[SourceLike] = [(through_codec(s, name), SAMPLE_RATE_HZ) for s in speeches]
        found.append((f"{name}, which was not learned", _told(sources, "")))
    return found


def _sent(speech: Waveform, family: str, rng: np.random.Generator) -> Waveform:
    if family == LINEAR:
        return speech
    return through_codec(speech, str(rng.choice(FAMILIES[family])))


def _files(
    speeches: Sequence[Waveform], first: str, last: str, rng: np.random.Generator
) -> list[SourceLike]:
    """Each speech through ``first``, in a file of ``last``."""
    settings = rng.integers(len(FILES[last]), size=len(speeches))
    return [
        file_bytes(fit_length(_sent(s, first, rng), len(s)), last, int(setting))
        for s, setting in zip(speeches, settings, strict=True)
    ]


def _told(sources: Sequence[SourceLike], *families: str) -> str:
    """How many histories were named as they were."""
    words = [_words(read_by(CUE, source).measurements()[0]) for source in sources]
    wanted = ", then ".join(TITLES[family] for family in families if family) or "no lossy codec"
    either = wanted.replace(TITLES["ulaw"], EITHER_LAW).replace(TITLES["alaw"], EITHER_LAW)
    exact = sum(said == wanted for said in words)
    family = sum(said == either != wanted for said in words)
    unsure = sum(said is None for said in words)
    law = f", {family} as G.711 of either law" if either != wanted else ""
    if families == ("",):
        return f"{unsure} of {len(words)} left open, the others given a learned codec's name"
    return f"{exact} of {len(words)} named rightly{law}, {unsure} left open"


def _words(measurement: Measurement) -> str | None:
    if measurement.missing is not None:
        return None
    return measurement.text.removeprefix("history: ").split(";")[0]
