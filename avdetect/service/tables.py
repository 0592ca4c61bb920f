"""The tables of the store. Times are seconds since 1970 (UTC), so that both stores compare alike.

A test holds what stands here and what ``migrations/versions`` makes together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Double


class Base(DeclarativeBase):
    """Root of the tables."""

    type_annotation_map = {float: Double(), dict[str, Any]: JSON(), int: Integer()}  # noqa: RUF012


class KeyRow(Base):
    """An API key: its secret's hash, never the secret. Keys of one owner see the same scans."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    owner: Mapped[str] = mapped_column(String(100), index=True)
    secret_sha256: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(200))  # separated by spaces, sorted
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    revoked_at: Mapped[float | None]


class ScanRow(Base):
    """A scan and its job: queued, held by a worker under a lease, or done for good."""

    __tablename__ = "scans"
    __table_args__ = (
        UniqueConstraint("owner", "idempotency_sha256", name="uq_scans_idempotency"),
        Index("ix_scans_claim", "state", "ready_at"),
        Index("ix_scans_list", "owner", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(100))
    key_id: Mapped[str] = mapped_column(String(16))
    idempotency_sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[float]
    media_sha256: Mapped[str] = mapped_column(String(64))
    media_bytes: Mapped[int] = mapped_column(BigInteger)
    media_suffix: Mapped[str] = mapped_column(String(8))
    options: Mapped[dict[str, Any]]
    webhook: Mapped[str | None] = mapped_column(Text)

    state: Mapped[str] = mapped_column(String(8))
    ready_at: Mapped[float]  # queued: not before; running: the lease ends
    lease: Mapped[str | None] = mapped_column(String(32))  # a fresh token for every claim
    attempts: Mapped[int]

    finished_at: Mapped[float | None]
    decision: Mapped[str | None] = mapped_column(String(16))
    fake_llr: Mapped[float | None]
    verdict: Mapped[str | None] = mapped_column(Text)
    media_kept: Mapped[bool]


class DeliveryRow(Base):
    """A webhook call that is still to be made; the row goes when it was answered or given up."""

    __tablename__ = "deliveries"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"), index=True)
    ready_at: Mapped[float] = mapped_column(index=True)
    attempts: Mapped[int]


class AuditRow(Base):
    """One entry of the audit log: never changed, chained to the one before by its hash."""

    __tablename__ = "audit_log"

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    at: Mapped[float]
    actor: Mapped[str] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(32), index=True)
    subject: Mapped[str] = mapped_column(String(100))
    facts: Mapped[str] = mapped_column(Text)  # JSON as it was hashed
    sha256: Mapped[str] = mapped_column(String(64))


class AuditHeadRow(Base):
    """The one row that says where the chain ends; locking it puts writers in line."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))


class SettingRow(Base):
    """What operators change while the service runs, such as the model in use."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[dict[str, Any]]
