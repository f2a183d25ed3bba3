"""The stand-in itself, asked by the real python-telegram-bot."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from telegram import (
    Bot,
    BotCommand,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    Update,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TimedOut
from telegram.ext import ApplicationBuilder, MessageHandler, filters
from telegram.request import HTTPXRequest

from tests.channels.bot_api import BotApi, Chat, Refused, parse_html


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as running:
        yield running


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with Bot(api.token, base_url=f"{api.url}/bot") as running:
        yield running


@pytest.fixture
def chat(api: BotApi) -> Chat:
    """A chat where somebody has written."""
    found = api.private(api.user(first_name="Lan"))
    found.says("chào")
    return found


def keyboard(*buttons: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[button] for button in buttons])


class Webhook:
    """The bot's side of a webhook: notes what comes and answers with the statuses it was given, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.seconds = 0.0
        self.got: list[tuple[str | None, dict[str, Any]]] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(webhook.take(self.headers.get("X-Telegram-Bot-Api-Secret-Token"), body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Not to the console."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"

    def take(self, secret: str | None, body: dict[str, Any]) -> int:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
        time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1
            self.got.append((secret, body))
            return self.statuses.pop(0) if self.statuses else 200

    @property
    def texts(self) -> list[str]:
        return [body["message"]["text"] for _, body in self.got]

    def wait_for(self, n: int) -> None:
        deadline = time.monotonic() + 10
        while len(self.got) < n:
            assert time.monotonic() < deadline, f"{len(self.got)} of {n} deliveries"
            time.sleep(0.01)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    receiver = Webhook()
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


# -- Messages and limits -------------------------------------------------------------------------------------------


async def test_a_message_is_displayed_as_people_see_it(api: BotApi, bot: Bot, chat: Chat) -> None:
    markup = keyboard(
        InlineKeyboardButton("Một", callback_data="/a"), InlineKeyboardButton("Cổng", url="https://a.vn/?b=1")
    )
    sent = await bot.send_message(
        chat.id,
        " <b>Giấy 😀</b> &amp; tờ\n",
        parse_mode=ParseMode.HTML,
        reply_markup=markup,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        reply_to_message_id=1,
    )
    [shown] = chat.messages
    assert (sent.text, sent.parse_entities()) == ("Giấy 😀 & tờ", {sent.entities[0]: "Giấy 😀"})
    assert sent.reply_markup == markup and sent.reply_to_message and sent.reply_to_message.text == "chào"
    assert (shown.text, shown.titles, shown.message_id) == (sent.text, ["Một", "Cổng"], sent.message_id)
    assert shown.html == " <b>Giấy 😀</b> &amp; tờ\n" and shown.parse_mode == "HTML"
    assert not api.violations


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" \n", "message text is empty"),
        ("<b> </b>", "message text is empty"),
        ("a" * 4097, "message is too long"),
        ("😀" * 2049, "message is too long"),
        ("<b>a", "can't find end tag corresponding to start tag"),
        ("<b><i>a</b></i>", "unmatched end tag"),
        ("a</b>", "unexpected end tag"),
        ("a < b", "unsupported start tag"),
        ("a & b", 'unescaped "&"'),
        ("<script>a</script>", 'unsupported start tag "script"'),
        ('<b onclick="a">a</b>', 'unsupported attribute "onclick"'),
        ('<span class="x">a</span>', "tg-spoiler"),
        ('<a href="javascript:a">a</a>', "unsupported link"),
        ("<code><b>a</b></code>", "can't be inside"),
    ],
    ids=lambda value: value[:20],
)
async def test_a_text_beyond_the_limits_is_refused_and_noted(
    api: BotApi, bot: Bot, chat: Chat, text: str, why: str
) -> None:
    with pytest.raises(BadRequest, match=f"(?i){why}"):
        await bot.send_message(chat.id, text, parse_mode=ParseMode.HTML)
    [violation] = api.violations
    assert violation.method == "sendMessage" and why in violation.description.lower() and not chat.messages


