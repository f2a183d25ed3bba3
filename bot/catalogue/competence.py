"""Who handles a procedure, where, on which day, and by which chain of decisions.

Pure: no database, no clock. Start from the base authority (thẩm quyền gốc); apply the delegations that are
decided, hold on that day and cover the unit, the most specific and most recent first; a mandate (ủy quyền)
may not be delegated again; a body does not appear twice. Where the record is missing, expired or
contradictory the answer says so and names the base authority: it never guesses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Optional

from bot.catalogue import register
from bot.catalogue.records import (
    TWO_LEVEL_START,
    BaseCompetence,
    Decision,
    Delegation,
    DelegationKind,
    Level,
    Scope,
    Stage,
)


class Verdict(str, Enum):
    """How an answer came about."""

    BASE = "base"
    """No delegation applies: the base authority decides."""
    DELEGATED = "delegated"
    UNKNOWN = "unknown"
    """Nothing is recorded for that procedure on that day."""
    CONTRADICTION = "contradiction"
    """Two delegations of equal rank name different bodies."""
    ENDED = "ended"
    """The record leads to a body of a level that no longer exists on that day."""


class Phase(str, Enum):
    """Where a delegation stands on the day of the report."""

    IN_FORCE = "hieu_luc"
    DECIDED = "da_quyet_dinh"
    """Decided, but it or its decision has not started yet."""
    PROPOSED = "du_kien"
    ENDED = "da_ket_thuc"


@dataclass(frozen=True)
class Place:
    """A unit, and the units that it lies in (a former ward in its district), nearest first."""

    unit: Optional[str] = None
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Competence:
    """Who handles it, and why."""

    verdict: Verdict
    authority: Optional[str]
    """Code of the authority; the base authority where the chain cannot be trusted; None if unknown."""
    chain: tuple[Delegation, ...] = ()
    base: Optional[BaseCompetence] = None
    conflicts: tuple[Delegation, ...] = ()

    @property
    def certain(self) -> bool:
        decided = self.verdict in (Verdict.BASE, Verdict.DELEGATED)
        return decided and self.base is not None and self.base.certain


@dataclass(frozen=True)
class Rules:
    """What the resolver needs of the catalogue, indexed by procedure."""

    base: Mapping[str, Sequence[BaseCompetence]]
    delegations: Mapping[str, Sequence[Delegation]]
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    """By number; a replaced one ends before the one that replaced it."""
    levels: Mapping[str, Level] = field(default_factory=dict)
    """Level of each authority."""

    @classmethod
    def of(
        cls,
        base: Iterable[BaseCompetence],
        delegations: Iterable[Delegation],
        decisions: Iterable[Decision] = (),
        levels: Optional[Mapping[str, Level]] = None,
    ) -> Rules:
        by_base: dict[str, list[BaseCompetence]] = {}
        by_procedure: dict[str, list[Delegation]] = {}
        for row in base:
            by_base.setdefault(row.procedure, []).append(row)
        for delegation in delegations:
            by_procedure.setdefault(delegation.procedure, []).append(delegation)
        return cls(by_base, by_procedure, register.closed(decisions), levels or {})

    def depends_on_place(self, procedure: str, day: date) -> bool:
        """Whether two places may get different bodies on that day."""
        return any(
            row.scope is not Scope.ALL and self.in_force(row, day) for row in self.delegations.get(procedure, ())
        )

    def in_force(self, delegation: Delegation, day: date) -> bool:
        """Whether a delegation may answer a citizen on a day."""
        return self.phase(delegation, day) is Phase.IN_FORCE

    def phase(self, delegation: Delegation, day: date) -> Phase:
        """Where a delegation stands on a day: it is decided and holds, and the decision that it rests on holds too."""
        if delegation.stage is Stage.PROPOSED:
            return Phase.PROPOSED
        # A row marked as ended may have been in force on a day before it was marked: there its dates tell.
        if delegation.stage is Stage.ENDED and delegation.as_of <= day:
            return Phase.ENDED
        decision = self.decisions.get(delegation.decision)
        last, rests_until = delegation.valid_to, decision.valid_to if decision else None
        if (last and last < day) or (rests_until and rests_until < day):
            return Phase.ENDED
        first, rests_from = delegation.valid_from, decision.valid_from if decision else None
        return Phase.DECIDED if (first and day < first) or (rests_from and day < rests_from) else Phase.IN_FORCE


def resolve(rules: Rules, procedure: str, place: Place, day: date) -> Competence:
    """Who handles a procedure in a place on a day. Always answers; see `Verdict` for how far to trust it."""
    base = _base_on(rules.base.get(procedure, ()), day)
    if base is None:
        return Competence(Verdict.UNKNOWN, None)
    usable = [
        row
        for row in rules.delegations.get(procedure, ())
        if rules.in_force(row, day) and row.covers(place.unit, place.parents)
    ]
    holder, chain, seen = base.authority, list[Delegation](), {base.authority}
    while not (chain and chain[-1].kind is DelegationKind.MANDATED):
        offers = [row for row in usable if row.from_authority == holder and row.to_authority not in seen]
        if not offers:
            break
        best = max(map(_rank, offers))
        top = [row for row in offers if _rank(row) == best]
        if len({row.to_authority for row in top}) > 1:
            return Competence(Verdict.CONTRADICTION, base.authority, base=base, conflicts=tuple(top))
        chain.append(top[0])
        holder = top[0].to_authority
        seen.add(holder)
    if rules.levels.get(holder) is Level.DISTRICT and day >= TWO_LEVEL_START:
        return Competence(Verdict.ENDED, base.authority, tuple(chain), base)
    return Competence(Verdict.DELEGATED if chain else Verdict.BASE, holder, tuple(chain), base)


def refused(rules: Rules, procedure: str, place: Place, day: date) -> list[Delegation]:
    """What is in force in a place but cannot be applied: a mandate handed on, or a body that would have it again."""
    found = resolve(rules, procedure, place, day)
    if found.base is None or found.verdict is Verdict.CONTRADICTION:
        return []
    holder = found.chain[-1].to_authority if found.chain else found.base.authority
    return [
        row
        for row in rules.delegations.get(procedure, ())
        if row.from_authority == holder and rules.in_force(row, day) and row.covers(place.unit, place.parents)
    ]


def holders(rules: Rules, procedure: str, day: date) -> set[str]:
    """Every body that can have a procedure somewhere on a day: the base authority, and whom it can reach."""
    base = _base_on(rules.base.get(procedure, ()), day)
    reached = {base.authority} if base else set[str]()
    open_ = [row for row in rules.delegations.get(procedure, ()) if rules.in_force(row, day)]
    while True:
        more = {row.to_authority for row in open_ if row.from_authority in reached} - reached
        if not more:
            return reached
        reached |= more


def _base_on(rows: Iterable[BaseCompetence], day: date) -> Optional[BaseCompetence]:
    held = [row for row in rows if row.holds_on(day)]
    return max(held, key=lambda row: row.valid_from or date.min, default=None)


def _rank(delegation: Delegation) -> tuple[int, date]:
    """Most specific first (listed units before all), then most recent."""
    specific = {Scope.ONLY: 2, Scope.EXCEPT: 1, Scope.ALL: 0}[delegation.scope]
    return specific, delegation.valid_from or date.min
