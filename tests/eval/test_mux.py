"""Packet copy keeps the offset between picture and sound, on files made in code."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from eval.mux import mux


def write_flashes(path: Path, *, at_s: float, start_s: float = 0.0, rate: int = 25) -> Path:
    """A black second and a half with white frames from ``at_s`` on; H.264 with B-frames."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate, options={"bf": "2"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(int(1.5 * rate)):
            time_s = start_s + number / rate
            level = 255 if time_s >= at_s - 1e-6 else 0
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8))
            frame.pts = round(time_s * rate)
            frame.time_base = Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_onset(path: Path, *, at_s: float) -> Path:
    """Silence, then a tone from ``at_s`` on, as Opus at 48 kHz."""
    wave = np.zeros((1, 72_000), np.float32)
    since_s = np.arange(72_000 - round(at_s * 48_000)) / 48_000
    wave[0, round(at_s * 48_000) :] = 0.5 * np.sin(2 * np.pi * 1000 * since_s)
    with av.open(str(path), "w", format="ogg") as output:
        stream = output.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave, "flt", "mono")
        frame.rate = 48_000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def first_light_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return next(
            float(frame.time)
            for frame in container.decode(video=0)
            if frame.to_ndarray(format="gray").mean() > 128
        )


def first_sound_s(path: Path) -> float:
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.1)
            if loud.size:
                return float(frame.time) + loud[0] / frame.rate
    raise AssertionError("no sound")


@pytest.mark.parametrize(("light_s", "sound_s", "start_s"), [(0.8, 0.8, 0.0), (0.6, 1.0, 0.4)])
def test_mux_keeps_the_offset_of_the_sound(tmp_path, light_s, sound_s, start_s):
    video = write_flashes(tmp_path / "v.mp4", at_s=light_s, start_s=start_s)
    sound = write_onset(tmp_path / "s.opus", at_s=sound_s)
    muxed = mux(video, sound, tmp_path / "both.mkv")
    offset_s = first_sound_s(muxed) - first_light_s(muxed)
    assert offset_s == pytest.approx(first_sound_s(sound) - first_light_s(video), abs=0.002)
    assert offset_s == pytest.approx(sound_s - light_s, abs=0.01)


@pytest.mark.parametrize("delay_s", [0.12, -0.12, 0.5])
def test_sound_can_be_made_late_or_early(tmp_path, delay_s):
    video = write_flashes(tmp_path / "v.mp4", at_s=0.8)
    sound = write_onset(tmp_path / "s.opus", at_s=0.8)
    muxed = mux(video, sound, tmp_path / "both.mkv", sound_delay_s=delay_s)
    assert first_sound_s(muxed) - first_light_s(muxed) == pytest.approx(delay_s, abs=0.01)
