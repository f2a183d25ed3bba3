"""Try the draft, train it, compare it with what answers now, publish it, and bring an earlier version back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.editing.differences import LABELS
from bot.editing.editor import KINDS
from bot.evaluation import fixed
from bot.phrasebook import BadPhrasebook
from bot.releases import measure, snapshot, starting
from bot.releases.job import AUTOMATIC, Busy, Job, Jobs
from bot.releases.snapshot import Difference
from bot.releases.store import Publication, Release, Releases
from bot.releases.workers import Workers
from bot.runtime import Runtime
from bot.staff import access, audit
from bot.staff.accounts import Role
from bot.staff.pages import flash, go, page, templates
from bot.staff.workbench import workbench
from bot.understanding import FAQ, MISSING, split_topic

if TYPE_CHECKING:
    from bot.releases.serving import Serving

TITLE, PATH, ROLE = "Thử và xuất bản", "/publishing", Role.EDITOR
SHOWN = 60
"""Sentences of a list that are shown; the others are counted."""
LONGEST = 1000
"""Characters of a question that is tried, as of a citizen's."""
MOST_TURNS = 8
KIND_TITLES = {
    "first": "Bản kèm theo, lần đầu",
    "publish": "Xuất bản",
    "override": "Xuất bản dù còn câu sai",
    "rollback": "Quay lại",
}
SECTIONS = ("faq", "procedures", "vague", "missing", "questions")
"""What groups the entries of a file: says nothing that the file's name does not say."""
WORDS = {**LABELS, "topic": "Chủ đề", "url": "liên kết", "title": "tên", "as_of": "ngày", **fixed.EXPECTED}


# What the pages stand on


def place(where: str) -> str:
    """Where a file was changed, in the words of the forms: "Đăng ký khai sinh → Cách hỏi"."""
    section, *parts = where.split(" → ")
    if section not in SECTIONS or not parts:
        parts = [section, *parts]
    return " → ".join(WORDS.get(part, part) for part in parts)


templates.env.filters.update(told=measure.told, place=place)


def _mine(request: Request) -> Runtime:
    return cast(Runtime, request.app.state.runtime)


def _releases(request: Request) -> Releases:
    return Releases(request.app.state.engine, _mine(request).settings.models)


def _jobs(request: Request) -> Jobs:
    return Jobs(request.app.state.engine)


def _workers(request: Request) -> Workers:
    state = request.app.state
    if not hasattr(state, "workers"):
        state.workers = Workers(_mine(request))
    return cast(Workers, state.workers)


def _serving(request: Request) -> Optional[Serving]:
    """What the bot of this process has loaded; None: there is no bot here, only its console."""
    return getattr(getattr(request.app.state.bot, "ctx", None), "serving", None)


def _titles(request: Request) -> Callable[[str], str]:
    """Topics in words. What is new since the bot started is named as the files name it."""
    book, bench = _mine(request).book, workbench(request)
    official, entries = bench.codes(), bench.editor.snapshot()

    def title(topic: str) -> str:
        kind, name = split_topic(topic)
        new = entries.named(KINDS[kind], name) if kind in (FAQ, MISSING) else None
        return measure.topic_title(topic, book, official, new.title if new else "")

    return title


# Train and publish


def index(request: Request) -> Response:
    return _overview(request)


def _overview(request: Request, problem: str = "", status: int = 200) -> Response:
    releases, job = _releases(request), _jobs(request).latest()
    published, draft = releases.published(), releases.draft()
    packed = snapshot.pack(_mine(request).settings.nlu_data)
    changes, broken = _changes(releases, published, packed)
    waiting = bool(changes) and (draft is None or releases.snapshot(draft.id) != packed)
    if waiting and not (job and job.is_running and not job.can_wait) and _serving(request):
        _workers(request).warm()
    return page(
        request,
        "publishing/index.html",
        status,
        published=published,
        publication=next(iter(releases.history()), None),
        changes=changes[:SHOWN],
        more=max(0, len(changes) - SHOWN),
        broken=broken,
        waiting=waiting,
        job=job,
        draft=draft,
        comparison=_comparison(request, releases, draft) if draft else None,
        problem=problem,
        reason=access.field(request, "reason"),
        may_publish=access.user(request).role.covers(Role.PUBLISHER),
        may_override=access.user(request).role.covers(Role.ADMINISTRATOR),
    )


def _changes(releases: Releases, published: Optional[Release], packed: bytes) -> tuple[list[Difference], str]:
    """What the files say that the published version does not; and why they cannot be read, if they cannot."""
    if published is None:
        return [], ""
    before = releases.snapshot(published.id)
    if before == packed:
        return [], ""
    try:
        return snapshot.differences(before, packed), ""
    except Exception as error:
        return [], f"Chưa đọc được nlu_data/: {error}"


