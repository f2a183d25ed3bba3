"""The web chat's channel: sessions, messages, and a stream of what happens (docs/web-protocol.md)."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import re
import secrets
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

import sqlalchemy as sa
from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, Sanic
from sanic.exceptions import InvalidUsage, PayloadTooLarge, SanicException
from sanic.request import Request
from sanic.response import HTTPResponse, empty
from sanic.response import json as json_response

from bot.channels.proxies import client_of
from bot.channels.turns import Turns
from bot.channels.web_desk import MOST_PENDING, Desk
from bot.channels.web_limits import Limits
from bot.channels.web_log import Log, Logs
from bot.channels.web_session import COOKIE, LASTS, Sessions
from bot.channels.web_shelf import Shelf
from bot.channels.web_sites import Site, Sites, load
from bot.channels.web_state import Conversations
from bot.journal import Journal
from bot.memory import KEPT_DAYS, Memory, key_in
from bot.runtime import Runtime

logger = logging.getLogger(__name__)

LONGEST_QUESTION = 1000
LONGEST_REASON = 500
LARGEST_BODY = 16 * 1024
"""Bytes of a request."""
LONGEST_WAIT = 25.0
"""Seconds that a client without a stream may be kept waiting for news."""
PING = 15.0
"""Seconds between signs of life on a stream."""
MOST_LISTENERS = 8
"""Open streams of one session (tabs)."""
SWEEP = 60.0
SWEEPS_A_PURGE = 60
LOOKS_FRESH = 60
"""Seconds that a browser may go on showing a site's title and colours."""
STOPPING = 8.0
"""Seconds that turns are given to end when the server stops."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CURSOR = re.compile(r"[0-9]{1,18}")
_SECONDS = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?")

SLOW_DOWN = "Bạn gửi hơi nhanh, mình trả lời không kịp. Bạn chờ {seconds} giây rồi gửi lại nhé."
SAY = {
    "origin": "Trang web này chưa được phép dùng khung chat.",
    "no_session": "Phiên trò chuyện đã hết hạn. Bạn tải lại trang giúp mình nhé.",
    "bad_request": "Yêu cầu không đúng dạng: {what}.",
    "too_large": "Nội dung gửi lên quá lớn.",
    "too_long": "Bạn viết dài quá {longest} ký tự, rút gọn giúp mình nhé.",
    "empty": "Bạn chưa viết gì.",
    "unknown_button": "Nút này đã cũ, bạn gõ lại câu hỏi giúp mình nhé.",
    "unknown_turn": "Không tìm thấy câu trả lời này để đánh giá.",
    "bad_location": "Vị trí không hợp lệ.",
    "unavailable": "Máy chủ đang trục trặc, tin của bạn chưa được ghi nhận. Bạn thử gửi lại sau ít phút.",
    "error": "Xin lỗi bạn, máy chủ gặp lỗi. Bạn thử lại giúp mình; nếu vẫn lỗi, gọi 1022 và đọc mã {reference}.",
}


class Refused(SanicException):  # type: ignore[misc]
    """A request that cannot be served; `code` is for machines, the sentence for people."""

    def __init__(self, status: int, code: str, message: str = "", retry_after: int = 0, **words: object) -> None:
        super().__init__(message or SAY[code].format(**words), status_code=status, quiet=True)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True)
class Caller:
    """Whose session a request is about."""

    id: str
    by_cookie: bool


class WebInput(InputChannel):  # type: ignore[misc]
    """The channel as Rasa's server mounts it."""

    def __init__(self, memory: Memory, journal: Journal, runtime: Runtime) -> None:
        """
        Raises:
            ValueError: `sites.yml` cannot be used; the message says where.
        """
        settings = runtime.settings
        places = runtime.catalogue().places
        codes = {str(unit.name).lower(): unit.code for unit in places.units.values() if unit.holds_on(settings.today)}
        codes |= {code: code for code in codes.values()}
        self.memory = memory
        self.journal = journal
        self.runtime = runtime
        self.sites: Sites = load(settings.web.sites, lambda given: codes.get(given.lower()))
        self.sessions = Sessions(key_in(settings.home / "web.key"))
        self.limits = Limits(settings.web.redis_url)
        self.shelf = Shelf(runtime.store.engine)
        self.logs = Logs(self.shelf, memory)
        self.desk: Desk
        self.stopping = False

    @classmethod
    def name(cls) -> str:
        return "web"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("web_channel")
        turns = Turns(on_new_message, self.name(), self.memory, self.journal)
        app: list[Sanic] = []
        conversations = Conversations(lambda: app[0].ctx.agent)
        self.desk = Desk(turns, conversations, self.logs, self.runtime)
        sweeping: list[asyncio.Task[None]] = []

        @routes.listener("after_server_start")
        async def start(running: Sanic, loop: Any) -> None:
            app.append(running)
            sweeping.append(loop.create_task(self._sweep()))
            self.desk.recover()

        @routes.listener("before_server_stop")
        async def stop(running: Sanic, loop: Any) -> None:
            self.stopping = True
            for task in sweeping:
                task.cancel()
            await self.desk.finish(STOPPING)
            for log in self.logs.all():
                log.wake()

        @routes.middleware("request")
        async def check_origin(request: Request) -> None:
            self.site(request)

        @routes.middleware("response")
        async def add_headers(request: Request, response: HTTPResponse) -> None:
            response.headers.update({**self._headers(request), **response.headers})

        @routes.exception(Exception)
        async def failed(request: Request, error: Exception) -> HTTPResponse:
            return error_response(error)

        async def preflight(request: Request) -> HTTPResponse:
            return empty()

        for path in ("site", "session", "messages", "consent", "restart", "feedback", "events"):
            routes.add_route(preflight, f"/{path}", methods=["OPTIONS"], name=f"preflight_{path}")

        @routes.get("/")
        async def health(request: Request) -> HTTPResponse:
            return _json({"status": "ok"})

        @routes.get("/site")
        async def looks(request: Request) -> HTTPResponse:
            return _json(self._about(self.site(request)), headers={"Cache-Control": f"public, max-age={LOOKS_FRESH}"})

        @routes.post("/session")
        async def session(request: Request) -> HTTPResponse:
            return await self._session(request)

        @routes.delete("/session")
        async def forget(request: Request) -> HTTPResponse:
            return await self._forget(request)

        @routes.post("/messages")
        async def messages(request: Request) -> HTTPResponse:
            return await self._message(request)

        @routes.post("/consent")
        async def consent(request: Request) -> HTTPResponse:
            return await self._consent(request)

        @routes.post("/restart")
        async def restart(request: Request) -> HTTPResponse:
            log = await self._acting(request)
            log.begin_again()
            return _json({"cursor": log.cursor}, 202)

        @routes.post("/feedback")
        async def feedback(request: Request) -> HTTPResponse:
            return await self._feedback(request)

        @routes.get("/events")
        async def events(request: Request) -> Optional[HTTPResponse]:
            return await self._events(request)

        return routes

    # -- who asks, from where --------------------------------------------------------------------------------

    def site(self, request: Request) -> Site:
        """The website that a request comes from; the bot's own where the request does not say.

        Raises:
            Refused: the website is not on the list.
        """
        origin = request.headers.getone("origin", None)
        if origin is None:
            return self.sites.own
        site = self.sites.at(origin, request.host)
        if site is None:
            raise Refused(403, "origin")
        return site

    def caller(self, request: Request, token: object = None) -> Optional[Caller]:
        """By a token in the body or the header, or else by the cookie.

        A cookie comes along by itself, so for anything but reading it counts only where the browser says that the
        request is from an allowed website.
        """
        scheme, _, bearer = request.headers.getone("authorization", "").partition(" ")
        for given in (token, bearer.strip() if scheme.lower() == "bearer" else ""):
            id = self.sessions.read(given)
            if id is not None:
                return Caller(id, by_cookie=False)
        id = self.sessions.read(request.cookies.get(COOKIE))
        is_meant = request.method == "GET" or "origin" in request.headers
        return Caller(id, by_cookie=True) if id is not None and is_meant else None

    def log(self, id: str) -> Log:
        return self.logs.of(self.memory.person("web", id))

    async def count(self, what: str, session: str, request: Request) -> None:
        """
        Raises:
            Refused: too much in too short a time.
        """
        seconds = await self.limits.wait(what, session, self.client(request)[0])
        if seconds:
            raise Refused(429, "slow_down", SLOW_DOWN.format(seconds=seconds), retry_after=seconds)

    def client(self, request: Request) -> tuple[str, str]:
        """Address and scheme."""
        settings = self.runtime.settings
        address, scheme = client_of(request, settings.proxies)
        return address, "https" if settings.https else scheme

    async def _calling(self, request: Request, what: str) -> Log:
        caller = self.caller(request)
        if caller is None:
            if self.sessions.read(request.cookies.get(COOKIE)) is not None:
                raise Refused(403, "origin")
            raise Refused(401, "no_session")
        await self.count(what, caller.id, request)
        log = self.log(caller.id)
        log.unit = self.site(request).unit
        return log

    async def _acting(self, request: Request) -> Log:
        return await self._calling(request, "act")

    def _about(self, site: Site) -> dict[str, Any]:
        """How the chat looks on a website, and what holds there."""
        return {
            "site": site.dict(include={"title", "colors", "unit", "lang"}),
            "limits": {"characters": LONGEST_QUESTION},
            "kept_days": KEPT_DAYS,
            "suggestions": list(site.suggestions),
        }

    # -- what can be done --------------------------------------------------------------------------------------

    async def _session(self, request: Request) -> HTTPResponse:
        body = _body(request)
        site = self.site(request)
        caller = self.caller(request, body.get("token"))
        await self.count("open", "", request)
        token = self.sessions.issue(caller.id if caller else "")
        id = self.sessions.read(token) or ""
        log = self.log(id) if caller else self.logs.begin(self.memory.person("web", id))
        has_cookie = is_same_site(request, self.sites)
        answer = {
            # Where the cookie has proved to work, no script needs to see the token.
            "token": "" if caller and caller.by_cookie else token,
            "cookie": has_cookie,
            "consent": log.consent,
            "cursor": log.cursor,
            **self._about(site),
        }
        response = _json(answer)
        if has_cookie:
            set_cookie(response, token, self.client(request)[1] == "https")
        return response

    async def _forget(self, request: Request) -> HTTPResponse:
        log = await self._acting(request)
        count = self.memory.forget(log.person)
        log.withdraw()
        log.begin_again()
        log.consent = None
        response = _json({"deleted": count, "cursor": log.cursor})
        if COOKIE in request.cookies:
            del response.cookies[COOKIE]
            response.cookies[COOKIE]["path"] = "/"
        return response

    async def _message(self, request: Request) -> HTTPResponse:
        body = _body(request)
        log = await self._calling(request, "message")
        self.accept(log, body)
        return _json({"cursor": log.cursor}, 202)

    def accept(self, log: Log, body: Mapping[str, Any]) -> Optional[asyncio.Task[None]]:
        """Take a message; gives the turn that answers it, None if it came before.

        Raises:
            Refused: it is not one.
        """
        id = body.get("id")
        if not isinstance(id, str) or not _ID.fullmatch(id):
            raise Refused(400, "bad_request", what='"id" gồm 1 đến 64 chữ không dấu, số, gạch')
        if log.has_seen(id):
            return None
        if log.pending >= MOST_PENDING:
            raise Refused(429, "slow_down", SLOW_DOWN.format(seconds=5), retry_after=5)
        if [key in body for key in ("text", "payload", "location")].count(True) != 1:
            raise Refused(400, "bad_request", what='cần một trong "text", "payload", "location"')
        if "text" in body:
            return self.desk.typed(log, id, _text(body["text"], LONGEST_QUESTION))
        if "location" in body:
            return self.desk.located(log, id, *_location(body["location"]))
        payload = body["payload"]
        offered = log.offered(payload) if isinstance(payload, str) else None
        if offered is None:
            raise Refused(400, "unknown_button")
        return self.desk.tapped(log, id, *offered, payload)

    async def _consent(self, request: Request) -> HTTPResponse:
        given = _flag(_body(request), "given")
        log = await self._acting(request)
        if given:
            self.memory.agree("web", log.person)
            log.agree()
        else:
            self.memory.forget(log.person)
            log.withdraw()
        log.add(("consent", {"given": given}))
        return _json({"cursor": log.cursor})

    async def _feedback(self, request: Request) -> HTTPResponse:
        body = _body(request)
        up, turn = _flag(body, "up"), body.get("turn")
        reason = _text(body["reason"], LONGEST_REASON, may_be_empty=True) if body.get("reason") is not None else ""
        log = await self._acting(request)
        if isinstance(turn, bool) or not isinstance(turn, int) or not turn or not log.has_turn(turn):
            raise Refused(404, "unknown_turn")
        # A reason is what somebody wrote: kept, like all else, only if they agreed to it.
        self.journal.rate(turn, up, reason if log.consent else "")
        log.add(("rated", {"turn": turn, "up": up}))
        return _json({"cursor": log.cursor, "reason_kept": bool(reason and log.consent)})

    # -- what happened -----------------------------------------------------------------------------------------

    async def _events(self, request: Request) -> Optional[HTTPResponse]:
        after = request.headers.getone("last-event-id", None) or request.args.get("after") or "0"
        if not _CURSOR.fullmatch(after):
            raise Refused(400, "bad_request", what='"after" là một số')
        wait = request.args.get("wait")
        if wait is not None and not _SECONDS.fullmatch(wait):
            raise Refused(400, "bad_request", what='"wait" là số giây')
        log = await self._calling(request, "listen")
        if log.listeners >= MOST_LISTENERS:
            raise Refused(429, "slow_down", SLOW_DOWN.format(seconds=5), retry_after=5)
        log.listeners += 1
        try:
            if wait is not None:
                return await self._poll(log, int(after), min(float(wait), LONGEST_WAIT))
            await self._stream(request, log, int(after))
            return None
        finally:
            log.listeners -= 1

    async def _poll(self, log: Log, after: int, seconds: float) -> HTTPResponse:
        until = asyncio.get_running_loop().time() + seconds
        while True:
            changed = log.changed
            events = log.after(after)
            left = until - asyncio.get_running_loop().time()
            if events or left <= 0 or self.stopping:
                shown = [event.shown() for event in events]
                return _json({"events": shown, "cursor": log.cursor})
            await _happens(changed, left)

    async def _stream(self, request: Request, log: Log, after: int) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = await request.respond(content_type="text/event-stream; charset=utf-8", headers=headers)
        await response.send(": hello\n\n")
        told_typing = False
        while not self.stopping:
            changed = log.changed
            for event in log.after(after):
                await response.send(f"id: {event.cursor}\ndata: {_dumps(event.shown())}\n\n")
                after, told_typing = event.cursor, told_typing and event.type == "user"
            if log.pending and not told_typing:
                await response.send('data: {"type": "typing"}\n\n')
            told_typing = bool(log.pending)
            if not changed.is_set() and not await _happens(changed, PING):
                await response.send(": ping\n\n")
        await response.eof()

    # -- housekeeping --------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Let go of what is old, in memory every minute, in the database every hour."""
        sweeps = 0
        while True:
            try:
                self.logs.sweep()
                if sweeps % SWEEPS_A_PURGE == 0:
                    self.memory.purge()
                    self.shelf.purge()
            except sa.exc.SQLAlchemyError:
                logger.exception("Không xóa được dữ liệu hết hạn; thử lại sau.")
            sweeps += 1
            await asyncio.sleep(SWEEP)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Vary": "Origin",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }
        origin = request.headers.getone("origin", "")
        if not origin or self.sites.at(origin, request.host) is None:
            return headers
        headers |= {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}
        headers["Access-Control-Expose-Headers"] = "Retry-After"
        if request.method == "OPTIONS":
            headers |= {
                "Access-Control-Allow-Methods": "GET, POST, DELETE",
                "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID",
                "Access-Control-Max-Age": "600",
            }
        return headers


