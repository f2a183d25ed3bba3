"""What the bot is asked and how it fares, in numbers: one row a turn, with nothing that says who asked.

The figures of the staff console are counted from these rows. The words of a question are kept elsewhere
(`bot.memory`), and only of people who agreed to it.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from bot.memory import mask, metadata

SILENCE = 30 * 60
"""Seconds without a message after which a conversation counts as a new session."""
MOST_SESSIONS = 50_000

turn = sa.Table(
    "turn",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("channel", sa.String, nullable=False),
    sa.Column("session", sa.String, nullable=False),
    sa.Column("typed", sa.Boolean, nullable=False),
    sa.Column("kind", sa.String),
    sa.Column("facet", sa.String),
    sa.Column("procedure", sa.String),
    sa.Column("unit", sa.String),
    sa.Column("confidence", sa.Float),
    sa.Column("seconds", sa.Float),
)
thumb = sa.Table(
    "thumb",
    metadata,
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("up", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text),
)


class Journal:
    """The tables above in one database."""

    def __init__(self, engine: sa.engine.Engine) -> None:
        self._engine = engine
        self._sessions: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def turn(self, channel: str, conversation: str, typed: bool, payload: Mapping[str, Any], seconds: float) -> int:
        """Count a turn; gives its number, by which it can be rated.

        Args:
            conversation: tells turns of one session from those of another; is not written.
            typed: words, rather than a tap.
            payload: the answer's, as in docs/architecture.md.
        """
        values = {
            "at": _now(),
            "channel": channel,
            "session": self._session(f"{channel}:{conversation}"),
            "typed": typed,
            "kind": payload.get("kind"),
            "facet": payload.get("facet"),
            "procedure": (payload.get("procedure") or {}).get("code"),
            "unit": (payload.get("unit") or {}).get("code"),
            "confidence": payload.get("confidence"),
            "seconds": seconds,
        }
        with self._engine.begin() as connection:
            return int(connection.execute(sa.insert(turn).values(**values)).inserted_primary_key[0])

    def rate(self, number: int, up: bool, reason: str = "") -> None:
        """Thumbs up or down for a turn; the last word counts."""
        values = {"turn": number, "at": _now(), "up": up, "reason": mask(reason) or None}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(thumb).where(thumb.c.turn == number))
            connection.execute(sa.insert(thumb).values(**values))

    def _session(self, conversation: str) -> str:
        """A random name, new after a silence and after a restart: it cannot be led back to anybody."""
        now = time.monotonic()
        name, last = self._sessions.pop(conversation, ("", -SILENCE))
        if not name or now - last > SILENCE:
            name = secrets.token_hex(8)
        self._sessions[conversation] = (name, now)
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return name


def _now() -> datetime:
    return datetime.now(timezone.utc)
