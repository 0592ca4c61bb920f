"""Small recordings made in code, and what forgers do to them."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from avdetect.provenance.seal import Seal
from avdetect.provenance.sealing import make_seal
from avdetect.provenance.verification import Verification
from avdetect.provenance.verifying import verify_file
from tests.synth import Pictures, Sound, constant_rate, encode

RATE_HZ, FPS = 16_000, 25
X264 = {"preset": "veryfast", "x264-params": "keyint=25:min-keyint=25:scenecut=0:bframes=2"}
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def speech(seconds: float, seed: int = 1) -> np.ndarray:
    """(S,) float32 at 16 kHz: syllables no two of which have the same vowel, length or loudness."""
    rng = np.random.default_rng(seed)
    hz = np.fft.rfftfreq(RATE_HZ, 1 / RATE_HZ)
    parts, n = [], 0
    while n < seconds * RATE_HZ:
        size = int(rng.uniform(0.08, 0.3) * RATE_HZ)
        formants = rng.uniform((250, 800, 2000), (900, 2200, 3300))
        shape = sum(np.exp(-(((hz - f) / 150) ** 2)) for f in formants) + 0.01
        pitch = rng.uniform(90, 180)
        voice = np.zeros(RATE_HZ)
        voice[(np.arange(0, 1, 1 / pitch) * RATE_HZ).astype(int)] = 1.0
        sound = np.fft.irfft(np.fft.rfft(voice) * shape, RATE_HZ)[:size] * np.hanning(size)
        parts.append(rng.uniform(0.2, 1.0) * sound / np.abs(sound).max())
        parts.append(np.zeros(int(rng.uniform(0.0, 0.08) * RATE_HZ)))
        n += len(parts[-1]) + len(parts[-2])
    samples = np.concatenate(parts)[: round(seconds * RATE_HZ)]
    return (0.5 * samples + 0.001 * rng.standard_normal(len(samples))).astype(np.float32)


def moving(seconds: float, seed: int = 1, side: int = 96) -> list[np.ndarray]:
    """Soft blobs that wander over a soft ground, 25 a second."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.integers(40, 200, (5, 5, 3), dtype=np.uint8), (side, side))
    paths = rng.uniform(0.5, 2.5, (4, 2)), rng.uniform(0, 6, (4, 2))
    pictures = []
    for n in range(round(seconds * FPS)):
        picture = ground.copy()
        for k in range(4):
            place = (0.5 + 0.35 * np.sin(paths[0][k] * n / FPS + paths[1][k])) * side
            shade = 30 + 60 * k
            cv2.circle(picture, tuple(place.astype(int).tolist()), side // 9, (shade,) * 3, -1)
        pictures.append(cv2.GaussianBlur(picture, (0, 0), 1.5))
    return pictures


def write(path: Path, sound=None, pictures=None, *, codec=None, video="libx264", options=None):
    """Encode samples and pictures; the sound codec follows the container unless it is given."""
    default = {".mp4": "aac", ".m4a": "aac", ".ogg": "libopus", ".wav": "pcm_s16le"}
    codec = codec or default.get(path.suffix, "aac")
    rate = 48_000 if codec == "libopus" else RATE_HZ
    return encode(
        path,
        sound=None if sound is None else _sound(sound, codec, rate),
        pictures=None
        if pictures is None
        else Pictures(
            pictures=pictures,
            times_s=constant_rate(len(pictures), FPS),
            codec=video,
            options=X264 if options is None else options,
        ),
    )


def _sound(samples, codec: str, rate_hz: int) -> Sound:
    samples = np.asarray(samples, np.float32)
    if rate_hz != RATE_HZ:
        samples = np.repeat(samples, rate_hz // RATE_HZ, axis=-1)
    return Sound(samples=samples, rate_hz=rate_hz, codec=codec)


def remux(source: Path, target: Path, keep=lambda stream: True, delay_s=None) -> Path:
    """Copy packets into another container, some streams only, some later."""
    delay_s = delay_s or {}
    with av.open(str(source)) as inside, av.open(str(target), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in inside.streams if keep(s)}
        for packet in inside.demux():
            if packet.dts is None or packet.stream.index not in streams:
                continue
            ticks = round(delay_s.get(packet.stream.type, 0.0) / packet.time_base)
            packet.dts, packet.pts = packet.dts + ticks, packet.pts + ticks
            packet.stream = streams[packet.stream.index]
            out.mux(packet)
    return target


def sealed(path: Path, **options) -> Seal:
    """A seal by the one key of these tests."""
    return make_seal(path, KEY, **options)


def verified(path: Path, seal: Seal, **options) -> Verification:
    """What verifying says."""
    return verify_file(path, seal, **options)
