from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from telegram import Update

from bot.channels import telegram_feed
from bot.channels.telegram import make_bot
from bot.channels.telegram_feed import Feed
from bot.channels.telegram_inbox import Inbox, Lease
from bot.channels.telegram_line import Line
from bot.settings import Telegram
from tests.channels.bot_api import BotApi

TOKEN = "123456:TEST-token"


class Fed:
    """A feed and what came out of it, without the rest of the bot."""

    def __init__(self, engine: sa.engine.Engine, api: BotApi, token: str = TOKEN, webhook_url: str = "") -> None:
        self.numbers: list[int] = []
        settings = Telegram(token, webhook_url, "secret", api.url)
        bot, inbox = make_bot(settings), Inbox(engine, b"k" * 32)
        self.lease = Lease(engine, "telegram:1")
        self.feed = Feed(settings, bot, inbox, self.lease, Line(inbox, bot, self._answer))

    async def _answer(self, update: Update, sent: int) -> None:
        self.numbers.append(update.update_id)

    async def until(self, count: int) -> None:
        """Run until so many updates came out."""
        running = asyncio.ensure_future(self.feed.run())
        while len(self.numbers) < count and not running.done():
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(self.numbers) >= count


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi(TOKEN) as running:
        yield running
        assert running.violations == []


async def test_a_wrong_token_is_told_and_the_feed_ends(
    empty: sa.engine.Engine, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        fed = Fed(empty, api, token="999:wrong")
        await asyncio.wait_for(fed.feed.run(), 60)
    assert "từ chối TELEGRAM_BOT_TOKEN" in caplog.text and not fed.feed.running
    assert "Traceback" not in caplog.text
    assert Lease(empty, "telegram:1").hold(), "who cannot answer is not in charge"


async def test_a_webhook_that_telegram_refuses_is_told_and_the_feed_ends(
    empty: sa.engine.Engine, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.fail("setWebhook", status=400, description="Bad Request: bad webhook: HTTPS url must be provided for webhook")
    await asyncio.wait_for(Fed(empty, api, webhook_url="https://bot.example.vn").feed.run(), 60)
    assert "Bad webhook: https url must be provided" in caplog.text


async def test_polling_survives_every_answer(
    empty: sa.engine.Engine, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_feed, "LONGEST_PAUSE", 0.1)
    for fault in (
        {"status": 409},
        {"status": 502},
        {"status": 429, "retry_after": 1},
        {"status": 400},
        {"status": 404},
    ):
        api.fail("getUpdates", **fault)
    api.drop("getUpdates")
    chat = api.private()
    # Not an update at all among good ones.
    before = chat.says("một")["update_id"]
    api.updates.put("message", {"chat": "?", "text": 5}, chat.id)
    after = chat.says("hai")["update_id"]
    fed = Fed(empty, api)
    await fed.until(2)
    assert fed.numbers == [before, after]
    assert [len(api.called("getUpdates", status)) for status in (409, 502, 429, 400, 404, 0)] == [1] * 6


async def test_going_back_to_polling_takes_the_webhook_off(empty: sa.engine.Engine, api: BotApi) -> None:
    hooked = Fed(empty, api, webhook_url="https://bot.example.vn")
    running = asyncio.ensure_future(hooked.feed.run())
    while not hooked.feed.running:
        await asyncio.sleep(0.01)
    assert api.updates.webhook is not None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    chat = api.private()
    said = [chat.says("một")["update_id"], chat.says("hai")["update_id"]]
    fed = Fed(empty, api)
    await fed.until(2)
    assert fed.numbers == said and api.updates.webhook is None


async def test_what_was_noted_and_not_answered_comes_first_after_a_restart(
    empty: sa.engine.Engine, api: BotApi
) -> None:
    chat = api.private()
    first, second = chat.says("một"), chat.says("hai")
    Inbox(empty, b"k" * 32).take(first["update_id"], json.dumps(first))
    fed = Fed(empty, api)
    await fed.until(2)
    assert fed.numbers == [first["update_id"], second["update_id"]], "and the first one once"
