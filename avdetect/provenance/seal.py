"""The seal as a file: one line of JSON, versioned, signed with Ed25519.

What is signed is the body as canonical JSON (sorted keys, no spaces, ASCII); the JSON holds whole
numbers and texts only, so that it reads the same everywhere.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import tempfile
import zlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from avdetect.errors import OutputError, SealError
from avdetect.media.source import display_path
from avdetect.provenance.signing import raw_public_key

SEAL_SUFFIX = ".seal"
SEAL_VERSION = 1
MAX_SEAL_BYTES = 1 << 30
_MAX_BLOB_BYTES = 1 << 30  # unpacked: a hostile seal must not fill the memory

Count = Annotated[int, Field(ge=0, le=1 << 40)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SealedFile(_Frozen):
    """The bytes that were sealed."""

    name: str
    n_bytes: Count
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class SealedRaw(_Frozen):
    """How headerless sound was read."""

    encoding: str
    rate_hz: Count
    channels: Count


class SealedPackets(_Frozen):
    """The packets of one stream; blobs are packed as `pack_blob` does."""

    track: Count
    kind: Literal["audio", "video"]
    codec: str
    n_packets: Count
    n_seconds: Count
    tags: str = Field(description="8 bytes a payload, in file order")
    times_ms: str = Field(description="int64 differences from payload to payload, little-endian")
    links: str = Field(description="16 bytes a second of presentation, chained")


class SealedSound(_Frozen):
    """What one lane of one sound track sounds like."""

    track: Count
    lane: str
    n_channels: Count
    floor_mdb: Annotated[int, Field(ge=-400_000, le=400_000)]
    n_moments: Count
    symbols: str = Field(description="8 bytes a moment of 20 ms: 32 signs of two bits")
    links: str


class SealedPicture(_Frozen):
    """What one picture track shows."""

    track: Count
    width: Count
    height: Count
    still: bool
    side: Annotated[int, Field(ge=4, le=256)]
    planes: Annotated[int, Field(ge=1, le=3)]
    n_moments: Count
    mosaics: str = Field(description="side x side x planes bytes a moment of 200 ms")
    links: str


class SealBody(_Frozen):
    """All that is signed."""

    n_bad_packets: Count = Field(0, description="that could not be decoded when it was sealed")
    format: Literal["avdetect-seal"] = "avdetect-seal"
    version: Literal[1] = 1
    made_at: str = Field(description="UTC, ISO 8601, by the clock of the machine that sealed")
    made_by: str
    chain_key: str = Field(pattern="^[0-9a-f]{64}$")
    file: SealedFile
    raw: SealedRaw | None = None
    duration_ms: Count
    packets: tuple[SealedPackets, ...]
    sounds: tuple[SealedSound, ...]
    pictures: tuple[SealedPicture, ...]


class Signature(_Frozen):
    """Ed25519 over the canonical JSON of the body."""

    algorithm: Literal["ed25519"] = "ed25519"
    public_key: str = Field(pattern="^[0-9a-f]{64}$")
    value: str = Field(pattern="^[0-9a-f]{128}$")


class Seal(_Frozen):
    """A signed seal."""

    body: SealBody
    signature: Signature

    @property
    def n_bad_packets(self) -> int:
        """Packets that could not be decoded when the recording was sealed."""
        return self.body.n_bad_packets


def sign(body: SealBody, key: Ed25519PrivateKey) -> Seal:
    """Put a signature to a body."""
    signature = Signature(
        public_key=raw_public_key(key.public_key()).hex(), value=key.sign(_canonical(body)).hex()
    )
    return Seal(body=body, signature=signature)


def is_signed_well(seal: Seal) -> bool:
    """Whether the signature is that of the key named in the seal, over exactly this body."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(seal.signature.public_key))
    try:
        key.verify(bytes.fromhex(seal.signature.value), _canonical(seal.body))
    except InvalidSignature:
        return False
    return True


