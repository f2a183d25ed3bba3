"""Updates in line for their answers: those of one chat one after the other, those of different chats side by side."""

from __future__ import annotations

import asyncio
import heapq
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Optional

from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, Update
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential

from bot.channels.telegram_inbox import Inbox

logger = logging.getLogger(__name__)

SWEEP = 1.0
"""Seconds between two looks for updates that another server received, or left behind."""
GAP = 0.3
"""Seconds that an update waits for one with a smaller number, which may be on another connection."""
BARE = ("message_id", "date", "chat", "from", "media_group_id")
"""What is left of a message that cannot be read; it is answered like a photo."""
GRACE = 8.0
"""Seconds that answers under way get at the end; what is not done by then is answered after the restart."""


class NoUpdate(ValueError):
    """Not an update of Telegram."""


class Line:
    """Takes updates and has them answered, each once."""

    def __init__(self, inbox: Inbox, bot: Bot, answer: Callable[[Update, int], Awaitable[None]]) -> None:
        """`answer`: gets an update and how many messages of its answer went out before."""
        self._inbox = inbox
        self._bot = bot
        self._answer = answer
        self._open = False
        self._known: set[int] = set()
        self._lanes: dict[int, list[tuple[int, int, Update]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._order = Order()

    def take(self, raw: Any) -> bool:
        """Note an update, and answer it soon if this is the process that answers; False if it came before.

        Raises:
            NoUpdate: it is none.
            SQLAlchemyError: it could not be noted, and must come again.
        """
        update = self._read(raw)
        if not self._inbox.take(update.update_id, json.dumps(raw)):
            return False
        if self._open:
            self._put(update, 0)
        return True

    async def work(self) -> None:
        """Answer what comes and what was left behind, until cancelled."""
        self._open = True
        try:
            while True:
                try:
                    self._sweep()
                except SQLAlchemyError:
                    logger.exception("Không đọc được hộp thư Telegram; thử lại.")
                await asyncio.sleep(SWEEP)
        finally:
            await self._close()

    def _sweep(self) -> None:
        for waiting in self._inbox.waiting(known=self._known):
            try:
                self._put(self._read(json.loads(waiting.body)), waiting.sent)
            except NoUpdate:
                logger.exception("Cập nhật %d của Telegram không đọc được; bỏ qua.", waiting.id)
                self._inbox.done(waiting.id)

    async def _close(self) -> None:
        self._open = False
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._known.clear()
        self._lanes.clear()

    def _read(self, raw: Any) -> Update:
        number = raw.get("update_id") if isinstance(raw, dict) else None
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
            raise NoUpdate("không có update_id")
        for read in _readings(raw):
            # The library asks for fields in many places without looking whether they are there.
            with suppress(Exception):
                update = Update.de_json(read, self._bot)
                if update is not None and isinstance(_lane(update), int):
                    return update
        raise NoUpdate(f"cập nhật {number}")

    def _put(self, update: Update, sent: int) -> None:
        self._known.add(update.update_id)
        self._order.arrived(update.update_id)
        lane = _lane(update)
        waits = self._lanes.get(lane)
        if waits is None:
            waits = self._lanes[lane] = []
            task = asyncio.get_running_loop().create_task(self._empty(lane, waits))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        heapq.heappush(waits, (update.update_id, sent, update))

    async def _empty(self, lane: int, waits: list[tuple[int, int, Update]]) -> None:
        try:
            while waits and self._open:
                await self._order.settled(waits[0][0])
                number, sent, update = heapq.heappop(waits)
                try:
                    await self._answer(update, sent)
                except Exception:
                    logger.exception("Cập nhật %d của Telegram không trả lời được.", number)
                await self._strike_off(number)
        finally:
            if self._lanes.get(lane) is waits:
                del self._lanes[lane]

    async def _strike_off(self, number: int) -> None:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(SQLAlchemyError), wait=wait_exponential(multiplier=0.2, max=10)
        ):
            with attempt:
                self._inbox.done(number)
        self._known.discard(number)


class Order:
    """Telegram numbers a bot's updates one after the other, so a gap means that one may still be under way."""

    def __init__(self) -> None:
        self._next: Optional[int] = None
        self._early: set[int] = set()
        self._changed = asyncio.Event()

    def arrived(self, number: int) -> None:
        if self._next is None or number >= self._next:
            self._early.add(number)
            self._advance()

    async def settled(self, number: int) -> None:
        """Wait until nothing with a smaller number can be expected any more."""
        if self._next is not None and self._next > number:
            return
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._all_before(number), GAP)
        if self._next is None or self._next <= number:
            self._next = number + 1
            self._early = {early for early in self._early if early > number}
            self._advance()

    async def _all_before(self, number: int) -> None:
        while self._next is None or self._next <= number:
            await self._changed.wait()

    def _advance(self) -> None:
        while self._next in self._early:
            assert self._next is not None
            self._early.discard(self._next)
            self._next += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _readings(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An update, and what is left of it if Telegram is newer or older than the library: who wrote where."""
    yield raw
    message = raw.get("message")
    if isinstance(message, dict) and message.get("chat"):
        yield {"update_id": raw["update_id"], "message": {key: message[key] for key in BARE if key in message}}


def _lane(update: Update) -> int:
    """Whose turn it is: the chat's."""
    return update.effective_chat.id if update.effective_chat else 0
