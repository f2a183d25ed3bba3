"""People: who may come in and as what, and the audit log. For administrators only."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Optional
from urllib.parse import urlencode

import sqlalchemy as sa
from openpyxl import Workbook
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.catalogue.report.render import Table, write_sheet
from bot.staff import access, audit
from bot.staff.access import ROOT, field, needs
from bot.staff.accounts import LINK_HOURS, Account, Accounts, Refused, Role
from bot.staff.audit import HANOI
from bot.staff.pages import flash, go, page
from bot.staff.tables import audit as audit_table

TITLE, PATH, ROLE = "Người dùng", "/people", Role.ADMINISTRATOR
PER_PAGE = 50
MOST_EXPORTED = 50_000
ROLES = {
    Role.EDITOR: "Sửa câu hỏi, cách hỏi, danh mục; xem số liệu.",
    Role.PUBLISHER: "Như Biên tập, thêm: xuất bản, quay lại phiên bản trước, nạp và hoàn tác phụ lục.",
    Role.ADMINISTRATOR: "Như Xuất bản, thêm: người dùng, nhật ký, xuất bản khi còn câu sai (có ghi lý do).",
}


@needs(Role.ADMINISTRATOR)
def index(request: Request) -> Response:
    return _list(request)


def _list(request: Request, problem: str = "", status: int = 200) -> Response:
    state = request.app.state
    return page(
        request,
        "people/index.html",
        status,
        people=state.accounts.all(),
        sessions=state.sessions.counts(),
        now=datetime.now(HANOI),
        roles=ROLES,
        problem=problem,
        given={name: field(request, name) for name in ("name", "full_name", "role")},
    )


@needs(Role.ADMINISTRATOR)
def add(request: Request) -> Response:
    """A new account, and the link by which its owner sets a password."""
    accounts: Accounts = request.app.state.accounts
    try:
        if not field(request, "full_name"):
            raise Refused("Bạn chưa ghi họ tên.")
        made = accounts.add(field(request, "name"), _role(request), field(request, "full_name"))
    except Refused as refusal:
        return _list(request, str(refusal), 422)
    audit.record(request, "people.add", made.name, made.role.label)
    return _link(request, made)


@needs(Role.ADMINISTRATOR)
def person(request: Request) -> Response:
    return _person(request, _found(request))


def _person(request: Request, found: Account, problem: str = "", status: int = 200) -> Response:
    return page(
        request,
        "people/person.html",
        status,
        person=found,
        myself=found.id == access.user(request).id,
        sessions=request.app.state.sessions.of(found.id),
        mine=request.state.session.id,
        roles=ROLES,
        now=datetime.now(HANOI),
        problem=problem,
        log=audit.entries(request.app.state.engine, who=found.name, most=10),
    )


@needs(Role.ADMINISTRATOR)
def save(request: Request) -> Response:
    """Name and role."""
    found, accounts = _found(request), request.app.state.accounts
    try:
        role, full_name = _role(request), " ".join(field(request, "full_name").split())
        if full_name != found.full_name:
            accounts.rename(found.id, full_name)
            audit.record(request, "people.rename", found.name, f"{found.full_name} → {full_name}")
        if role is not found.role:
            accounts.set_role(found.id, role)
            audit.record(request, "people.role", found.name, f"{found.role.label} → {role.label}")
    except Refused as refusal:
        return _person(request, accounts.get(found.id) or found, str(refusal), 422)
    flash(request, f"Đã lưu {found.name}.")
    stays = found.id != access.user(request).id or role is Role.ADMINISTRATOR
    return go(request, "/people" if stays else "/")


@needs(Role.ADMINISTRATOR)
def lock(request: Request) -> Response:
    return _done(request, "people.disable", lambda accounts, found: accounts.disable(found.id), "Đã khóa {}.", True)


@needs(Role.ADMINISTRATOR)
def unlock(request: Request) -> Response:
    return _done(request, "people.enable", lambda accounts, found: accounts.enable(found.id), "Đã mở lại {}.")


@needs(Role.ADMINISTRATOR)
def log_out(request: Request) -> Response:
    """End all sessions of somebody; of oneself all but this one."""
    sessions = request.app.state.sessions
    own = request.state.session.id
    told = "Đã đăng xuất {} ở mọi thiết bị."
    return _done(request, "people.logout", lambda _, found: sessions.end_all(found.id, but=own), told)


@needs(Role.ADMINISTRATOR)
def link(request: Request) -> Response:
    found = _found(request)
    if found.id == access.user(request).id:
        return _person(request, found, "Với tài khoản của mình, bạn dùng trang Đổi mật khẩu.", 422)
    if found.disabled:
        return _person(request, found, "Tài khoản đang khóa. Bạn mở lại rồi mới tạo liên kết.", 422)
    return _link(request, found)


def _link(request: Request, found: Account) -> Response:
    """The page with a one-time link. Shown here and now, and kept nowhere: the database has only its digest."""
    token = request.app.state.accounts.make_link(found.id)
    audit.record(request, "people.link", found.name)
    address = f"{request.url.scheme}://{request.headers.get('host', '')}{ROOT}/link/{token}"
    return page(request, "people/link.html", person=found, address=address, hours=LINK_HOURS)


def _done(
    request: Request, action: str, do: Callable[[Accounts, Account], None], told: str, not_myself: bool = False
) -> Response:
    found = _found(request)
    try:
        if not_myself and found.id == access.user(request).id:
            raise Refused("Bạn không tự khóa tài khoản của mình được.")
        do(request.app.state.accounts, found)
    except Refused as refusal:
        return _person(request, found, str(refusal), 422)
    audit.record(request, action, found.name)
    flash(request, told.format(found.name))
    return go(request, f"/people/{found.id}")


def _found(request: Request) -> Account:
    found: Optional[Account] = request.app.state.accounts.get(request.path_params["id"])
    if found is None:
        raise HTTPException(404, "Không có tài khoản này.")
    return found


def _role(request: Request) -> Role:
    try:
        return Role(field(request, "role"))
    except ValueError as error:
        raise Refused("Bạn chưa chọn vai trò.") from error


# The audit log


@needs(Role.ADMINISTRATOR)
def log(request: Request) -> Response:
    """Who did what, newest first."""
    filters, problem = _filters(request)
    before = request.query_params.get("before", "")
    entries = audit.entries(
        request.app.state.engine,
        **filters,
        most=PER_PAGE + 1,
        before=int(before) if before.isdigit() and len(before) < 18 else None,
    )
    asked = {name: request.query_params.get(name, "") for name in ("who", "action", "words", "since", "until")}
    return page(
        request,
        "people/log.html",
        422 if problem else 200,
        problem=problem,
        entries=entries[:PER_PAGE],
        older=entries[PER_PAGE - 1].id if len(entries) > PER_PAGE else None,
        asked=asked,
        query=urlencode({name: value for name, value in asked.items() if value}),
        names=_names(request),
        actions=audit.ACTIONS,
        groups=audit.GROUPS,
    )


@needs(Role.ADMINISTRATOR)
def export_log(request: Request) -> Response:
    """What the filters leave of the log, as CSV or Excel."""
    filters, problem = _filters(request)
    if problem:
        return log(request)
    entries = audit.entries(request.app.state.engine, **filters, most=MOST_EXPORTED)
    rows = tuple(
        (f"{each.at.astimezone(HANOI):%Y-%m-%d %H:%M:%S}", each.who, each.address, each.title, each.target, each.detail)
        for each in entries
    )
    header = ("Lúc (Hà Nội)", "Ai", "Từ địa chỉ", "Việc", "Với", "Chi tiết")
    table = Table("nhat_ky", "Nhật ký", header, rows)
    suffix = "xlsx" if request.url.path.endswith(".xlsx") else "csv"
    name = f"nhat-ky-{request.app.state.runtime.settings.today}.{suffix}"
    audit.record(request, "people.export", name, f"{len(rows)} dòng")
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    body = _xlsx(table) if suffix == "xlsx" else _csv(table)
    return Response(
        body,
        media_type=media if suffix == "xlsx" else "text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _filters(request: Request) -> tuple[dict[str, Any], str]:
    """The arguments of `audit.entries` that a query asks for, and what is wrong with it."""
    query, problem = request.query_params, ""
    days: dict[str, Optional[date]] = {}
    for name in ("since", "until"):
        try:
            days[name] = date.fromisoformat(query[name]) if query.get(name) else None
        except ValueError:
            days[name], problem = None, "Ngày chưa đúng: cần dạng 2026-11-23."
    if any(day and not 2000 <= day.year <= 2100 for day in days.values()):
        days, problem = {"since": None, "until": None}, "Ngày chưa đúng: năm từ 2000 đến 2100."
    words = {name: query.get(name, "").strip().replace("\0", "")[:200] for name in ("who", "action", "words")}
    return {**words, **days}, problem


def _names(request: Request) -> list[str]:
    """Everybody who is in the log, those of the command line too."""
    with request.app.state.engine.connect() as connection:
        query = sa.select(audit_table.c.who).distinct().order_by(audit_table.c.who)
        return [str(name) for name in connection.execute(query).scalars() if name]


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    # Excel would run a cell that begins so; what people typed stands here.
    rows = [[f"'{cell}" if str(cell)[:1] in ("=", "+", "-", "@") else cell for cell in row] for row in table.rows]
    csv.writer(text, lineterminator="\r\n").writerows([table.header, *rows])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(table: Table) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    write_sheet(book, table)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


routes = [
    Route("/people", index),
    Route("/people/add", add, methods=["POST"]),
    Route("/people/log", log),
    *(Route(f"/people/log.{suffix}", export_log, name=f"log_{suffix}") for suffix in ("csv", "xlsx")),
    Route("/people/{id:int}", person),
    *(
        Route(f"/people/{{id:int}}/{name}", endpoint, methods=["POST"])
        for name, endpoint in (
            ("save", save),
            ("lock", lock),
            ("unlock", unlock),
            ("link", link),
            ("logout", log_out),
        )
    ),
]
