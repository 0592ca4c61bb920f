"""Every rung of the robustness grid for sound, in one table.

*Field* is what users meet: codecs at their usual bit rates, noise at 20 dB and more, packet loss up
to 5 % (beyond it a call is given up), a talker within a metre in a furnished room. *Stress* lies
beyond. `python -m eval levels` prints the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from avdetect.channels import degrade, lines, noise, replay, rooms, silence
from avdetect.channels.calls import lossy_call
from avdetect.channels.codecs import CODECS, Waveform, through_codec
from avdetect.channels.levels import Level, Severity, SoundStep

_STRESS_CODECS = frozenset(
    {"g723.1", "g726_16", "g726_24", "amr_4.75", "amr_5.15", "amr_5.9", "amr_6.7"}
    | {"opus_6", "opus_8", "mp3_16", "mp3_24", "aac_16"}
)


def _codec(name: str) -> SoundStep:
    return lambda waveform, _rng: through_codec(waveform, name)


def _chain(*steps: SoundStep) -> SoundStep:
    def step(waveform: Waveform, rng: np.random.Generator) -> Waveform:
        for one in steps:
            waveform = one(waveform, rng)
        return waveform

    return step


def _always(change: Callable[[Waveform], Waveform]) -> SoundStep:
    return lambda waveform, _rng: change(waveform)


def _through(*rates_hz: int) -> SoundStep:
    return lambda waveform, _rng: lines.resample_through(waveform, rates_hz)


def _coloured(colour: float, snr_db: float) -> SoundStep:
    return lambda waveform, rng: degrade.add_noise(waveform, snr_db, colour, rng)


def _babble(snr_db: float) -> SoundStep:
    return lambda waveform, rng: noise.add_babble(waveform, snr_db, rng)


def _hum(snr_db: float) -> SoundStep:
    return lambda waveform, rng: noise.add_hum(waveform, snr_db, rng)


def _room(t60_s: float, distance_m: float) -> SoundStep:
    return lambda waveform, rng: rooms.in_room(waveform, t60_s, distance_m, rng)


def _replay(speaker: replay.Loudspeaker, recording: replay.Recording) -> SoundStep:
    return lambda waveform, rng: replay.replay(waveform, speaker, recording, rng)


def _clipping(share: float) -> SoundStep:
    return lambda waveform, _rng: degrade.clip_peaks(waveform, share)


def _agc(target_dbfs: float, release_s: float) -> SoundStep:
    return lambda waveform, _rng: lines.automatic_gain(waveform, target_dbfs, release_s=release_s)


def _gain(gain_db: float) -> SoundStep:
    """Louder or softer, clipped at full scale."""
    return lambda waveform, _rng: np.clip(degrade.scale_gain(waveform, gain_db), -1.0, 1.0)


def _family(family: str, severity: Severity, steps: dict[str, SoundStep]) -> list[Level]:
    return [
        Level(name=name, family=family, severity=severity, sound=step)
        for name, step in steps.items()
    ]


def _codec_levels() -> list[Level]:
    usual = {name: _codec(name) for name in CODECS if name not in _STRESS_CODECS}
    beyond = {name: _codec(name) for name in CODECS if name in _STRESS_CODECS}
    return [*_family("codec", "field", usual), *_family("codec", "stress", beyond)]


def _loss_levels() -> Iterable[Level]:
    for percent in (1, 3, 5, 10, 20):
        severity: Severity = "field" if percent <= 5 else "stress"
        share = percent / 100
        zeros = {
            f"ulaw_loss_{percent}": lossy_call("ulaw", share, concealed=False),
            f"g722_loss_{percent}": lossy_call("g722", share, concealed=False),
        }
        filled = {
            f"ulaw_loss_{percent}_concealed": lossy_call("ulaw", share, concealed=True),
            f"g722_loss_{percent}_concealed": lossy_call("g722", share, concealed=True),
            f"amr_12.2_loss_{percent}": lossy_call("amr_12.2", share),
            f"opus_16_loss_{percent}": lossy_call("opus_16", share),
        }
        yield from _family("loss", severity, zeros)
        yield from _family("loss_concealed", severity, filled)


def _noise_levels() -> Iterable[Level]:
    for snr_db in (30, 25, 20, 15, 10, 5):
        steps = {
            f"white_{snr_db}db": _coloured(0.0, snr_db),
            f"pink_{snr_db}db": _coloured(1.0, snr_db),
            f"babble_{snr_db}db": _babble(snr_db),
            f"hum_{snr_db}db": _hum(snr_db),
        }
        yield from _family("noise", "field" if snr_db >= 20 else "stress", steps)


_BANDS = {
    "band_8khz": _always(degrade.narrow_band),
    "band_telephone": _always(degrade.telephone_band),
}
_NEAR_ROOMS = {"room_0.2s_0.5m": _room(0.2, 0.5), "room_0.4s_1m": _room(0.4, 1.0)}
_FAR_ROOMS = {"room_0.6s_2m": _room(0.6, 2.0), "room_0.9s_3m": _room(0.9, 3.0)}
_REPLAYS = {
    "replay_hifi": _replay(replay.HIFI, replay.Recording(t60_s=0.2, distance_m=0.3, snr_db=30.0)),
    "replay_laptop": _replay(
        replay.LAPTOP, replay.Recording(t60_s=0.3, distance_m=0.5, snr_db=25.0)
    ),
    "replay_phone": _replay(replay.PHONE, replay.Recording(t60_s=0.3, distance_m=0.3, snr_db=20.0)),
}
_FAR_REPLAYS = {
    "replay_phone_far": _replay(
        replay.PHONE, replay.Recording(t60_s=0.6, distance_m=1.5, snr_db=12.0)
    )
}
_RATES = {
    "rate_8000": _through(8_000),
    "rate_11025": _through(11_025),
    "rate_22050": _through(22_050),
    "rate_44100_12000": _through(44_100, 12_000),
}
_LAUNDERED = {
    "laundered_messenger": _codec("opus_16"),
    "laundered_phone": _chain(_codec("alaw"), _codec("amr_12.2"), _codec("ulaw")),
    "laundered_social": _chain(_codec("aac_48"), _codec("mp3_64")),
    "laundered_forwarded": _chain(
        _codec("mp3_64"), _through(22_050), _coloured(1.0, 25.0), _codec("opus_16")
    ),
    "laundered_meeting": _chain(_agc(-23.0, 0.3), lossy_call("opus_24", 0.03), _codec("aac_48")),
}
_LAUNDERED_HARD = {
    "laundered_replayed_call": _chain(
        _REPLAYS["replay_phone"], _codec("amr_7.4"), lossy_call("ulaw", 0.05)
    ),
    "laundered_three_times": _chain(
        _codec("mp3_32"), _codec("opus_12"), _codec("aac_24"), _codec("mp3_24")
    ),
}
# What stands before the first word changes, nothing moves: a picture would lose its sound.
_SILENCES = {
    "silence_muted": _always(silence.mute_start),
    "silence_room_tone": lambda waveform, rng: silence.room_tone_start(waveform, -60.0, rng),
    "silence_first_0.3s_muted": lambda waveform, _rng: silence.mute_start(waveform, 0.3),
    "silence_first_0.3s_room_tone": lambda waveform, rng: silence.room_tone_start(
        waveform, -60.0, rng, 0.3
    ),
}

_ALL: list[Level] = [
    *_codec_levels(),
    *_loss_levels(),
    *_family("band", "field", _BANDS),
    *_noise_levels(),
    *_family("room", "field", _NEAR_ROOMS),
    *_family("room", "stress", _FAR_ROOMS),
    *_family("replay", "field", _REPLAYS),
    *_family("replay", "stress", _FAR_REPLAYS),
    *_family("resample", "field", _RATES),
    *_family("clipping", "field", {"clipped_0.1": _clipping(0.001), "clipped_1": _clipping(0.01)}),
    *_family("clipping", "stress", {"clipped_5": _clipping(0.05), "clipped_15": _clipping(0.15)}),
    *_family("agc", "field", {"agc": _agc(-23.0, 0.3)}),
    *_family("agc", "stress", {"agc_pumping": _agc(-12.0, 0.03)}),
    *_family("gain", "field", {f"gain_{db:+d}db": _gain(db) for db in (-20, -6, 6)}),
    *_family("gain", "stress", {f"gain_{db:+d}db": _gain(db) for db in (-40, 12, 20)}),
    *_family("laundering", "field", _LAUNDERED),
    *_family("laundering", "stress", _LAUNDERED_HARD),
    *_family("silence", "field", _SILENCES),
]

SOUND_LEVELS: dict[str, Level] = {level.name: level for level in _ALL}
