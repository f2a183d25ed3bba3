"""The catalogue's database: connection, migrations, reading and writing whole tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from bot.catalogue.models import TABLES, change, from_row, import_run, to_row
from bot.catalogue.records import Record

R = TypeVar("R", bound=Record)


def connect(url: str) -> sa.engine.Engine:
    """An engine on the catalogue, its tables brought up to date.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached or changed.
    """
    engine = _on_sqlite(url) if url.startswith("sqlite") else sa.create_engine(url, future=True, hide_parameters=True)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
    return engine


def _on_sqlite(url: str) -> sa.engine.Engine:
    """SQLite as a server needs it: readers beside a writer, and a commit in a tenth of a millisecond, not twenty.

    What is deleted is overwritten, not just unlinked: people are told that their data is gone.
    """
    in_memory = sa.engine.make_url(url).database in (None, "", ":memory:")
    pool = {} if in_memory else {"poolclass": sa.pool.QueuePool, "connect_args": {"check_same_thread": False}}
    engine = sa.create_engine(url, future=True, hide_parameters=True, **pool)

    def tune(connection: Any, record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    sa.event.listen(engine, "connect", tune)
    return engine


def alembic_config(connection: sa.engine.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.attributes["connection"] = connection
    return config


def read_all(connection: sa.engine.Connection, kind: type[R]) -> list[R]:
    """Every row of a table, in the order it was loaded."""
    table = TABLES[kind]
    names = list(kind.__fields__)
    query = sa.select(*(table.c[name] for name in names)).order_by(table.c.id)
    return [from_row(kind, dict(zip(names, row))) for row in connection.execute(query)]


@dataclass(frozen=True)
class Change:
    """What became of one row."""

    kind: type[Record]
    before: Optional[Record]
    """None: the row is new."""
    after: Optional[Record]
    """None: the row is gone."""

    @property
    def key(self) -> tuple[Any, ...]:
        record = self.after or self.before
        assert record is not None
        return record.identity()


def difference(connection: sa.engine.Connection, records: Iterable[Record]) -> list[Change]:
    """What writing some rows would change, by their natural keys; rows that say the same already are left out."""
    by_kind: dict[type[Record], list[Record]] = {}
    for record in records:
        by_kind.setdefault(type(record), []).append(record)
    changes = []
    for kind, rows in by_kind.items():
        present = {row.identity(): row for row in read_all(connection, kind)}
        changes += [
            Change(kind, present.get(row.identity()), row) for row in rows if present.get(row.identity()) != row
        ]
    return changes


def apply(connection: sa.engine.Connection, changes: Sequence[Change]) -> None:
    """Write changes, whichever way they go."""
    for kind in dict.fromkeys(item.kind for item in changes):
        table = TABLES[kind]
        mine = [item for item in changes if item.kind is kind]
        new = [to_row(item.after) for item in mine if item.after and not item.before]
        if new:
            connection.execute(sa.insert(table), new)
        rest = [item for item in mine if item.before]
        if not rest:
            continue
        ids = _ids(connection, kind)
        old = [{**to_row(item.after), "_id": ids[item.key]} for item in rest if item.after]
        if old:
            values = {name: sa.bindparam(name) for name in kind.__fields__}
            connection.execute(sa.update(table).where(table.c.id == sa.bindparam("_id")).values(values), old)
        gone = [{"_id": ids[item.key]} for item in rest if not item.after]
        if gone:
            connection.execute(sa.delete(table).where(table.c.id == sa.bindparam("_id")), gone)


def _ids(connection: sa.engine.Connection, kind: type[Record]) -> dict[tuple[Any, ...], int]:
    rows = connection.execute(sa.select(TABLES[kind])).mappings()
    return {from_row(kind, {name: row[name] for name in kind.__fields__}).identity(): int(row["id"]) for row in rows}


def record_run(
    connection: sa.engine.Connection,
    file: str,
    digest: str,
    changes: Sequence[Change],
    who: Optional[str] = None,
    undoes: Optional[int] = None,
) -> int:
    """Note a load with everything it changed, and so give the catalogue a new version; gives that version."""
    now = datetime.now(timezone.utc)
    added = sum(not item.before for item in changes)
    values = {"at": now, "file": file, "digest": digest, "who": who, "undoes": undoes}
    done = connection.execute(sa.insert(import_run).values(**values, added=added, changed=len(changes) - added))
    run = int(done.inserted_primary_key[0])
    rows = [
        {
            "run": run,
            "record": item.kind.table,
            "key": [str(part) for part in item.key],
            "before": item.before.cells() if item.before else None,
            "after": item.after.cells() if item.after else None,
        }
        for item in changes
    ]
    if rows:
        connection.execute(sa.insert(change), rows)
    return run


def lock(connection: sa.engine.Connection) -> None:
    """Until the transaction ends nobody else changes the catalogue: what is read from here on stays true.

    A write that changes nothing, which both SQLite and PostgreSQL keep others from writing after.
    """
    latest = sa.select(sa.func.max(import_run.c.id)).scalar_subquery()
    connection.execute(sa.update(import_run).where(import_run.c.id == latest).values(file=import_run.c.file))


def version(connection: sa.engine.Connection) -> int:
    """Grows with every load that changed something; 0 for an empty catalogue."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(import_run.c.id), 0))).scalar_one())


def last_digest(connection: sa.engine.Connection, file: str) -> str | None:
    """The digest of a file when it was last loaded with effect."""
    query = sa.select(import_run.c.digest).where(import_run.c.file == file).order_by(import_run.c.id.desc())
    found = connection.execute(query.limit(1)).scalar_one_or_none()
    return None if found is None else str(found)