def _canonical(body: SealBody) -> bytes:
    return json.dumps(body.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()


def check_target(path: Path, recording: Path, *, replace: bool, key: Path | None = None) -> None:
    """Refuse a name for a seal before the recording is read.

    Raises:
        OutputError: a seal is there already, it is the recording or the key itself, no plain
            file, or nothing can be written there.
    """
    called = display_path(path)
    if os.path.lexists(path):
        if path.exists() and recording.exists() and path.samefile(recording):
            raise OutputError(f"{called}: is the recording itself; name another file with --out")
        if key is not None and path.exists() and key.exists() and path.samefile(key):
            raise OutputError(f"{called}: is the private key itself; name another with --out")
        if path.is_dir():
            raise OutputError(f"{called}: is a folder; name a file with --out")
        if path.exists() and not path.is_file():  # a device would be gone for everybody
            raise OutputError(f"{called}: is a device or pipe, no file; name a file with --out")
        if not replace:
            raise OutputError(f"{called}: is there already; name another with --out, or --replace")
    if not path.parent.is_dir():
        raise OutputError(f"{called}: there is no folder {display_path(path.parent)}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{called}: nothing can be written there; name another file with --out")


def write_seal(seal: Seal, path: Path, *, replace: bool = False) -> None:
    """Write a seal whole or not at all.

    Raises:
        OutputError: one is there already and ``replace`` was not asked for; or nothing can be
            written there.
    """
    called = display_path(path)
    if not replace and os.path.lexists(path):
        raise OutputError(f"{called}: is there already; name another with --out, or use --replace")
    part: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name[:40]}.", delete=False, encoding="ascii"
        ) as stream:
            part = Path(stream.name)
            stream.write(json.dumps(seal.model_dump(mode="json"), separators=(",", ":")) + "\n")
        part.chmod(0o644)
        if replace:
            part.replace(path)
        else:
            _move_to_free_name(part, path)
        part = None
    except OSError as e:
        raise OutputError(f"{called}: the seal cannot be written: {e.strerror}") from e
    finally:  # Ctrl-C, too, leaves nothing half-written
        if part is not None:
            part.unlink(missing_ok=True)


def _move_to_free_name(part: Path, path: Path) -> None:
    try:
        os.link(part, path, follow_symlinks=False)  # unlike a rename, takes nobody's place
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        part.rename(path)
    else:
        part.unlink()


def read_seal(path: Path) -> Seal:
    """Read a seal and check that it is what its signer signed.

    Raises:
        SealError: absent, no seal, of a later version, damaged or tampered with.
    """
    called = display_path(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_SEAL_BYTES + 1)
    except FileNotFoundError as e:
        raise SealError(f"{called}: no such seal; name it with --seal") from e
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise SealError(f"{called}: the seal cannot be read: {reason}") from e
    seal = _parse(data, called)
    if not is_signed_well(seal):
        raise SealError(
            f"{called}: the seal was changed after it was signed, or is damaged; it proves nothing"
        )
    return seal


def _parse(data: bytes, called: str) -> Seal:
    if len(data) > MAX_SEAL_BYTES:
        raise SealError(f"{called}: is too large to be a seal")
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise SealError(f"{called}: is no seal, or a damaged one: it is not whole JSON") from e
    body = found.get("body") if isinstance(found, dict) else None
    if not isinstance(body, dict) or body.get("format") != "avdetect-seal":
        raise SealError(f"{called}: is not a seal of avdetect")
    if body.get("version") != SEAL_VERSION:
        raise SealError(f"{called}: is a seal of version {body.get('version')}; this is version 1")
    try:
        return Seal.model_validate_json(data)
    except ValidationError as e:
        where = ".".join(str(part) for part in e.errors()[0]["loc"])
        at = f", at {where}" if where else ""
        raise SealError(f"{called}: the seal is damaged or tampered with{at}") from e


def pack_blob(values: NDArray[np.generic] | bytes) -> str:
    """Bytes, deflated, as base64."""
    data = values if isinstance(values, bytes) else np.ascontiguousarray(values).tobytes()
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def unpack_blob(text: str, n_bytes: int, called: str) -> bytes:
    """What `pack_blob` packed; ``n_bytes`` is how much it must be.

    Raises:
        SealError: damaged, or of another length.
    """
    try:
        if n_bytes > _MAX_BLOB_BYTES:
            raise ValueError("too large")
        inflater = zlib.decompressobj()
        data = inflater.decompress(base64.b64decode(text, validate=True), n_bytes + 1)
    except (ValueError, binascii.Error, zlib.error) as e:
        raise SealError(f"{called}: the seal is damaged: {e}") from e
    if len(data) != n_bytes:
        raise SealError(f"{called}: the seal is damaged: {len(data)} bytes, not {n_bytes}")
    return data
