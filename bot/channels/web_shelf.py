"""The web conversations that are kept: those of people who agreed to it, masked, for `KEPT_DAYS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import sqlalchemy as sa

from bot.memory import KEPT_DAYS, mask, metadata

web_event = sa.Table(
    "web_event",
    metadata,
    sa.Column("person", sa.String, primary_key=True),
    sa.Column("cursor", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("waiting", sa.JSON(none_as_null=True)),
)
web_state = sa.Table(
    "web_state",
    metadata,
    sa.Column("person", sa.String, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("slots", sa.JSON, nullable=False),
)


@dataclass(eq=False)
class Event:
    """One thing that happened in a conversation, as docs/web-protocol.md has it."""

    cursor: int
    at: datetime
    type: str
    body: dict[str, Any]
    waiting: Optional[dict[str, Any]] = None
    """What the bot is still to be asked; None: nothing, or answered."""

    def shown(self) -> dict[str, Any]:
        return {"cursor": self.cursor, "at": self.at.isoformat(), "type": self.type, **self.body}


@dataclass(frozen=True)
class Kept:
    """What the shelf has of a conversation."""

    events: list[Event] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)
    at: Optional[datetime] = None
    """When the slots were written."""


class Shelf:
    """The tables above in one database. Every method is one transaction.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached; nothing was changed.
    """

    def __init__(self, engine: sa.engine.Engine) -> None:
        self._engine = engine

    def read(self, person: str) -> Kept:
        with self._engine.connect() as connection:
            query = sa.select(web_event).where(web_event.c.person == person).order_by(web_event.c.cursor)
            events = [
                Event(row.cursor, _aware(row.at), row.type, dict(row.body), row.waiting)
                for row in connection.execute(query)
            ]
            state = connection.execute(sa.select(web_state).where(web_state.c.person == person)).first()
        return Kept(events, dict(state.slots), _aware(state.at)) if state else Kept(events)

    def write(
        self,
        person: str,
        events: Sequence[Event],
        answered: Optional[int] = None,
        slots: Optional[Mapping[str, Any]] = None,
        oldest: Optional[int] = None,
    ) -> None:
        """Keep some events.

        Args:
            answered: cursor of the question that they answer.
            slots: where the conversation stands now.
            oldest: cursor of the first event that is still worth keeping.
        """
        mine = web_event.c.person == person
        with self._engine.begin() as connection:
            if events:
                connection.execute(sa.insert(web_event), [_row(person, event) for event in events])
            if answered is not None:
                done = sa.update(web_event).where(mine, web_event.c.cursor == answered).values(waiting=None)
                connection.execute(done)
            if slots is not None:
                connection.execute(sa.delete(web_state).where(web_state.c.person == person))
                values = {"person": person, "at": datetime.now(timezone.utc), "slots": dict(slots)}
                connection.execute(sa.insert(web_state).values(**values))
            if oldest is not None:
                connection.execute(sa.delete(web_event).where(mine, web_event.c.cursor < oldest))

    def rewrite(self, person: str, event: Event) -> None:
        """Keep what changed in an event (a button of it was tapped)."""
        with self._engine.begin() as connection:
            mine = sa.and_(web_event.c.person == person, web_event.c.cursor == event.cursor)
            connection.execute(sa.update(web_event).where(mine).values(body=event.body))

    def erase(self, person: str) -> None:
        with self._engine.begin() as connection:
            for table in (web_event, web_state):
                connection.execute(sa.delete(table).where(table.c.person == person))

    def waiting(self) -> list[str]:
        """People with a question that nobody answered before the bot stopped."""
        # JSON has no equality in PostgreSQL, so the distinct ones are found here.
        query = sa.select(web_event.c.person).where(web_event.c.waiting.is_not(None)).order_by(web_event.c.at)
        with self._engine.connect() as connection:
            return list(dict.fromkeys(connection.execute(query).scalars()))

    def purge(self) -> None:
        """Delete what was kept long enough."""
        before = datetime.now(timezone.utc) - timedelta(days=KEPT_DAYS)
        with self._engine.begin() as connection:
            for table in (web_event, web_state):
                connection.execute(sa.delete(table).where(table.c.at < before))


def _row(person: str, event: Event) -> dict[str, Any]:
    """What a person typed is masked; what the bot said holds the offices' telephones and stays as it is."""
    body, waiting = dict(event.body), event.waiting
    if event.type == "user":
        body["text"] = mask(body["text"])
    if waiting and "text" in waiting:
        waiting = {**waiting, "text": mask(waiting["text"])}
    row = {"person": person, "cursor": event.cursor, "at": event.at, "type": event.type}
    return {**row, "body": body, "waiting": waiting}


def _aware(at: datetime) -> datetime:
    """SQLite forgets the time zone."""
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)
