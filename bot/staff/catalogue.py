"""The catalogue: look up, see who is competent and why, what expires, the register of decisions, every table.

Changing it is in `catalogue_edit` (one row) and `catalogue_import` (a decision's annex). What is changed holds at once:
the running bot reads the catalogue anew when its version grows (`bot.catalogue.store`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, Optional
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.catalogue import check, database, editing, history, register
from bot.catalogue.answers import Question
from bot.catalogue.check import Finding
from bot.catalogue.competence import Competence
from bot.catalogue.places import Found as PlaceFound
from bot.catalogue.records import Decision, Record
from bot.catalogue.store import Catalogue
from bot.runtime import Runtime
from bot.staff import catalogue_edit, catalogue_import, wording
from bot.staff.access import ROOT
from bot.staff.accounts import Role
from bot.staff.catalogue_search import search
from bot.staff.pages import page, templates
from bot.text import fold

TITLE, PATH, ROLE = "Danh mục", "/catalogue", Role.EDITOR
PER_PAGE = 30
SHOWN = 50
"""Findings of one sort that are listed at once."""


def edit_address(record: Record) -> str:
    query = urlencode([("k", part) for part in editing.key_text(record)])
    return f"{ROOT}/catalogue/edit/{record.table}?{query}"


def new_address(table: str, **cells: str) -> str:
    return f"{ROOT}/catalogue/edit/{table}" + (f"?{urlencode(cells)}" if cells else "")


def decision_address(number: str) -> str:
    return f"{ROOT}/catalogue/decision?{urlencode({'number': number})}"


templates.env.globals.update(
    edit_address=edit_address, new_address=new_address, decision_address=decision_address, column=wording.column
)
templates.env.filters.update(word=wording.word, days=wording.days)


def index(request: Request) -> Response:
    """Look up a procedure."""
    runtime: Runtime = request.app.state.runtime
    catalogue = runtime.catalogue()
    words = request.query_params.get("q", "").strip()[:200]
    found = search(catalogue, runtime.book, words)
    number = _page(request)
    shown = found.codes[(number - 1) * PER_PAGE : number * PER_PAGE]
    return page(
        request,
        "catalogue/index.html",
        q=words,
        count=len(found.codes),
        alike=found.alike,
        rows=[catalogue.procedures[code] for code in shown],
        short_names=runtime.book.short_names,
        number=number,
        pages=max(1, -(-len(found.codes) // PER_PAGE)),
        ending=len(check.expiring(catalogue, runtime.settings.today)),
    )


@dataclass(frozen=True)
class Asked:
    """Where and when competence is asked for."""

    day: date
    place: str
    unit: Optional[str]
    choices: list[tuple[str, str]]
    """Codes and names of units, where the place is several."""
    problem: str


def procedure(request: Request) -> Response:
    """One procedure: who is competent in a place on a day, and everything that is recorded of it."""
    runtime: Runtime = request.app.state.runtime
    catalogue = runtime.catalogue()
    code = request.path_params["code"]
    found = catalogue.procedures.get(code)
    if found is None:
        raise HTTPException(404, f"Danh mục không có thủ tục {code}.")
    asked = _asked(request, catalogue, runtime.settings.today)
    competence = catalogue.competence(code, asked.unit, asked.day)
    writer = runtime.writer()
    question = Question(code, ("office",), asked.unit, day=asked.day, today=runtime.settings.today)
    return page(
        request,
        "catalogue/procedure.html",
        422 if asked.problem else 200,
        record=found,
        short_name=runtime.book.short_names.get(code, ""),
        asked=asked,
        today=runtime.settings.today,
        unit_names=_unit_names(catalogue, asked.day),
        competence=competence,
        verdict=wording.VERDICTS[competence.verdict],
        authority=writer.authority_name(competence.authority, asked.unit),
        handler=_handler(competence, catalogue),
        names={code: row.name for code, row in catalogue.authorities.items()},
        decisions=catalogue.decisions,
        depends_on_place=catalogue.rules.depends_on_place(code, asked.day),
        told=writer.procedure(question).text,
        guide=catalogue.guides.get(code),
        bases=catalogue.rules.base.get(code, ()),
        delegations=[(row, catalogue.rules.phase(row, asked.day)) for row in catalogue.rules.delegations.get(code, ())],
        findings=[each for each in _findings(request) if each.key.split(" / ")[0] == code],
        titles=check.TITLES,
    )


def _handler(found: Competence, catalogue: Catalogue) -> str:
    handler = found.base.handler if found.base and not found.chain else None
    return str(catalogue.authorities[handler].name) if handler in catalogue.authorities else ""


def _asked(request: Request, catalogue: Catalogue, today: date) -> Asked:
    query = request.query_params
    place, unit, problem = query.get("place", "").strip()[:200], query.get("unit", "").strip(), ""
    try:
        day = date.fromisoformat(query.get("day", "") or today.isoformat())
    except ValueError:
        day, problem = today, "Ngày chưa đúng: cần dạng 2026-11-23."
    choices: list[str] = []
    if unit in catalogue.places.units:
        place = place or str(catalogue.places.units[unit].name)
    elif place:
        unit = ""
        mention = catalogue.places.find(place, day)
        if mention.found is PlaceFound.UNIT:
            unit = mention.units[0]
        elif mention.found is PlaceFound.CHOICE:
            choices = list(mention.units)
        else:
            problem = problem or f"Không thấy phường, xã nào tên “{place}” ở Hà Nội vào ngày này."
    if unit and not catalogue.places.units[unit].holds_on(day):
        choices = list(catalogue.places.on_day(unit, day))
        unit = choices[0] if len(choices) == 1 else ""
    names = [(code, str(catalogue.places.units[code].name)) for code in choices if code in catalogue.places.units]
    return Asked(day, place, unit or None, [] if unit else names, problem)


def _unit_names(catalogue: Catalogue, day: date) -> list[str]:
    return sorted(str(unit.name) for unit in catalogue.places.units.values() if unit.holds_on(day))


def decisions(request: Request) -> Response:
    """The register of decisions."""
    runtime: Runtime = request.app.state.runtime
    catalogue = runtime.catalogue()
    today, words = runtime.settings.today, request.query_params.get("q", "").strip()[:200]
    resting = Counter(row.decision for rows in catalogue.rules.delegations.values() for row in rows)
    wanted = fold(words).split()
    rows = [
        (row, _state(row, today), resting[row.number])
        for row in catalogue.decisions.values()
        if all(word in fold(f"{row.number} {row.title} {row.issuer} {row.note or ''}") for word in wanted)
    ]
    rows.sort(key=lambda item: item[0].issued_on or date.min, reverse=True)
    return page(request, "catalogue/decisions.html", rows=rows, q=words)


def decision(request: Request) -> Response:
    """One decision, and what rests on it."""
    runtime: Runtime = request.app.state.runtime
    catalogue = runtime.catalogue()
    number = request.query_params.get("number", "")
    found = catalogue.decisions.get(number)
    if found is None:
        raise HTTPException(404, f"Danh mục không có văn bản số {number[:100]}.")
    everything = (row for rows in catalogue.rules.delegations.values() for row in rows)
    resting = [
        (row, catalogue.rules.phase(row, runtime.settings.today)) for row in everything if row.decision == number
    ]
    return page(
        request,
        "catalogue/decision.html",
        record=found,
        name=register.full_name(found),
        state=_state(found, runtime.settings.today),
        replaces=register.replaces(found, catalogue.decisions.values()),
        resting=resting,
        procedures=catalogue.procedures,
        names={code: row.name for code, row in catalogue.authorities.items()},
    )


def _state(row: Decision, today: date) -> tuple[str, str]:
    """Where a decision stands, and the class of its tag."""
    if row.replaced_by:
        return f"Đã thay bằng {row.replaced_by}", "warn"
    held = register.is_in_force(row, today)
    if held is None:
        return "Chưa rõ ngày hiệu lực", ""
    if held:
        return ("Còn hiệu lực", "good") if row.valid_from else ("Chưa rõ ngày bắt đầu", "")
    return ("Chưa có hiệu lực", "") if row.valid_from and row.valid_from > today else ("Hết hiệu lực", "bad")


@dataclass(frozen=True)
class Group:
    """Findings of one sort."""

    title: str
    css: str
    problem: str
    findings: list[tuple[Finding, str]]
    """With the address of the page where it is mended."""
    count: int


def review(request: Request) -> Response:
    """What ends in the next days, and what is wrong or missing."""
    runtime: Runtime = request.app.state.runtime
    catalogue = runtime.catalogue()
    days, problem = _days(request.query_params.get("days", ""))
    ending = check.expiring(catalogue, runtime.settings.today, days)
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for each in _findings(request):
        if each.severity != check.EXPIRING:
            groups.setdefault((each.severity, each.table, each.problem.split(":")[0]), []).append(each)
    shown = [
        Group(
            check.TITLES[severity].capitalize(),
            {check.CONTRADICTION: "bad", check.MISSING: ""}.get(severity, "warn"),
            f"{wording.TABLES.get(table, table)}: {text}",
            [(each, _mend(each)) for each in found[:SHOWN]],
            len(found),
        )
        for (severity, table, text), found in groups.items()
    ]
    return page(
        request,
        "catalogue/review.html",
        422 if problem else 200,
        days=days,
        problem=problem,
        ending=[(each, _mend(each)) for each in ending],
        groups=shown,
        tables=wording.TABLES,
        shown=SHOWN,
        named=lambda finding: _named(finding, catalogue),
    )


def _days(asked: str) -> tuple[int, str]:
    if not asked:
        return check.NOTICE, ""
    if asked.isdigit() and int(asked) <= 3660:
        return int(asked), ""
    return check.NOTICE, "Số ngày cần là một số từ 0 đến 3660."


def _mend(finding: Finding) -> str:
    first = finding.key.split(" / ")[0]
    if finding.table == "decision":
        return decision_address(finding.key)
    if finding.table in ("procedure", "base_competence", "delegation"):
        return f"{ROOT}/catalogue/procedure/{first}"
    return f"{ROOT}/catalogue/edit/{finding.table}?{urlencode({'k': first})}"


def _named(finding: Finding, catalogue: Catalogue) -> str:
    """What a finding is about, by name where there is one."""
    first, *rest = finding.key.split(" / ")
    for rows in (catalogue.procedures, catalogue.service_points):
        if first in rows:
            return " · ".join([f"{rows[first].name} ({first})", *rest])
    return " · ".join([first, *rest])


def _findings(request: Request) -> list[Finding]:
    """What `check` finds, once for each version of the catalogue and day."""
    runtime: Runtime = request.app.state.runtime
    catalogue = runtime.catalogue()
    wanted = (catalogue.version, runtime.settings.today)
    kept: Optional[tuple[Any, list[Finding]]] = getattr(request.app.state, "findings", None)
    if kept is None or kept[0] != wanted:
        kept = (wanted, check.check(catalogue, runtime.settings.today))
        request.app.state.findings = kept
    return kept[1]


def table(request: Request) -> Response:
    """Any table: its rows, searched without diacritics."""
    runtime: Runtime = request.app.state.runtime
    kind = editing.TABLES.get(request.path_params["table"])
    if kind is None:
        raise HTTPException(404, "Danh mục không có bảng này.")
    catalogue = runtime.catalogue()
    words = request.query_params.get("q", "").strip()[:200]
    wanted = fold(words).split()
    with request.app.state.engine.connect() as connection:
        rows = database.read_all(connection, kind)
    named = [(row, wording.name_of(row, catalogue)) for row in rows]
    if wanted:
        named = [(row, name) for row, name in named if _has(wanted, f"{name} {' '.join(row.cells().values())}")]
    number = _page(request)
    return page(
        request,
        "catalogue/table.html",
        table=kind.table,
        name=wording.TABLES[kind.table],
        tables=wording.TABLES,
        q=words,
        count=len(named),
        rows=named[(number - 1) * PER_PAGE : number * PER_PAGE],
        number=number,
        pages=max(1, -(-len(named) // PER_PAGE)),
    )


def _has(words: list[str], text: str) -> bool:
    folded = fold(text)
    return all(word in folded for word in words)


def _page(request: Request) -> int:
    asked = request.query_params.get("page", "1")
    return int(asked) if asked.isdigit() and 0 < int(asked) < 10_000 else 1


def row_history(request: Request) -> Response:
    """Who changed one row, when, and what."""
    kind, key = catalogue_edit.kind_and_key(request)
    catalogue = request.app.state.runtime.catalogue()
    with request.app.state.engine.connect() as connection:
        now = editing.find(connection, kind, key)
        raw = [None if part == "" else part for part in key]
        past = history.of_record(connection, kind, raw)
    if now is None and not past:
        raise HTTPException(404, "Danh mục không có dòng này.")
    some = now or past[-1][1].before or past[-1][1].after
    assert some is not None
    return page(
        request,
        "catalogue/row_history.html",
        name=wording.name_of(some, catalogue),
        table=wording.TABLES[kind.table],
        now=now,
        changes=[(run, wording.verb(item), wording.cells_changed(item, catalogue)) for run, item in reversed(past)],
    )


routes = [
    Route("/catalogue", index),
    Route("/catalogue/procedure/{code}", procedure),
    Route("/catalogue/decisions", decisions),
    Route("/catalogue/decision", decision),
    Route("/catalogue/review", review),
    Route("/catalogue/table/{table}", table),
    Route("/catalogue/history", row_history),
    *catalogue_edit.routes,
    *catalogue_import.routes,
]
