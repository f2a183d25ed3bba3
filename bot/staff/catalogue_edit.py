"""One row of the catalogue in a form: any table, its columns as fields that fit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Optional, Union, get_args, get_origin
from urllib.parse import urlencode

from pydantic.fields import ModelField
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.catalogue import database, editing, history
from bot.catalogue.editing import Invalid, MovedOn
from bot.catalogue.records import LIST_SEPARATOR, Authority, Decision, InternalProcess, Procedure, Record, Scope, Unit
from bot.catalogue.references import POINTERS
from bot.catalogue.store import Catalogue
from bot.staff import access, audit, wording
from bot.staff.pages import flash, go, page

_LONG = frozenset({"name", "title", "summary", "note", "fee", "source", "address"})


@dataclass(frozen=True)
class Input:
    """One column as a field of the form."""

    name: str
    label: str
    widget: str
    """text, long, lines, date, check, choose, many."""
    value: str
    required: bool = False
    fixed: bool = False
    hint: str = ""
    problem: str = ""
    options: list[tuple[str, str]] = field(default_factory=list)
    chosen: frozenset[str] = frozenset()


def kind_and_key(request: Request) -> tuple[type[Record], list[str]]:
    """The table and the key that an address names."""
    name = request.path_params.get("table") or request.query_params.get("table", "")
    kind = editing.TABLES.get(name)
    if kind is None:
        raise HTTPException(404, "Danh mục không có bảng này.")
    key = [str(part) for part in request.query_params.getlist("k")]
    if key and len(key) != len(kind.key):
        raise HTTPException(404, "Danh mục không có dòng này.")
    return kind, key


def edit(request: Request) -> Response:
    """A form for a row (`?k=` its key), or for a new one (filled in with what the query says)."""
    kind, key = kind_and_key(request)
    if request.method == "POST":
        return _save(request, kind, key)
    with request.app.state.engine.connect() as connection:
        now = editing.find(connection, kind, key) if key else None
    if key and now is None:
        raise HTTPException(404, "Danh mục không có dòng này: có thể đã được bỏ, hoặc đã đổi ngày hay văn bản.")
    given = {name: value for name, value in request.query_params.items() if name in kind.__fields__}
    blank = {"as_of": request.app.state.runtime.settings.today.isoformat(), "certain": "1", "status": "hieu_luc"}
    blank["scope"] = Scope.ALL.value
    cells = now.cells() if now else {**blank, **given}
    return _form(request, kind, key, cells, editing.print_of(now))


def _save(request: Request, kind: type[Record], key: list[str]) -> Response:
    cells = _posted(request, kind)
    seen = access.field(request, "seen")
    name = access.user(request).name
    try:
        run = editing.save(request.app.state.engine, kind, key, seen, cells, name)
    except Invalid as refusal:
        return _form(request, kind, key, cells, seen, refusal.problems, status=422)
    except MovedOn as moved:
        return _moved(request, kind, key, cells, moved.now)
    if run is None:
        flash(request, "Không có gì thay đổi.")
        return go(request, _after(kind, cells))
    made = kind.parse_obj(cells)
    title = f"{wording.TABLES[kind.table]}: {wording.name_of(made, request.app.state.runtime.catalogue())}"
    with request.app.state.engine.connect() as connection:
        changes = history.changes_of(connection, run)
    audit.record(request, "catalogue.edit", title, f"lần {run}: " + "; ".join(history.describe(changes)))
    flash(request, f"Đã lưu (lần sửa số {run}). Bot dùng nội dung mới ngay.")
    return go(request, _after(kind, cells))


def remove(request: Request) -> Response:
    """Take a row out; it stays in the history, and can be put back by undoing."""
    kind, key = kind_and_key(request)
    engine, seen = request.app.state.engine, access.field(request, "seen")
    with engine.connect() as connection:
        now = editing.find(connection, kind, key)
    cells = now.cells() if now else {}
    try:
        run = editing.remove(engine, kind, key, seen, access.user(request).name)
    except Invalid as refusal:
        flash(request, "Chưa bỏ được: " + "; ".join(refusal.problems.values()) + ".", "error")
        return go(request, f"/catalogue/edit/{kind.table}?{urlencode([('k', part) for part in key])}")
    except MovedOn as moved:
        return _moved(request, kind, key, cells, moved.now)
    audit.record(request, "catalogue.edit", f"{wording.TABLES[kind.table]}: {' / '.join(key)}", f"lần {run}: bỏ dòng")
    flash(request, f"Đã bỏ dòng (lần sửa số {run}). Muốn lấy lại: mục Nạp và hoàn tác.")
    return go(request, _after(kind, cells))


def _moved(
    request: Request, kind: type[Record], key: list[str], cells: Mapping[str, str], now: Optional[Record]
) -> Response:
    """Somebody was faster: what they wrote, beside what this person wrote."""
    theirs = now.cells() if now else {}
    with request.app.state.engine.connect() as connection:
        past = history.of_record(connection, kind, [part or None for part in key])
    last = past[-1][0] if past else None
    differences = [
        (wording.column(kind.table, name), theirs.get(name, ""), cells.get(name, ""))
        for name in kind.columns()
        if theirs.get(name, "") != cells.get(name, "")
    ]
    return _form(
        request, kind, key, cells, editing.print_of(now), status=409, moved=True, last=last, differences=differences,
        gone=now is None,
    )  # fmt: skip


def _after(kind: type[Record], cells: Mapping[str, str]) -> str:
    """Where one goes on after an edit."""
    code = cells.get("procedure") or (cells.get("code") if kind.table in ("procedure", "guide") else "")
    if code:
        return f"/catalogue/procedure/{code}"
    if kind is Decision and cells.get("number"):
        return f"/catalogue/decision?{urlencode({'number': cells['number']})}"
    return f"/catalogue/table/{kind.table}"


def _posted(request: Request, kind: type[Record]) -> dict[str, str]:
    """The form as cells of a CSV file."""
    form, cells = access.form(request), {}
    for name, column in kind.__fields__.items():
        values = [str(value) for value in form.getlist(name) if isinstance(value, str)]
        if _is_list(column):
            parts = [part.strip() for value in values for part in value.replace(LIST_SEPARATOR, "\n").splitlines()]
            cells[name] = f"{LIST_SEPARATOR} ".join(part for part in parts if part)
        else:
            cells[name] = " ".join(values[0].split()) if values else ""
        if column.type_ is bool:
            cells[name] = "1" if values else "0"
    return cells


def _form(
    request: Request,
    kind: type[Record],
    key: Sequence[str],
    cells: Mapping[str, str],
    seen: str,
    problems: Optional[Mapping[str, str]] = None,
    status: int = 200,
    **more: Any,
) -> Response:
    catalogue = request.app.state.runtime.catalogue()
    problems = problems or {}
    inputs = [_input(request, kind, name, cells, problems, bool(key), catalogue) for name in kind.columns()]
    code = cells.get("procedure") or cells.get("code", "")
    subject = catalogue.procedures.get(code) if kind.table not in ("procedure",) else None
    return page(
        request,
        "catalogue/edit.html",
        status,
        table=kind.table,
        table_name=wording.TABLES[kind.table],
        inputs=inputs,
        problems=[(each.label, each.name, each.problem) for each in inputs if each.problem],
        others=[text for name, text in problems.items() if name not in kind.__fields__],
        seen=seen,
        is_new=not key,
        query=urlencode([("k", part) for part in key]),
        subject=subject,
        back=_after(kind, cells),
        **{"moved": False, "gone": False, **more},
    )


def _input(
    request: Request,
    kind: type[Record],
    name: str,
    cells: Mapping[str, str],
    problems: Mapping[str, str],
    exists: bool,
    catalogue: Catalogue,
) -> Input:
    column, value = kind.__fields__[name], cells.get(name, "")
    plain = _plain(column)
    target = POINTERS.get(kind, {}).get(name)
    options: list[tuple[str, str]] = []
    if isinstance(plain, type) and issubclass(plain, Enum):
        options = [(str(item.value), wording.word(item)) for item in plain]
    elif target in (Authority, Decision, InternalProcess, Unit) and name not in ("also",):
        options = _targets(request, target, catalogue)
    chosen = frozenset(part.strip() for part in value.split(LIST_SEPARATOR) if part.strip())
    if _is_list(column):
        widget = "many" if options else "lines"
        options += [(code, code) for code in sorted(chosen - {code for code, _ in options})] if options else []
        value = "\n".join(part.strip() for part in value.split(LIST_SEPARATOR) if part.strip())
    elif options:
        widget = "choose"
        if value and value not in dict(options):
            options.append((value, value))
    else:
        widget = {bool: "check", date: "date"}.get(plain, "long" if name in _LONG else "text")
    hint = wording.HINTS.get(name, "")
    if target is Procedure and kind.table != "procedure":
        hint = hint or "Dạng 1.004222"
    return Input(
        name=name,
        label=wording.column(kind.table, name),
        widget=widget,
        value=value,
        required=bool(column.required),
        fixed=exists and kind.key == (name,),
        hint=hint,
        problem=problems.get(name, ""),
        options=options,
        chosen=chosen,
    )


def _targets(request: Request, target: type[Record], catalogue: Catalogue) -> list[tuple[str, str]]:
    if target is Authority:
        rows: list[tuple[str, str]] = [(code, str(row.name)) for code, row in catalogue.authorities.items()]
    elif target is Decision:
        rows = [(number, f"{number}: {row.title}"[:90]) for number, row in catalogue.decisions.items()]
    elif target is Unit:
        today = request.app.state.runtime.settings.today
        held = (unit for unit in catalogue.places.units.values() if unit.holds_on(today))
        return [(unit.code, str(unit.name)) for unit in sorted(held, key=lambda unit: str(unit.bare_name))]
    else:
        with request.app.state.engine.connect() as connection:
            processes = database.read_all(connection, InternalProcess)
        rows = [(row.code, f"{row.code}: {row.title}"[:90]) for row in processes]
    return sorted(rows, key=lambda row: row[1])


def _is_list(column: ModelField) -> bool:
    return bool(column.outer_type_ != column.type_)


def _plain(column: ModelField) -> Any:
    return get_args(column.type_)[0] if get_origin(column.type_) is Union else column.type_


routes = [
    Route("/catalogue/edit/{table}", edit, methods=["GET", "POST"]),
    Route("/catalogue/remove/{table}", remove, methods=["POST"]),
]
