"""Coming in, going out, and one's own password."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.staff import access, audit
from bot.staff.access import ROOT, field
from bot.staff.accounts import SHORTEST, Account, LockedOut, Refused
from bot.staff.pages import flash, go, page


def login(request: Request) -> Response:
    if request.method == "POST":
        return _try(request)
    if request.state.session is not None:
        return RedirectResponse(ROOT, status_code=303)
    return _form(request)


def _try(request: Request) -> Response:
    state = request.app.state
    name, address = field(request, "name"), audit.request_address(request)
    # A password is taken as typed, blanks and all.
    password = str(access.form(request).get("password", ""))
    try:
        person = state.accounts.check(name, password, address)
    except Refused as refusal:
        known = state.accounts.named(name)
        # A lock-out is noted once, by the failure that brought it about: nobody fills the log by trying on.
        if known is not None and not isinstance(refusal, LockedOut):
            audit.note(state.engine, known.name, address, "session.fail", detail=str(refusal))
        return _form(request, str(refusal), 429 if isinstance(refusal, LockedOut) else 422)
    audit.note(state.engine, person.name, address, "session.start")
    return _enter(request, person, access.safe_next(field(request, "next")))


def _enter(request: Request, person: Account, where: str = ROOT) -> Response:
    """Always a new session: one that was known before the log-in ends."""
    state = request.app.state
    if request.state.session is not None:
        state.sessions.end(request.state.session.id)
    response = RedirectResponse(where, status_code=303)
    token = state.sessions.start(person, audit.request_address(request))
    access.set_cookie(response, token, access.is_secure(request))
    return response


def _form(request: Request, problem: str = "", status: int = 200) -> Response:
    after = request.query_params.get("next", "") or field(request, "next")
    return page(
        request,
        "people/login.html",
        status,
        problem=problem,
        name=field(request, "name"),
        next=access.safe_next(after),
        first=not request.app.state.accounts.all(),
        note="Bạn đã đăng xuất." if "out" in request.query_params else "",
    )


def logout(request: Request) -> Response:
    audit.record(request, "session.end")
    request.app.state.sessions.end(request.state.session.id)
    response = RedirectResponse(f"{ROOT}/login?out", status_code=303)
    response.delete_cookie(access.COOKIE, path=ROOT)
    return response


def password(request: Request) -> Response:
    """One's own."""
    person = access.user(request)
    if request.method == "GET":
        return _password_form(request, person)
    old, new, again = _passwords(request)
    try:
        if new != again:
            raise Refused("Hai lần nhập mật khẩu mới không giống nhau.")
        request.app.state.accounts.change_password(person.id, old, new, audit.request_address(request))
    except Refused as refusal:
        return _password_form(request, person, str(refusal))
    audit.record(request, "people.password", person.name)
    flash(request, "Đã đổi mật khẩu. Các thiết bị khác đã đăng xuất.")
    request.app.state.sessions.end_all(person.id, but=request.state.session.id)
    return go(request, "/")


def link(request: Request) -> Response:
    """A password set by a one-time link."""
    accounts, token = request.app.state.accounts, request.path_params["token"]
    person = accounts.of_link(token)
    if request.method == "GET" or person is None:
        return _password_form(request, person, link=True, status=200 if person else 404)
    _, new, again = _passwords(request)
    try:
        if new != again:
            raise Refused("Hai lần nhập mật khẩu mới không giống nhau.")
        accounts.set_by_link(token, new)
    except Refused as refusal:
        return _password_form(request, person, str(refusal), link=True)
    address = audit.request_address(request)
    audit.note(request.app.state.engine, person.name, address, "people.password", person.name, "bằng liên kết")
    return _enter(request, person)


def _passwords(request: Request) -> tuple[str, str, str]:
    form = access.form(request)
    old, new, again = (str(form.get(name, "")) for name in ("old", "new", "again"))
    return old, new, again


def _password_form(
    request: Request, person: Account | None, problem: str = "", link: bool = False, status: int = 0
) -> Response:
    status = status or (422 if problem else 200)
    return page(request, "people/password.html", status, person=person, problem=problem, link=link, shortest=SHORTEST)


routes = [
    Route("/login", login, methods=["GET", "POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/password", password, methods=["GET", "POST"]),
    Route("/link/{token}", link, methods=["GET", "POST"]),
]
