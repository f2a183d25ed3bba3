"""Who may see what: the log-in, and the checks that every request to the console passes."""

from __future__ import annotations

import functools
import hashlib
import hmac
import inspect
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Optional, TypeVar, cast
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.staff.accounts import Account, Role
from bot.staff.sessions import LONGEST, Session, Sessions

ROOT = "/staff"
COOKIE = "motcua_staff"
OPEN = (f"{ROOT}/login", f"{ROOT}/link/", f"{ROOT}/static/")
"""Reached without a log-in."""
FIRST = (f"{ROOT}/password", f"{ROOT}/logout", f"{ROOT}/static/")
"""Reached before a password that must be changed is changed."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_LONGEST_FIELD = 2_000_000
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def user(request: Request) -> Account:
    """Who is logged in."""
    return cast(Account, request.state.user)


def form(request: Request) -> FormData:
    """What was posted; already read and its token checked, so that plain `def` endpoints have it too."""
    return cast(FormData, getattr(request.state, "form", None) or FormData())


def field(request: Request, name: str) -> str:
    """One text field of the form; "" where it is missing or a file."""
    value = form(request).get(name)
    return value.strip() if isinstance(value, str) else ""


def needs(role: Role | str) -> Callable[[Endpoint], Endpoint]:
    """Lets an endpoint be used only by people of that role or a higher one."""
    least = Role(role)

    def guard(request: Request) -> None:
        if not user(request).role.covers(least):
            raise HTTPException(403, f"Việc này cần vai trò {least.label} trở lên.")

    def wrap(endpoint: Endpoint) -> Endpoint:
        if inspect.iscoroutinefunction(endpoint):

            @functools.wraps(endpoint)
            async def asynchronous(request: Request) -> Response:
                guard(request)
                return cast(Response, await endpoint(request))

            return cast(Endpoint, asynchronous)

        @functools.wraps(endpoint)
        def synchronous(request: Request) -> Response:
            guard(request)
            return cast(Response, endpoint(request))

        return cast(Endpoint, synchronous)

    return wrap


def form_token(cookie: str) -> str:
    """The token that forms carry: made from the cookie's, from which nobody gets back to it."""
    return hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest()


def safe_next(path: str) -> str:
    """Where to go after a log-in: only a page of the console."""
    parts = urlsplit(path)
    inside = parts.path == ROOT or parts.path.startswith(f"{ROOT}/")
    clean = inside and not parts.scheme and not parts.netloc and "\\" not in path and path.isprintable()
    return path if clean else ROOT


def set_cookie(response: Response, token: str, secure: bool) -> None:
    response.set_cookie(
        COOKIE, token, max_age=int(LONGEST.total_seconds()), path=ROOT, secure=secure, httponly=True, samesite="lax"
    )


def is_secure(request: Request) -> bool:
    return request.app.state.runtime.settings.https or request.url.scheme == "https"


class Guard:
    """Around the whole console: finds the session, asks for a log-in, checks every form, adds the headers."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        cookie = request.cookies.get(COOKIE, "")
        found = await run_in_threadpool(self._sessions.find, cookie) if cookie else None
        given = cookie or secrets.token_urlsafe(32)
        state = scope.setdefault("state", {})
        state.update(user=found.user if found else None, session=found, form_token=form_token(given))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if is_secure(request):
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                if not scope["path"].startswith(f"{ROOT}/static/"):
                    headers.setdefault("Cache-Control", "no-store")
                    # Only where a form waits for somebody who is not logged in. A form that another site sends
                    # comes without the cookie (SameSite): answered with a new one, it would log people out.
                    waits = scope["path"].startswith(OPEN) and request.method == "GET"
                    if waits and not cookie and "set-cookie" not in headers:
                        blank = Response()
                        set_cookie(blank, given, is_secure(request))
                        headers.append("Set-Cookie", blank.headers["set-cookie"])
            await send(message)

        refusal = self._refusal(request, found) or await self._check_form(request, state)
        try:
            await (refusal or self._app)(scope, receive, answer)
        finally:
            if isinstance(state.get("form"), FormData):
                await state["form"].close()

    def _refusal(self, request: Request, found: Optional[Session]) -> Optional[Response]:
        # As the routes see it. `request.url` is put together with the Host header, which anybody may write.
        path = request.scope["path"]
        if found is None and not path.startswith(OPEN):
            where = path + (f"?{request.url.query}" if request.url.query else "")
            after = quote(where, safe="") if request.method == "GET" and not _is_htmx(request) else ""
            return _elsewhere(request, f"{ROOT}/login" + (f"?next={after}" if after and path != ROOT else ""))
        if found is not None and found.user.must_change and not path.startswith(FIRST):
            return _elsewhere(request, f"{ROOT}/password")
        return None

    async def _check_form(self, request: Request, state: dict[str, Any]) -> Optional[Response]:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return None
        if not _is_own(request):
            return await self._bad(request, 403, "Biểu mẫu được gửi từ một trang khác.")
        token = request.headers.get("x-csrf-token", "")
        if request.headers.get("content-type", "").startswith(_FORMS):
            try:
                state["form"] = await request.form(max_part_size=_LONGEST_FIELD)
            except (MultiPartException, HTTPException):
                return await self._bad(request, 400, "Không đọc được biểu mẫu.")
            token = token or str(state["form"].get("csrf", ""))
        if not secrets.compare_digest(token.encode(), state["form_token"].encode()):
            return await self._bad(request, 403, "Phiên làm việc đã đổi. Bạn tải lại trang rồi gửi lại.")
        return None

    async def _bad(self, request: Request, status: int, problem: str) -> Response:
        from bot.staff.pages import problem_page

        return await run_in_threadpool(problem_page, request, status, problem)


def _is_own(request: Request) -> bool:
    """Whether a form comes from our own pages, as far as the browser tells."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _is_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _elsewhere(request: Request, where: str) -> Response:
    """Another page; htmx would follow a redirect within the fragment, so it is told to go there whole."""
    return Response(status_code=401, headers={"HX-Redirect": where}) if _is_htmx(request) else _go(where)


def _go(where: str) -> Response:
    return RedirectResponse(where, status_code=303)
