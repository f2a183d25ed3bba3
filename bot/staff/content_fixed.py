"""The fixed questions: listed, searched, checked, added, edited, retired. Part of the section about content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Optional
from urllib.parse import quote

from rapidfuzz import fuzz
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.catalogue.records import UnitKind
from bot.editing.checks import Finding, Grade
from bot.editing.differences import LABELS, differences, expected_lines, summary
from bot.editing.editor import FIXED, KINDS, Change, Conflict, Item, Snapshot, Taken
from bot.editing.fixed_checks import FixedChecker
from bot.editing.lines import CannotEdit, NotYaml
from bot.editing.values import rows
from bot.evaluation import fixed
from bot.staff import audit
from bot.staff.access import field, form
from bot.staff.content_form import Draft, by_field, checked, of_item, stops
from bot.staff.pages import flash, go, page
from bot.staff.workbench import Workbench, words_of, workbench
from bot.text import clean, fold

PATH = "/content/fixed"
STATES = {"": "Đang dùng", "retired": "Đã ngừng dùng", "all": "Tất cả"}
SAME = 60.0
"""Likeness (0–100) from which a question that stands where another one was sought is that one, changed."""


def address(item: Item) -> str:
    """Where a question is edited, without `/staff`."""
    return f"{PATH}/{quote(item.key)}"


# The list


def index(request: Request) -> Response:
    bench, query = workbench(request), request.query_params
    snapshot = bench.editor.snapshot()
    state = query.get("state", "")
    items = [item for item in snapshot.of(FIXED) if state == "all" or item.retired == (state == "retired")]
    found = _search(bench, items, query.get("q", ""))
    fragment = request.headers.get("hx-request") == "true"
    return page(
        request,
        "content/_fixed_list.html" if fragment else "content/fixed.html",
        kind=FIXED,
        kinds=tabs(snapshot),
        items=found,
        count=len(found),
        query={"q": query.get("q", ""), "state": state},
        states=STATES,
        problems=snapshot.problems,
        address=address,
        expected=lambda item: _expected(bench, item),
        asked=asked,
    )


def tabs(snapshot: Snapshot) -> list[tuple[Any, int]]:
    """The kinds of content, and how many there are of each."""
    return [(each, len(snapshot.of(each))) for each in (*KINDS.values(), FIXED)]


def asked(item: Item) -> str:
    """The question as the page to try it is asked for it."""
    return quote("\n".join(item.turns))


def _search(bench: Workbench, items: Sequence[Item], query: str) -> list[Item]:
    wanted = words_of(query)
    return [item for item in items if all(word in _text(bench, item) for word in wanted)]


def _text(bench: Workbench, item: Item) -> str:
    return fold(" ".join([item.title, *_expected(bench, item)]))


def _expected(bench: Workbench, item: Item) -> list[str]:
    """What must be true of the answer; procedures by name, too."""
    return [
        re.sub(r"\d\.\d{6}", lambda code: f"{bench.short_name(code[0])} ({code[0]})", line)
        for line in expected_lines(item.values["expect"])
    ]


# One question


def new(request: Request) -> Response:
    bench = workbench(request)
    if request.method == "GET":
        said = rows(request.query_params.get("ask", ""))
        return _show(request, bench, Draft(FIXED, fixed.FILE, values={"ask": said}))
    draft = _typed(bench, form(request))
    findings = _findings(bench, draft)
    if stops(findings, bool(field(request, "sure"))):
        return _show(request, bench, draft, None, findings, 422)
    try:
        saved = bench.editor.save([Change(FIXED, fixed.FILE, "", draft.usable)])
    except (Taken, CannotEdit, NotYaml) as error:
        return _show(request, bench, draft, None, findings, 422, str(error))
    audit.record(request, "fixed.add", saved[0].id, saved[0].title)
    flash(request, "Đã thêm. Câu này được hỏi từ lần huấn luyện tới.")
    return go(request, address(saved[0]))


def edit(request: Request) -> Response:
    bench = workbench(request)
    snapshot = bench.editor.snapshot()
    item = snapshot.named(FIXED, request.path_params["key"])
    if request.method == "GET":
        if item is None:
            raise HTTPException(404, "Câu này không còn: có thể đã được sửa thành câu khác hoặc bỏ đi.")
        return _show(request, bench, of_item(item), item)
    item = item or _likest(snapshot.of(FIXED), field(request, "was"))
    draft = _typed(bench, form(request), item)
    if item is None:
        problem = "Câu này vừa bị người khác bỏ. Những gì bạn gõ vẫn còn đây; bấm Lưu để ghi thành câu mới."
        return _show(request, bench, replace(draft, version=""), None, status=409, problem=problem)
    if item.version != draft.version:
        return _conflict(request, bench, draft, item)
    findings = _findings(bench, draft, item)
    if stops(findings, bool(field(request, "sure"))):
        return _show(request, bench, draft, item, findings, 422)
    if draft.usable == item.values:
        flash(request, "Không có gì thay đổi.")
        return go(request, address(item))
    try:
        saved = bench.editor.save([Change(FIXED, fixed.FILE, item.key, draft.usable, draft.version)])
    except Conflict as conflict:
        return _conflict(request, bench, draft, conflict.current or item)
    except (CannotEdit, NotYaml) as error:
        return _show(request, bench, draft, item, findings, 422, str(error))
    audit.record(request, "fixed.edit", saved[0].id, f"{item.title}: {summary(FIXED, item.values, saved[0].values)}")
    flash(request, "Đã lưu. Câu này được hỏi như vậy từ lần huấn luyện tới.")
    return go(request, address(saved[0]))


def retire(request: Request) -> Response:
    """Ask a question no more, or again; it stays in the file."""
    bench, verb = workbench(request), request.path_params["verb"]
    item = bench.editor.snapshot().named(FIXED, request.path_params["key"])
    if item is None or verb not in ("retire", "restore"):
        raise HTTPException(404, "Câu này không còn: có thể đã được sửa thành câu khác hoặc bỏ đi.")
    values = {**item.values, "retired": verb == "retire"}
    try:
        saved = bench.editor.save([Change(FIXED, fixed.FILE, item.key, values, field(request, "version"))])
    except Conflict:
        flash(request, "Câu này vừa được người khác sửa; bạn xem lại rồi bấm lần nữa.", "error")
        return go(request, address(item))
    except (CannotEdit, NotYaml) as error:
        flash(request, f"Chưa ghi được: {error}", "error")
        return go(request, address(item))
    audit.record(request, f"fixed.{verb}", item.id, item.title)
    told = "Đã ngừng dùng, câu vẫn còn trong tệp." if verb == "retire" else "Đã dùng lại."
    flash(request, f"{told} Có hiệu lực từ lần huấn luyện tới.")
    return go(request, address(saved[0]))


def check(request: Request) -> Response:
    """What is wrong with a form as it stands, while it is being filled in."""
    bench = workbench(request)
    own = bench.editor.snapshot().named(FIXED, field(request, "own"))
    findings = _findings(bench, _typed(bench, form(request), own), own)
    return checked(request, findings, address)


def _checker(bench: Workbench) -> FixedChecker:
    units = list(bench.runtime.catalogue().places.units.values())
    return FixedChecker(bench.editor.snapshot(), bench.codes(), units, bench.runtime.settings.today)


def _findings(bench: Workbench, draft: Draft, own: Optional[Item] = None) -> list[Finding]:
    return _checker(bench).check(draft.values, _turns(draft), own)


def _turns(draft: Draft) -> list[str]:
    ask = draft.values.get("ask") or []
    return [ask] if isinstance(ask, str) else list(ask)


def _typed(bench: Workbench, sent: FormData, own: Optional[Item] = None) -> Draft:
    """What was typed, as it would be written: a ward by its name, only what is expected at all."""

    def text(name: str) -> str:
        value = sent.get(name)
        return clean(value) if isinstance(value, str) else ""

    said = sent.get("ask")
    turns = rows(said) if isinstance(said, str) else []
    offers = [each for each in sent.getlist("choices") if isinstance(each, str)]
    offers += re.split(r"[\s,;]+", text("choice_add"))
    told: dict[str, Any] = {name: text(name) for name in fixed.EXPECTED}
    told["unit"] = _checker(bench).unit_named(told["unit"]) if told["unit"] else ""
    told["offers"] = [code for code in dict.fromkeys(offers) if code]
    values: dict[str, Any] = {
        "ask": turns[0] if len(turns) == 1 else turns,
        "expect": {name: value for name, value in told.items() if value},
    }
    if own is not None:
        values["retired"] = own.retired
        # As it is written in the file, if it says the same.
        values["ask"] = own.values["ask"] if turns == own.turns else values["ask"]
    return Draft(FIXED, fixed.FILE, own.key if own else "", values, text("version"))


def _likest(items: Sequence[Item], title: str) -> Optional[Item]:
    """What became of a question that somebody else has worded anew."""
    rated = [(fuzz.ratio(fold(item.title), fold(title)), item) for item in items]
    likeness, item = max(rated, key=lambda pair: pair[0], default=(0.0, None))
    return item if likeness >= SAME else None


def _conflict(request: Request, bench: Workbench, draft: Draft, current: Item) -> Response:
    """Both versions, and what was typed once more; a second "save" writes it over the other."""
    told = differences(FIXED, current.values, draft.usable)
    last = audit.entries(request.app.state.engine, words=current.id, most=20)
    author = next((entry for entry in last if entry.target == current.id), None)
    again = replace(draft, version=current.version)
    return _show(request, bench, again, current, status=409, conflict=told, author=author)


def _show(
    request: Request,
    bench: Workbench,
    draft: Draft,
    item: Optional[Item] = None,
    findings: Sequence[Finding] = (),
    status: int = 200,
    problem: str = "",
    **more: Any,
) -> Response:
    history = audit.entries(request.app.state.engine, words=item.id, most=30) if item else []
    today = bench.runtime.settings.today
    units = bench.runtime.catalogue().places.units.values()
    return page(
        request,
        "content/fixed_form.html",
        status,
        draft=draft,
        item=item,
        kind=FIXED,
        turns=_turns(draft),
        expect=draft.values.get("expect") or {},
        facets=fixed.FACETS,
        answers={name: title for name, title in fixed.KINDS.items() if name != "nothing"},
        units=sorted(u.name for u in units if u.holds_on(today) and u.kind in (UnitKind.WARD, UnitKind.COMMUNE)),
        findings=list(findings),
        errors=by_field([each for each in findings if each.grade is not Grade.NOTED]),
        asks=any(each.grade is Grade.ASKED for each in findings),
        sure=bool(field(request, "sure")),
        problem=problem,
        history=[entry for entry in history if item and entry.target == item.id][:8],
        labels=LABELS,
        address=address,
        asked=asked,
        short_name=bench.short_name,
        problems=bench.editor.snapshot().problems,
        **{"conflict": None, "author": None, **more},
    )


routes = [
    Route(PATH, index),
    Route(f"{PATH}/new", new, methods=["GET", "POST"]),
    Route(f"{PATH}/check", check, methods=["POST"]),
    Route(f"{PATH}/{{key}}", edit, methods=["GET", "POST"]),
    Route(f"{PATH}/{{key}}/{{verb}}", retire, methods=["POST"]),
]
