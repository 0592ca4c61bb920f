"""First tables: keys, scans with their jobs, deliveries, audit log, settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_GENESIS = "0" * 64


def upgrade() -> None:
    """Make the tables and the head of an empty audit log."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("owner", sa.String(100), nullable=False, index=True),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double()),
        sa.Column("revoked_at", sa.Double()),
    )
    _create_scans()
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column(
            "scan_id",
            sa.String(32),
            sa.ForeignKey("scans.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("ready_at", sa.Double(), nullable=False, index=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("action", sa.String(32), nullable=False, index=True),
        sa.Column("subject", sa.String(100), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "seq": 0, "sha256": _GENESIS}])
    op.create_table(
        "settings",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
    )


def _create_scans() -> None:
    op.create_table(
        "scans",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("idempotency_sha256", sa.String(64)),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("media_sha256", sa.String(64), nullable=False),
        sa.Column("media_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_suffix", sa.String(8), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("webhook", sa.Text()),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("ready_at", sa.Double(), nullable=False),
        sa.Column("lease", sa.String(32)),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.Double()),
        sa.Column("decision", sa.String(16)),
        sa.Column("fake_llr", sa.Double()),
        sa.Column("verdict", sa.Text()),
        sa.Column("media_kept", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("owner", "idempotency_sha256", name="uq_scans_idempotency"),
    )
    op.create_index("ix_scans_claim", "scans", ["state", "ready_at"])
    op.create_index("ix_scans_list", "scans", ["owner", "created_at", "id"])


def downgrade() -> None:
    """Drop everything."""
    for table in ("deliveries", "scans", "api_keys", "audit_log", "audit_head", "settings"):
        op.drop_table(table)
