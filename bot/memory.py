"""What the bot remembers of people, and for how long; nothing of those who did not agree to it.

Vietnam's law on personal data (91/2025/QH15) asks for consent before storing, and for deletion on request. People
are kept under a keyed digest of their channel's id, so that the table alone names nobody; messages are masked
(telephone, identity numbers, e-mail) before they are written.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional

import sqlalchemy as sa

KEPT_DAYS = 90
"""Messages of people who agreed are deleted after so many days."""

metadata = sa.MetaData()
consent = sa.Table(
    "consent",
    metadata,
    sa.Column("person", sa.String, primary_key=True),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
)
message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("person", sa.String, nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("turn", sa.Integer),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("answer", sa.JSON, nullable=False),
)
long_payload = sa.Table(
    "long_payload",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("payload", sa.Text, nullable=False),
)

_MASKS = (
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"), "[thư điện tử]"),
    (re.compile(r"(?<![\d/.-])\d(?:[ .]?\d){11}(?![\d/.-])"), "[số định danh]"),
    (re.compile(r"(?<![\d/.-])(?:\+?84|0)(?:[ .-]?\d){9,10}(?!\d)"), "[số điện thoại]"),
    (re.compile(r"(?<![\d/.-])\d{9}(?![\d/.-])"), "[số giấy tờ]"),
)

MASKED = re.compile(r"\[[^\]]*\]")
"""What `mask` leaves in the place of a number or an address; it is about nothing."""


def mask(text: str) -> str:
    """The text without numbers and addresses that lead to a person."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


class Memory:
    """The tables above in one database."""

    def __init__(self, engine: sa.engine.Engine, key: bytes) -> None:
        """`key`: secret, at least 16 bytes; without it nobody can tell who a row is about."""
        self._engine = engine
        self._key = key

    def person(self, channel: str, id: str) -> str:
        """The name under which a person is kept: a keyed digest of the channel and their id there."""
        return hmac.new(self._key, f"{channel}:{id}".encode(), hashlib.sha256).hexdigest()[:32]

    def agree(self, channel: str, person: str) -> None:
        if not self.has_agreed(person):
            values = {"person": person, "channel": channel, "agreed_at": _now()}
            # Two servers may be told at the same time.
            with suppress(sa.exc.IntegrityError), self._engine.begin() as connection:
                connection.execute(sa.insert(consent).values(**values))

    def has_agreed(self, person: str) -> bool:
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(consent.c.person).where(consent.c.person == person))
            return found.first() is not None

    def forget(self, person: str) -> int:
        """Delete everything kept of a person, their consent too; gives the number of messages deleted."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(consent).where(consent.c.person == person))
            count = int(connection.execute(sa.delete(message).where(message.c.person == person)).rowcount)
        self._clear_log()
        return count

    def note(self, channel: str, person: str, turn: int, text: str, answer: Mapping[str, Any]) -> None:
        """Keep a question with the gist of its answer, if the person agreed; `turn` is its number in the journal."""
        if not self.has_agreed(person):
            return
        values = {"person": person, "channel": channel, "turn": turn, "at": _now()}
        values |= {"text": mask(text), "answer": dict(answer)}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(message).values(**values))

    def messages(self, person: str) -> list[str]:
        """The (masked) questions kept of a person, oldest first."""
        query = sa.select(message.c.text).where(message.c.person == person).order_by(message.c.id)
        with self._engine.connect() as connection:
            return [str(text) for text in connection.execute(query).scalars()]

    def shorten(self, payload: str, longest: int) -> str:
        """A payload that fits on a button: itself, or an id by which `lengthen` finds it."""
        if len(payload.encode()) <= longest:
            return payload
        short = "#" + hashlib.sha256(payload.encode()).hexdigest()[:32]
        if self.lengthen(short) is None:
            with suppress(sa.exc.IntegrityError), self._engine.begin() as connection:
                connection.execute(sa.insert(long_payload).values(id=short, payload=payload))
        return short

    def lengthen(self, short: str) -> Optional[str]:
        """The payload of a button; None if the id is not known."""
        if not short.startswith("#"):
            return short
        with self._engine.connect() as connection:
            query = sa.select(long_payload.c.payload).where(long_payload.c.id == short)
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else str(found)

    def purge(self) -> None:
        """Delete what was kept long enough."""
        old = message.c.at < _now() - timedelta(days=KEPT_DAYS)
        with self._engine.begin() as connection:
            connection.execute(sa.delete(message).where(old))
        self._clear_log()

    def _clear_log(self) -> None:
        """SQLite's write-ahead log still holds what was deleted; left alone if somebody is reading just now."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def key_in(path: Path) -> bytes:
    """The secret key in a file, made there on first use, readable by nobody else."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32), encoding="ascii")
    return path.read_text(encoding="ascii").strip().encode()


def _now() -> datetime:
    return datetime.now(timezone.utc)
