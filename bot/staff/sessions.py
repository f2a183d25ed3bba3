"""Who is logged in: sessions kept on the server, so that each can be ended from here."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Optional

import sqlalchemy as sa

from bot.staff.accounts import Account, account_of, digest, now
from bot.staff.tables import account as accounts
from bot.staff.tables import session as sessions

IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
_NOTED_EVERY = timedelta(minutes=1)
"""A session's last use is written down no more often."""


@dataclass(frozen=True)
class Session:
    id: str
    user: Account


@dataclass(frozen=True)
class Open:
    """One place where somebody is logged in."""

    id: str
    created_at: datetime
    seen_at: datetime
    address: str


class Sessions:
    """The sessions of one database."""

    def __init__(self, engine: sa.engine.Engine, clock: Callable[[], datetime] = now) -> None:
        self._engine = engine
        self._now = clock

    def start(self, user: Account, address: str) -> str:
        """A new session; gives the token for the cookie, of which only a digest is kept."""
        token = secrets.token_urlsafe(32)
        moment = self._now()
        values = {"id": digest(token), "account": user.id, "created_at": moment, "seen_at": moment}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.created_at < moment - LONGEST))
            connection.execute(sa.insert(sessions).values(**values, address=address, flashes=[]))
        return token

    def find(self, token: str) -> Optional[Session]:
        """None: no such session, or it ran out, or its account was closed."""
        moment = self._now()
        query = (
            sa.select(sessions.c.id.label("session"), sessions.c.seen_at.label("used_at"), accounts)
            .join(accounts, accounts.c.id == sessions.c.account)
            .where(
                sessions.c.id == digest(token),
                *self._good(),
                accounts.c.disabled.is_(False),
            )
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        if moment - row["used_at"] > _NOTED_EVERY:
            with self._engine.begin() as connection:
                connection.execute(sa.update(sessions).where(sessions.c.id == row["session"]).values(seen_at=moment))
        return Session(row["session"], account_of(row))

    def end(self, session: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.id == session))

    def end_all(self, account: int, but: str = "") -> None:
        with self._engine.begin() as connection:
            mine = sa.and_(sessions.c.account == account, sessions.c.id != but)
            connection.execute(sa.delete(sessions).where(mine))

    def of(self, account: int) -> list[Open]:
        """The sessions of an account that are good, the one used last first."""
        query = sa.select(sessions.c.id, sessions.c.created_at, sessions.c.seen_at, sessions.c.address)
        query = query.where(sessions.c.account == account, *self._good()).order_by(sessions.c.seen_at.desc())
        with self._engine.connect() as connection:
            return [Open(**row) for row in connection.execute(query).mappings()]

    def counts(self) -> dict[int, int]:
        """How many good sessions each account has."""
        query = sa.select(sessions.c.account, sa.func.count()).where(*self._good()).group_by(sessions.c.account)
        with self._engine.connect() as connection:
            return {int(account): int(number) for account, number in connection.execute(query)}

    def _good(self) -> tuple[Any, Any]:
        moment = self._now()
        return sessions.c.created_at > moment - LONGEST, sessions.c.seen_at > moment - IDLE

    def flash(self, session: str, text: str, kind: str) -> None:
        """A message for the next page."""
        with self._engine.begin() as connection:
            found = self._flashes(connection, session)
            values = {"flashes": [*found, {"text": text, "kind": kind}]}
            connection.execute(sa.update(sessions).where(sessions.c.id == session).values(**values))

    def take_flashes(self, session: str) -> list[dict[str, str]]:
        """The messages that wait, once."""
        with self._engine.connect() as connection:
            found = self._flashes(connection, session)
        if found:
            with self._engine.begin() as connection:
                connection.execute(sa.update(sessions).where(sessions.c.id == session).values(flashes=[]))
        return found

    def _flashes(self, connection: sa.engine.Connection, session: str) -> list[dict[str, str]]:
        query = sa.select(sessions.c.flashes).where(sessions.c.id == session)
        return list(connection.execute(query).scalar_one_or_none() or [])