def is_same_site(request: Request, sites: Sites) -> bool:
    """Whether the browser will bring a cookie along next time; it tells so, or the page is the bot's own."""
    fetched = request.headers.getone("sec-fetch-site", "")
    if fetched:
        return fetched in ("same-origin", "same-site", "none")
    origin = request.headers.getone("origin", "")
    return not origin or sites.at(origin, request.host) is sites.own


def set_cookie(response: HTTPResponse, token: str, secure: bool) -> None:
    response.cookies[COOKIE] = token
    cookie = response.cookies[COOKIE]
    cookie["httponly"] = True
    cookie["samesite"] = "Lax"
    cookie["path"] = "/"
    cookie["max-age"] = int(LASTS.total_seconds())
    if secure:
        cookie["secure"] = True


def refusal(error: Exception) -> Refused:
    """What is told to people of an error, whatever it is."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, PayloadTooLarge):
        return Refused(413, "too_large")
    if isinstance(error, InvalidUsage):
        return Refused(400, "bad_request", what="không phải JSON")
    if isinstance(error, SanicException):
        return Refused(error.status_code, "bad_request", what=str(error))
    if isinstance(error, sa.exc.SQLAlchemyError):
        logger.error("Cơ sở dữ liệu của kênh web không dùng được", exc_info=error)
        return Refused(503, "unavailable", retry_after=10)
    reference = secrets.token_hex(4).upper()
    logger.error("Lỗi %s ở kênh web", reference, exc_info=error)
    return Refused(500, "error", reference=reference)


def error_response(error: Exception) -> HTTPResponse:
    told = refusal(error)
    headers = {"Retry-After": str(told.retry_after)} if told.retry_after else None
    return _json({"error": str(told), "code": told.code}, told.status_code, headers)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:
        return False
    return True


def _body(request: Request) -> dict[str, Any]:
    if len(request.body) > LARGEST_BODY:
        raise Refused(413, "too_large")
    body = request.json if request.body else {}
    if not isinstance(body, dict):
        raise Refused(400, "bad_request", what="cần một đối tượng JSON")
    return body


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if not isinstance(value, bool):
        raise Refused(400, "bad_request", what=f'"{name}" là true hoặc false')
    return value


def _text(value: object, longest: int, may_be_empty: bool = False) -> str:
    """What somebody typed, composed, without signs that no database or file takes."""
    if not isinstance(value, str):
        raise Refused(400, "bad_request", what="nội dung phải là chữ")
    composed = unicodedata.normalize("NFC", value)
    text = "".join(sign for sign in composed if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs"))
    if len(text) > longest:
        raise Refused(400, "too_long", longest=longest)
    if not may_be_empty and not text.strip():
        raise Refused(400, "empty")
    return text.strip()


def _location(value: object) -> tuple[float, float]:
    """Latitude and longitude, degrees."""
    found = [value.get(name) for name in ("lat", "lon")] if isinstance(value, dict) else []
    numbers = [float(one) for one in found if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if len(numbers) != 2 or not all(map(math.isfinite, numbers)) or abs(numbers[0]) > 90 or abs(numbers[1]) > 180:
        raise Refused(400, "bad_location")
    return numbers[0], numbers[1]


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _json(value: object, status: int = 200, headers: Optional[dict[str, str]] = None) -> HTTPResponse:
    return json_response(value, status=status, headers=headers, dumps=_dumps)
