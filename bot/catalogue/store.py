"""The whole catalogue in memory: small (a few thousand rows), read once per version, never written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import Any, Optional

import sqlalchemy as sa

from bot.catalogue import database
from bot.catalogue.competence import Competence, Rules, resolve
from bot.catalogue.places import Places
from bot.catalogue.records import (
    Authority,
    BaseCompetence,
    Decision,
    Delegation,
    Guide,
    Level,
    Procedure,
    Record,
    ServicePoint,
    Unit,
    UnitChange,
)

LOCAL_LEVELS = frozenset({Level.CITY, Level.COMMUNE})


@dataclass(frozen=True)
class Catalogue:
    """Everything the bot may say, by natural key."""

    procedures: dict[str, Procedure]
    guides: dict[str, Guide]
    authorities: dict[str, Authority]
    decisions: dict[str, Decision]
    service_points: dict[str, ServicePoint]
    rules: Rules
    places: Places
    version: int = 0
    _desks: dict[str, ServicePoint] = field(default_factory=dict)

    def competence(self, procedure: str, unit: Optional[str], day: date) -> Competence:
        return resolve(self.rules, procedure, self.places.place(unit), day)

    def desk(self, unit: Optional[str], day: date) -> Optional[ServicePoint]:
        """The one-stop desk (Điểm phục vụ hành chính công) of a unit on a day."""
        point = self._desks.get(unit or "")
        return point if point is not None and point.holds_on(day) else None

    def local_procedures(self) -> dict[str, Procedure]:
        """What a citizen of Hà Nội can be asked to choose from: decided in the city, or known to be."""
        return {
            code: procedure
            for code, procedure in self.procedures.items()
            if code in self.rules.base and (LOCAL_LEVELS & set(procedure.levels) or self._handled_here(code))
        }

    def _handled_here(self, code: str) -> bool:
        return any(self.authorities[row.authority].level in LOCAL_LEVELS for row in self.rules.base[code])


def load(engine: sa.engine.Engine) -> Catalogue:
    """Read the catalogue of a database."""
    with engine.connect() as connection:
        rows: dict[type[Record], list[Any]] = {kind: database.read_all(connection, kind) for kind in _KINDS}
        version = database.version(connection)
    authorities: dict[str, Authority] = {row.code: row for row in rows[Authority]}
    decisions: dict[str, Decision] = {row.number: row for row in rows[Decision]}
    points: list[ServicePoint] = rows[ServicePoint]
    return Catalogue(
        procedures={row.code: row for row in rows[Procedure]},
        guides={row.code: row for row in rows[Guide]},
        authorities=authorities,
        decisions=decisions,
        service_points={row.code: row for row in points},
        rules=Rules.of(
            rows[BaseCompetence],
            rows[Delegation],
            decisions.values(),
            {code: authority.level for code, authority in authorities.items()},
        ),
        places=Places(rows[Unit], rows[UnitChange]),
        version=version,
        _desks={point.units[0]: point for point in points if point.kind == "diem_xa" and point.units},
    )


_KINDS: tuple[type[Record], ...] = (
    Authority, BaseCompetence, Decision, Delegation, Guide, Procedure, ServicePoint, Unit, UnitChange,
)  # fmt: skip


class Store:
    """The catalogue of a database, read anew when a load has changed it."""

    def __init__(self, engine: sa.engine.Engine) -> None:
        self.engine = engine
        self._lock = Lock()
        self._catalogue: Optional[Catalogue] = None

    def current(self) -> Catalogue:
        with self._lock:
            with self.engine.connect() as connection:
                version = database.version(connection)
            if self._catalogue is None or self._catalogue.version != version:
                self._catalogue = load(self.engine)
            return self._catalogue
