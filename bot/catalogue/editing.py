"""Changing one row by hand: checked like a row of a file, written to the history, never over somebody else's change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional, TypeVar

import sqlalchemy as sa
from pydantic import ValidationError

from bot.catalogue import database, references
from bot.catalogue.database import Change
from bot.catalogue.importer import Line, refusals
from bot.catalogue.records import RECORDS, Record
from bot.catalogue.references import POINTERS

R = TypeVar("R", bound=Record)
BY_HAND = "sửa trên trang cán bộ"
"""What the history has in place of a file's name."""


class Invalid(ValueError):
    """A row cannot be kept as it is."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = problems
        """By column, in Vietnamese."""
        super().__init__("; ".join(f"{column}: {problem}" for column, problem in problems.items()))


class MovedOn(ValueError):
    """Somebody else changed the row after it was read for editing."""

    def __init__(self, now: Optional[Record]) -> None:
        self.now = now
        """The row as they left it; None: they removed it."""
        super().__init__("dòng này vừa được người khác sửa")


def key_text(record: Record) -> list[str]:
    """The natural key as text, an empty part as ""."""
    return ["" if part is None else str(part) for part in record.identity()]


def find(connection: sa.engine.Connection, kind: type[R], key: Sequence[str]) -> Optional[R]:
    """The row of a key, as `key_text` writes it."""
    return next((row for row in database.read_all(connection, kind) if key_text(row) == list(key)), None)


def print_of(record: Optional[Record]) -> str:
    """What a row says, in a few characters: it changes when the row does."""
    if record is None:
        return ""
    return hashlib.sha256(json.dumps(record.cells()).encode()).hexdigest()[:24]


def save(
    engine: sa.engine.Engine, kind: type[Record], key: Sequence[str], seen: str, cells: Mapping[str, str], who: str
) -> Optional[int]:
    """Write one row; gives the number of the change, None where nothing changed.

    Args:
        key: of the row that is changed; empty: a new one.
        seen: `print_of` the row as it was when its editing began.
        cells: all columns, as in a CSV file.

    Raises:
        Invalid: it cannot be kept; what is wrong with which column.
        MovedOn: somebody changed the row since.
    """
    with engine.begin() as connection:
        database.lock(connection)
        now = find(connection, kind, key) if key else None
        if key and (now is None or print_of(now) != seen):
            raise MovedOn(now)
        record = _checked(connection, kind, cells)
        changes = _changes(connection, now, record)
        if not changes:
            return None
        database.apply(connection, changes)
        return database.record_run(connection, BY_HAND, "", changes, who)


def remove(engine: sa.engine.Engine, kind: type[Record], key: Sequence[str], seen: str, who: str) -> int:
    """Take one row out of the catalogue; the history keeps it. Raises as `save` does; Invalid: others point at it."""
    with engine.begin() as connection:
        database.lock(connection)
        now = find(connection, kind, key)
        if now is None or print_of(now) != seen:
            raise MovedOn(now)
        users = sum(_points_at(row, now) for other in POINTERS for row in database.read_all(connection, other))
        if users:
            raise Invalid({kind.key[0]: f"{users} dòng khác đang dựa vào dòng này"})
        changes = [Change(kind, now, None)]
        database.apply(connection, changes)
        return database.record_run(connection, BY_HAND, "", changes, who)


def _checked(connection: sa.engine.Connection, kind: type[Record], cells: Mapping[str, str]) -> Record:
    try:
        record = kind.parse_obj(cells)
    except ValidationError as error:
        raise Invalid({each.column: each.problem for each in refusals(Line(1, cells, kind), error)}) from error
    known = {
        target: {str(row.identity()[0]) for row in database.read_all(connection, target)}
        for target in references.targets([kind])
    }
    if kind in known:
        known[kind].add(str(record.identity()[0]))
    broken = dict(references.broken(record, known))
    if broken:
        raise Invalid(broken)
    return record


def _changes(connection: sa.engine.Connection, now: Optional[Record], record: Record) -> list[Change]:
    kind = type(record)
    if now is not None and now.identity() == record.identity():
        return [] if now == record else [Change(kind, now, record)]
    if now is not None and len(kind.key) == 1:
        raise Invalid({kind.key[0]: "không đổi được, vì các dòng khác dựa vào"})
    if find(connection, kind, key_text(record)) is not None:
        raise Invalid({kind.key[0]: "đã có dòng như vậy trong danh mục"})
    return [Change(kind, None, record)] if now is None else [Change(kind, now, None), Change(kind, None, record)]


def _points_at(row: Record, target: Record) -> bool:
    code = target.identity()[0]
    for column, kind in POINTERS.get(type(row), {}).items():
        value: Any = getattr(row, column)
        if kind is type(target) and code in (value if isinstance(value, (list, tuple)) else [value]):
            return True
    return False


TABLES: Mapping[str, type[Record]] = {kind.table: kind for kind in RECORDS}
