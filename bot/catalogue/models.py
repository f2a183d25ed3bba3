"""The tables of the catalogue (SQLAlchemy Core). One record class of `records` per table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from typing import Any, Optional, Union, get_args, get_origin

import sqlalchemy as sa
from pydantic.fields import ModelField

from bot.catalogue.records import RECORDS, Record

metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"})

_TYPES: dict[type, type[sa.types.TypeEngine]] = {
    int: sa.Integer,
    float: sa.Float,
    bool: sa.Boolean,
    date: sa.Date,
    Decimal: sa.Float,
}


def _type(field: ModelField) -> Any:
    if field.outer_type_ != field.type_:
        return sa.JSON()
    plain = field.type_
    if get_origin(plain) is Union:
        plain = get_args(plain)[0]
    if isinstance(plain, type) and issubclass(plain, Enum):
        return sa.String()
    for python, column in _TYPES.items():
        if plain is python:
            return column()
    return sa.Text() if plain is not str else sa.String()


def _table(record: type[Record]) -> sa.Table:
    # A surrogate key, because some natural keys hold dates that may be empty.
    return sa.Table(
        record.table,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        *(
            sa.Column(name, _type(field), nullable=not field.required, index=name in record.key)
            for name, field in record.__fields__.items()
        ),
    )


TABLES: dict[type[Record], sa.Table] = {record: _table(record) for record in RECORDS}

import_run = sa.Table(
    "import_run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("who", sa.String),
    sa.Column("undoes", sa.Integer),
)
"""Every load that changed something, and every undoing of one. The highest id is the version of the catalogue."""

change = sa.Table(
    "change",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.Integer, nullable=False, index=True),
    sa.Column("record", sa.String, nullable=False),
    sa.Column("key", sa.JSON(), nullable=False),
    sa.Column("before", sa.JSON(none_as_null=True)),
    sa.Column("after", sa.JSON(none_as_null=True)),
)
"""What each load did to each row: the cells before (null: the row is new) and after (null: it is gone)."""


def to_row(record: Record) -> dict[str, Any]:
    """Column values of a record."""
    return {name: _plain(getattr(record, name)) for name in record.__fields__}


def from_row(kind: type[Record], values: dict[str, Any]) -> Any:
    """The record of a row's values, one for each column. The database holds checked rows: not checked again."""
    for name, read in _readers(kind).items():
        if values[name] is not None:
            values[name] = read(values[name])
    # What pydantic's `construct` does, without its loop over the fields: a catalogue has a hundred thousand rows.
    made = kind.__new__(kind)
    object.__setattr__(made, "__dict__", values)
    object.__setattr__(made, "__fields_set__", set(values))
    return made


@cache
def _readers(kind: type[Record]) -> Mapping[str, Callable[[Any], Any]]:
    """How the values of some columns become what the record holds: enums, decimals, lists of them."""
    readers: dict[str, Callable[[Any], Any]] = {}
    for name, field in kind.__fields__.items():
        plain = field.type_
        read: Optional[Callable[[Any], Any]] = None
        if isinstance(plain, type) and issubclass(plain, Enum):
            read = {item.value: item for item in plain}.__getitem__
        elif plain is Decimal:
            read = _decimal
        if field.outer_type_ != field.type_ and read is not None:
            readers[name] = partial(_each, read)
        elif read is not None:
            readers[name] = read
    return readers


def _each(read: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    return [read(value) for value in values]


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))


def _plain(value: Any) -> Optional[Any]:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
