"""What is missing, expired or contradictory in the catalogue, for the people who keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from bot.catalogue.competence import Verdict, resolve
from bot.catalogue.records import Scope, Stage
from bot.catalogue.store import Catalogue

CONTRADICTION, EXPIRED, MISSING = "mau_thuan", "het_han", "thieu"


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
    found = [*_contradictions(catalogue, today), *_expired(catalogue, today), *_missing(catalogue)]
    order = {CONTRADICTION: 0, EXPIRED: 1, MISSING: 2}
    return sorted(found, key=lambda finding: (order[finding.severity], finding.table, finding.key))


def summary(findings: Iterable[Finding], shown: int = 10) -> Iterator[str]:
    """The findings as lines to read: counts per problem, and the first keys of each."""
    found = list(findings)
    groups = Counter((finding.severity, finding.table, finding.problem.split(":")[0]) for finding in found)
    titles = {CONTRADICTION: "MÂU THUẪN", EXPIRED: "HẾT HẠN", MISSING: "THIẾU"}
    for (severity, table, problem), count in groups.items():
        keys = [f.key for f in found if (f.severity, f.table, f.problem.split(":")[0]) == (severity, table, problem)]
        more = "…" if count > shown else ""
        yield f"{titles[severity]} · {table} · {problem}: {count} ({', '.join(keys[:shown])}{more})"
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
    for procedure, rows_ in catalogue.rules.delegations.items():
        listed = {unit for row in rows_ if row.scope is not Scope.ALL for unit in row.units}
        for place in (None, *sorted(listed)):
            if (
                resolve(catalogue.rules, procedure, catalogue.places.place(place), today).verdict
                is Verdict.CONTRADICTION
            ):
                yield Finding(CONTRADICTION, "delegation", procedure, "hai quyết định cùng hạng giao cho hai nơi")
                break


def _expired(catalogue: Catalogue, today: date) -> Iterator[Finding]:
    for rows in catalogue.rules.delegations.values():
        for row in rows:
            if row.stage is Stage.DECIDED and row.valid_to and row.valid_to < today:
                yield Finding(EXPIRED, "delegation", f"{row.procedure} / {row.decision}", f"đã hết hạn: {row.valid_to}")
            decision = catalogue.decisions.get(row.decision)
            if decision and decision.valid_to and row.valid_to is None and decision.valid_to < today:
                yield Finding(
                    EXPIRED, "delegation", f"{row.procedure} / {row.decision}", "dựa trên văn bản đã hết hiệu lực"
                )
    for decision in catalogue.decisions.values():
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
        if base and not any(row.certain for row in base):
            yield Finding(MISSING, "base_competence", code, "cơ quan mới suy từ cấp thực hiện")
    for point in catalogue.service_points.values():
        if not point.address:
            yield Finding(MISSING, "service_point", str(point.code), "chưa có địa chỉ")
