"""Section "FAQ and phrasings": everything that staff write in `nlu_data/`, listed, searched, checked, edited, moved,
retired. What is written here is a draft until it is published."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Optional
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.editing.checks import Finding, Grade
from bot.editing.differences import LABELS, differences, summary
from bot.editing.editor import KINDS, Change, Conflict, Item, Kind, Snapshot, Taken
from bot.editing.lines import CannotEdit, NotYaml
from bot.editing.values import new_key, rows
from bot.staff import access, audit, content_excel, content_fixed, questions
from bot.staff.access import field, form
from bot.staff.accounts import Role
from bot.staff.content_form import MOST_SOURCES, Draft, by_field, checked, of_form, of_item, stops
from bot.staff.pages import flash, go, page
from bot.staff.workbench import Workbench, workbench

TITLE, PATH, ROLE = "Câu hỏi và cách hỏi", "/content", Role.EDITOR
PER_PAGE = 40
SHOWN_PICKS = 12
STATES = {
    "": "Đang dùng",
    "review": "Cần rà soát",
    "nobody": "Chưa có người phụ trách",
    "retired": "Đã ngừng dùng",
    "all": "Tất cả",
}


# Lists


def index(request: Request) -> Response:
    bench, query = workbench(request), request.query_params
    kind = KINDS.get(query.get("kind", "faq")) or KINDS["faq"]
    snapshot = bench.editor.snapshot()
    today = bench.runtime.settings.today
    items = [item for item in snapshot.of(kind) if _fits(item, query.get("state", ""), today)]
    if query.get("file"):
        items = [item for item in items if item.file == query["file"]]
    found = bench.search(items, query.get("q", ""))
    number = int(query["page"]) if query.get("page", "").isdigit() else 1
    last = max(1, -(-len(found) // PER_PAGE))
    number = min(max(1, number), last)
    fragment = request.headers.get("hx-request") == "true"
    return page(
        request,
        "content/_list.html" if fragment else "content/index.html",
        kind=kind,
        kinds=content_fixed.tabs(snapshot),
        items=found[(number - 1) * PER_PAGE : number * PER_PAGE],
        count=len(found),
        number=number,
        last=last,
        query={name: query.get(name, "") for name in ("q", "file", "state")},
        files=snapshot.files_of(kind),
        states=STATES,
        problems=snapshot.problems,
        today=today,
        address=address,
        short_name=bench.short_name,
    )


def _fits(item: Item, state: str, today: date) -> bool:
    if state == "all":
        return True
    if state == "retired":
        return item.retired
    if item.retired:
        return False
    review = item.values.get("review")
    return {"review": bool(review and review <= today), "nobody": not item.values.get("owner")}.get(state, True)


def address(item: Item) -> str:
    """Where an entry is edited, without `/staff`; a vague family has no name, and is known by what it says."""
    version = f"?v={item.version}" if item.kind.name == "vague" else ""
    return f"/content/{item.kind.name}/{quote(item.stem)}/{quote(item.key)}{version}"


# One entry


def new(request: Request) -> Response:
    bench = workbench(request)
    kind = _kind(field(request, "kind") or request.query_params.get("kind", "faq"))
    snapshot = bench.editor.snapshot()
    if request.method == "GET":
        query = request.query_params
        values = {
            "question": query.get("question", ""),
            "phrasings": rows(query.get("phrasings", "")),
            "choices": query.getlist("choices"),
        }
        draft = Draft(kind, query.get("file", ""), query.get("key", ""), values)
        return _show(request, bench, draft, None, handles=query.getlist("handles"))
    draft = of_form(kind, form(request), None)
    findings = _findings(bench, draft, None, snapshot)
    if stops(findings, bool(field(request, "sure"))):
        return _show(request, bench, draft, None, findings, 422, handles=_handles(request))
    key = draft.key
    if kind.name == "faq":
        key = new_key(str(draft.values["question"]), [item.key for item in snapshot.of(kind)])
    try:
        saved = bench.editor.save([Change(kind, draft.file, key, draft.usable)])
    except (Taken, CannotEdit, NotYaml) as error:
        return _show(request, bench, draft, None, findings, 422, str(error), handles=_handles(request))
    item = saved[0]
    audit.record(request, f"{kind.action}.add", item.id, item.title)
    if _handles(request):
        questions.handle(request, _handles(request), "faq", item)
    flash(request, f"Đã thêm “{item.title}”. Bot dùng mục này sau khi xuất bản.")
    return go(request, address(item))


def _handles(request: Request) -> list[str]:
    """The unanswered questions that a new entry answers."""
    return [each for each in form(request).getlist("handles") if isinstance(each, str)]


def edit(request: Request) -> Response:
    bench, kind = workbench(request), _kind(request.path_params["kind"])
    snapshot = bench.editor.snapshot()
    version = field(request, "version") or request.query_params.get("v", "")
    item = _find(request, snapshot, kind, version)
    if request.method == "GET":
        if item is None:
            raise HTTPException(404, "Mục này không còn: có thể đã được chuyển sang tệp khác hoặc bỏ đi.")
        return _show(request, bench, of_item(item), item)
    draft = of_form(kind, form(request), item)
    if kind.name == "vague" and (item is None or item.version != draft.version):
        item = _likest(snapshot.of(kind), request.path_params["stem"], draft)
    if item is None:
        problem = "Mục này vừa bị người khác bỏ khỏi tệp. Những gì bạn gõ vẫn còn đây; bấm Lưu để ghi thành mục mới."
        return _show(request, bench, replace(draft, version=""), None, status=409, problem=problem)
    if item.version != draft.version or item.file != (field(request, "home") or item.file):
        return _conflict(request, bench, draft, item)
    findings = _findings(bench, draft, item, snapshot)
    if stops(findings, bool(field(request, "sure"))):
        return _show(request, bench, draft, item, findings, 422)
    if draft.usable == item.values and draft.file == item.file:
        flash(request, "Không có gì thay đổi.")
        return go(request, address(item))
    try:
        saved = bench.editor.save([Change(kind, draft.file, item.key, draft.usable, draft.version)])
    except Conflict as conflict:
        return _conflict(request, bench, draft, conflict.current or item)
    except (CannotEdit, NotYaml) as error:
        return _show(request, bench, draft, item, findings, 422, str(error))
    _note(request, item, saved[0])
    flash(request, "Đã lưu. Bot dùng bản mới sau khi xuất bản.")
    return go(request, address(saved[0]))


def _note(request: Request, before: Item, after: Item) -> None:
    action = before.kind.action
    if before.file != after.file:
        audit.record(request, f"{action}.move", after.id, f"từ {before.file} sang {after.file}")
    if before.values != after.values:
        audit.record(request, f"{action}.edit", after.id, summary(after.kind, before.values, after.values))


def retire(request: Request) -> Response:
    """Stop using an entry, or use it again; it stays in its file."""
    bench, kind = workbench(request), _kind(request.path_params["kind"])
    item = _find(request, bench.editor.snapshot(), kind, field(request, "version"))
    verb = request.path_params["verb"]
    if item is None:
        raise HTTPException(404, "Mục này không còn: có thể đã được chuyển sang tệp khác hoặc bỏ đi.")
    values = {**item.values, "retired": verb == "retire"}
    if verb == "restore":
        findings = bench.checker().check(kind, values, None, item.key)
        clash = next((each for each in findings if each.other is not None and each.grade is Grade.REFUSED), None)
        if clash is not None:
            flash(request, f"Chưa dùng lại được: {clash.text}", "error")
            return go(request, address(item))
    try:
        saved = bench.editor.save([Change(kind, item.file, item.key, values, field(request, "version"))])
    except Conflict as conflict:
        flash(request, "Mục này vừa được người khác sửa; bạn xem lại rồi bấm lần nữa.", "error")
        return go(request, address(conflict.current or item))
    except (CannotEdit, NotYaml) as error:
        flash(request, f"Chưa ghi được: {error}", "error")
        return go(request, address(item))
    audit.record(request, f"{kind.action}.{verb}", item.id, item.title)
    told = "Đã ngừng dùng. Mục vẫn còn trong tệp." if verb == "retire" else "Đã dùng lại."
    flash(request, f"{told} Bot đổi theo sau khi xuất bản.")
    return go(request, address(saved[0]))


def check(request: Request) -> Response:
    """What is wrong with a form as it stands, while it is being filled in."""
    bench, kind = workbench(request), _kind(field(request, "kind"))
    snapshot = bench.editor.snapshot()
    stem, _, key = field(request, "own").partition("/")
    own = snapshot.find(kind, stem, key, field(request, "version")) if key else None
    draft = of_form(kind, form(request), own)
    findings = _findings(bench, draft, own, snapshot)
    return checked(request, findings, address)


def picks(request: Request) -> Response:
    """Procedures to pick from, by words or code: check boxes, or, where one field is to be filled, radio buttons."""
    bench, one = workbench(request), request.query_params.get("one", "")
    query = request.query_params.get(f"pick_{one}" if one else "pick", "")
    items = bench.editor.snapshot().of(KINDS["procedure"])
    found = bench.search(items, query)[:SHOWN_PICKS] if query.strip() else []
    known = {item.key for item in found}
    codes = [code for code in bench.codes() if code.startswith(query.strip()) and code not in known]
    rest = codes[: SHOWN_PICKS - len(found)] if query.strip()[:1].isdigit() else []
    picked = [(item.key, item.title) for item in found] + [(code, bench.short_name(code)) for code in rest]
    return page(request, "content/_picks.html", picked=picked, asked=query, one=one)


def _kind(name: str) -> Kind:
    kind = KINDS.get(name)
    if kind is None:
        raise HTTPException(404, "Không có loại mục này.")
    return kind


def _find(request: Request, snapshot: Snapshot, kind: Kind, version: str) -> Optional[Item]:
    stem, key = request.path_params["stem"], request.path_params["key"]
    found = snapshot.find(kind, stem, key, version)
    return found or (snapshot.named(kind, key) if kind.name != "vague" else snapshot.same(kind, version))


def _likest(items: list[Item], stem: str, draft: Draft) -> Optional[Item]:
    """A vague family has no name: the one that shares most with what was typed, if any does."""
    typed = set(draft.values["phrasings"])
    shared = [(len(typed & set(item.phrasings)), item) for item in items if item.stem == stem]
    most, item = max(shared, key=lambda pair: pair[0], default=(0, None))
    return item if most else None


def _findings(bench: Workbench, draft: Draft, own: Optional[Item], snapshot: Snapshot) -> list[Finding]:
    findings = bench.checker().check(draft.kind, draft.values, own, draft.key)
    if draft.file not in snapshot.files_of(draft.kind):
        findings.insert(0, Finding("file", "Chưa chọn chủ đề (tệp) để ghi mục này."))
    taken = snapshot.named(draft.kind, draft.key) if draft.kind.name == "procedure" and own is None else None
    if taken is not None:
        told = f"Thủ tục {draft.key} đã có mục “{taken.title}”: bạn thêm cách hỏi vào mục đó."
        findings.append(Finding("key", told, other=taken))
    return findings


def _conflict(request: Request, bench: Workbench, draft: Draft, current: Item) -> Response:
    """Both versions, and what was typed once more; a second "save" writes it over the other."""
    told = differences(draft.kind, current.values, draft.usable)
    last = audit.entries(request.app.state.engine, words=current.id, most=20)
    author = next((entry for entry in last if entry.target == current.id), None)
    # What is saved next is meant to take the place of what is there now.
    again = replace(draft, version=current.version)
    return _show(request, bench, again, current, status=409, conflict=told, author=author)


def _show(
    request: Request,
    bench: Workbench,
    draft: Draft,
    item: Optional[Item],
    findings: Optional[list[Finding]] = None,
    status: int = 200,
    problem: str = "",
    **more: Any,
) -> Response:
    snapshot = bench.editor.snapshot()
    history = audit.entries(request.app.state.engine, words=item.id, most=30) if item else []
    told = findings or []
    return page(
        request,
        "content/form.html",
        status,
        draft=draft,
        item=item,
        kind=draft.kind,
        files=snapshot.files_of(draft.kind),
        findings=told,
        errors=by_field([each for each in told if each.grade is not Grade.NOTED]),
        asks=any(each.grade is Grade.ASKED for each in told),
        sure=bool(field(request, "sure")),
        problem=problem,
        history=[entry for entry in history if item and entry.target == item.id][:8],
        labels=LABELS,
        address=address,
        short_name=bench.short_name,
        most_sources=MOST_SOURCES,
        who=access.user(request).full_name,
        today=bench.runtime.settings.today,
        problems=snapshot.problems,
        **{"conflict": None, "author": None, "handles": [], **more},
    )


routes = [
    Route("/content", index),
    Route("/content/new", new, methods=["GET", "POST"]),
    Route("/content/check", check, methods=["POST"]),
    Route("/content/picks", picks),
    *content_excel.routes,
    *content_fixed.routes,
    Route("/content/{kind}/{stem}/{key}", edit, methods=["GET", "POST"]),
    Route("/content/{kind}/{stem}/{key}/{verb:str}", retire, methods=["POST"]),
]
