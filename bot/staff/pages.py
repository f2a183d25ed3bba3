"""Pages: templates with everything that each of them needs, messages for the next page, errors."""

from __future__ import annotations

import logging
from datetime import date, datetime
from pathlib import Path
from typing import Any, Optional

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.templating import Jinja2Templates

from bot.staff import sections
from bot.staff.access import ROOT
from bot.staff.audit import HANOI

FOLDER = Path(__file__).parent
_log = logging.getLogger(__name__)
_TITLES = {403: "Không được phép", 404: "Không có trang này", 400: "Chưa gửi được", 413: "Tệp quá lớn"}


def _context(request: Request) -> dict[str, Any]:
    state = request.state
    person = getattr(state, "user", None)
    token = getattr(state, "form_token", "")
    return {
        "user": person,
        "root": ROOT,
        "form_token": token,
        "csrf": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(token),
        "menu": sections.menu(person) if person and not person.must_change else [],
        "here": request.scope["path"],
        "flashes": _flashes(request),
    }


def _flashes(request: Request) -> list[dict[str, str]]:
    session = getattr(request.state, "session", None)
    # A fragment has no place for messages: they wait for the next whole page.
    if session is None or request.headers.get("hx-request") == "true":
        return []
    found: list[dict[str, str]] = request.app.state.sessions.take_flashes(session.id)
    return found


def day(value: Optional[date]) -> str:
    """23/11/2026."""
    return f"{value:%d/%m/%Y}" if value else ""


def moment(value: Optional[datetime]) -> str:
    """10:05 23/11/2026, Hà Nội time."""
    return f"{value.astimezone(HANOI):%H:%M %d/%m/%Y}" if value else ""


def number(value: int) -> str:
    """1.867."""
    return f"{value:,}".replace(",", ".")


templates = Jinja2Templates(directory=FOLDER / "templates", context_processors=[_context])
templates.env.filters.update(day=day, moment=moment, number=number)
templates.env.trim_blocks = templates.env.lstrip_blocks = True


def page(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """A rendered template."""
    return templates.TemplateResponse(request, template, context, status_code=status)


def flash(request: Request, text: str, kind: str = "ok") -> None:
    """A message on the next page of this person. `kind`: "ok" or "error"."""
    request.app.state.sessions.flash(request.state.session.id, text, kind)


def go(request: Request, path: str) -> Response:
    """To another page of the console, after a form was taken; `path` without `/staff`."""
    where = ROOT + path.rstrip("/")
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": where})
    return RedirectResponse(where, status_code=303)


def problem_page(request: Request, status: int, problem: str) -> Response:
    return page(request, "problem.html", status, title=_TITLES.get(status, "Có trục trặc"), problem=problem)


def http_problem(request: Request, error: Exception) -> Response:
    """The page for an HTTPException; its detail is shown only where it is ours."""
    assert isinstance(error, HTTPException)
    own = {404: "Địa chỉ này không có, hoặc mục đó đã được bỏ.", 405: "Trang này không nhận thao tác đó."}
    is_ours = error.detail and not error.detail.isascii()
    return problem_page(request, error.status_code, error.detail if is_ours else own.get(error.status_code, ""))


def failure(request: Request, error: Exception) -> Response:
    _log.error("%s %s", request.method, request.scope["path"], exc_info=error)
    return problem_page(request, 500, "Máy chủ gặp lỗi, việc của bạn chưa được ghi. Bạn thử lại sau ít phút.")
