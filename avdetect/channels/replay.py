"""A clip played by a loudspeaker and recorded again: how fakes enter through a microphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import add_noise, band_pass, high_pass, rms
from avdetect.channels.rooms import in_room


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudspeaker:
    """What plays the clip.

    Attributes:
        low_hz, high_hz: band it can play (-6 dB, zero phase).
        drive: how far the loudest sample goes into saturation; 0.3 is clean, 2 is a phone at full
            volume.
    """

    low_hz: float
    high_hz: float
    drive: float


HIFI = Loudspeaker(low_hz=60.0, high_hz=7_600.0, drive=0.3)
LAPTOP = Loudspeaker(low_hz=200.0, high_hz=7_000.0, drive=0.8)
PHONE = Loudspeaker(low_hz=450.0, high_hz=6_000.0, drive=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Where and how it is recorded: room, distance, and microphone noise (pink)."""

    t60_s: float
    distance_m: float
    snr_db: float


def replay(
    waveform: Waveform, loudspeaker: Loudspeaker, recording: Recording, rng: np.random.Generator
) -> Waveform:
    """Band, saturation with even and odd harmonics, room, noise; level and clock are kept.

    The order and the parts are those by which the replays of ASVspoof 2019 PA were simulated
    (Todisco et al. 2019); the memoryless curve stands for their generalised polynomial Hammerstein
    models.

    Args:
        waveform: (S,) float32 at 16 kHz.
        loudspeaker: what plays.
        recording: where a microphone hears it.
        rng: draws room and noise.
    """
    played = band_pass(waveform, loudspeaker.low_hz, loudspeaker.high_hz, order=2)
    pushed = loudspeaker.drive * played / max(float(np.abs(played).max(initial=0.0)), 1e-9)
    # A cone is stiffer one way than the other: the offset makes even harmonics.
    bent = np.tanh(pushed + 0.2 * loudspeaker.drive) - np.tanh(0.2 * loudspeaker.drive)
    heard = in_room(bent.astype(np.float32), recording.t60_s, recording.distance_m, rng)
    noisy = high_pass(add_noise(heard, recording.snr_db, 1.0, rng), 60.0)
    return np.asarray(noisy * rms(waveform) / rms(noisy), np.float32)
