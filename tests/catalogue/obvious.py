"""A second resolver of competence, slow and obvious, to compare the real one with.

Written from the rules in docs/catalogue.md, not from the code: it lists every way in which a procedure can be
handed on, one after another, and keeps the one that no rule forbids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, Optional

from bot.catalogue.records import BaseCompetence, Decision, Delegation

LONG_AGO, NEVER = date.min, date.max
SPECIFIC = ["tat_ca", "tru", "chi"]


class Told(NamedTuple):
    """What the obvious resolver says."""

    verdict: str
    authority: Optional[str]
    path: tuple[Delegation, ...]


def days_of_decision(number: str, decisions: Mapping[str, Decision]) -> tuple[date, date]:
    """First and last day of a document; one that is not in the register sets no bounds."""
    if number not in decisions:
        return LONG_AGO, NEVER
    row = decisions[number]
    last = row.valid_to or NEVER
    if row.replaced_by in decisions:
        heir = decisions[row.replaced_by]
        begins = heir.valid_from or heir.issued_on
        if begins is not None:
            last = min(last, begins - timedelta(days=1))
        elif row.valid_to is None:
            last = row.as_of - timedelta(days=1)
    elif row.replaced_by is not None and row.valid_to is None:
        last = row.as_of - timedelta(days=1)
    return row.valid_from or LONG_AGO, last


def counts(row: Delegation, around: set[str], day: date, decisions: Mapping[str, Decision]) -> bool:
    """Whether a delegation holds in a place (its unit and all it lies in) on a day."""
    if row.stage.value == "du_kien" or (row.stage.value == "da_ket_thuc" and row.as_of <= day):
        return False
    first, last = days_of_decision(row.decision, decisions)
    if not (row.valid_from or LONG_AGO) <= day <= (row.valid_to or NEVER) or not first <= day <= last:
        return False
    listed = bool(around & set(row.units))
    return {"tat_ca": True, "chi": listed, "tru": not listed}[row.scope.value]


def every_path(holder: str, rows: Sequence[Delegation], been: tuple[str, ...]) -> Iterator[tuple[Delegation, ...]]:
    """Every way to hand on what a body holds, also not at all; never back, never on from a mandate."""
    yield ()
    for row in rows:
        if row.from_authority == holder and row.to_authority not in (*been, holder):
            if row.kind.value == "uy_quyen":
                yield (row,)
            else:
                for rest in every_path(row.to_authority, rows, (*been, holder)):
                    yield (row, *rest)


def weight(row: Delegation) -> tuple[int, date]:
    return SPECIFIC.index(row.scope.value), row.valid_from or LONG_AGO


def is_right(path: tuple[Delegation, ...], holder: str, rows: Sequence[Delegation]) -> bool:
    """Whether at every step the weightiest is taken, and something is taken as long as anything may be."""
    been = [holder]
    for step in range(len(path) + 1):
        ended = step > 0 and path[step - 1].kind.value == "uy_quyen"
        open_ = [] if ended else [r for r in rows if r.from_authority == been[-1] and r.to_authority not in been]
        if step == len(path):
            return not open_
        if any(weight(row) > weight(path[step]) for row in open_):
            return False
        been.append(path[step].to_authority)
    raise AssertionError


def told(
    bases: Sequence[BaseCompetence],
    rows: Sequence[Delegation],
    decisions: Mapping[str, Decision],
    around: set[str],
    day: date,
    levels: Mapping[str, str],
) -> Told:
    """Who handles a procedure, of which these are the base authorities and delegations."""
    held = [row for row in bases if (row.valid_from or LONG_AGO) <= day <= (row.valid_to or NEVER)]
    if not held:
        return Told("unknown", None, ())
    newest = max(row.valid_from or LONG_AGO for row in held)
    base = next(row.authority for row in held if (row.valid_from or LONG_AGO) == newest)
    valid = [row for row in rows if counts(row, around, day, decisions)]
    right = [path for path in every_path(base, valid, ()) if is_right(path, base, valid)]
    bodies = {tuple(row.to_authority for row in path) for path in right}
    if len(bodies) > 1:
        return Told("contradiction", base, ())
    path = right[0]
    last = path[-1].to_authority if path else base
    if levels.get(last) == "huyen" and day >= date(2025, 7, 1):
        return Told("ended", base, path)
    return Told("delegated" if path else "base", last, path)
