"""Telegram's updates from the moment they come in until they are answered, in the database: through a restart, and
between several servers.

An update is noted before Telegram is told that it arrived, and struck off when it is answered. Until then its words
lie here sealed (the key is not in the database); afterwards only its number stays, so that it is not answered twice.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Optional

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken

from bot.memory import metadata

logger = logging.getLogger(__name__)

SEEN = timedelta(days=3)
"""Telegram keeps an update for a day; its number is remembered somewhat longer."""
LEASE = 10.0
"""Seconds without a sign of life after which another server takes over."""

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("body", sa.Text),
    sa.Column("sent", sa.Integer, nullable=False, default=0),
)
lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
)


@dataclass(frozen=True)
class Waiting:
    """An update that was not answered yet."""

    id: int
    body: str
    """As Telegram sent it: JSON."""
    sent: int = 0
    """Messages of its answer that went out before the bot was stopped."""


class Inbox:
    """The updates of one bot."""

    def __init__(self, engine: sa.engine.Engine, key: bytes) -> None:
        """`key`: secret, at least 16 bytes; the same on all servers that share the database."""
        self._engine = engine
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"inbox" + key).digest()))

    def take(self, id: int, body: str) -> bool:
        """Note an update that came in; False if it came before. It waits until `done`."""
        values = {"id": id, "at": _now(), "body": self._seal.encrypt(body.encode()).decode(), "sent": 0}
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(inbox).values(**values))
        except sa.exc.IntegrityError:
            return False
        return True

    def went_out(self, id: int, sent: int) -> None:
        """So many messages of the answer were sent."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(inbox).where(inbox.c.id == id).values(sent=sent))

    def done(self, id: int) -> None:
        """The update was answered: of it only the number is remembered."""
        with self._engine.begin() as connection:
            connection.execute(sa.update(inbox).where(inbox.c.id == id).values(body=None))

    def waiting(self, known: Collection[int] = (), most: int = 500) -> list[Waiting]:
        """Updates that were noted and not answered, in order, without those that are `known` to wait."""
        with self._engine.connect() as connection:
            numbers = connection.execute(sa.select(inbox.c.id).where(inbox.c.body.is_not(None)).order_by(inbox.c.id))
            wanted = [number for number in numbers.scalars() if number not in known][:most]
            if not wanted:
                return []
            query = sa.select(inbox.c.id, inbox.c.body, inbox.c.sent).where(inbox.c.id.in_(wanted))
            rows = connection.execute(query.where(inbox.c.body.is_not(None)).order_by(inbox.c.id)).all()
        opened = ((row.id, self._opened(row.id, row.body), row.sent) for row in rows)
        return [Waiting(id, body, sent) for id, body, sent in opened if body is not None]

    def purge(self) -> None:
        """Forget the numbers of updates that Telegram does not send again."""
        old = sa.and_(inbox.c.at < _now() - SEEN, inbox.c.body.is_(None))
        with self._engine.begin() as connection:
            connection.execute(sa.delete(inbox).where(old))

    def _opened(self, id: int, sealed: str) -> Optional[str]:
        try:
            return self._seal.decrypt(sealed.encode()).decode()
        except InvalidToken:
            logger.error("Cập nhật %d của Telegram được niêm phong bằng khóa khác (person.key); bỏ qua.", id)
            self.done(id)
            return None


class Lease:
    """Who of several processes does what only one may do: the one that last gave a sign of life, until it is silent."""

    def __init__(self, engine: sa.engine.Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    @property
    def _holder(self) -> str:
        return f"{socket.gethostname()}:{os.getpid()}"

    def hold(self) -> bool:
        """Take the lease, or keep it for `LEASE` seconds more; False while somebody else has it.

        The clocks of the servers must agree within a few seconds.
        """
        now = time.time()
        with self._engine.connect() as connection:
            held = connection.execute(sa.select(lease).where(lease.c.name == self._name)).first()
        if held is None:
            return self._begin(now)
        if held.holder != self._holder and held.until > now and not _has_died(held.holder):
            return False
        # Somebody else may have been quicker.
        same = sa.and_(lease.c.name == self._name, lease.c.holder == held.holder, lease.c.until == held.until)
        with self._engine.begin() as connection:
            taken = connection.execute(sa.update(lease).where(same).values(holder=self._holder, until=now + LEASE))
        return bool(taken.rowcount)

    def let_go(self) -> None:
        """So that the next one need not wait."""
        mine = sa.and_(lease.c.name == self._name, lease.c.holder == self._holder)
        with self._engine.begin() as connection:
            connection.execute(sa.delete(lease).where(mine))

    def _begin(self, now: float) -> bool:
        values = {"name": self._name, "holder": self._holder, "until": now + LEASE}
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(lease).values(**values))
        except sa.exc.IntegrityError:
            return False
        return True


def _has_died(holder: str) -> bool:
    """Whether a process of this machine is no more, so that a restart after a crash need not wait."""
    host, _, number = holder.rpartition(":")
    if host != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _now() -> datetime:
    return datetime.now(timezone.utc)
