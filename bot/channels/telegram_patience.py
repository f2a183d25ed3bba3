"""Sending through Telegram's bad moments: its limits are kept, outages are waited out, everything is logged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from telegram.error import BadRequest, NetworkError, RetryAfter
from telegram.ext import AIORateLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, wait_random_exponential

logger = logging.getLogger(__name__)
# A proxy's error page is no JSON. That the call failed is logged here, in a line, without a traceback for each attempt.
logging.getLogger("telegram.request.BaseRequest").setLevel(logging.CRITICAL)

PATIENCE = 24 * 3600.0
"""Seconds that an outage is waited out before a message is given up: as long as Telegram itself keeps an update."""
COURTESY = 20.0
"""The same for what is of no use later: the end of a button's spinner, the mark on it."""
COURTESIES = frozenset({"answerCallbackQuery", "editMessageReplyMarkup"})
UNCOUNTED = frozenset({"sendChatAction", "getUpdates"})
"""Requests that are neither counted against Telegram's limits on messages nor repeated here."""
AT_ONCE = 48
"""Requests under way at a time. The others wait here rather than for a connection: httpx looks through all that wait
for one whenever one comes free, which with hundreds of them takes longer than sending."""
MANY = 1_000_000
"""A 429 is waited for as long as Telegram says, as often as it says so."""


class PatientRateLimiter(AIORateLimiter):
    """python-telegram-bot's limiter waits for a 429; a 502 or a broken connection it passes on, this one retries."""

    def __init__(self, limited: bool = True) -> None:
        """`limited`: keep to Telegram's 30 messages a second; False to measure without it."""
        super().__init__(max_retries=MANY, **({} if limited else {"overall_max_rate": 0}))
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        if endpoint in UNCOUNTED:
            return await callback(*args, **kwargs)

        async def call(*args: Any, **kwargs: Any) -> Any:
            try:
                async with self._slots:
                    return await callback(*args, **kwargs)
            except RetryAfter as error:
                logger.warning("Telegram %s: %s; chờ rồi thử lại.", endpoint, error)
                raise

        async for attempt in AsyncRetrying(
            retry=retry_if_exception(is_passing),
            wait=wait_random_exponential(multiplier=0.2, max=15),
            stop=stop_after_delay(COURTESY if endpoint in COURTESIES else PATIENCE),
            before_sleep=lambda state: _log(endpoint, state),
            reraise=True,
        ):
            with attempt:
                return await super().process_request(call, args, kwargs, endpoint, data, rate_limit_args)
        return None


def is_passing(error: BaseException) -> bool:
    """Whether an error may go away by itself: the network or Telegram, not what we asked for."""
    return isinstance(error, NetworkError) and not isinstance(error, BadRequest)


def _log(endpoint: str, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.warning("Telegram %s: %s; thử lại lần %d", endpoint, error, state.attempt_number)
