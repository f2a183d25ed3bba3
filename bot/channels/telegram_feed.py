"""Brings Telegram's updates in: by long polling, or by a webhook where this server has a public address."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.channels.telegram_inbox import LEASE, Inbox, Lease
from bot.channels.telegram_line import Line, NoUpdate
from bot.channels.telegram_texts import COMMANDS
from bot.settings import Telegram

logger = logging.getLogger(__name__)
# It would rather have us call get_updates, which gives nothing at all if one of the updates cannot be read.
warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'")

UPDATES = ["message", "edited_message", "callback_query"]
POLL = 25
"""Seconds that Telegram waits for an update before it answers "none"."""
CONNECTIONS = 64
"""Over which Telegram delivers to a webhook, and we send."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts while Telegram is down."""
HOUR = 3600.0


class Feed:
    """One bot's connection with Telegram, of which one process at a time is in charge."""

    def __init__(self, settings: Telegram, bot: ExtBot[Any], inbox: Inbox, lease: Lease, line: Line) -> None:
        self._settings = settings
        self._bot = bot
        self._inbox = inbox
        self._lease = lease
        self._line = line
        self.running = False
        """Updates are fetched and answered here."""

    async def run(self) -> None:
        """Until cancelled: wait for being in charge, then fetch and answer."""
        try:
            while True:
                try:
                    if self._in_charge():
                        await self._serve()
                except TelegramError:
                    raise
                except Exception:  # a fault of ours must not leave people without answers until somebody looks
                    logger.exception("Kênh Telegram dừng vì lỗi; chạy lại.")
                await asyncio.sleep(LEASE / 5)
        except InvalidToken:
            logger.error(
                "Telegram (%s) từ chối TELEGRAM_BOT_TOKEN: sai, hoặc đã bị thu hồi; kênh Telegram không chạy.",
                self._settings.api_base_url,
            )
        except TelegramError as error:
            logger.error("Telegram không nhận thiết lập: %s; kênh Telegram không chạy.", error)
        finally:
            with suppress(SQLAlchemyError):
                self._lease.let_go()
            with suppress(TelegramError):
                await self._bot.shutdown()

    async def _serve(self) -> None:
        """Until cancelled, or another process is in charge."""
        tasks = [asyncio.ensure_future(part) for part in (self._keep_charge(), self._fetch_and_answer(), self._tidy())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self.running = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_charge(self) -> None:
        while self._in_charge():
            await asyncio.sleep(LEASE / 5)
        logger.warning("Một tiến trình khác đã nhận việc trả lời Telegram.")

    def _in_charge(self) -> bool:
        try:
            return self._lease.hold()
        except SQLAlchemyError:
            logger.exception("Không đọc được cơ sở dữ liệu; Telegram tạm dừng.")
            return False

    async def _fetch_and_answer(self) -> None:
        await self._bot.initialize()
        await _unless_refused(self._bot.set_my_commands(COMMANDS))
        answering = asyncio.ensure_future(self._line.work())
        try:
            await self._fetch()
        finally:
            self.running = False
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _fetch(self) -> None:
        if not self._settings.webhook_url:
            await self._bot.delete_webhook()
            self._ready("hỏi tin mới liên tục")
            await self._poll()
        await self._bot.set_webhook(
            f"{self._settings.webhook_url}/webhooks/telegram/webhook",
            secret_token=self._settings.webhook_secret,
            allowed_updates=UPDATES,
            max_connections=CONNECTIONS,
        )
        self._ready("nhận tin qua webhook")
        await asyncio.Event().wait()

    def _ready(self, how: str) -> None:
        self.running = True
        print(f"Telegram: https://t.me/{self._bot.username} ({how})", flush=True)

    async def _poll(self) -> None:
        """Fetch without end. An update counts as received when it is noted, so none is lost on the way."""
        offset, pause = 0, 0.0
        while True:
            try:
                found = await self._updates(offset)
                for raw in found:
                    self._take(raw)
                    offset = max(offset, raw["update_id"] + 1)
                pause = 0.0
                # Noted only: the answers need the event loop, too.
                await asyncio.sleep(0)
            except EndPointNotFound:
                await self._bot.get_me()  # tells whether it is the token that is not known any more
                await asyncio.sleep(LONGEST_PAUSE)
            except RetryAfter as error:
                logger.warning("Telegram getUpdates: %s", error)
                await asyncio.sleep(_seconds(error))
            except (TelegramError, SQLAlchemyError) as error:
                pause = min(LONGEST_PAUSE, 2 * pause or 0.5)
                logger.warning("Telegram getUpdates: %s; thử lại sau %.1f giây.", _told(error), pause)
                await asyncio.sleep(pause)

    async def _updates(self, offset: int) -> list[dict[str, Any]]:
        # Raw, so that one update that the library cannot read does not keep back the others.
        wanted = {"offset": offset, "timeout": POLL, "allowed_updates": UPDATES}
        found = await self._bot.do_api_request("getUpdates", api_kwargs=wanted, read_timeout=POLL + 10)
        return list(found)

    def _take(self, raw: dict[str, Any]) -> None:
        try:
            self._line.take(raw)
        except NoUpdate as error:
            logger.error("Telegram gửi một cập nhật không đọc được (%s); bỏ qua.", error)

    async def _tidy(self) -> None:
        while True:
            with suppress(SQLAlchemyError):
                self._inbox.purge()
            await asyncio.sleep(HOUR)


def _told(error: Exception) -> str:
    if isinstance(error, Conflict):
        return f"{error} (có tiến trình khác cũng dùng TELEGRAM_BOT_TOKEN này?)"
    return str(error)


def _seconds(error: RetryAfter) -> float:
    wait = error.retry_after
    return wait.total_seconds() if hasattr(wait, "total_seconds") else float(wait)


async def _unless_refused(call: Awaitable[Any]) -> None:
    """The menu is a convenience: without it the bot still answers."""
    try:
        await call
    except InvalidToken:
        raise
    except TelegramError as error:
        logger.warning("Telegram setMyCommands: %s", error)
