"""What is missing, expired or contradictory in the catalogue, for the people who keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations, pairwise

from bot.catalogue.competence import Place, Verdict, holders, refused, resolve
from bot.catalogue.records import Delegation, DelegationKind, Scope, Stage
from bot.catalogue.store import Catalogue

CONTRADICTION, GAP, OVERLAP = "mau_thuan", "khoang_trong", "chong_lan"
EXPIRED, EXPIRING, MISSING = "het_han", "sap_het_han", "thieu"
TITLES = {
    CONTRADICTION: "MÂU THUẪN",
    GAP: "KHOẢNG TRỐNG",
    OVERLAP: "CHỒNG LẤN",
    EXPIRED: "HẾT HẠN",
    EXPIRING: "SẮP HẾT HẠN",
    MISSING: "THIẾU",
}
"""Severities, the worst first."""
NOTICE = 60
"""Days before an end from which it is told, as Decision 105/QĐ-UBND of 2026 asks."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at."""

    severity: str
    table: str
    key: str
    problem: str
    """In Vietnamese."""


def check(catalogue: Catalogue, today: date) -> list[Finding]:
    """Everything found, the worst first."""
    found = [
        *_contradictions(catalogue, today),
        *_gaps_and_overlaps(catalogue, today),
        *_expired(catalogue, today),
        *expiring(catalogue, today),
        *_missing(catalogue),
    ]
    return sorted(found, key=lambda finding: (list(TITLES).index(finding.severity), finding.table, finding.key))


def summary(findings: Iterable[Finding], shown: int = 10) -> Iterator[str]:
    """The findings as lines to read: counts per problem, and the first keys of each."""
    found = list(findings)
    groups = Counter((finding.severity, finding.table, finding.problem.split(":")[0]) for finding in found)
    for (severity, table, problem), count in groups.items():
        keys = [f.key for f in found if (f.severity, f.table, f.problem.split(":")[0]) == (severity, table, problem)]
        more = "…" if count > shown else ""
        yield f"{TITLES[severity]} · {table} · {problem}: {count} ({', '.join(keys[:shown])}{more})"
    if not found:
        yield "Không thấy vấn đề nào."


def _contradictions(catalogue: Catalogue, today: date) -> Iterator[Finding]:
    known = catalogue.authorities.keys()
    units = catalogue.places.units
    for rows in catalogue.rules.base.values():
        for base in rows:
            for code in filter(None, (base.authority, base.handler)):
                if code not in known:
                    yield Finding(CONTRADICTION, "base_competence", base.procedure, f"cơ quan không có: {code}")
            if base.procedure not in catalogue.procedures:
                yield Finding(CONTRADICTION, "base_competence", base.procedure, "thủ tục không có trong danh mục")
        days = sorted(rows, key=lambda row: row.valid_from or date.min)
        for first, second in pairwise(days):
            if first.valid_to is None or (second.valid_from or date.min) <= first.valid_to:
                yield Finding(CONTRADICTION, "base_competence", first.procedure, "hai thẩm quyền gốc chồng thời gian")
    for rows_ in catalogue.rules.delegations.values():
        for row in rows_:
            key = f"{row.procedure} / {row.decision}"
            if row.procedure not in catalogue.procedures:
                yield Finding(CONTRADICTION, "delegation", key, "thủ tục không có trong danh mục")
            if row.decision not in catalogue.decisions:
                yield Finding(CONTRADICTION, "delegation", key, "quyết định không có trong sổ quyết định")
            for code in (row.from_authority, row.to_authority):
                if code not in known:
                    yield Finding(CONTRADICTION, "delegation", key, f"cơ quan không có: {code}")
            for unit in row.units:
                if unit not in units:
                    yield Finding(CONTRADICTION, "delegation", key, f"đơn vị không có: {unit}")
    yield from _replaced_in_circles(catalogue)
    for procedure, rows_ in catalogue.rules.delegations.items():
        # A contradiction that is decided on today but begins later is told today.
        for day in sorted({today, *(row.valid_from for row in rows_ if row.valid_from and row.valid_from > today)}):
            yield from _conflicts(catalogue, procedure, day)


