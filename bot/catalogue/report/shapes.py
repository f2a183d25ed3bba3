"""What the report says, as plain data."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Generic, NamedTuple, Optional, TypeVar, Union

from bot.catalogue.competence import Phase
from bot.catalogue.records import Delegation, DelegationKind, Level, Procedure

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Entry:
    """One delegation of one of the day's procedures."""

    delegation: Delegation
    procedure: Procedure
    phase: Phase
    giver: str
    """Name of the authority that hands over; its code where the catalogue does not know it."""
    taker: str


class Pair(NamedTuple):
    """From whom to whom, by name."""

    giver: str
    taker: str


@dataclass(frozen=True)
class Tally(Generic[K]):
    """How many delegations are of one sort, and how many procedures they concern."""

    of: K
    delegations: int
    procedures: int


@dataclass(frozen=True)
class Coverage(Generic[K]):
    """How many procedures of one sort there are, and how many have a delegation in force."""

    of: K
    procedures: int
    delegated: int

    @property
    def rate(self) -> Optional[Decimal]:
        return percent(self.delegated, self.procedures)


@dataclass(frozen=True)
class FieldCoverage(Coverage[str]):
    """The coverage of a field, and its delegations by phase."""

    phases: Mapping[Phase, int]


@dataclass(frozen=True)
class UnitCount:
    """In how many procedures the competence in one ward or commune comes from a delegation."""

    code: str
    name: str
    within: str
    """The former district; empty since 2025-07-01."""
    delegated: int


@dataclass(frozen=True)
class Processes:
    """Internal processes (quy trình nội bộ) of the procedures with a delegation in force."""

    procedures: int
    with_process: int
    """Procedures all of whose delegations in force name a process."""
    missing: tuple[Entry, ...]
    """Delegations in force that name none."""

    @property
    def rate(self) -> Optional[Decimal]:
        return percent(self.with_process, self.procedures)


@dataclass(frozen=True)
class Figure:
    """One announced figure, as its source gives it."""

    code: str
    group: str
    label: str
    value: Decimal
    """With as many decimals as were announced."""
    unit: str
    source: str
    as_of: str
    """2022-11-22, or 2023-07 where only the month is known."""


@dataclass(frozen=True)
class Check:
    """Whether announced figures fit together."""

    subject: str
    agrees: bool
    text: str
    """The sum that was done and what it shows, in Vietnamese."""


@dataclass(frozen=True)
class Report:
    """Computed figures of a day; announced ones and the checks on them, in fields of their own."""

    day: date
    total: Coverage[None]
    left_out: int
    """Delegations of procedures that the catalogue does not have on the day; counted nowhere else."""
    entries: tuple[Entry, ...]
    phases: tuple[Tally[Phase], ...]
    levels: tuple[Coverage[Level], ...]
    """A procedure of several levels counts in each."""
    fields: tuple[FieldCoverage, ...]
    pairs: tuple[Tally[Pair], ...]
    """In force, as are the kinds."""
    kinds: tuple[Tally[DelegationKind], ...]
    units: tuple[UnitCount, ...]
    processes: Processes
    announced: tuple[Figure, ...]
    checks: tuple[Check, ...]


def percent(part: Union[int, Decimal], whole: Union[int, Decimal]) -> Optional[Decimal]:
    """The share in percent to two decimals; None of nothing."""
    return exact_percent(part, whole).quantize(Decimal("0.01"), ROUND_HALF_UP) if whole else None


def exact_percent(part: Union[int, Decimal], whole: Union[int, Decimal]) -> Decimal:
    return 100 * Decimal(part) / Decimal(whole)


def number_text(value: Union[int, Decimal, None]) -> str:
    """As Vietnamese writes it: 1.867; 32,30."""
    return "" if value is None else f"{value:,}".translate(str.maketrans(",.", ".,"))