@pytest.mark.parametrize(
    "html",
    [
        "<b>" + "ậ" * 4096 + "</b>",
        "&lt;&gt;&amp;&quot;&#39;&#x27;",
        '<a href="https://a.vn/?b=1&amp;c=2">a</a> <a href="tg://user?id=1">b</a>',
        '<strong><em><ins><del>a</del></ins></em></strong><span class="tg-spoiler">b</span><tg-spoiler>c</tg-spoiler>',
        '<blockquote expandable>a <b>b</b></blockquote><pre><code class="language-py">c</code></pre><s>d</s>',
    ],
    ids=lambda value: value[:20],
)
async def test_everything_that_telegram_allows_is_let_in(api: BotApi, bot: Bot, chat: Chat, html: str) -> None:
    await bot.send_message(chat.id, html, parse_mode=ParseMode.HTML)
    assert not api.violations


def test_entities_count_in_utf16() -> None:
    text, entities = parse_html("😀<b>ậ</b><blockquote>x</blockquote>")
    assert (text, entities) == (
        "😀ậx",
        [{"type": "bold", "offset": 2, "length": 1}, {"type": "blockquote", "offset": 3, "length": 1}],
    )
    with pytest.raises(Refused, match="byte offset 4"):
        parse_html("😀<x>")


@pytest.mark.parametrize(
    ("button", "why"),
    [
        ({"text": "a", "callback_data": "ậ" * 22}, "BUTTON_DATA_INVALID"),
        ({"text": "a", "callback_data": ""}, "text buttons are unallowed"),
        ({"text": "a"}, "text buttons are unallowed"),
        ({"text": "a", "callback_data": "b", "url": "https://a.vn"}, "exactly one action"),
        ({"text": " ", "callback_data": "b"}, "must be non-empty"),
        ({"text": "a", "url": "javascript:b"}, "Unsupported URL protocol"),
        ({"text": "a", "url": "https://"}, "Wrong HTTP URL"),
    ],
)
async def test_a_wrong_button_is_refused(api: BotApi, chat: Chat, button: dict[str, str], why: str) -> None:
    body = {"chat_id": chat.id, "text": "a", "reply_markup": {"inline_keyboard": [[button]]}}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{api.url}/bot{api.token}/sendMessage", json=body)
    assert answer.status_code == 400 and why in answer.json()["description"] and len(api.violations) == 1


async def test_other_limits(api: BotApi, bot: Bot, chat: Chat) -> None:
    too_many = [InlineKeyboardButton(str(number), callback_data="a") for number in range(101)]
    for call, why in (
        (bot.send_message(chat.id, "a", reply_markup=keyboard(*too_many)), "reply markup is too long"),
        (bot.send_message(chat.id, "a", reply_to_message_id=99), "message to be replied not found"),
        (bot.send_message(99, "a"), "chat not found"),
        (bot.send_chat_action(chat.id, "thinking"), "wrong parameter action"),
        (bot.send_location(chat.id, 90.5, 0), "wrong latitude"),
        (bot.send_venue(chat.id, 21, 181, title="a", address="b"), "wrong longitude"),
        (bot.set_my_commands([("Start", "a")]), "BOT_COMMAND_INVALID"),
        (bot.set_my_commands([("start", "")]), "BOT_COMMAND_DESCRIPTION_INVALID"),
        (bot.set_my_commands([]), "BOT_COMMANDS_INVALID"),
        (bot.set_webhook("http://a.vn/"), "HTTPS URL"),
        (bot.set_webhook("https://a.vn/", secret_token="a b"), "unallowed characters"),
        (bot.delete_message(chat.id, 99), "message to delete not found"),
    ):
        with pytest.raises(BadRequest, match=f"(?i){why}"):
            await call
    assert len(api.violations) == 12


