"""The tables of the catalogue (SQLAlchemy Core). One record class of `records` per table."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
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
)
"""Every load that changed something. The highest id is the version of the catalogue."""


def to_row(record: Record) -> dict[str, Any]:
    """Column values of a record."""
    return {name: _plain(getattr(record, name)) for name in record.__fields__}


def from_row(kind: type[Record], row: sa.engine.RowMapping) -> Any:
    """The record of a row. The database holds checked rows, so they are not checked again."""
    return kind.parse_obj({name: row[name] for name in kind.__fields__})


def _plain(value: Any) -> Optional[Any]:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
