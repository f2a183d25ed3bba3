"""Where versions are kept: what each was made from, how it fared, its model, and which one answers."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

import sqlalchemy as sa

from bot.staff.tables import Moment

KEEP = 12
"""Published versions whose models are kept; of older ones only what was said and done remains."""
PART = 4 * 1024 * 1024
"""Bytes of a model in one row."""
metadata = sa.MetaData()
release = sa.Table(
    "release",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("data", sa.String, nullable=False),
    sa.Column("code", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("snapshot", sa.LargeBinary, nullable=False),
    sa.Column("measured", sa.LargeBinary),
    sa.Column("pruned", sa.Boolean, nullable=False),
)
"""`data` and `code` are digests (bot.training); `model` is the model's file name."""
release_model = sa.Table(
    "release_model",
    metadata,
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
"""Models, for the servers that do not share a disk with the one that trained."""
publication = sa.Table(
    "publication",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("release", sa.Integer, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
"""Append-only; the last row says which version answers."""


@dataclass(frozen=True)
class Release:
    """A version, published or not."""

    id: int
    at: datetime
    who: str
    data: str
    code: str
    model: str
    seconds: Optional[float]
    figures: Mapping[str, Any]
    """See `bot.releases.measure.figures`."""
    pruned: bool
    """Its model is gone; it cannot come back."""


@dataclass(frozen=True)
class Publication:
    id: int
    release: int
    at: datetime
    who: str
    kind: str
    """first, publish, override or rollback."""
    reason: str


class Releases:
    """The versions of one database."""

    def __init__(self, engine: sa.engine.Engine, models: Path) -> None:
        """`models`: the folder where this machine keeps models."""
        self.engine = engine
        self._models = models

    # Looking up

    def all(self) -> list[Release]:
        """Newest first."""
        return self._releases(sa.select(*_COLUMNS).order_by(release.c.id.desc()))

    def get(self, number: int) -> Optional[Release]:
        return next(iter(self._releases(sa.select(*_COLUMNS).where(release.c.id == number))), None)

    def published(self) -> Optional[Release]:
        """The version that answers; None: none was ever published."""
        last = sa.select(publication.c.release).order_by(publication.c.id.desc()).limit(1).scalar_subquery()
        return next(iter(self._releases(sa.select(*_COLUMNS).where(release.c.id == last))), None)

    def published_id(self) -> tuple[int, int]:
        """(number of the publication, of its version): quick enough to be asked for every second."""
        query = sa.select(publication.c.id, publication.c.release).order_by(publication.c.id.desc()).limit(1)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def draft(self) -> Optional[Release]:
        """The newest version that came after everything published; None: there is none."""
        newest = next(iter(self.all()), None)
        published = {row.release for row in self.history()}
        return newest if newest and newest.id not in published and newest.id > max(published, default=0) else None

    def history(self) -> list[Publication]:
        """Newest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(publication).order_by(publication.c.id.desc())).mappings()
            return [Publication(**row) for row in rows]

    def snapshot(self, number: int) -> bytes:
        """Raises LookupError: there is no such version."""
        return bytes(self._value(release.c.snapshot, number))

    def measured(self, number: int) -> dict[str, Any]:
        """What `bot.releases.measure` found, in full; empty: nothing was measured."""
        found = self._value(release.c.measured, number)
        return dict(json.loads(gzip.decompress(found))) if found else {}

    def _value(self, column: Any, number: int) -> Any:
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(column).where(release.c.id == number)).first()
        if row is None:
            raise LookupError(f"không có phiên bản {number}")
        return row[0]

    def _releases(self, query: Any) -> list[Release]:
        with self.engine.connect() as connection:
            return [Release(**row) for row in connection.execute(query).mappings()]

    # Adding

    def add(
        self,
        model: Path,
        snapshot: bytes,
        who: str,
        data: str,
        code: str,
        seconds: Optional[float] = None,
        figures: Optional[Mapping[str, Any]] = None,
        measured: Optional[Mapping[str, Any]] = None,
    ) -> Release:
        """A new version, not yet published; its model stays where it is, and is shared with other machines."""
        self._share(model)
        values = {
            "at": datetime.now(timezone.utc),
            "who": who,
            "data": data,
            "code": code,
            "model": model.name,
            "seconds": seconds,
            "figures": dict(figures or {}),
            "snapshot": snapshot,
            "measured": _zipped(measured),
            "pruned": False,
        }
        with self.engine.begin() as connection:
            number = int(connection.execute(sa.insert(release).values(**values)).inserted_primary_key[0])
        made = self.get(number)
        assert made is not None
        return made

    def note_measured(self, number: int, figures: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
        """What was found out about a version afterwards."""
        values = {"figures": dict(figures), "measured": _zipped(measured)}
        with self.engine.begin() as connection:
            connection.execute(sa.update(release).where(release.c.id == number).values(**values))

    def replace_model(self, number: int, model: Path, code: str) -> None:
        """A version's model was made anew, for other code."""
        self._share(model)
        with self.engine.begin() as connection:
            values = {"model": model.name, "code": code, "pruned": False}
            connection.execute(sa.update(release).where(release.c.id == number).values(**values))

    def publish(self, number: int, who: str, kind: str, reason: str = "") -> Publication:
        """From now on this version answers, on every server."""
        values: dict[str, Any] = {"release": number, "at": datetime.now(timezone.utc), "who": who}
        values.update(kind=kind, reason=reason)
        with self.engine.begin() as connection:
            key = int(connection.execute(sa.insert(publication).values(**values)).inserted_primary_key[0])
        return Publication(id=key, **values)

    def publish_first(self, number: int, who: str) -> bool:
        """Publish where nothing was yet; of several servers that start together, one does."""
        values = {"id": 1, "release": number, "at": datetime.now(timezone.utc), "who": who, "kind": "first"}
        try:
            with self.engine.begin() as connection:
                connection.execute(sa.insert(publication).values(**values, reason=""))
        except sa.exc.IntegrityError:
            return False
        if self.engine.dialect.name == "postgresql":
            with self.engine.begin() as connection:
                connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('publication', 'id'), 1)"))
        return True

    # Models

    def model(self, number: int) -> Optional[Path]:
        """The model of a version on this machine, fetched if need be; None: nobody has it any more."""
        found = self.get(number)
        if found is None or found.pruned:
            return None
        path = self._models / found.model
        return path if path.exists() or self._fetch(path) else None

    @property
    def _shares(self) -> bool:
        # SQLite is one machine, where the models are at hand already.
        return str(self.engine.dialect.name) != "sqlite"

    def _share(self, model: Path) -> None:
        if not self._shares:
            return
        with self.engine.begin() as connection:
            connection.execute(sa.delete(release_model).where(release_model.c.model == model.name))
            with model.open("rb") as file:
                for part, data in enumerate(iter(lambda: file.read(PART), b"")):
                    values = {"model": model.name, "part": part, "data": data}
                    connection.execute(sa.insert(release_model).values(**values))

    def _fetch(self, path: Path) -> bool:
        parts = sa.select(release_model.c.part).where(release_model.c.model == path.name).order_by(release_model.c.part)
        with self.engine.connect() as connection:
            numbers = list(connection.execute(parts).scalars())
        if not numbers:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        rough = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with rough.open("wb") as file:
            for part in numbers:
                one = sa.and_(release_model.c.model == path.name, release_model.c.part == part)
                with self.engine.connect() as connection:
                    file.write(connection.execute(sa.select(release_model.c.data).where(one)).scalar_one())
        # Whole or not at all: another process may look at the same moment.
        rough.replace(path)
        return True

    def prune(self, keep: int = KEEP) -> list[int]:
        """Drop the models of versions that nobody will want back: drafts that later ones took the place of, and all
        published ones but the last `keep`. The one that answers and the newest draft always stay."""
        history = list(dict.fromkeys(row.release for row in self.history()))
        draft = self.draft()
        stays = {*history[:keep], *([draft.id] if draft else [])}
        every = [one for one in self.all() if not one.pruned]
        gone = [one for one in every if one.id not in stays]
        needed = {one.model for one in every if one.id in stays}
        for one in gone:
            with self.engine.begin() as connection:
                connection.execute(sa.update(release).where(release.c.id == one.id).values(pruned=True, measured=None))
                if one.model not in needed:
                    connection.execute(sa.delete(release_model).where(release_model.c.model == one.model))
            if one.model not in needed:
                (self._models / one.model).unlink(missing_ok=True)
        return [one.id for one in gone]


_COLUMNS: Sequence[Any] = [c for c in release.c if c.name not in ("snapshot", "measured")]


def _zipped(value: Optional[Mapping[str, Any]]) -> Optional[bytes]:
    return gzip.compress(json.dumps(value, ensure_ascii=False).encode(), 5) if value else None
