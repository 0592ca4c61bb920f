"""Channels to train through: everything between mouth and judge, wider than what users meet.

`chain.random_channel` stays beside it: what it draws for a seed is frozen.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from avdetect.channels import degrade, lines, noise, replay, rooms
from avdetect.channels.calls import lossy_call
from avdetect.channels.chain import Channel
from avdetect.channels.codecs import CODECS, Waveform, through_codec
from avdetect.channels.levels import SoundStep

# Kinds of call are drawn before their bit rates: AMR's eight modes count no more than µ-law.
CALL_CODECS: dict[str, tuple[str, ...]] = {
    "G.711": ("ulaw", "alaw"),
    "AMR": tuple(name for name in CODECS if name.startswith("amr_")),
    "Opus": tuple(name for name in CODECS if name.startswith("opus_")),
    "wide band": ("g722", "g722", "msbc"),
    "low rate": ("g723.1", *(name for name in CODECS if name.startswith("g726_"))),
}
_SHARES = np.array([0.28, 0.28, 0.24, 0.14, 0.06])
FILE_CODECS: dict[str, tuple[str, ...]] = {
    "MP3": tuple(name for name in CODECS if name.startswith("mp3_")),
    "AAC": tuple(name for name in CODECS if name.startswith("aac_")),
    "voice message": ("opus_12", "opus_16", "opus_24"),
}
_RATES_HZ = ((8_000,), (11_025,), (22_050,), (44_100, 12_000))
_SPEAKERS = (replay.HIFI, replay.LAPTOP, replay.PHONE)
_Steps = list[tuple[str, SoundStep]]


def training_channel(rng: np.random.Generator) -> Channel:
    """Draw a channel: a place, a microphone, then nothing, a file, a call, or one after the other.

    Random steps carry a seed of their own, so twin and original meet the very same room, noise and
    lost packets. One channel in ten changes nothing.
    """
    if rng.random() < 0.1:
        return Channel(names=(), steps=())
    steps = [*_place(rng), *_microphone(rng), *_way(rng)]
    return Channel(
        names=tuple(name for name, _ in steps),
        steps=tuple(_seeded(step, int(rng.integers(2**31))) for _, step in steps),
    )


def _seeded(step: SoundStep, seed: int) -> partial[Waveform]:
    return partial(_run, step, seed)


def _run(step: SoundStep, seed: int, waveform: Waveform) -> Waveform:
    return step(waveform, np.random.default_rng(seed))


def _place(rng: np.random.Generator) -> _Steps:
    """A room, or a loudspeaker in one; and what else is heard there."""
    steps: _Steps = []
    kind, t60_s, distance_m = rng.random(), rng.uniform(0.15, 0.8), rng.uniform(0.2, 2.5)
    if kind < 0.1:
        speaker = _SPEAKERS[int(rng.integers(len(_SPEAKERS)))]
        heard = replay.Recording(
            t60_s=t60_s, distance_m=min(distance_m, 1.5), snr_db=rng.uniform(12, 35)
        )
        steps.append(("replay", lambda w, r: replay.replay(w, speaker, heard, r)))
    elif kind < 0.3:
        steps.append(("room", lambda w, r: rooms.in_room(w, t60_s, distance_m, r)))
    if rng.random() < 0.4:
        steps.append(_noise(rng))
    return steps


def _noise(rng: np.random.Generator) -> tuple[str, SoundStep]:
    kind, snr_db, colour = rng.random(), rng.uniform(5, 35), rng.uniform(0, 2)
    if kind < 0.2:
        return "babble", lambda w, r: noise.add_babble(w, snr_db, r)
    if kind < 0.3:
        return "hum", lambda w, r: noise.add_hum(w, snr_db, r)
    return "noise", lambda w, r: degrade.add_noise(w, snr_db, colour, r)


def _microphone(rng: np.random.Generator) -> _Steps:
    """Level, clipping, automatic gain, and the sampling rates of programs on the way."""
    steps: _Steps = []
    gain_db, share = rng.uniform(-24, 0), 10 ** rng.uniform(-4, -1.5)
    target_dbfs, release_s = rng.uniform(-26, -14), 10 ** rng.uniform(-1.5, 0)
    rates_hz = _RATES_HZ[int(rng.integers(len(_RATES_HZ)))]
    if rng.random() < 0.5:
        steps.append(("gain", lambda w, _: degrade.scale_gain(w, gain_db)))
    if rng.random() < 0.1:
        steps.append(("clipping", lambda w, _: degrade.clip_peaks(w, share)))
    if rng.random() < 0.15:
        steps.append(
            ("agc", lambda w, _: lines.automatic_gain(w, target_dbfs, release_s=release_s))
        )
    if rng.random() < 0.1:
        steps.append(("rates", lambda w, _: lines.resample_through(w, rates_hz)))
    return steps


def _way(rng: np.random.Generator) -> _Steps:
    """How it gets to the judge: 25 % untouched, 25 % a file, 35 % a call, 15 % both."""
    kind = rng.random()
    if kind < 0.25:
        return []
    if kind < 0.5:
        return _file(rng)
    if kind < 0.85:
        return _call(rng)
    return _file(rng) + _call(rng) if kind < 0.93 else _call(rng) + _file(rng)


def _file(rng: np.random.Generator) -> _Steps:
    names = FILE_CODECS[str(rng.choice(list(FILE_CODECS)))]
    return [_codec(str(rng.choice(names)))]


def _call(rng: np.random.Generator) -> _Steps:
    """A line, its codec, perhaps another codec at a gateway; packets get lost in the first."""
    band, steps = rng.random(), list[tuple[str, SoundStep]]()
    if band < 0.2:
        steps.append(("narrow band", lambda w, _: degrade.narrow_band(w)))
    elif band < 0.35:
        steps.append(("telephone band", lambda w, _: degrade.telephone_band(w)))
    name = _call_codec(rng)
    if rng.random() < 0.25:
        share, concealed = rng.uniform(0.01, 0.1), rng.random() < 0.75
        mute = not concealed and CODECS[name].lost_packet is None
        steps.append((f"{name} with loss", lossy_call(name, share, concealed=not mute)))
    else:
        steps.append(_codec(name))
    return [*steps, _codec(_call_codec(rng))] if rng.random() < 0.15 else steps


def _call_codec(rng: np.random.Generator) -> str:
    return str(rng.choice(CALL_CODECS[str(rng.choice(list(CALL_CODECS), p=_SHARES))]))


def _codec(name: str) -> tuple[str, SoundStep]:
    return name, lambda w, _: through_codec(w, name)
