"""The catalogue's database: connection, migrations, reading and writing whole tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.catalogue.models import TABLES, from_row, import_run, to_row
from bot.catalogue.records import Record

R = TypeVar("R", bound=Record)


def connect(url: str) -> sa.engine.Engine:
    """An engine on the catalogue, its tables brought up to date.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or changed.
    """
    engine = sa.create_engine(url, future=True)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
    return engine


def alembic_config(connection: sa.engine.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def read_all(connection: sa.engine.Connection, kind: type[R]) -> list[R]:
    """Every row of a table, in the order it was loaded."""
    table = TABLES[kind]
    return [from_row(kind, row) for row in connection.execute(sa.select(table).order_by(table.c.id)).mappings()]


def write(connection: sa.engine.Connection, records: Iterable[Record]) -> tuple[int, int]:
    """Add or replace rows by their natural key.

    Returns:
        How many were added, how many changed. Rows that say the same already are left alone.
    """
    by_kind: dict[type[Record], list[Record]] = {}
    for record in records:
        by_kind.setdefault(type(record), []).append(record)
    added = changed = 0
    for kind, rows in by_kind.items():
        present = _present(connection, kind)
        new = [to_row(row) for row in rows if row.identity() not in present]
        old = [
            {**to_row(row), "_id": present[row.identity()][0]}
            for row in rows
            if row.identity() in present and present[row.identity()][1] != row
        ]
        table = TABLES[kind]
        if new:
            connection.execute(sa.insert(table), new)
        if old:
            values = {name: sa.bindparam(name) for name in kind.__fields__}
            connection.execute(sa.update(table).where(table.c.id == sa.bindparam("_id")).values(values), old)
        added, changed = added + len(new), changed + len(old)
    return added, changed


def _present(connection: sa.engine.Connection, kind: type[Record]) -> dict[tuple[object, ...], tuple[int, Record]]:
    rows = connection.execute(sa.select(TABLES[kind])).mappings()
    records = ((int(row["id"]), from_row(kind, row)) for row in rows)
    return {record.identity(): (key, record) for key, record in records}


def record_run(connection: sa.engine.Connection, file: str, digest: str, added: int, changed: int) -> None:
    """Note a load, and so give the catalogue a new version."""
    now = datetime.now(timezone.utc)
    connection.execute(sa.insert(import_run).values(at=now, file=file, digest=digest, added=added, changed=changed))


def version(connection: sa.engine.Connection) -> int:
    """Grows with every load that changed something; 0 for an empty catalogue."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(import_run.c.id), 0))).scalar_one())


def last_digest(connection: sa.engine.Connection, file: str) -> str | None:
    """The digest of a file when it was last loaded with effect."""
    query = sa.select(import_run.c.digest).where(import_run.c.file == file).order_by(import_run.c.id.desc())
    found = connection.execute(query.limit(1)).scalar_one_or_none()
    return None if found is None else str(found)