def _comparison(request: Request, releases: Releases, draft: Release) -> dict[str, Any]:
    """Everything that the page says of a draft."""
    measured = releases.measured(draft.id)
    other = releases.get(int(measured.get("before") or 0))
    before = releases.measured(other.id).get("held_out") if other and not other.pruned else None
    after = measured.get("held_out") or []
    moves = measure.compare(before, after) if before else None
    titles = _titles(request)
    return {
        "fixed": measure.fixed_pairs(measured),
        "failed": measure.failed(measured),
        "moves": moves,
        "other": other,
        "title": titles,
        "shown": SHOWN,
        "weakest": _weakest(after, titles),
    }


def _weakest(rows: list[list[Any]], titles: Callable[[str], str], most: int = 8) -> list[tuple[str, int, int]]:
    """The topics whose phrasings are found least often: title, found, of how many."""
    asked = Counter(topic for topic, *_ in rows if topic.startswith("procedure:"))
    found = Counter(topic for topic, _, answer, _ in rows if answer == topic)
    worst = sorted((t for t, n in asked.items() if n >= 4), key=lambda t: (found[t] / asked[t], -asked[t], t))
    return [(titles(topic), found[topic], asked[topic]) for topic in worst[:most]]


def train(request: Request) -> Response:
    try:
        starting.check_files(_mine(request).settings.nlu_data)
    except BadPhrasebook as error:
        flash(request, f"Huấn luyện không thành: {error}", "error")
        return go(request, PATH)
    return _started(request, None, "Đã bắt đầu huấn luyện. Bot vẫn trả lời người dân như thường.")


def _started(request: Request, release: Optional[int], said: str) -> Response:
    jobs, who = _jobs(request), access.user(request).name
    try:
        job = jobs.start(who, release) if release else jobs.start_before_others(who)
    except Busy as busy:
        flash(request, str(busy), "error")
        return go(request, PATH)
    _workers(request).start(job.id)
    audit.record(request, "publish.train", f"lượt {job.id}", f"dựng lại phiên bản {release}" if release else "")
    flash(request, said)
    return go(request, PATH)


def cancel(request: Request) -> Response:
    job = _jobs(request).latest()
    if job and job.is_running and _jobs(request).cancel(job.id):
        audit.record(request, "publish.cancel", f"lượt {job.id}")
        flash(request, "Đang dừng lượt huấn luyện, không có gì thay đổi.")
    return go(request, PATH)


def progress(request: Request) -> Response:
    """The bar alone, asked for every second while something is trained."""
    job = _jobs(request).latest()
    if job is None or not job.is_running:
        return Response(status_code=204, headers={"HX-Redirect": f"{access.ROOT}{PATH}"})
    return page(request, "publishing/progress.html", job=job)


@access.needs(Role.PUBLISHER)
def publish(request: Request) -> Response:
    """Publish the draft that the person has looked at, and no other."""
    releases = _releases(request)
    draft, reason = releases.draft(), access.field(request, "reason")
    if draft is None or str(draft.id) != access.field(request, "release"):
        flash(request, "Bản nháp này không còn là bản mới nhất. Bạn xem lại rồi xuất bản.", "error")
        return go(request, PATH)
    measured = releases.measured(draft.id)
    refusal, failed = measure.refusal(measured), measure.failed(measured)
    passes, override = not refusal, access.field(request, "override") == "1"
    if not passes and not override:
        return _overview(request, f"{refusal} Xem bên dưới.", 422)
    if not passes and not access.user(request).role.covers(Role.ADMINISTRATOR):
        raise HTTPException(403, "Còn câu hỏi cố định trả lời sai: chỉ người quản trị được xuất bản.")
    if not passes and not reason:
        return _overview(request, "Bạn ghi lý do xuất bản dù còn câu hỏi cố định trả lời sai.", 422)
    problem = _put(request, draft.id, "publish" if passes else "override", "" if passes else reason)
    if problem:
        return _overview(request, problem, 422)
    detail = f"{len(failed)} câu sai; lý do: {reason}" if not passes else ""
    audit.record(request, "publish.publish" if passes else "publish.override", f"phiên bản {draft.id}", detail)
    flash(request, f"Đã xuất bản phiên bản {draft.id}. Câu hỏi tiếp theo đã do phiên bản này trả lời.")
    return go(request, PATH)


def _put(request: Request, number: int, kind: str, reason: str = "") -> str:
    """Let a version answer; gives why it could not, or nothing."""
    serving, who = _serving(request), access.user(request).name
    if serving is None:
        _releases(request).publish(number, who, kind, reason)
        return ""
    from bot.releases.serving import CannotServe

    try:
        serving.publish(number, who, kind, reason)
    except CannotServe as error:
        return str(error)
    return ""


# Versions


def versions(request: Request) -> Response:
    releases = _releases(request)
    published = releases.published()
    by_number = {one.id: one for one in releases.all()}
    return page(
        request,
        "publishing/versions.html",
        history=releases.history(),
        releases=by_number,
        published=published,
        draft=releases.draft(),
        kinds=KIND_TITLES,
        usable={number for number, one in by_number.items() if starting.usable_model(releases, one)},
        job=_jobs(request).latest(),
        may_publish=access.user(request).role.covers(Role.PUBLISHER),
    )


