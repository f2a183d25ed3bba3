"""Which columns point at which other table, and pointers that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.catalogue.records import (
    Authority,
    BaseCompetence,
    Decision,
    Delegation,
    Guide,
    InternalProcess,
    Procedure,
    Record,
    ServicePoint,
    Unit,
    UnitChange,
)

POINTERS: Mapping[type[Record], Mapping[str, type[Record]]] = {
    Unit: {"parent": Unit},
    UnitChange: {"old": Unit, "new": Unit},
    Decision: {"replaced_by": Decision},
    InternalProcess: {"decision": Decision},
    Guide: {"code": Procedure},
    BaseCompetence: {"procedure": Procedure, "authority": Authority, "handler": Authority, "also": Authority},
    Delegation: {
        "procedure": Procedure,
        "decision": Decision,
        "from_authority": Authority,
        "to_authority": Authority,
        "units": Unit,
        "internal_process": InternalProcess,
    },
    ServicePoint: {"units": Unit},
}
NAMES: Mapping[type[Record], str] = {
    Authority: "cơ quan",
    Decision: "quyết định",
    InternalProcess: "quy trình nội bộ",
    Procedure: "thủ tục",
    Unit: "đơn vị",
}


def targets(kinds: Iterable[type[Record]]) -> set[type[Record]]:
    """The tables that rows of some kinds point at."""
    return {target for kind in kinds for target in POINTERS.get(kind, {}).values()}


def broken(record: Record, known: Mapping[type[Record], set[str]]) -> Iterator[tuple[str, str]]:
    """Column, and the problem in Vietnamese, for every pointer of a row that leads nowhere."""
    for column, target in POINTERS.get(type(record), {}).items():
        value = getattr(record, column)
        for code in value if isinstance(value, (list, tuple)) else [value]:
            if code is not None and code not in known[target]:
                yield column, f"{NAMES[target]} không có trong danh mục: {code}"
