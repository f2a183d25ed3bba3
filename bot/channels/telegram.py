"""Telegram, on python-telegram-bot, as a Rasa channel: long polling, or a webhook where there is a public address.

    Telegram ─ feed (polls) ────┐
             └ webhook (below) ─┴─ line ── desk ── turns ── Rasa
                                    │        └ bot (python-telegram-bot, telegram_patience) ── Telegram
                                  inbox

An update is noted in the inbox before Telegram is told that it arrived, and struck off when it is answered: none is
lost by a restart, none answered twice. Updates of one chat are answered in order, those of different chats side by
side. Of several servers with one database all receive, and one answers (Telegram takes 30 messages a second of a
bot, which is less than one process can write); when it falls silent another one takes over.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Optional

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, Sanic
from sanic.exceptions import InvalidUsage
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response
from sqlalchemy.exc import SQLAlchemyError
from telegram import LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.ext import Defaults, ExtBot
from telegram.request import HTTPXRequest

from bot.channels.telegram_desk import Desk
from bot.channels.telegram_feed import CONNECTIONS, Feed
from bot.channels.telegram_inbox import Inbox, Lease
from bot.channels.telegram_line import Line, NoUpdate
from bot.channels.telegram_patience import PatientRateLimiter
from bot.channels.turns import Turns
from bot.journal import Journal
from bot.memory import Memory
from bot.runtime import Runtime
from bot.secrets_filter import hide
from bot.settings import Telegram
from bot.trackers import ForgetfulTrackerStore

LARGEST_BODY = 256 * 1024
"""Bytes of a webhook request."""
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
SLOW = 60.0
"""Seconds that Telegram gets for an answer: what is sent again may arrive twice, so it is not done rashly."""


class TelegramInput(InputChannel):  # type: ignore[misc]
    """The channel as Rasa's server mounts it; starts and stops with that server, in its event loop."""

    def __init__(self, settings: Telegram, memory: Memory, journal: Journal, runtime: Runtime, key: bytes) -> None:
        """`key`: see `Inbox`."""
        self._settings = settings
        self._memory = memory
        self._journal = journal
        self._runtime = runtime
        self._key = key
        hide(settings.token, settings.webhook_secret)

    @classmethod
    def name(cls) -> str:
        return "telegram"

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        routes = Blueprint("telegram_channel")
        agent: list[Any] = []

        def forget(conversation: str) -> None:
            store = agent[0].tracker_store
            if isinstance(store, ForgetfulTrackerStore):
                store.forget(conversation)

        engine, bot = self._runtime.store.engine, make_bot(self._settings)
        inbox = Inbox(engine, self._key)
        turns = Turns(on_new_message, self.name(), self._memory, self._journal)
        desk = Desk(bot, self._memory, inbox, self._runtime, turns, forget)
        line = Line(inbox, bot, desk.answer)
        feed = Feed(self._settings, bot, inbox, Lease(engine, f"telegram:{bot.token.partition(':')[0]}"), line)
        running: list[asyncio.Task[None]] = []

        @routes.listener("after_server_start")
        async def start(app: Sanic, loop: Any) -> None:
            agent[:] = [app.ctx.agent]
            # In the background: the web server must not wait for a Telegram that is down.
            running.append(asyncio.get_running_loop().create_task(feed.run()))

        @routes.listener("before_server_stop")
        async def stop(app: Sanic, loop: Any) -> None:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

        @routes.get("/")
        async def health(request: Request) -> HTTPResponse:
            return json_response({"status": "ok", "running": feed.running})

        @routes.post("/webhook")
        async def webhook(request: Request) -> HTTPResponse:
            return receive(request, self._settings, line)

        return routes


def make_bot(settings: Telegram, limited: bool = True) -> ExtBot[Any]:
    """python-telegram-bot's bot; `limited`: see `PatientRateLimiter`."""
    return ExtBot(
        settings.token,
        base_url=f"{settings.api_base_url}/bot",
        base_file_url=f"{settings.api_base_url}/file/bot",
        request=HTTPXRequest(CONNECTIONS, read_timeout=SLOW, write_timeout=SLOW, connect_timeout=30, pool_timeout=SLOW),
        get_updates_request=HTTPXRequest(2, connect_timeout=10),
        defaults=Defaults(parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)),
        rate_limiter=PatientRateLimiter(limited),
    )


def receive(request: Request, settings: Telegram, line: Line) -> HTTPResponse:
    """A webhook call: checked, noted, and answered at once; the turn comes after."""
    if not settings.webhook_url or not _is_secret(request, settings.webhook_secret):
        return json_response({"error": "không được phép"}, status=403, ensure_ascii=False)
    if len(request.body) > LARGEST_BODY:
        return json_response({"error": "quá lớn"}, status=413, ensure_ascii=False)
    try:
        line.take(request.json)
    except (InvalidUsage, NoUpdate, RecursionError):
        return json_response({"error": "không phải một cập nhật của Telegram"}, status=400, ensure_ascii=False)
    except SQLAlchemyError:
        # Telegram sends it again.
        return json_response({"error": "tạm thời không nhận được"}, status=503, ensure_ascii=False)
    return json_response({})


def _is_secret(request: Request, secret: str) -> bool:
    given: Optional[str] = request.headers.get(SECRET_HEADER)
    return hmac.compare_digest((given or "").encode(errors="replace"), secret.encode())