async def test_what_the_channel_uses_works(api: BotApi, bot: Bot, chat: Chat) -> None:
    assert await bot.set_my_commands([BotCommand("start", "Bắt đầu")])
    assert await bot.get_my_commands() == (BotCommand("start", "Bắt đầu"),)
    assert api.commands == [{"command": "start", "description": "Bắt đầu"}]
    assert await bot.delete_my_commands() and await bot.get_my_commands() == ()
    assert await bot.set_my_description("a") and await bot.set_my_short_description("b")
    assert (await bot.get_my_description()).description == "a"
    assert await bot.send_chat_action(chat.id, ChatAction.TYPING)
    place = await bot.send_location(chat.id, 21.03, 105.85)
    venue = await bot.send_venue(chat.id, 21.03, 105.85, title="Trung tâm", address="1 Hàng Bài")
    assert place.location and venue.venue and venue.venue.location.latitude == 21.03
    assert await bot.delete_message(chat.id, place.message_id) and [one.venue for one in chat.messages] != [None]
    assert bot.username == "hoimotcua_bot" and not api.violations


async def test_a_stranger_and_an_unknown_method_are_turned_away(api: BotApi, bot: Bot) -> None:
    with pytest.raises(InvalidToken):
        await Bot("999:WRONG", base_url=f"{api.url}/bot").get_me()
    assert not api.violations and api.calls[-1].status == 401
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{api.url}/bot{api.token}/sendNothing")
    assert (answer.status_code, answer.json()) == (404, {"ok": False, "error_code": 404, "description": "Not Found"})


async def test_bodies_of_every_kind_are_read(api: BotApi, chat: Chat) -> None:
    url, fields = f"{api.url}/bot{api.token}/sendMessage", {"chat_id": str(chat.id), "text": "a"}
    markup = {"inline_keyboard": [[{"text": "b", "callback_data": "c"}]]}
    async with httpx.AsyncClient() as client:
        for sent in (
            await client.post(url, json={**fields, "chat_id": chat.id, "reply_markup": markup}),
            await client.post(url, data={**fields, "reply_markup": json.dumps(markup)}),
            await client.post(url, data={**fields, "reply_markup": json.dumps(markup)}, files={"x": b"y"}),
            await client.get(url, params={**fields, "reply_markup": json.dumps(markup)}),
        ):
            assert sent.status_code == 200, sent.text
    assert [one.titles for one in chat.messages] == [["b"]] * 4
    assert all(call.params["chat_id"] == chat.id for call in api.calls)


# -- Edits and taps ------------------------------------------------------------------------------------------------


async def test_an_edit_must_change_something_of_the_bots_own(api: BotApi, bot: Bot, chat: Chat) -> None:
    sent = await bot.send_message(chat.id, "a", reply_markup=keyboard(InlineKeyboardButton("b", callback_data="c")))
    changed = await bot.edit_message_text("d", chat.id, sent.message_id)
    assert isinstance(changed, Message) and changed.edit_date and changed.reply_markup is None
    assert [(one.text, one.titles) for one in chat.messages] == [("d", [])]
    for call, why in (
        (bot.edit_message_text("<b></b>d", chat.id, sent.message_id, parse_mode="HTML"), "message is not modified"),
        (bot.edit_message_reply_markup(chat.id, sent.message_id), "message is not modified"),
        (bot.edit_message_text("e", chat.id, 1), "message can't be edited"),
        (bot.edit_message_text("e", chat.id, 99), "message to edit not found"),
    ):
        with pytest.raises(BadRequest, match=f"(?i){why}"):
            await call
    assert len(api.violations) == 4