def _conflicts(catalogue: Catalogue, procedure: str, day: date) -> Iterator[Finding]:
    """What of a procedure cannot be applied on a day, wherever it is; each once."""
    rules = catalogue.rules
    held = [row for row in rules.delegations[procedure] if rules.in_force(row, day)]
    reached = holders(rules, procedure, day)
    for row in held:
        if reached and row.from_authority not in reached:
            problem = f"bên giao không có thẩm quyền với thủ tục này: {row.from_authority}"
            yield Finding(CONTRADICTION, "delegation", f"{procedure} / {row.decision}", problem)
    refusals: dict[str, str] = {}
    for place in _places_told_apart(catalogue, held):
        found = resolve(rules, procedure, place, day)
        if found.verdict is Verdict.CONTRADICTION:
            names = ", ".join(sorted({row.decision for row in found.conflicts}))
            refusals[procedure] = f"hai quyết định cùng hạng giao cho hai nơi: {names}"
        for row in refused(rules, procedure, place, day):
            mandated = bool(found.chain) and found.chain[-1].kind is DelegationKind.MANDATED
            refusals[f"{procedure} / {row.decision}"] = (
                f"ủy quyền tiếp việc được ủy quyền: {row.from_authority} → {row.to_authority}"
                if mandated
                else f"giao vòng tròn: {row.from_authority} → {row.to_authority}"
            )
    for key, problem in refusals.items():
        yield Finding(CONTRADICTION, "delegation", key, problem)


def _places_told_apart(catalogue: Catalogue, held: Iterable[Delegation]) -> Iterator[Place]:
    """One place for each way in which some delegations list or do not list it."""
    held = list(held)
    yield Place()
    seen = set()
    for unit in sorted({unit for row in held for unit in row.units}):
        place = catalogue.places.place(unit)
        listing = frozenset(number for number, row in enumerate(held) if {unit, *place.parents} & set(row.units))
        if listing not in seen:
            seen.add(listing)
            yield place


def _replaced_in_circles(catalogue: Catalogue) -> Iterator[Finding]:
    for number in catalogue.decisions:
        met, at = [number], catalogue.decisions[number].replaced_by
        while at and at in catalogue.decisions and at not in met:
            met.append(at)
            at = catalogue.decisions[at].replaced_by
        if at == number and number == min(met):
            yield Finding(CONTRADICTION, "decision", number, f"thay nhau vòng tròn: {' → '.join([*met, number])}")


def _gaps_and_overlaps(catalogue: Catalogue, today: date) -> Iterator[Finding]:
    for procedure, base in catalogue.rules.base.items():
        found = resolve(catalogue.rules, procedure, Place(), today)
        if found.verdict is Verdict.ENDED:
            yield Finding(GAP, "delegation", procedure, "cơ quan cũ không còn mà chưa có văn bản nào giao cho nơi khác")
        if found.verdict is Verdict.UNKNOWN and procedure in catalogue.procedures:
            yield Finding(GAP, "base_competence", procedure, "thẩm quyền gốc không còn hoặc chưa bắt đầu")
        for before, after in pairwise(sorted(base, key=lambda row: row.valid_from or date.min)):
            if before.valid_to and after.valid_from and before.valid_to + timedelta(days=1) < after.valid_from:
                problem = f"không rõ thẩm quyền gốc từ sau {before.valid_to} đến trước {after.valid_from}"
                yield Finding(GAP, "base_competence", procedure, problem)
    for procedure, rows in catalogue.rules.delegations.items():
        held = [row for row in rows if catalogue.rules.in_force(row, today)]
        for first, second in _overlapping(held):
            key = f"{procedure} / {first.decision} / {second.decision}"
            alike = first.to_authority == second.to_authority
            problem = "hai lượt giao trùng nhau" if alike else "hai lượt giao chồng nhau, lượt mới hơn được dùng"
            yield Finding(OVERLAP, "delegation", key, problem)
        for row in held:
            for code in row.units:
                unit = catalogue.places.units.get(code)
                if unit is not None and not unit.holds_on(today):
                    key = f"{procedure} / {row.decision}"
                    yield Finding(GAP, "delegation", key, f"giao cho đơn vị không còn: {unit.name}")


