"""The console's tables: who may come in, who is in, who failed to, and what was done."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Optional

import sqlalchemy as sa

metadata = sa.MetaData()


class Moment(sa.types.TypeDecorator):  # type: ignore[misc]
    """A moment in UTC. SQLite forgets the time zone; this puts it back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Optional[datetime], dialect: Any) -> Optional[datetime]:
        return value.astimezone(timezone.utc) if value else None

    def process_result_value(self, value: Optional[datetime], dialect: Any) -> Optional[datetime]:
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


account = sa.Table(
    "staff_account",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("full_name", sa.String, nullable=False),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("password", sa.String),
    sa.Column("must_change", sa.Boolean, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("link", sa.String, unique=True),
    sa.Column("link_until", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("seen_at", Moment),
)
"""`password` is an argon2 hash (null: none set yet), `link` the digest of a one-time link to set it."""

session = sa.Table(
    "staff_session",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("account", sa.Integer, nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("flashes", sa.JSON, nullable=False),
)
"""`id` is the digest of the cookie's token: who reads the table cannot take over a session."""

attempt = sa.Table(
    "staff_attempt",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("address", sa.String, nullable=False, index=True),
    sa.Column("at", Moment, nullable=False, index=True),
)
"""Log-ins that failed. `name` is a digest of what was typed: people type passwords there by mistake."""

audit = sa.Table(
    "staff_audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("who", sa.String, nullable=False, index=True),
    sa.Column("address", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False, index=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)
"""Append-only: the database itself refuses to change or delete a row (migration 0005)."""

handled_question = sa.Table(
    "handled_question",
    metadata,
    sa.Column("digest", sa.String, primary_key=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
"""Unanswered questions that were dealt with, by a digest of their words: those go with the person who said them."""

upload = sa.Table(
    "staff_upload",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("account", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""A file between its preview and the word to load it; in the database, so that any server can go on with it.
`version` is the catalogue's when it was previewed."""
