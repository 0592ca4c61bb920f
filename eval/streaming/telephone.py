"""A clip as a telephone line carries it."""

from __future__ import annotations

import io
from pathlib import Path

import av


def ulaw_of(path: Path) -> bytes:
    """µ-law at 8 kHz of a clip's first sound stream, mixed to one channel, without a header."""
    out = io.BytesIO()
    with av.open(str(path)) as clip, av.open(out, "w", format="mulaw") as line:
        stream = line.add_stream("pcm_mulaw", rate=8_000, layout="mono")
        shape = av.AudioResampler(format="s16", layout="mono", rate=8_000)
        for frame in clip.decode(audio=0):
            for part in shape.resample(frame):
                line.mux(stream.encode(part))
        for part in shape.resample(None):
            line.mux(stream.encode(part))
        line.mux(stream.encode(None))
    return out.getvalue()
