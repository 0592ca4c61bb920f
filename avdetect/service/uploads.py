"""Uploads: streamed to disk as they arrive, hashed on the way, whole or not there at all."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from typing import Any, BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from avdetect.service import refusals
from avdetect.service.settings import ServiceSettings

PART_SUFFIX = ".part"
_SUFFIX = re.compile(r"[a-z0-9]{1,8}")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A clip on our disk.

    Attributes:
        scan_id: the id it will have as a scan, and its file's name.
        sha256: of its bytes, hex.
        n_bytes: its size.
        suffix: of the file's name as given, such as ``wav``; the rest of the name is forgotten.
    """

    scan_id: str
    sha256: str
    n_bytes: int
    suffix: str


async def receive(request: Request, settings: ServiceSettings) -> Upload:
    """Store the clip in a request's body: raw bytes, or the one file of a multipart form.

    Raises:
        RefusedError: too large, too slow, compressed, malformed, empty, or the disk is full; then
            nothing is left on disk.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise refusals.packed_body()
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared) > settings.max_upload_bytes:
        raise refusals.too_large(settings.max_upload_bytes)
    scan_id = secrets.token_hex(16)
    part = settings.media / f"{scan_id}{PART_SUFFIX}"
    try:
        async with asyncio.timeout(settings.upload_s):
            with part.open("xb") as file:
                sink = _Sink(file, settings.max_upload_bytes)
                suffix = await _store(request, sink)
                await run_in_threadpool(_sync, file)
        if not sink.n_bytes:
            raise refusals.wrong_body("the body is empty: send the bytes of a clip")
        part.replace(settings.media_path(scan_id))
        return Upload(scan_id=scan_id, sha256=sink.sha256, n_bytes=sink.n_bytes, suffix=suffix)
    except TimeoutError:
        raise refusals.too_slow(settings.upload_s) from None
    except ClientDisconnect:
        raise refusals.wrong_body("the connection was closed before the end") from None
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise refusals.no_space() from error
        raise
    finally:
        part.unlink(missing_ok=True)


async def _store(request: Request, sink: _Sink) -> str:
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data":
        await _drain(request.stream(), sink.write)
        return _suffix(request.query_params.get("suffix", ""))
    boundary = options.get(b"boundary")
    if not boundary:
        raise refusals.wrong_body("the multipart form names no boundary")
    form = _Form(boundary, sink)
    try:
        await _drain(request.stream(), form.write)
        form.finish()
    except FormParserError as error:
        raise refusals.wrong_body("the multipart form is malformed") from error
    return form.suffix


async def _drain(stream: AsyncIterator[bytes], write: Any) -> None:
    async for data in stream:
        if data:
            await run_in_threadpool(write, data)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _suffix(name: str) -> str:
    suffix = name.rpartition(".")[2].lower()
    return suffix if _SUFFIX.fullmatch(suffix) else ""


class _Sink:
    """A file that grows to a limit and knows its hash."""

    def __init__(self, file: BinaryIO, most_bytes: int) -> None:
        self._file, self._most_bytes = file, most_bytes
        self._hash = hashlib.sha256()
        self.n_bytes = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        self.n_bytes += len(data)
        if self.n_bytes > self._most_bytes:
            raise refusals.too_large(self._most_bytes)
        self._hash.update(data)
        self._file.write(data)


class _Form:
    """The one file of a multipart form, passed on as it is parsed; everything else is refused."""

    _MOST_HEADERS = 8 << 10

    def __init__(self, boundary: bytes, sink: _Sink) -> None:
        self._sink = sink
        self._n_parts, self._n_header_bytes = 0, 0
        self._field, self._value = bytearray(), bytearray()
        self._is_whole = False
        self.suffix = ""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._head(
                    self._field, data[start:end]
                ),
                "on_header_value": lambda data, start, end: self._head(
                    self._value, data[start:end]
                ),
                "on_header_end": self._end_header,
                "on_part_data": lambda data, start, end: self._sink.write(data[start:end]),
                "on_end": self._end,
            },
        )

    def write(self, data: bytes) -> None:
        self._parser.write(data)

    def finish(self) -> None:
        self._parser.finalize()
        if not self._is_whole:
            raise refusals.wrong_body("the multipart form is cut off")

    def _begin(self) -> None:
        self._n_parts += 1
        if self._n_parts > 1:
            raise refusals.wrong_body("the form must hold one file and nothing else")

    def _head(self, text: bytearray, data: bytes) -> None:
        self._n_header_bytes += len(data)
        if self._n_header_bytes > self._MOST_HEADERS:
            raise refusals.wrong_body("the headers of the form's file are too long")
        text += data

    def _end_header(self) -> None:
        if bytes(self._field).lower() == b"content-disposition":
            head = Message()
            head["content-disposition"] = self._value.decode("latin-1")
            self.suffix = _suffix(head.get_filename() or "")
        self._field.clear()
        self._value.clear()

    def _end(self) -> None:
        self._is_whole = True
