"""Ed25519 keys (RFC 8032) that sign seals: made, read, and told apart by a fingerprint."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from avdetect.errors import OutputError, UsageError
from avdetect.media.source import display_path

_MAX_KEY_BYTES = 64 << 10  # a key is a few hundred bytes; anything larger is another file
_BAD_KEY = (ValueError, TypeError, UnsupportedAlgorithm)


def public_key_path(private: Path) -> Path:
    """Where the public half lies: ``desk.pem`` has ``desk.pem.pub`` beside it."""
    return private.with_name(private.name + ".pub")


def new_key_pair(private: Path) -> Path:
    """Make a key pair: the private PEM for its owner's eyes (mode 0600), the public one beside it.

    Returns:
        The path of the public key.

    Raises:
        OutputError: a file of that name is there already, or nothing can be written there.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = public_key_path(private)
    _write_new(private, secret, mode=0o600)
    try:
        _write_new(public, _public_pem(key.public_key()), mode=0o644)
    except OutputError:
        private.unlink()
        raise
    return public


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        UsageError: absent, unreadable, protected by a passphrase, or no Ed25519 private key.
    """
    try:
        key = load_pem_private_key(_read(path), password=None)
    except _BAD_KEY as e:
        raise UsageError(f"{display_path(path)}: {_why_no_key(e, 'private')}") from e
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{display_path(path)}: is no Ed25519 key; make one with --new-key")
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key.

    Raises:
        UsageError: absent, unreadable, or no Ed25519 public key.
    """
    try:
        key = load_pem_public_key(_read(path))
    except _BAD_KEY as e:
        raise UsageError(f"{display_path(path)}: {_why_no_key(e, 'public')}") from e
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{display_path(path)}: is no Ed25519 public key")
    return key


def raw_public_key(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def key_fingerprint(raw: bytes) -> str:
    """First 16 hexadecimal digits of the SHA-256 of a raw public key: how people compare keys."""
    return hashlib.sha256(raw).hexdigest()[:16]


def _public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MAX_KEY_BYTES)
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise UsageError(f"{display_path(path)}: the key cannot be read: {reason}") from e


def _why_no_key(error: Exception, half: str) -> str:
    if isinstance(error, TypeError):  # what cryptography raises for a missing passphrase
        return "is protected by a passphrase, which is not supported; give an unprotected key"
    return f"holds no {half} key in PEM form; make a pair with avdetect seal --new-key"


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    try:
        # O_EXCL follows no symbolic link and never takes the place of another key.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError as e:
        raise OutputError(
            f"{display_path(path)}: is there already; a key is never overwritten"
        ) from e
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or str(e)
        raise OutputError(f"{display_path(path)}: the key cannot be written: {reason}") from e
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
    except BaseException as e:
        path.unlink(missing_ok=True)  # half a key is worse than none
        if not isinstance(e, OSError):
            raise
        raise OutputError(f"{display_path(path)}: the key cannot be written: {e.strerror}") from e
