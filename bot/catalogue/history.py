"""What was changed in the catalogue, when and by whom; and undoing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional

import sqlalchemy as sa

from bot.catalogue import database
from bot.catalogue.database import Change
from bot.catalogue.models import change, import_run
from bot.catalogue.records import RECORDS, Dated, Delegation, Record, Stage

_KINDS = {kind.table: kind for kind in RECORDS}


class CannotUndo(ValueError):
    """A load cannot be undone; the message says why, in Vietnamese."""


@dataclass(frozen=True)
class Run:
    """One load of a file, or the undoing of one."""

    id: int
    at: datetime
    file: str
    who: Optional[str]
    added: int
    changed: int
    undoes: Optional[int]


def runs(connection: sa.engine.Connection, most: int = 50) -> list[Run]:
    """The latest loads, newest first."""
    query = sa.select(import_run).order_by(import_run.c.id.desc()).limit(most)
    names = list(Run.__dataclass_fields__)
    return [Run(**{name: row[name] for name in names}) for row in connection.execute(query).mappings()]


def changes_of(connection: sa.engine.Connection, run: int) -> list[Change]:
    """What a load changed, in the order it did."""
    query = sa.select(change).where(change.c.run == run).order_by(change.c.id)
    return [_read(row) for row in connection.execute(query).mappings()]


def of_record(connection: sa.engine.Connection, kind: type[Record], key: Sequence[Any]) -> list[tuple[Run, Change]]:
    """The whole history of one row, oldest first."""
    query = sa.select(change).where(change.c.record == kind.table).order_by(change.c.id)
    wanted = [str(part) for part in key]
    known = {run.id: run for run in runs(connection, most=1_000_000)}
    found = connection.execute(query).mappings()
    return [(known[row["run"]], _read(row)) for row in found if row["key"] == wanted]


def mark(kind: type[Record], key: Sequence[Any]) -> tuple[str, ...]:
    """The name of a row in the history."""
    return (kind.table, *(str(part) for part in key))


def touched_by_people(connection: sa.engine.Connection) -> set[tuple[str, ...]]:
    """The rows that somebody changed, and whose last word was not a release's or taken back."""
    query = sa.select(change.c.record, change.c.key, import_run.c.who, import_run.c.undoes)
    query = query.join(import_run, import_run.c.id == change.c.run).order_by(change.c.id)
    found: set[tuple[str, ...]] = set()
    for record, key, who, undoes in connection.execute(query):
        row = (record, *key)
        if who is None or undoes is not None:
            found.discard(row)
        else:
            found.add(row)
    return found


def undo(engine: sa.engine.Engine, run: int, who: Optional[str] = None) -> int:
    """Take back what one load changed; itself a load, so that it can be undone too. Gives its number.

    Raises:
        CannotUndo: no such load, it was undone already, or a row was changed again since.
    """
    with engine.begin() as connection:
        database.lock(connection)
        past = {found.id: found for found in runs(connection, most=1_000_000)}
        if run not in past:
            raise CannotUndo(f"không có lần nạp số {run}")
        again = next((found.id for found in past.values() if found.undoes == run), None)
        if again is not None:
            raise CannotUndo(f"lần nạp số {run} đã được hoàn tác ở lần {again}")
        backwards = [Change(item.kind, item.after, item.before) for item in changes_of(connection, run)]
        if not backwards:
            raise CannotUndo(f"lần nạp số {run} không có lịch sử từng dòng (nạp từ phiên bản cũ)")
        _refuse_overwriting(connection, run, backwards)
        database.apply(connection, backwards)
        return database.record_run(connection, f"hoàn tác lần {run}", "", backwards, who, undoes=run)


def describe(changes: Sequence[Change]) -> Iterator[str]:
    """The changes in Vietnamese, one a line: added, changed (which cells), ended, removed."""
    for item in changes:
        key = " / ".join(str(part) for part in item.key if part is not None)
        yield f"{_word(item)} {item.kind.table} {key}{_cells(item)}"


def _word(item: Change) -> str:
    if item.before is None:
        return "thêm"
    if item.after is None:
        return "bỏ"
    return "kết thúc" if is_ending(item) else "sửa"


def is_ending(item: Change) -> bool:
    """Whether a change only makes something end, or end earlier."""
    before, after = item.before, item.after
    if not isinstance(before, Dated) or not isinstance(after, Dated):
        return False
    if isinstance(before, Delegation) and isinstance(after, Delegation) and before.stage is not after.stage:
        return after.stage is Stage.ENDED
    return after.valid_to is not None and (before.valid_to is None or after.valid_to < before.valid_to)


def _cells(item: Change) -> str:
    if item.before is None or item.after is None:
        return ""
    old, new = item.before.cells(), item.after.cells()
    return ": " + "; ".join(
        f"{name}: {old[name] or '∅'} → {new[name] or '∅'}" for name in new if old[name] != new[name]
    )


def _refuse_overwriting(connection: sa.engine.Connection, run: int, backwards: Sequence[Change]) -> None:
    for kind in dict.fromkeys(item.kind for item in backwards):
        now = {row.identity(): row for row in database.read_all(connection, kind)}
        for item in backwards:
            if item.kind is kind and now.get(item.key) != item.before:
                key = " / ".join(str(part) for part in item.key if part is not None)
                raise CannotUndo(f"{kind.table} {key} đã được sửa sau lần nạp số {run}; hãy hoàn tác lần sau trước")


def _read(row: Any) -> Change:
    kind = _KINDS[row["record"]]
    before, after = (kind.parse_obj(row[side]) if row[side] else None for side in ("before", "after"))
    return Change(kind, before, after)
