"""Editing without re-encoding: pieces of files joined packet by packet, by a careful forger."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

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
        streams: dict[str, Any] = {
            s.type: out.add_stream_from_template(s) for s in opened[0][0].streams
        }
        rate = next((s.average_rate for s in opened[0][0].streams.video), None)
        if rate is not None:
            streams["video"].codec_context.framerate = rate
        packets: list[tuple[float, str, Any]] = []
        position_s = Fraction(0)
        for container, start_s, end_s in opened:
            start, end = (Fraction(s).limit_denominator(1000) for s in (start_s, end_s))
            lead = start if packets else Fraction(-10)  # an encoder's lead-in lies before 0
            for packet, kind in _packets_between(container, lead, end):
                _move(packet, position_s - start)
                packets.append((float(packet.dts * packet.time_base), kind, packet))
            position_s += end - start
        for _, kind, packet in sorted(packets, key=lambda p: p[0]):
            packet.stream = streams[kind]
            out.mux(packet)
    return target


def _move(packet: Any, by_s: Fraction) -> None:
    ticks = round(by_s / packet.time_base)
    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks


def _packets_between(
    container: av.container.InputContainer, start: Fraction, end: Fraction
) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    group: Fraction = Fraction(0)
    for packet in container.demux():
        if packet.dts is None or packet.pts is None or packet.time_base is None:
            continue
        kind, time_s = packet.stream.type, packet.pts * packet.time_base
        if kind == "video":
            group = time_s if packet.is_keyframe else group
            time_s = group
        if start - _HALF_TICK <= time_s < end - _HALF_TICK:
            found.append((packet, kind))
    return found
