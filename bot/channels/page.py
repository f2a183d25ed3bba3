"""The demo page at `/`, made like a ward's website, and the plain form by which it answers without JavaScript."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from pathlib import Path
from typing import Any, Optional

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse, html, redirect

from bot.channels.web import LARGEST_BODY, LONGEST_QUESTION, Refused, WebInput, is_same_site, refusal, set_cookie
from bot.channels.web_log import Log
from bot.channels.web_shelf import Event
from bot.memory import KEPT_DAYS

HERE = Path(__file__).parent
PATIENCE = 20.0
"""Seconds that a browser without JavaScript is kept waiting for an answer."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not "no-referrer": browsers then send the form without saying which site it is from.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_templates = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)
_templates.filters["tel"] = lambda phone: "".join(sign for sign in str(phone) if sign in "+0123456789")


def create(web: WebInput) -> Blueprint:
    """The pages; they answer through the web channel."""
    routes = Blueprint("page")

    @routes.get("/")
    async def home(request: Request) -> HTTPResponse:
        caller = web.caller(request)
        log = web.log(caller.id) if caller else None
        server = f"{web.client(request)[1]}://{request.host}"
        return _page("home.html", log, server=server, suggestions=web.sites.own.suggestions)

    @routes.get("/hoi")
    async def start(request: Request) -> HTTPResponse:
        return redirect("/", status=303)

    @routes.post("/hoi")
    async def ask(request: Request) -> HTTPResponse:
        return await _ask(request, web)

    @routes.middleware("request")
    async def check_size(request: Request) -> Optional[HTTPResponse]:
        return _page("answer.html", None, Refused(413, "too_large")) if len(request.body) > LARGEST_BODY else None

    @routes.exception(Exception)
    async def failed(request: Request, error: Exception) -> HTTPResponse:
        return _page("answer.html", None, refusal(error))

    return routes


def static() -> Blueprint:
    """Files of these pages."""
    files = Blueprint("files")
    files.static("/static", str(HERE / "static"))

    @files.middleware("response")
    async def allow(request: Request, response: HTTPResponse) -> None:
        response.headers["X-Content-Type-Options"] = "nosniff"

    return files


async def _ask(request: Request, web: WebInput) -> HTTPResponse:
    form = request.form or {}
    web.site(request)
    caller = web.caller(request, _field(form, "phien"))
    await web.count("message", caller.id if caller else "", request)
    token = web.sessions.issue(caller.id if caller else "")
    id = web.sessions.read(token) or ""
    log = web.log(id) if caller else web.logs.begin(web.memory.person("web", id))
    log.unit = web.sites.own.unit
    said = {"payload": _field(form, "payload")} if "payload" in form else {"text": _field(form, "q")}
    # Sent again (reload), it is the same message; another choice on the same page (back) is not.
    said["id"] = hashlib.sha256("\n".join([_field(form, "ma"), *said.values()]).encode(errors="replace")).hexdigest()
    error = None
    try:
        task = None if "xem" in form else web.accept(log, said)
        if task is not None:
            await asyncio.wait([task], timeout=PATIENCE)
    except Refused as refused:
        error = refused
    typed = said.get("text", "") if error else ""
    shown = "" if error else _field(form, "xem") or said["id"]
    response = _page("answer.html", log, token=token, error=error, typed=typed, shown=shown)
    if is_same_site(request, web.sites):
        set_cookie(response, token, web.client(request)[1] == "https")
    return response


def _page(name: str, log: Optional[Log], error: Optional[Refused] = None, **words: Any) -> HTTPResponse:
    """
    Args:
        words: of the template; `shown` is the id of the question whose answer was asked for.
    """
    ready: dict[str, Any] = {"token": "", "typed": "", "shown": "", "id": secrets.token_hex(16), "error": error}
    ready |= {"longest": LONGEST_QUESTION, "days": KEPT_DAYS, "kept": bool(log and log.consent)}
    exchanges = _exchanges(log.events) if log else []
    text = _templates.get_template(name).render({**ready, "exchanges": exchanges, **words})
    headers = dict(HEADERS)
    if error and error.retry_after:
        headers["Retry-After"] = str(error.retry_after)
    return html(text, status=error.status_code if error else 200, headers=headers)


def _exchanges(events: list[Event]) -> list[dict[str, Any]]:
    """Questions with the replies to each, oldest first."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        shown = {"payload": None, "buttons": [], "chosen": None, **event.shown()}
        if event.type == "user":
            found[event.body["id"]] = {"question": shown, "replies": []}
        elif event.type in ("bot", "failed") and event.body["id"] in found:
            found[event.body["id"]]["replies"].append(shown)
    return list(found.values())


def _field(form: Any, name: str) -> str:
    return str(form.get(name) or "")