def _overlapping(held: Iterable[Delegation]) -> list[tuple[Delegation, Delegation]]:
    """Pairs of the same rank from one body for one place, each once; those that contradict are told elsewhere."""
    alike: dict[tuple[object, ...], list[Delegation]] = {}
    for row in held:
        for unit in row.units if row.scope is Scope.ONLY else ("",):
            alike.setdefault((row.from_authority, row.scope, unit), []).append(row)
    pairs = {
        (id(first), id(second)): (first, second)
        for rows in alike.values()
        for first, second in combinations(rows, 2)
        if first.to_authority == second.to_authority or first.valid_from != second.valid_from
    }
    return list(pairs.values())


def expiring(catalogue: Catalogue, today: date, days: int = NOTICE) -> list[Finding]:
    """What ends within some days from today, soonest first; a decision with the procedures that rest on it."""
    last = today + timedelta(days=days)
    resting: dict[str, set[str]] = {}
    ends: list[tuple[date, Finding]] = []
    for rows in catalogue.rules.delegations.values():
        for row in rows:
            decision = catalogue.rules.decisions.get(row.decision)
            dates = [row.valid_to, decision.valid_to if decision else None]
            end = min((day for day in dates if day), default=None)
            if end and today <= end <= last and catalogue.rules.in_force(row, today):
                key = f"{row.procedure} / {row.decision}"
                ends.append(
                    (end, Finding(EXPIRING, "delegation", key, f"hết hạn ngày {end}, còn {(end - today).days} ngày"))
                )
                resting.setdefault(row.decision, set()).add(row.procedure)
    for number, decision in catalogue.rules.decisions.items():
        end = decision.valid_to
        if end and today <= end <= last:
            more = f"; {len(resting[number])} thủ tục đang dựa vào" if number in resting else ""
            problem = f"hết hiệu lực ngày {end}, còn {(end - today).days} ngày{more}"
            ends.append((end, Finding(EXPIRING, "decision", number, problem)))
    return [finding for _, finding in sorted(ends, key=lambda item: (item[0], item[1].table, item[1].key))]


def _expired(catalogue: Catalogue, today: date) -> Iterator[Finding]:
    for rows in catalogue.rules.delegations.values():
        for row in rows:
            key = f"{row.procedure} / {row.decision}"
            decision = catalogue.rules.decisions.get(row.decision)
            if row.stage is Stage.PROPOSED and row.valid_from and row.valid_from <= today:
                yield Finding(EXPIRED, "delegation", key, f"dự kiến từ {row.valid_from} mà chưa có quyết định")
            if row.stage is not Stage.DECIDED:
                continue
            if row.valid_to and row.valid_to < today:
                yield Finding(EXPIRED, "delegation", key, f"đã hết hạn: {row.valid_to}")
            elif decision and decision.valid_to and decision.valid_to < today:
                by = f"đã được thay bằng {decision.replaced_by}" if decision.replaced_by else "đã hết hiệu lực"
                yield Finding(EXPIRED, "delegation", key, f"dựa trên văn bản {by}")
    for decision in catalogue.rules.decisions.values():
        if decision.valid_to and decision.valid_to < today:
            yield Finding(EXPIRED, "decision", str(decision.number), f"đã hết hiệu lực: {decision.valid_to}")


def _missing(catalogue: Catalogue) -> Iterator[Finding]:
    for code, procedure in catalogue.procedures.items():
        blanks = {
            "chưa có thời hạn": procedure.time_value is None,
            "chưa có đường dẫn": procedure.online_url is None,
            "chưa có căn cứ pháp lý": not procedure.legal_basis,
        }
        for problem, blank in blanks.items():
            if blank:
                yield Finding(MISSING, "procedure", code, problem)
        base = catalogue.rules.base.get(code, ())
        if not base:
            yield Finding(MISSING, "base_competence", code, "chưa có cơ quan có thẩm quyền")
        if base and not any(row.certain for row in base):
            yield Finding(MISSING, "base_competence", code, "cơ quan mới suy từ cấp thực hiện")
    for point in catalogue.service_points.values():
        if not point.address:
            yield Finding(MISSING, "service_point", str(point.code), "chưa có địa chỉ")
