"""Repeat a file until it is long, packet by packet: hours of media at the cost of a copy."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
from av.stream import Stream


def loop_media(source: Path, target: Path, *, lasting_s: float) -> Path:
    """Copy the packets of a file over and over, each pass starting where the last one ended.

    Args:
        source: file with sound, picture or both.
        target: file to write, of the same container family.
        lasting_s: passes are added until this is reached; the last one is whole.

    Returns:
        ``target``.
    """
    with av.open(str(source)) as container:
        pass_s = max(_end(stream) for stream in container.streams)
    n_passes = -int(-Fraction(lasting_s) // pass_s)
    with av.open(str(source)) as first, av.open(str(target), "w") as output:
        streams = [output.add_stream_from_template(stream) for stream in first.streams]
        last_dts = [-math.inf] * len(streams)
        for number in range(n_passes):
            with av.open(str(source)) as container:
                for packet in container.demux():
                    if packet.dts is None or packet.pts is None or packet.time_base is None:
                        continue
                    shift = round(number * pass_s / packet.time_base)
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    index = packet.stream.index
                    # An encoder's priming reaches back into the pass before: that packet goes.
                    if packet.dts > last_dts[index]:
                        last_dts[index] = packet.dts
                        packet.stream = streams[index]
                        output.mux(packet)
    return target


def _end(stream: Stream) -> Fraction:
    if stream.duration is None or stream.time_base is None:
        raise ValueError("only files that tell their duration can be repeated")
    return (stream.start_time or 0) * stream.time_base + stream.duration * stream.time_base
