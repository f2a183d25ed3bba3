"""Section "the unanswered list": what people asked in vain, and two clicks to have it answered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import anyio.from_thread
from rapidfuzz import fuzz
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.editing.checks import NEAR, Finding, Grade
from bot.editing.editor import KINDS, Change, Conflict
from bot.editing.lines import CannotEdit, NotYaml
from bot.editing.values import rows
from bot.memory import MASKED
from bot.staff import audit, questions
from bot.staff.access import field
from bot.staff.accounts import Role
from bot.staff.content import address
from bot.staff.content_form import stops
from bot.staff.pages import flash, go, page
from bot.staff.questions import Group, Reason
from bot.staff.workbench import Suggestion, Workbench, workbench

TITLE, PATH, ROLE = "Câu chưa trả lời được", "/unanswered", Role.EDITOR
PER_PAGE = 30
PERIODS = {7: "7 ngày qua", 30: "30 ngày qua", 90: "90 ngày qua"}
MOST_WORDINGS = 5
"""Ways of asking that are proposed at once."""
LIKELY = 0.02
"""Probability from which the bot's own guess is worth showing."""
log = logging.getLogger(__name__)


def index(request: Request) -> Response:
    query = request.query_params
    days = int(query["days"]) if query.get("days") in {str(days) for days in PERIODS} else 30
    reason = next((each for each in Reason if each.value == query.get("reason")), None)
    found = questions.open_groups(request, days)
    shown = [group for group in found if reason is None or any(each is reason for each, _ in group.reasons)]
    number = int(query["page"]) if query.get("page", "").isdigit() else 1
    last = max(1, -(-len(shown) // PER_PAGE))
    number = min(max(1, number), last)
    return page(
        request,
        "unanswered/index.html",
        groups=shown[(number - 1) * PER_PAGE : number * PER_PAGE],
        count=len(shown),
        total=sum(group.count for group in shown),
        number=number,
        last=last,
        days=days,
        periods=PERIODS,
        reason=reason.value if reason else "",
        reasons=list(Reason),
        problems=workbench(request).editor.snapshot().problems,
        actions=ACTIONS,
    )


ACTIONS = {
    "phrasing": "thành cách hỏi",
    "faq": "thành câu hỏi thường gặp",
    "out_of_scope": "ngoài phạm vi",
    "dismiss": "bỏ qua",
}


def panel(request: Request) -> Response:
    """What can be made of a group; on its own page, or in the list (htmx)."""
    group = _group(request)
    return _panel(request, group)


def suggest(request: Request) -> Response:
    """Entries to choose from, by words."""
    query = request.query_params.get("find", "").strip()
    bench = workbench(request)
    items = (item for item in bench.editor.snapshot().items if not item.retired)
    # What holds the words that were typed comes before what only looks like them.
    found = bench.suggest(query, first=bench.search(items, query)[:3]) if query else []
    return page(request, "unanswered/_suggestions.html", suggestions=found, asked=query, chosen="", kinds=KINDS)


def make(request: Request) -> Response:
    """Make something of a group."""
    group, action = _group(request), field(request, "action")
    bench = workbench(request)
    texts = rows(field(request, "texts"))
    if action == "faq":
        values = {"kind": "faq", "question": _question(texts or [group.text]), "phrasings": "\n".join(texts)}
        return go(request, f"/content/new?{urlencode({**values, 'handles': group.digest})}")
    if action == "dismiss":
        count = questions.handle(request, [group.digest], "dismiss")
        return _done(request, f"Đã bỏ qua ({count} lượt hỏi).")
    if action not in ("phrasing", "out_of_scope"):
        raise HTTPException(404, "Không có việc này.")
    if not texts:
        return _panel(request, group, problem="Chưa có câu nào để ghi.")
    if action == "out_of_scope":
        return _out_of_scope(request, bench, group, texts)
    return _phrasing(request, bench, group, texts)


def _phrasing(request: Request, bench: Workbench, group: Group, texts: Sequence[str]) -> Response:
    snapshot = bench.editor.snapshot()
    target = field(request, "target")
    item = next((item for item in snapshot.items if item.id == target), None)
    if item is None:
        return _panel(request, group, problem="Bạn chọn một mục mà câu hỏi này thuộc về.")
    known = {bench.sayings().key(text) for text in item.phrasings}
    new = [text for text in texts if bench.sayings().key(text) not in known]
    values = {**item.values, "phrasings": [*item.phrasings, *new]}
    findings = [each for each in bench.checker().check(item.kind, values, item) if each.field == "phrasings"]
    blocking = [each for each in findings if each.grade is not Grade.NOTED]
    if stops(blocking, bool(field(request, "sure"))):
        return _panel(request, group, findings=blocking)
    try:
        if new:
            bench.editor.save([Change(item.kind, item.file, item.key, values, item.version)])
    except Conflict:
        return _panel(request, group, problem="Mục đó vừa được người khác sửa: bạn bấm lưu lần nữa.")
    except (CannotEdit, NotYaml) as error:
        return _panel(request, group, problem=f"Chưa ghi được: {error}")
    questions.handle(request, [group.digest], "phrasing", item, "; ".join(new) or "đã có sẵn")
    return _done(request, f"Đã thêm {len(new)} cách hỏi vào “{item.title}”. Bot dùng sau khi xuất bản.")


def _out_of_scope(request: Request, bench: Workbench, group: Group, texts: Sequence[str]) -> Response:
    findings = []
    for text in texts:
        twins = [twin for twin in bench.sayings().twins(text, most=1) if twin.other is not None]
        if MASKED.search(text):
            findings.append(Finding("texts", f"“{text}”: bạn bỏ phần trong ngoặc vuông."))
        elif twins and twins[0].likeness >= 100:
            told = f"“{text}” đang là cách hỏi của “{twins[0].other.title}”."  # type: ignore[union-attr]
            findings.append(Finding("texts", told, other=twins[0].other))
        elif twins:
            told = f"“{text}” gần giống “{twins[0].text}” của “{twins[0].other.title}”."  # type: ignore[union-attr]
            findings.append(Finding("texts", told, Grade.ASKED, twins[0].other))
    if stops(findings, bool(field(request, "sure"))):
        return _panel(request, group, findings=findings)
    try:
        bench.editor.add_examples(texts)
    except (CannotEdit, NotYaml) as error:
        return _panel(request, group, problem=f"Chưa ghi được: {error}")
    questions.handle(request, [group.digest], "out_of_scope", detail="; ".join(texts))
    return _done(request, "Đã ghi là ngoài phạm vi. Bot dùng sau khi xuất bản.")


def done(request: Request) -> Response:
    """What was dealt with, as far as its words are still there."""
    engine, bench = request.app.state.engine, workbench(request)
    handled = questions.all_handled(engine)
    told: dict[Any, list[questions.Question]] = {}
    for question in questions.collect(engine, bench.sayings(), max(PERIODS)):
        if question.digest in handled:
            told.setdefault(handled[question.digest], []).append(question)
    found = sorted(told.items(), key=lambda pair: pair[0].at, reverse=True)
    items = {item.id: item for item in bench.editor.snapshot().items}
    return page(
        request,
        "unanswered/done.html",
        found=[(handled, Group(group)) for handled, group in found],
        items=items,
        actions=ACTIONS,
        address=address,
    )


def restore(request: Request) -> Response:
    """Have what was dealt with on the list again; what was written into files stays there."""
    engine = request.app.state.engine
    handled = questions.all_handled(engine)
    wanted = handled.get(request.path_params["digest"])
    if wanted is None:
        raise HTTPException(404, "Câu này không còn trong danh sách đã xử lý.")
    questions.forget(engine, [digest for digest, each in handled.items() if each == wanted])
    audit.record(request, "unanswered.restore", wanted.target)
    flash(request, "Đã đưa câu này trở lại danh sách.")
    return go(request, "/unanswered")


def _group(request: Request) -> Group:
    digest = request.path_params["digest"]
    found = next((group for group in questions.open_groups(request) if digest in group.digests), None)
    if found is None:
        raise HTTPException(404, "Câu này đã được xử lý, hoặc người hỏi đã xóa dữ liệu của họ.")
    return found


def _panel(request: Request, group: Group, problem: str = "", findings: Sequence[Finding] = ()) -> Response:
    bench = workbench(request)
    suggestions = _suggestions(request, bench, group)
    chosen = field(request, "target") or (suggestions[0].item.id if suggestions else "")
    if chosen and all(each.item.id != chosen for each in suggestions):
        item = next((item for item in bench.editor.snapshot().items if item.id == chosen), None)
        suggestions = [Suggestion(item), *suggestions] if item else suggestions
    is_fragment = request.headers.get("hx-request") == "true"
    return page(
        request,
        "unanswered/_panel.html" if is_fragment else "unanswered/panel.html",
        422 if problem or findings else 200,
        group=group,
        texts=field(request, "texts") or "\n".join(_wordings(bench, group)),
        suggestions=suggestions,
        chosen=chosen,
        problem=problem,
        findings=findings,
        asks=any(each.grade is Grade.ASKED for each in findings),
        address=address,
        kinds=KINDS,
        actions=ACTIONS,
    )


def _wordings(bench: Workbench, group: Group) -> list[str]:
    """Different ways in which a group asks, without what was masked."""
    found: dict[str, str] = {}
    for text in [group.text, *(text for text, _ in group.variants)]:
        bare = " ".join(MASKED.sub(" ", text).split()).strip(" ,.;:")
        key = bench.sayings().key(bare)
        # Spelling and a polite word more teach the bot nothing.
        if key and all(fuzz.ratio(key, other) < NEAR for other in found):
            found[key] = bare
    return list(found.values())[:MOST_WORDINGS]


def _suggestions(request: Request, bench: Workbench, group: Group) -> list[Suggestion]:
    snapshot = bench.editor.snapshot()
    codes = [*_guesses(request, group.text), *(code for q in group.questions for code in q.thought_of)]
    first = [snapshot.named(KINDS["procedure"], code) for code in dict.fromkeys(codes[:4])]
    return bench.suggest(group.text, [item for item in first if item is not None], group.answered)


def _guesses(request: Request, text: str) -> list[str]:
    """The procedures that the published bot thinks of, likeliest first; none where no bot runs beside the console."""
    agent = getattr(getattr(request.app.state.bot, "ctx", None), "agent", None)
    if agent is None:
        return []
    try:
        parsed = anyio.from_thread.run(agent.parse_message, text)
    except Exception:
        # The list is of use without guesses, too.
        log.exception("the bot could not be asked for its guess")
        return []
    ranking = (parsed.get("understanding") or {}).get("ranking") or ()
    return [str(code) for code, share in ranking if share >= LIKELY][:4]


def _question(texts: Sequence[str]) -> str:
    first = texts[0].strip().rstrip("?")
    return first[:1].upper() + first[1:] + "?"


def _done(request: Request, told: str) -> Response:
    if request.headers.get("hx-request") == "true":
        return page(request, "unanswered/_done.html", told=told)
    flash(request, told)
    return go(request, "/unanswered")


routes = [
    Route("/unanswered", index),
    Route("/unanswered/done", done),
    Route("/unanswered/suggest", suggest),
    Route("/unanswered/{digest}", panel),
    Route("/unanswered/{digest}", make, methods=["POST"]),
    Route("/unanswered/{digest}/restore", restore, methods=["POST"]),
]
