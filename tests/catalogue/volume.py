"""A catalogue of any size, of plainly made-up procedures, bodies, wards and decisions, for tests of volume.

Nothing in it is a fact: every name says "GIẢ LẬP" (simulated), every code begins with 9 or "gl-".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import sqlalchemy as sa

from bot.catalogue import database
from bot.catalogue.database import Change
from bot.catalogue.records import (
    Authority,
    BaseCompetence,
    Decision,
    Delegation,
    DelegationKind,
    Level,
    Procedure,
    Record,
    Scope,
    Stage,
    Unit,
    UnitKind,
)

MADE_UP = "GIẢ LẬP"
SOURCE = "Dữ liệu giả lập để đo tốc độ"


@dataclass(frozen=True)
class Size:
    """How much to make up."""

    procedures: int = 5_000
    units: int = 126
    years: int = 10
    last_year: int = 2026


def records(size: Size = Size(), seed: int = 20261123) -> Iterator[Record]:
    """The whole catalogue, the same for the same seed.

    Each procedure is handed from the city to a department by a decision of every year, and on to the wards by
    another: in some years to all, in some to listed ones, in some to all but a few.
    """
    random, noted = Random(seed), date(size.last_year, 1, 1)
    facts = {"source": SOURCE, "as_of": noted}
    yield Authority(code="gl-tp", name=f"UBND thành phố {MADE_UP}", level=Level.CITY, kind="ubnd")
    departments = [f"gl-so-{number}" for number in range(20)]
    for code in departments:
        yield Authority(code=code, name=f"Sở {code} {MADE_UP}", level=Level.CITY, kind="so")
    yield Authority(
        code="gl-xa", name=f"UBND phường, xã {MADE_UP}", level=Level.COMMUNE, kind="ubnd", local_name="UBND {unit}"
    )
    units = [f"gl-{number:03}" for number in range(1, size.units + 1)]
    for code in units:
        yield Unit(code=code, name=f"Phường {MADE_UP} {code[3:]}", kind=UnitKind.WARD, **facts)
    years = range(size.last_year - size.years + 1, size.last_year + 1)
    for year in years:
        for number in (1, 2):
            yield Decision(
                number=f"9{number}/{year}/QĐ-{MADE_UP}",
                issuer=MADE_UP,
                title=f"Quyết định {MADE_UP} năm {year}",
                valid_from=date(year, 1, 1),
                valid_to=date(year, 12, 31),
                **facts,
            )
    for number in range(1, size.procedures + 1):
        code = f"9.{number:06}"
        yield Procedure(
            code=code,
            name=f"Thủ tục {MADE_UP} số {number}",
            field=f"Lĩnh vực {MADE_UP} {number % 40}",
            levels=[Level.CITY, Level.COMMUNE],
            **facts,
        )
        yield BaseCompetence(procedure=code, authority="gl-tp", **facts)
        for year in years:
            yield from _handed_on(random, code, year, random.choice(departments), units, noted)


def _handed_on(
    random: Random, code: str, year: int, department: str, units: list[str], noted: date
) -> Iterator[Delegation]:
    start = date(year, 1, 1) + timedelta(days=random.randrange(90))
    ends = {"valid_from": start, "valid_to": date(year, 12, 31), "source": SOURCE, "as_of": noted}
    yield Delegation(
        procedure=code,
        decision=f"91/{year}/QĐ-{MADE_UP}",
        kind=DelegationKind.DEVOLVED,
        from_authority="gl-tp",
        to_authority=department,
        stage=Stage.DECIDED,
        **ends,
    )
    scope = random.choice(list(Scope))
    yield Delegation(
        procedure=code,
        decision=f"92/{year}/QĐ-{MADE_UP}",
        kind=DelegationKind.MANDATED,
        from_authority=department,
        to_authority="gl-xa",
        scope=scope,
        units=[] if scope is Scope.ALL else sorted(random.sample(units, random.randint(1, max(1, len(units) // 2)))),
        stage=random.choices([Stage.DECIDED, Stage.PROPOSED], [9, 1])[0],
        internal_process=None,
        **ends,
    )


def fill(engine: sa.engine.Engine, size: Size = Size()) -> int:
    """Write a made-up catalogue into an empty database; gives the number of rows."""
    changes = [Change(type(row), None, row) for row in records(size)]
    with engine.begin() as connection:
        database.apply(connection, changes)
        database.record_run(connection, MADE_UP, "", [])
    return len(changes)
