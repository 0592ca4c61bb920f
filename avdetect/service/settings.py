"""What the service is told when it starts; checked before anything is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avdetect.errors import UsageError

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """Bounds of one decoding process; beyond them it is killed and the input refused.

    Attributes:
        memory_bytes: address space.
        cpu_s: processor seconds.
        stall_s: seconds in which it must have given something, while somebody waits for it.
        media_s: seconds of sound or picture in one input.
    """

    memory_bytes: int = 3 << 30
    cpu_s: int = 1800
    stall_s: float = 120.0
    media_s: float = 4 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Settings of one service; the same for its server and all its workers.

    Attributes:
        folder: of the service's own: uploads, and the database unless ``db`` names another.
        db: database URL; None for SQLite in the folder.
        model: bundle to judge with until another is chosen.
        device: ``auto``, ``cpu`` or ``cuda``.
        max_queue: scans queued or running; beyond it requests get 429.
        max_upload_bytes: of one request.
        upload_s: seconds one upload may take.
        keep_media_h: hours that media is kept after its judgement; 0 deletes it at once.
        keep_results_d: days that scans and verdicts are kept.
        webhook_prefixes: beginnings of the addresses that may be called back; none by default,
            because whoever may name any address can make the service knock anywhere.
        webhook_secret: signs the calls, from ``$AVDETECT_WEBHOOK_SECRET``.
        limits: of one decoding process.

    Raises:
        UsageError: a value makes no sense.
    """

    folder: Path
    db: str | None = None
    model: str = "default"
    device: str = "auto"
    max_queue: int = 100
    max_upload_bytes: int = 512 * MEBIBYTE
    upload_s: float = 600.0
    keep_media_h: float = 0.0
    keep_results_d: float = 30.0
    webhook_prefixes: tuple[str, ...] = ()
    webhook_secret: str | None = None
    limits: DecodeLimits = DecodeLimits()

    def __post_init__(self) -> None:
        for name in ("max_queue", "max_upload_bytes", "upload_s", "keep_results_d"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} is {getattr(self, name)}: it must be above 0")
        if not self.keep_media_h >= 0:
            raise UsageError("media cannot be kept for less than 0 hours")
        for prefix in self.webhook_prefixes:
            # A slash after the host, or https://bank.example would allow bank.example.evil
            if not prefix.startswith(("https://", "http://")) or prefix.count("/") < 3:
                raise UsageError(f"--webhook {prefix}: give a beginning such as https://host/path/")
        if self.webhook_prefixes and not self.webhook_secret:
            raise UsageError("webhooks are signed: set $AVDETECT_WEBHOOK_SECRET")

    @property
    def db_url(self) -> str:
        """Where the database is."""
        return self.db or f"sqlite:///{self.folder / 'avdetect.db'}"

    @property
    def media(self) -> Path:
        """Folder of uploads."""
        return self.folder / "media"

    def media_path(self, scan_id: str) -> Path:
        """Where the media of a scan lies; ids are our own, so no path can be smuggled in."""
        return self.media / scan_id
