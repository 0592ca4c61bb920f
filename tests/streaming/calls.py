"""The telephone call of the samples, as its two legs send it."""

from __future__ import annotations

import json

import av
import numpy as np

from tests.paths import SAMPLES
from tests.synth import ulaw_bytes

RATE_HZ = 8_000
PACKET = 160  # bytes of 20 ms, as telephone exchanges send


def call_legs() -> tuple[bytes, bytes]:
    """µ-law of the left and of the right leg, 13 s each."""
    with av.open(str(SAMPLES / "call_synthetic.wav")) as container:
        frames = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
    samples = np.concatenate(frames).astype(np.float32).T / 32768
    return ulaw_bytes(samples[0]), ulaw_bytes(samples[1])


def packets(sound: bytes, size: int = PACKET) -> list[bytes]:
    """Sound in packets; the last may be shorter."""
    return [sound[begin : begin + size] for begin in range(0, len(sound), size)]


def without_stream_facts(verdict) -> dict:
    """A verdict as JSON, for comparing."""
    return json.loads(verdict.to_json())