async def test_a_tap_is_answered_once(api: BotApi, bot: Bot, chat: Chat) -> None:
    buttons = InlineKeyboardButton("Một", callback_data="/a"), InlineKeyboardButton("Cổng", url="https://a.vn")
    await bot.send_message(chat.id, "Chọn", reply_markup=keyboard(*buttons))
    [shown] = await asyncio.to_thread(chat.wait_for_reply)
    tap = chat.taps(shown, "Một")
    query = Update.de_json(tap, bot).callback_query
    assert isinstance(query, CallbackQuery) and query.data == "/a" and api.unanswered == [query.id]
    assert query.message is not None and query.message.message_id == shown.message_id
    with pytest.raises(BadRequest, match="Message_too_long"):
        await query.answer("a" * 201)
    assert await query.answer("a" * 200)
    assert api.unanswered == [] and (api.answer_to(tap) or {})["text"] == "a" * 200
    for call in (query.answer(), bot.answer_callback_query("1")):
        with pytest.raises(BadRequest, match="Query is too old"):
            await call
    with pytest.raises(AssertionError, match="sends nothing"):
        chat.taps(shown, "Cổng")
    with pytest.raises(AssertionError, match="no button 'Hai' among"):
        chat.taps(shown, "Hai")


# -- What people do ------------------------------------------------------------------------------------------------


async def test_updates_are_what_the_library_reads(api: BotApi, bot: Bot) -> None:
    lan, nam = api.user(first_name="Lan"), api.user(first_name="Nam", username="nam")
    group = api.group("Tổ 5", [lan, nam])
    said = group.says("/help@hoimotcua_bot 😀 @hoimotcua_bot", by=nam)
    message = Update.de_json(said, bot).message
    assert message and message.from_user and message.from_user.username == "nam" and message.chat.title == "Tổ 5"
    assert list(message.parse_entities().values()) == ["/help@hoimotcua_bot", "@hoimotcua_bot"]
    replied = group.says("ừ", reply_to=message.message_id)["message"]["reply_to_message"]
    assert replied["text"] == message.text
    edited = Update.de_json(group.edits(message.message_id, "sửa"), bot).edited_message
    assert edited and edited.text == "sửa"
    for update, shows in (
        (group.shares_location(21.03, 105.85), filters.LOCATION),
        (group.sends_voice(), filters.VOICE),
        (group.sends_photo(caption="a"), filters.PHOTO & filters.CAPTION),
        (group.sends_sticker(), filters.Sticker.ALL),
        (group.sends_document(), filters.Document.PDF),
    ):
        assert shows.check_update(Update.de_json(update, bot)), update
    ids = [update.update_id for update in await bot.get_updates()]
    assert ids == sorted(set(ids)) and len(ids) == 8


async def test_nobody_hears_a_bot_that_is_blocked(api: BotApi, bot: Bot, chat: Chat) -> None:
    left = Update.de_json(chat.blocks_bot(), bot).my_chat_member
    assert left and left.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(chat.id, "a")
    assert not api.violations and not chat.messages
    chat.says("lại đây")
    await bot.send_message(chat.id, "a")


# -- getUpdates ----------------------------------------------------------------------------------------------------


async def test_an_offset_confirms(bot: Bot, chat: Chat) -> None:
    second, third = chat.says("hai")["update_id"], chat.says("ba")["update_id"]
    assert [update.update_id for update in await bot.get_updates(limit=2)] == [second - 1, second]
    assert [update.update_id for update in await bot.get_updates()] == [second - 1, second, third]
    assert [update.update_id for update in await bot.get_updates(offset=third)] == [third]
    assert [update.update_id for update in await bot.get_updates()] == [third]
    assert await bot.get_updates(offset=third + 1) == () == await bot.get_updates()
    for text in ("bốn", "năm"):
        chat.says(text)
    assert [update.message.text for update in await bot.get_updates(offset=-1) if update.message] == ["năm"]


