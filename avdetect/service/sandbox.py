"""A clip that is decoded in another process, which may crash, hang or be taken over by its file.

`open_confined` stands in for `avdetect.media.clip.open_clip`: what it gives has the same facts and
the same stretches of sound and pictures, bit by bit, but every byte of the file is read by a
process of its own (`avdetect.service.decoder`) with little memory, little time and no rights.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from avdetect.errors import InputError, InputLimitError, InputNotFoundError, UnreadableMediaError
from avdetect.media.clip import AudioChunk, Clip, PictureFrame, RawFormat
from avdetect.service import clip_wire
from avdetect.service.settings import DecodeLimits
from avdetect.types import StreamInfo

_PIECE = 1 << 20
_ROOT = Path(__file__).resolve().parents[2]


class DecoderCrashedError(UnreadableMediaError):
    """The decoding process ended without a word; another try may go better."""

    code = "decoder_crashed"


class ConfinedClip(Clip):
    """As `Clip`, decoded elsewhere."""

    def __init__(self, process: _Decoder, facts: dict[str, Any]) -> None:
        try:
            self.path, self.sha256 = str(facts["path"]), str(facts["sha256"])
            self.streams = tuple(StreamInfo(**stream) for stream in facts["streams"])
            self.duration_s = None if facts["duration_s"] is None else float(facts["duration_s"])
            self.has_audio, self.has_video = bool(facts["has_audio"]), bool(facts["has_video"])
            self.is_still = bool(facts["is_still"])
            self.origin = clip_wire.origin(facts["origin"])
        except (KeyError, TypeError, ValueError) as error:
            raise process.misbehaved() from error
        self.n_bad_samples = self.n_bad_packets = 0
        self._process = process

    def close(self) -> None:
        """End the process; closing twice is harmless."""
        self._process.close()

    def chunks(self, *, want_video: bool = True) -> Iterator[AudioChunk | PictureFrame]:
        """As `Clip.chunks`; a process that dies or says nonsense raises `UnreadableMediaError`."""
        self._process.ask({"want_video": want_video})
        while True:
            kind, facts, arrays = self._process.receive()
            if kind == clip_wire.ENDED:
                self.n_bad_samples = int(facts.get("n_bad_samples", 0))
                self.n_bad_packets = int(facts.get("n_bad_packets", 0))
                return
            try:
                item = clip_wire.item(kind, facts, arrays)
            except clip_wire.WireError as error:
                raise self._process.misbehaved() from error
            yield item


class _Decoder:
    """The other process, seen from here."""

    def __init__(self, request: dict[str, Any], stall_s: float) -> None:
        self._name, self._stall_s = request["name"], stall_s
        self._process = subprocess.Popen(
            [sys.executable, "-m", "avdetect.service.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "LANG": "C.UTF-8"},
        )
        self.ask(request)

    def ask(self, request: dict[str, Any]) -> None:
        """Send one line; a process that is gone is found out when its answer is read."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def receive(self) -> tuple[bytes, dict[str, Any], bytearray]:
        """Wait for the next message; raises what the process refused the file for."""
        try:
            kind, facts, arrays = clip_wire.receive(self._read)
        except clip_wire.WireError as error:
            raise self.misbehaved() from error
        except EOFError:
            raise self._end() from None
        if kind == clip_wire.REFUSED:
            raise clip_wire.refusal(facts)
        return kind, facts, arrays

    def misbehaved(self) -> InputError:
        """What to raise when it says what no decoder says: the file may have taken it over."""
        self.close()
        return UnreadableMediaError(f"{self._name}: its decoder gave nonsense; the file is hostile")

    def close(self) -> None:
        """Kill and reap the process; closing twice is harmless."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process.wait()

    def _read(self, size: int) -> bytearray:
        assert self._process.stdout is not None
        descriptor, data = self._process.stdout.fileno(), bytearray()
        ends_at = time.monotonic() + self._stall_s
        while len(data) < size:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, ends_at - time.monotonic()))
            if not ready:
                self.close()
                raise InputLimitError(
                    f"{self._name}: nothing could be decoded of it in {self._stall_s:g} s"
                )
            piece = os.read(descriptor, min(_PIECE, size - len(data)))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _end(self) -> InputError:
        if self._process.wait() == -signal.SIGXCPU:
            return InputLimitError(f"{self._name}: decoding takes more than the time allowed")
        return DecoderCrashedError(f"{self._name}: its decoder crashed; the file is damaged")


def open_confined(
    source: Path, *, raw: RawFormat | None, name: str, limits: DecodeLimits
) -> ConfinedClip:
    """Open a media file in a process of its own.

    Args:
        source: path of the file.
        raw: how to read sound without a header.
        name: what to call it.
        limits: of the process.

    Raises:
        InputError: as `open_clip`; `InputLimitError` also beyond ``limits``.
    """
    if not source.is_file():
        raise InputNotFoundError(f"{name}: its media is not there any more")
    bounds = {key: getattr(limits, key) for key in ("memory_bytes", "cpu_s", "media_s")}
    request = {"path": str(source.absolute()), "name": name, "raw": raw and asdict(raw), **bounds}
    process = _Decoder(request, limits.stall_s)
    try:
        kind, facts, _ = process.receive()
        if kind != clip_wire.OPENED:
            raise process.misbehaved()
        return ConfinedClip(process, facts)
    except BaseException:
        process.close()
        raise
