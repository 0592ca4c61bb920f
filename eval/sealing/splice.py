"""Editing without re-encoding: pieces of files joined packet by packet, as a careful forger would."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av

Piece = tuple[Path, float, float]  # file, start and end in seconds, between groups of pictures

_HALF_TICK = Fraction(1, 200)


def splice(pieces: list[Piece], target: Path) -> Path:
    """Join pieces of files that were encoded alike; all packets are copied.

    Pictures are taken by whole groups, so a piece begins and ends with one; sound by packets.
    """
    with ExitStack() as stack:
        opened = [(stack.enter_context(av.open(str(p))), a, b) for p, a, b in pieces]
        out = stack.enter_context(av.open(str(target), "w"))
        streams = {s.type: out.add_stream_from_template(s) for s in opened[0][0].streams}
        rate = next((s.average_rate for s in opened[0][0].streams.video), None)
        if rate is not None:
            streams["video"].codec_context.framerate = rate
        packets = []
        position_s = Fraction(0)
        for container, start_s, end_s in opened:
            start, end = Fraction(start_s).limit_denominator(1000), Fraction(end_s).limit_denominator(1000)
            for packet, shown in _packets_between(container, start if packets else Fraction(-10), end):
                moved = round((position_s - start) / packet.time_base)
                packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
                packets.append((float(packet.dts * packet.time_base), shown, packet))
            position_s += end - start
        for _, kind, packet in sorted(packets, key=lambda p: p[0]):
            packet.stream = streams[kind]
            out.mux(packet)
    return target


def _packets_between(
    container: av.container.InputContainer, start: Fraction, end: Fraction
) -> list[tuple[av.Packet, str]]:
    found = []
    group: Fraction = Fraction(0)
    for packet in container.demux():
        if packet.dts is None or packet.pts is None:
            continue
        kind, time_s = packet.stream.type, packet.pts * packet.time_base
        if kind == "video":
            group = time_s if packet.is_keyframe else group
            time_s = group
        if start - _HALF_TICK <= time_s < end - _HALF_TICK:
            found.append((packet, kind))
    return found
