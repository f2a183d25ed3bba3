"""The figures that are computed from the records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Optional

from bot.catalogue.competence import Phase, Place, Rules, Verdict, resolve
from bot.catalogue.records import Delegation, DelegationKind, Level, Procedure, Scope, Unit, UnitKind
from bot.catalogue.report.announced import announced_figures, check_figures
from bot.catalogue.report.shapes import (
    Coverage,
    Entry,
    FieldCoverage,
    K,
    Pair,
    Processes,
    Report,
    Tally,
    UnitCount,
)
from bot.catalogue.store import Catalogue

_WARD_KINDS = frozenset({UnitKind.WARD, UnitKind.COMMUNE, UnitKind.TOWNSHIP})


def build(catalogue: Catalogue, day: date) -> Report:
    """The report of a day."""
    procedures = {code: row for code, row in catalogue.procedures.items() if row.holds_on(day)}
    entries = _entries(catalogue, procedures, day)
    in_force = [entry for entry in entries if entry.phase is Phase.IN_FORCE]
    delegated = {entry.procedure.code for entry in in_force}
    recorded = sum(map(len, catalogue.rules.delegations.values()))
    figures = announced_figures()
    return Report(
        day=day,
        total=Coverage(None, len(procedures), len(delegated)),
        left_out=recorded - len(entries),
        entries=tuple(entries),
        phases=_tally(Phase, entries, lambda entry: entry.phase),
        levels=_by_level(procedures.values(), delegated),
        fields=_by_field(procedures.values(), delegated, entries),
        pairs=_by_pair(in_force),
        kinds=_tally(DelegationKind, in_force, lambda entry: entry.delegation.kind),
        units=_by_unit(catalogue, in_force, day),
        processes=_processes(in_force),
        announced=figures,
        checks=check_figures(figures),
    )


def _entries(catalogue: Catalogue, procedures: Mapping[str, Procedure], day: date) -> list[Entry]:
    names = {code: authority.name for code, authority in catalogue.authorities.items()}
    entries = [
        Entry(
            row,
            procedures[code],
            catalogue.rules.phase(row, day),
            names.get(row.from_authority, row.from_authority),
            names.get(row.to_authority, row.to_authority),
        )
        for code, rows in catalogue.rules.delegations.items()
        if code in procedures
        for row in rows
    ]
    order = {phase: number for number, phase in enumerate(Phase)}
    return sorted(entries, key=lambda entry: (order[entry.phase], entry.procedure.code, entry.delegation.decision))


def _tally(sorts: Iterable[K], entries: Iterable[Entry], sort_of: Callable[[Entry], K]) -> tuple[Tally[K], ...]:
    """One tally of each sort, in the order given, those of which there is nothing too."""
    codes: dict[K, list[str]] = defaultdict(list)
    for entry in entries:
        codes[sort_of(entry)].append(entry.procedure.code)
    return tuple(Tally(sort, len(codes[sort]), len(set(codes[sort]))) for sort in sorts)


def _by_pair(in_force: Sequence[Entry]) -> tuple[Tally[Pair], ...]:
    pairs = {Pair(entry.giver, entry.taker) for entry in in_force}
    tallies = _tally(sorted(pairs), in_force, lambda entry: Pair(entry.giver, entry.taker))
    return tuple(sorted(tallies, key=lambda tally: -tally.delegations))


def _by_level(procedures: Collection[Procedure], delegated: Collection[str]) -> tuple[Coverage[Level], ...]:
    return tuple(_coverage(level, (row for row in procedures if level in row.levels), delegated) for level in Level)


def _coverage(of: K, procedures: Iterable[Procedure], delegated: Collection[str]) -> Coverage[K]:
    codes = [row.code for row in procedures]
    return Coverage(of, len(codes), sum(code in delegated for code in codes))


def _by_field(
    procedures: Iterable[Procedure], delegated: Collection[str], entries: Iterable[Entry]
) -> tuple[FieldCoverage, ...]:
    """The fields with most delegations first."""
    members: dict[str, list[Procedure]] = defaultdict(list)
    for row in procedures:
        members[row.field].append(row)
    phases: dict[str, Counter[Phase]] = {name: Counter() for name in members}
    for entry in entries:
        phases[entry.procedure.field][entry.phase] += 1
    found = []
    for name, rows in members.items():
        counts = _coverage(name, rows, delegated)
        by_phase = {phase: phases[name][phase] for phase in Phase}
        found.append(FieldCoverage(name, counts.procedures, counts.delegated, by_phase))
    return tuple(sorted(found, key=lambda row: (-sum(row.phases.values()), -row.procedures, row.of)))


def _by_unit(catalogue: Catalogue, in_force: Iterable[Entry], day: date) -> tuple[UnitCount, ...]:
    """The day's wards and communes.

    A procedure is resolved once for all places that no delegation lists, and once more for each group of wards
    that are listed by the same delegations.
    """
    units, places = catalogue.places.units, catalogue.places
    wards = [unit for unit in units.values() if unit.kind in _WARD_KINDS and unit.holds_on(day)]
    wards_in: dict[str, list[str]] = defaultdict(list)
    for ward in wards:
        for code in (ward.code, *places.place(ward.code).parents):
            wards_in[code].append(ward.code)
    by_procedure: dict[str, list[Delegation]] = defaultdict(list)
    for entry in in_force:
        by_procedure[entry.procedure.code].append(entry.delegation)
    unlisted, difference = 0, Counter[str]()
    for rows in by_procedure.values():
        elsewhere = _is_delegated(catalogue.rules, rows, frozenset(), Place(), day)
        unlisted += elsewhere
        for listing, group in _listed_alike(rows, wards_in).items():
            here = _is_delegated(catalogue.rules, rows, listing, places.place(group[0]), day)
            difference.update(dict.fromkeys(group, here - elsewhere))
    return tuple(
        UnitCount(ward.code, ward.name, _name(units.get(ward.parent or "")), unlisted + difference[ward.code])
        for ward in wards
    )


def _is_delegated(rules: Rules, rows: Sequence[Delegation], listing: Collection[int], place: Place, day: date) -> bool:
    """Whether some of one procedure's delegations decide who handles it in a place, which `listing` of them list."""
    # With a delegation for each ward, all but one or two are of other wards: the resolver need not see those.
    near = [row for number, row in enumerate(rows) if number in listing or row.scope is not Scope.ONLY]
    procedure = rows[0].procedure
    return resolve(replace(rules, delegations={procedure: near}), procedure, place, day).verdict is Verdict.DELEGATED


def _listed_alike(
    rows: Sequence[Delegation], wards_in: Mapping[str, Sequence[str]]
) -> Mapping[frozenset[int], list[str]]:
    """Wards that some delegation lists, themselves or by their district, grouped by which ones do."""
    listed_by: dict[str, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        for code in row.units:
            for ward in wards_in.get(code, ()):
                listed_by[ward].add(number)
    groups: dict[frozenset[int], list[str]] = defaultdict(list)
    for ward, numbers in listed_by.items():
        groups[frozenset(numbers)].append(ward)
    return groups


def _name(unit: Optional[Unit]) -> str:
    return unit.name if unit else ""


def _processes(in_force: Sequence[Entry]) -> Processes:
    missing = tuple(entry for entry in in_force if entry.delegation.internal_process is None)
    procedures = {entry.procedure.code for entry in in_force}
    without = {entry.procedure.code for entry in missing}
    return Processes(len(procedures), len(procedures - without), missing)
