"""The decoding process: opens one file, gives up its rights, and hands out what it decodes.

Started by `avdetect.service.sandbox` as ``python -m avdetect.service.decoder``. It gets a line of
JSON on standard input, writes messages (`clip_wire`) to standard output, and inherits no secrets:
its environment is empty. It may not write a file, start a program, open a socket or gain rights.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import av

from avdetect.errors import AvdetectError, InputLimitError
from avdetect.media.clip import AudioChunk, Clip, open_clip
from avdetect.media.picture import PictureFrame
from avdetect.media.source import RawFormat
from avdetect.service import clip_wire
from avdetect.service.confinement import confine

_MOST_FILES = 32


def main() -> None:
    """Serve one clip, from the request on standard input to the end of standard output."""
    request = json.loads(sys.stdin.buffer.readline())
    # Standard output is ours alone: what a library prints must not fall into the messages.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    with Path(request["path"]).open("rb") as media:
        _import_all_of_av()
        _limit(request["memory_bytes"], request["cpu_s"])
        confine()
        try:
            _serve(request, media, out)
        except AvdetectError as error:
            facts = {"code": error.code, "message": str(error)}
            clip_wire.send(_whole(out), clip_wire.REFUSED, facts)


def _serve(request: dict[str, Any], media: BinaryIO, out: BinaryIO) -> None:
    write = _whole(out)
    raw = RawFormat(**request["raw"]) if request["raw"] else None
    with open_clip(media, raw=raw, name=request["name"]) as clip:
        clip_wire.send(write, clip_wire.OPENED, _facts(clip))
        if not (asked := sys.stdin.buffer.readline()):
            return
        for item in clip.chunks(want_video=json.loads(asked)["want_video"]):
            _check_length(item, request["media_s"], clip.path)
            clip_wire.send_item(write, item)
        damage = {"n_bad_samples": clip.n_bad_samples, "n_bad_packets": clip.n_bad_packets}
        clip_wire.send(write, clip_wire.ENDED, damage)


def _facts(clip: Clip) -> dict[str, Any]:
    return {
        "path": clip.path,
        "sha256": clip.sha256,
        "streams": [asdict(stream) for stream in clip.streams],
        "duration_s": clip.duration_s,
        "has_audio": clip.has_audio,
        "has_video": clip.has_video,
        "is_still": clip.is_still,
        "origin": clip_wire.origin_facts(clip.origin),
    }


def _check_length(item: AudioChunk | PictureFrame, most_s: float, name: str) -> None:
    time_s = item.start_s if isinstance(item, AudioChunk) else item.time_s
    if time_s > most_s:
        raise InputLimitError(f"{name}: is longer than {most_s / 60:g} minutes; cut it into pieces")


def _whole(out: BinaryIO) -> clip_wire.Write:
    def write(data: bytes | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[out.write(rest) :]

    return write


def _import_all_of_av() -> None:
    """PyAV imports some of its modules when a file first needs them: too late once confined."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if module.name not in ("av.__main__", "av.datasets"):
            importlib.import_module(module.name)


def _limit(memory_bytes: int, cpu_s: int) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _MOST_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    # SIGXCPU at the first bound tells why it died; SIGKILL at the second needs no consent.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))


if __name__ == "__main__":
    main()