async def test_a_long_poll_ends_when_something_comes(api: BotApi, bot: Bot, chat: Chat) -> None:
    [first] = await bot.get_updates()
    poll = asyncio.create_task(bot.get_updates(offset=first.update_id + 1, timeout=20))
    await asyncio.sleep(0.1)
    assert not poll.done()
    chat.says("hai")
    [update] = await asyncio.wait_for(poll, 2)
    assert update.message and update.message.text == "hai"
    poll = asyncio.create_task(bot.get_updates(offset=update.update_id + 1, timeout=20))
    await asyncio.sleep(0.1)
    async with Bot(api.token, base_url=f"{api.url}/bot") as other:
        assert await other.get_updates(offset=update.update_id + 1) == ()
    with pytest.raises(Conflict, match="terminated by other getUpdates"):
        await poll


async def test_only_what_was_asked_for_is_kept(bot: Bot, chat: Chat) -> None:
    await bot.get_updates(allowed_updates=["callback_query", "edited_message"])
    chat.says("hai")
    chat.edits(1, "sửa")
    assert [update.message is not None for update in await bot.get_updates()] == [True, False]


# -- Webhook -------------------------------------------------------------------------------------------------------


async def test_a_webhook_is_tried_until_it_accepts_in_order(
    api: BotApi, bot: Bot, chat: Chat, webhook: Webhook
) -> None:
    webhook.statuses = [500, 404]
    chat.says("hai")
    await bot.set_webhook(webhook.url, secret_token="bi-mat", allowed_updates=["message"], max_connections=7)
    chat.says("ba")
    await asyncio.to_thread(webhook.wait_for, 5)
    assert webhook.texts == ["chào", "chào", "chào", "hai", "ba"]
    assert {secret for secret, _ in webhook.got} == {"bi-mat"}
    await asyncio.to_thread(api.wait_for, lambda api: not len(api.updates))
    info = await bot.get_webhook_info()
    assert (info.url, info.max_connections, info.pending_update_count) == (webhook.url, 7, 0)
    assert info.last_error_message and info.last_error_message.endswith("404") and info.allowed_updates == ("message",)
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    assert await bot.delete_webhook() and await bot.get_updates() == ()


async def test_a_chat_waits_for_itself_alone(api: BotApi, bot: Bot, webhook: Webhook) -> None:
    webhook.seconds = 0.05
    await bot.set_webhook(webhook.url, max_connections=3)
    chats = [api.private() for _ in range(10)]
    for number in range(3):
        for one in chats:
            one.says(f"{one.id} {number}")
    await asyncio.to_thread(webhook.wait_for, 30)
    assert webhook.most_at_once == 3
    for one in chats:
        assert [text for text in webhook.texts if text.startswith(f"{one.id} ")] == [f"{one.id} {n}" for n in range(3)]


async def test_pending_updates_can_be_dropped(api: BotApi, bot: Bot, chat: Chat, webhook: Webhook) -> None:
    await bot.set_webhook(webhook.url, drop_pending_updates=True)
    chat.says("hai")
    await asyncio.to_thread(webhook.wait_for, 1)
    assert webhook.texts == ["hai"]


async def test_anything_can_be_posted_to_a_webhook(api: BotApi, bot: Bot, webhook: Webhook) -> None:
    api.deliver_to = webhook.url.removesuffix("/webhook")
    await bot.set_webhook("https://bot.hoimotcua.vn/webhook", secret_token="bi-mat")
    webhook.statuses = [403]
    assert await asyncio.to_thread(api.post_webhook, {"update_id": 1}, "sai") == 403
    assert await asyncio.to_thread(api.post_webhook, '{"update_id": 2}') == 200
    assert await asyncio.to_thread(api.post_webhook, b"{}", None) == 200
    assert webhook.got == [("sai", {"update_id": 1}), ("bi-mat", {"update_id": 2}), (None, {})]


# -- Misbehaviour --------------------------------------------------------------------------------------------------


async def test_too_many_requests_is_said_so_often(api: BotApi, bot: Bot, chat: Chat) -> None:
    api.fail("sendMessage", times=2, retry_after=3)
    for _ in range(2):
        with pytest.raises(RetryAfter) as raised:
            await bot.send_message(chat.id, "a")
        assert raised.value._retry_after.total_seconds() == 3
    await bot.send_message(chat.id, "b")
    assert [one.text for one in chat.messages] == ["b"] and not api.violations
    assert [call.status for call in api.called("sendMessage")] == [429, 429, 200]


