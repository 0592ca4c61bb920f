"""What a user hands in, made into fixed bytes that can be hashed and decoded.

A path, bytes, a binary stream or sound in an array all become one `Source`: a known number of
bytes, their sha256, and independent readers over them, so that hash and verdict are about the same
bytes. Nothing here decodes.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from numpy.typing import NDArray

from avdetect.errors import InputError, InputLimitError, InputNotFoundError, UnreadableMediaError
from avdetect.media.arrays import wav_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

# Bytes are the content of a file, never its name; a name in bytes is handed in as ``os.fsdecode``.
_ACCEPTED = "a path, bytes, a binary file object, or (samples, rate_hz)"
SourceLike = (
    (str | os.PathLike[str] | os.PathLike[bytes] | bytes | bytearray | memoryview)
    | IO[bytes]
    | tuple[NDArray[Any], int]
)

READ_BYTES = 1 << 20
MAX_SPOOL_BYTES = 16 << 30  # an endless stream must not fill the disk
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


@dataclass(frozen=True, slots=True)
class RawFormat:
    """How to read sound without a header, such as the payload of a telephone call.

    Attributes:
        encoding: ``ulaw``, ``alaw`` (ITU-T G.711) or ``s16le`` (16-bit linear, little-endian).
        rate_hz: samples a second of each channel.
        channels: number of interleaved channels.
    """

    encoding: str
    rate_hz: int = 8000
    channels: int = 1


class _Reader(io.RawIOBase):
    """A seekable view of ``size`` bytes, with a position of its own."""

    def __init__(self, read_at: Callable[[int, int], bytes], size: int) -> None:
        self._read_at, self._size, self._position = read_at, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._position)
        data = self._read_at(left if size < 0 else min(size, left), self._position)
        self._position += len(data)
        return data

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)


@dataclass(slots=True)
class Source:
    """Fixed bytes under a name; use as a context manager.

    Attributes:
        name: what messages and the wire call it (see `display_path`).
        size: number of bytes, noted when it was opened.
        sha256: of exactly these bytes, lower-case hexadecimal.
        suffix: lower-case file name extension without the dot, or empty.
    """

    name: str
    size: int
    suffix: str
    _read_at: Callable[[int, int], bytes]
    _close: Callable[[], None] = lambda: None
    _stamp: Callable[[], tuple[int, int] | None] = lambda: None
    sha256: str = ""
    _opened: tuple[int, int] | None = field(default=None, init=False)
    _failure: OSError | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._opened = self._stamp()
        if not self.sha256:
            self.sha256 = self._hash()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def reader(self) -> BinaryIO:
        """A fresh seekable reader over the bytes; several may be in use at once."""
        return _Reader(self._read_noted, self.size)  # type: ignore[return-value]

    def check_unchanged(self) -> None:
        """Raise InputError where the file is no longer what was hashed, or failed to be read."""
        if self._failure is not None:
            raise InputError(f"{self.name}: cannot be read: {_reason(self._failure)}")
        if self._stamp() != self._opened:
            raise InputError(
                f"{self.name}: changed while it was read; try again when it is complete"
            )

    def close(self) -> None:
        """Let go of the file; a temporary copy vanishes."""
        self._close()
        self._close = lambda: None

    def _read_noted(self, size: int, offset: int) -> bytes:
        # A demuxer takes a failing disk for the end of the file: remember what it was.
        try:
            return self._read_at(size, offset)
        except OSError as e:
            self._failure = e
            raise

    def _hash(self) -> str:
        digest, position = hashlib.sha256(), 0
        while data := self._read_at(min(READ_BYTES, self.size - position), position):
            digest.update(data)
            position += len(data)
        if position != self.size:
            raise InputError(
                f"{self.name}: changed while it was read; try again when it is complete"
            )
        return digest.hexdigest()


def display_path(path: str | bytes | os.PathLike[Any]) -> str:
    r"""A file name as valid UTF-8 on one line; control characters and bad bytes show as ``\xNN``.

    A backslash is doubled, so that two different names never look the same.
    """
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:  # half a surrogate pair: no file has such a name, but it is shown
        name = str(os.fspath(path)).encode("utf-8", "surrogatepass")
    text = name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Zl", "Zp") or character in _BIDI_CONTROLS:
        return character.encode("unicode_escape").decode("ascii")
    return character


def open_source(source: SourceLike, *, name: str | None = None) -> Source:
    """Open anything a user may hand in.

    Args:
        source: a path (str or PathLike); bytes, which are the content of a file; a binary file
            object, read from where it stands and not closed (one that cannot seek is copied to a
            temporary file); or ``(samples, rate_hz)`` with (S,), (C, S) or (S, C) float or int16.
        name: what to call it; a path is called by itself otherwise.

    Raises:
        InputNotFoundError: nothing is there or it may not be read.
        UnreadableMediaError: it is empty.
        InputError: a folder, a pipe, a text stream or a file that changes meanwhile.
    """
    called = source_name(source, name)
    if isinstance(source, str | os.PathLike):
        return _open_path(source, called)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), called)
    if isinstance(source, tuple):
        return _from_array(source, called)
    if hasattr(source, "read"):
        return _open_stream(source, called)
    raise InputError(f"{called}: hand in {_ACCEPTED}")


def source_name(source: SourceLike, name: str | None = None) -> str:
    """What an input is called in messages and on the wire: ``name``, its path, or its kind."""
    if name:
        return name
    if isinstance(source, str | os.PathLike):
        return display_path(source)
    if isinstance(source, bytes | bytearray | memoryview):
        return "<bytes>"
    if isinstance(source, tuple):
        return "<array>"
    return _stream_name(source) if hasattr(source, "read") else type(source).__name__


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1][1:].lower()  # noqa: PTH122  (the name need not be a path)


def _from_bytes(data: bytes, name: str, suffix: str | None = None) -> Source:
    if not data:
        raise UnreadableMediaError(f"{name}: is empty (0 bytes)")

    def read_at(size: int, offset: int) -> bytes:
        return data[offset : offset + size]

    return Source(name, len(data), _suffix(name) if suffix is None else suffix, read_at)


def _from_array(sound: tuple[NDArray[Any], int], name: str) -> Source:
    try:
        return _from_bytes(wav_bytes(sound, name), name, "wav")
    except ValueError as e:  # NumPy's, of rows of unequal length
        raise InputError(f"{name}: want samples of one length in every channel: {e}") from e


def _open_path(path: str | os.PathLike[Any], name: str) -> Source:
    try:
        # Non-blocking, or opening a pipe without a writer would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as e:
        raise InputNotFoundError(f"{name}: no such file") from e
    except PermissionError as e:
        raise InputNotFoundError(f"{name}: may not be read: permission denied") from e
    except (OSError, ValueError) as e:
        raise InputNotFoundError(f"{name}: cannot be opened: {_reason(e)}") from e
    try:
        _require_regular(os.fstat(descriptor).st_mode, name)
        return _from_descriptor(descriptor, 0, name, _suffix(name))
    except BaseException:
        os.close(descriptor)
        raise


def _require_regular(mode: int, name: str) -> None:
    if stat.S_ISDIR(mode):
        raise InputError(f"{name}: is a folder, not a clip; name the files in it")
    if not stat.S_ISREG(mode):
        kind = "pipe" if stat.S_ISFIFO(mode) else "device or socket"
        raise InputError(f"{name}: is a {kind}, not a file; feed it through standard input (-)")


def _from_descriptor(descriptor: int, start: int, name: str, suffix: str) -> Source:
    """A source over an open file from byte ``start``; it owns the descriptor once returned."""

    def stamp() -> tuple[int, int]:
        now = os.fstat(descriptor)
        return now.st_size, now.st_mtime_ns

    def read_at(size: int, offset: int) -> bytes:
        return os.pread(descriptor, size, start + offset)

    size = max(0, os.fstat(descriptor).st_size - start)
    if not size:
        raise UnreadableMediaError(f"{name}: is empty (0 bytes)")
    try:
        return Source(name, size, suffix, read_at, lambda: os.close(descriptor), stamp)
    except OSError as e:
        raise InputError(f"{name}: cannot be read: {_reason(e)}") from e


def _stream_name(stream: IO[bytes]) -> str:
    try:
        name = getattr(stream, "name", None)
    except ValueError:  # detached from its file
        name = None
    # A gzip stream over anything but a file has an empty one.
    return display_path(name) if isinstance(name, str | bytes) and name else "<stream>"


def _open_stream(stream: IO[bytes], name: str) -> Source:
    suffix = _suffix(name)
    try:
        descriptor = _file_of(stream)
    except (OSError, ValueError) as e:
        raise InputError(f"{name}: cannot be read: {_reason(e)}; hand in an open file") from e
    if descriptor is None:
        return _spool(stream, name, suffix)
    try:
        return _from_descriptor(descriptor, stream.tell(), name, suffix)
    except BaseException:
        os.close(descriptor)
        raise


def _file_of(stream: IO[bytes]) -> int | None:
    """A descriptor of our own of the regular file behind a stream, None where there is none.

    Raises:
        OSError, ValueError: the stream is closed, or detached from its file.
    """
    # Only Python's own file readers: a gzip file's fileno() is that of the packed file.
    raw = stream.raw if isinstance(stream, io.BufferedReader) else stream
    if isinstance(raw, io.FileIO) and stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return os.dup(raw.fileno())
    return None


def _spool(stream: IO[bytes], name: str, suffix: str) -> Source:
    """Copy a stream to a temporary file without a name, so that nothing is left behind."""
    with tempfile.TemporaryFile(prefix="avdetect-") as spool:
        try:
            while data := stream.read(READ_BYTES):
                if not isinstance(data, bytes | bytearray | memoryview):
                    raise InputError(f"{name}: gives text; open it in binary mode ('rb')")
                spool.write(data)
                if spool.tell() > MAX_SPOOL_BYTES:
                    raise InputLimitError(f"{name}: more than {MAX_SPOOL_BYTES >> 30} GiB streamed")
            spool.flush()
        except InputError:
            raise
        except Exception as e:  # streams raise what they like: EOFError, zlib's, an HTTP client's
            raise InputError(f"{name}: cannot be read: {_reason(e)}") from e
        descriptor = os.dup(spool.fileno())
    try:
        return _from_descriptor(descriptor, 0, name, suffix)
    except BaseException:
        os.close(descriptor)
        raise


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