def version(request: Request) -> Response:
    """One version: who, when, figures, and what changed since the one that was published before it."""
    releases, number = _releases(request), int(request.path_params["number"])
    found = releases.get(number)
    if found is None:
        raise HTTPException(404, f"Không có phiên bản {number}.")
    history = releases.history()
    other = _compared_with(request, history, found)
    before = releases.get(other) if other else None
    changes = snapshot.differences(releases.snapshot(before.id), releases.snapshot(number)) if before else []
    return page(
        request,
        "publishing/version.html",
        release=found,
        before=before,
        changes=changes[:500],
        more=max(0, len(changes) - 500),
        publications=[row for row in history if row.release == number],
        kinds=KIND_TITLES,
        others=[one.id for one in releases.all() if one.id != number],
        fixed=measure.fixed_pairs(releases.measured(number)),
    )


def _compared_with(request: Request, history: list[Publication], one: Release) -> int:
    asked = request.query_params.get("with", "")
    if asked.isdigit():
        return int(asked)
    return max((row.release for row in history if row.release < one.id), default=0)


@access.needs(Role.PUBLISHER)
def rollback(request: Request) -> Response:
    """An earlier version answers again."""
    releases, asked = _releases(request), access.field(request, "release")
    published = {row.release for row in releases.history()}
    number = int(asked) if asked.isdigit() else 0
    if number not in published:
        raise HTTPException(404, "Phiên bản này chưa từng được xuất bản.")
    if number == releases.published_id()[1]:
        flash(request, f"Phiên bản {number} đang phục vụ rồi.")
        return go(request, f"{PATH}/versions")
    problem = _put(request, number, "rollback")
    if problem:
        flash(request, problem, "error")
        return go(request, f"{PATH}/versions")
    audit.record(request, "publish.rollback", f"phiên bản {number}")
    flash(request, f"Phiên bản {number} đang phục vụ trở lại. Các tệp trong nlu_data/ vẫn giữ nội dung mới.")
    return go(request, f"{PATH}/versions")


@access.needs(Role.PUBLISHER)
def restore(request: Request) -> Response:
    """Make the model of a version anew, from the data that it was made from."""
    asked = access.field(request, "release")
    if not asked.isdigit() or _releases(request).get(int(asked)) is None:
        raise HTTPException(404, "Không có phiên bản này.")
    return _started(request, int(asked), f"Đang dựng lại mô hình của phiên bản {asked}; xong rồi bạn bấm Quay lại.")


# Try it


def try_it(request: Request) -> Response:
    # `ask`: from the form of a fixed question.
    text = access.field(request, "text") or access.field(request, "ask") or request.query_params.get("q", "")
    turns = [line.strip() for line in text.splitlines() if line.strip()]
    releases, serving = _releases(request), _serving(request)
    published, draft = releases.published(), releases.draft()
    problem, sides = _too_much(turns), []
    if turns and not problem and serving:
        from bot.staff import trying

        sides = [
            trying.ask(serving, each, title, turns)
            for each, title in ((published, "Đang phục vụ"), (draft, "Bản nháp"))
            if each
        ]
    return page(
        request,
        "publishing/try.html",
        422 if problem else 200,
        text=text,
        problem=problem,
        sides=sides,
        turns=turns,
        draft=draft,
        ready=serving is not None,
    )


def _too_much(turns: list[str]) -> str:
    if len(turns) > MOST_TURNS:
        return f"Tối đa {MOST_TURNS} câu một lần, bạn đang nhập {len(turns)} câu."
    longest = max(map(len, turns), default=0)
    return f"Mỗi câu tối đa {LONGEST} ký tự, câu dài nhất có {longest}." if longest > LONGEST else ""


def prepare(request: Request) -> None:
    """Somebody came in: measure what was shipped, so that the first draft has something to be compared with."""
    serving = _serving(request)
    if serving is None:
        return
    published = serving.releases.published()
    latest: Optional[Job] = _jobs(request).latest()
    if published is None or published.figures.get("held_out") or (latest and latest.release == published.id):
        return
    try:
        job = _jobs(request).start(AUTOMATIC, published.id)
    except (Busy, BadPhrasebook):
        return
    _workers(request).start(job.id)


routes = [
    Route(PATH, index),
    Route(f"{PATH}/progress", progress),
    Route(f"{PATH}/train", train, methods=["POST"]),
    Route(f"{PATH}/cancel", cancel, methods=["POST"]),
    Route(f"{PATH}/publish", publish, methods=["POST"]),
    Route(f"{PATH}/try", try_it, methods=["GET", "POST"]),
    Route(f"{PATH}/versions", versions),
    Route(f"{PATH}/versions/{{number:int}}", version),
    Route(f"{PATH}/rollback", rollback, methods=["POST"]),
    Route(f"{PATH}/restore", restore, methods=["POST"]),
]