async def test_bad_moments(api: BotApi, bot: Bot, chat: Chat) -> None:
    api.fail("sendMessage", status=502)
    api.drop("sendMessage")
    api.drop("sendMessage", after=True)
    for text in "abc":
        with pytest.raises(NetworkError):
            await bot.send_message(chat.id, text)
    assert [one.text for one in chat.messages] == ["c"]
    with api.outage():
        for call in (bot.get_me(), bot.get_updates()):
            with pytest.raises(NetworkError):
                await call
    api.slow("getMe", 0.3)
    with pytest.raises(TimedOut):
        await bot.get_me(read_timeout=0.1)
    began = time.monotonic()
    await bot.get_me()
    assert time.monotonic() - began < 0.2 and not api.violations


async def test_an_outage_holds_deliveries_back(api: BotApi, bot: Bot, webhook: Webhook, chat: Chat) -> None:
    with api.outage():
        chat.says("hai")
        await asyncio.sleep(0.1)
    await bot.set_webhook(webhook.url)
    await asyncio.to_thread(webhook.wait_for, 2)
    assert webhook.texts == ["chào", "hai"]


async def test_updates_come_twice_and_out_of_order(api: BotApi, bot: Bot, chat: Chat) -> None:
    [first] = await bot.get_updates()
    assert await bot.get_updates(offset=first.update_id + 1) == ()
    api.repeat_last_update()
    assert [update.update_id for update in await bot.get_updates(offset=first.update_id + 1)] == [first.update_id]
    assert await bot.get_updates(offset=first.update_id + 1) == ()
    api.shuffle_next(3)
    ids = [chat.says(text)["update_id"] for text in ("hai", "ba")]
    assert await bot.get_updates() == ()
    ids.append(chat.says("bốn")["update_id"])
    assert [update.update_id for update in await bot.get_updates(limit=2)] == ids[:0:-1]
    assert [update.update_id for update in await bot.get_updates(offset=ids[-1] + 1)] == [ids[0]]


def test_a_wait_in_vain_shows_the_calls(api: BotApi, chat: Chat) -> None:
    httpx.post(f"{api.url}/bot{api.token}/sendMessage", json={"chat_id": chat.id, "text": ""})
    with pytest.raises(AssertionError, match=r"(?s)0 of 1 messages.*sendMessage 400.*violation.*1 updates wait"):
        chat.wait_for_reply(timeout=0.1)
    with pytest.raises(AssertionError, match="the condition within"):
        api.wait_for(lambda api: api.called("getMe"), timeout=0.1)


# -- Load ----------------------------------------------------------------------------------------------------------


async def test_hundreds_of_chats_are_answered_quickly(api: BotApi) -> None:
    async def answer(update: Update, context: Any) -> None:
        assert update.effective_message is not None
        await update.effective_message.reply_text(f"{update.effective_message.text}!")

    # python-telegram-bot, in this same process, is most of the time that this takes.
    request = HTTPXRequest(connection_pool_size=16, pool_timeout=60)
    application = (
        ApplicationBuilder().token(api.token).base_url(f"{api.url}/bot").request(request).concurrent_updates(16).build()
    )
    application.add_handler(MessageHandler(filters.TEXT, answer))
    chats = [api.private() for _ in range(500)]
    async with application:
        assert application.updater is not None
        await application.start()
        await application.updater.start_polling(allowed_updates=["message"])
        for chat in chats:
            chat.says("một")
            chat.says("hai")
        await asyncio.to_thread(api.wait_for, 1000, 60)
        await application.updater.stop()
        await application.stop()
    assert all(sorted(one.text for one in chat.messages) == ["hai!", "một!"] for chat in chats)
    assert not api.violations and len(api.called("sendMessage", 200)) == 1000
