"""Put a silent video and its sound into one file without touching either's coded packets."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from fractions import Fraction
from operator import itemgetter
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet


def mux(video: Path, sound: Path, target: Path, *, sound_delay_s: float = 0.0) -> Path:
    """Copy the first video stream of one file and the first sound stream of another into one.

    Packets are copied, not re-encoded, and keep their timestamps: an offset between the two inputs
    is an offset in the output, to the millisecond of Matroska's clock.

    Args:
        video: any file with a video stream.
        sound: any file with a sound stream.
        target: file to write; Matroska (``.mkv``) takes every codec we meet.
        sound_delay_s: how much later the sound is made (earlier where negative).

    Returns:
        ``target``.
    """
    with av.open(str(video)) as pictures, av.open(str(sound)) as sounds:
        with av.open(str(target), "w") as output:
            streams = (
                output.add_stream_from_template(pictures.streams.video[0]),
                output.add_stream_from_template(sounds.streams.audio[0]),
            )
            # Matroska names no rate unless told, and a reader that guesses may gain a frame.
            if (rate := pictures.streams.video[0].average_rate) is not None:
                streams[0].codec_context.framerate = rate
            # No packet may lie before 0: early sound is late pictures.
            delays_s = (max(-sound_delay_s, 0.0), max(sound_delay_s, 0.0))
            both = (
                _packets(pictures, "video", 0, delays_s[0]),
                _packets(sounds, "audio", 1, delays_s[1]),
            )
            for _, index, packet in heapq.merge(*both, key=itemgetter(0)):
                packet.stream = streams[index]
                output.mux(packet)
    return target


def _packets(
    container: InputContainer, kind: str, index: int, delay_s: float
) -> Iterator[tuple[Fraction, int, Packet[Any]]]:
    """Packets of the first stream of a kind, each with the number of its output stream."""
    for packet in container.demux(container.streams.get({kind: 0})):
        if packet.dts is not None and packet.time_base is not None:  # else: the flush at the end
            ticks = round(delay_s / packet.time_base)
            packet.dts += ticks
            packet.pts = None if packet.pts is None else packet.pts + ticks
            yield packet.dts * packet.time_base, index, packet
