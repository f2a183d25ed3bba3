"""What the bot does with each update of Telegram."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from html import escape
from typing import Any, Optional

from telegram import (
    CallbackQuery,
    Chat,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    ReplyParameters,
    Update,
)
from telegram.constants import ChatAction
from telegram.error import ChatMigrated, Forbidden, NetworkError, TelegramError
from telegram.ext import ExtBot, filters

from bot.catalogue.records import ServicePoint, Unit
from bot.channels import telegram_texts as texts
from bot.channels.telegram_inbox import Inbox
from bot.channels.telegram_render import LONGEST_PAYLOAD, marked, render
from bot.channels.turns import Turn, Turns
from bot.memory import Memory
from bot.runtime import Runtime

logger = logging.getLogger(__name__)

AGREE, DECLINE = "consent:yes", "consent:no"
LONGEST_TURN = 60.0
"""Seconds after which a turn counts as failed."""
TYPING = 4.5
"""Seconds; Telegram shows "typing…" for five."""
TURNS_AT_ONCE = 4
"""A turn holds up the event loop while it thinks: with more of them at once no message would be sent meanwhile."""
MANY = 50_000
"""Chats, albums and messages that are remembered, in memory only."""
COMMANDS = frozenset(command.command for command in texts.COMMANDS)
_PAYLOAD = re.compile(r"/(choose|inform_place|handoff|help|start_over|ask_[a-z]+)(\{.*\})?", re.DOTALL)


@dataclass
class Visit:
    """One update that is being answered."""

    update: Update
    chat: Chat
    person: str
    """Under which what they say is kept, if they agreed."""
    conversation: str
    to_skip: int = 0
    """Messages of the answer that went out before a restart."""
    sent: int = 0

    @property
    def in_group(self) -> bool:
        return self.chat.type != Chat.PRIVATE

    @property
    def message(self) -> Optional[Message]:
        """What somebody wrote; None for a tap."""
        return self.update.message or self.update.edited_message

    @property
    def is_edit(self) -> bool:
        return self.update.edited_message is not None


class Desk:
    """Answers Telegram's updates."""

    def __init__(
        self,
        bot: ExtBot[Any],
        memory: Memory,
        inbox: Inbox,
        runtime: Runtime,
        turns: Turns,
        forget: Callable[[str], None],
    ) -> None:
        """`forget`: drops the conversation of a name."""
        self._bot = bot
        self._memory = memory
        self._inbox = inbox
        self._runtime = runtime
        self._turns = turns
        self._forget = forget
        self._introduced = Recent()
        self._albums = Recent()
        self._texts = Recent()
        self._free = asyncio.Semaphore(TURNS_AT_ONCE)
        self._aside: set[asyncio.Future[None]] = set()

    async def answer(self, update: Update, sent: int = 0) -> None:
        """Answer an update, of whose answer so many messages went out before; whatever fails, it is over then."""
        visit = self._visit(update, sent)
        if visit is None:
            return
        try:
            await self._answer(visit)
        except Forbidden as error:
            logger.info("Telegram: %s", error)  # somebody blocked the bot: not an error
        except Exception as error:  # whatever it is, the person is told, and the log has the number that they are told
            reference = secrets.token_hex(4).upper()
            logger.exception("Lỗi %s khi trả lời trên Telegram", reference)
            if not isinstance(error, NetworkError):
                await _quietly(self._say(visit, texts.APOLOGY.format(reference=reference)))

    def _visit(self, update: Update, sent: int) -> Optional[Visit]:
        chat, user = update.effective_chat, update.effective_user or update.effective_chat
        if chat is None or user is None:
            return None
        person = self._memory.person("telegram", str(user.id))
        conversation = self._memory.person("telegram", f"{chat.id}/{user.id}")
        # What is asked in a group is kept of nobody: nobody agrees to anything in front of others.
        return Visit(update, chat, person if chat.type == Chat.PRIVATE else conversation, conversation, to_skip=sent)

    # -- what people do --------------------------------------------------------------------------------------

    async def _answer(self, visit: Visit) -> None:
        message = visit.message
        if visit.update.callback_query is not None:
            await self._on_tap(visit, visit.update.callback_query)
        elif message is None or not self._is_addressed(visit, message):
            return
        elif message.location is not None:
            await self._on_location(visit, message)
        elif message.text:
            await self._on_text(visit, message, message.text)
        elif not filters.StatusUpdate.ALL.check_update(visit.update):
            await self._on_unreadable(visit, message)

    async def _on_text(self, visit: Visit, message: Message, text: str) -> None:
        key = visit.chat.id, message.message_id
        if visit.is_edit and self._texts.get(key) == hash(text):
            return  # changed by Telegram (a preview was added), not by somebody
        self._texts.put(key, hash(text))
        command = self._command(message)
        if command == "start":
            await self._introduce(visit, again=True)
            await self._say(visit, texts.HELLO)
        elif command == "huy":
            await self._tapped(visit, "/start_over")
        elif command == "xoadulieu":
            await self._on_forget(visit)
        elif command is not None:
            await self._introduce(visit)
            await self._tapped(visit, "/help")
        else:
            await self._introduce(visit)
            await self._asked(visit, self._without_mention(message, text))

    async def _asked(self, visit: Visit, text: str) -> None:
        text = _clean(text)
        if len(text) > texts.LONGEST_QUESTION:
            await self._say(visit, texts.TOO_LONG)
        elif any(map(str.isalnum, text)):
            await self._reply(visit, lambda: self._turns.typed(visit.conversation, text, visit.person))
        else:
            await self._tapped(visit, "/help")

    async def _on_forget(self, visit: Visit) -> None:
        count = self._memory.forget(self._memory.person("telegram", str(_sender(visit.update))))
        for chat in {visit.chat.id, _sender(visit.update)}:
            self._forget(self._memory.person("telegram", f"{chat}/{_sender(visit.update)}"))
        await self._say(visit, texts.FORGOTTEN.format(count=count) if count else texts.NOTHING_TO_FORGET)

    async def _on_tap(self, visit: Visit, query: CallbackQuery) -> None:
        data = query.data or ""
        if data in (AGREE, DECLINE):
            await self._on_consent(visit, query, data == AGREE)
            return
        payload = self._memory.lengthen(data) or ""
        is_ours = bool(_PAYLOAD.fullmatch(payload))
        await _quietly(query.answer(None if is_ours else texts.LOST_BUTTON))
        if is_ours:
            marking = asyncio.ensure_future(self._mark(query, data))
            await self._tapped(visit, payload)
            await marking

    async def _on_consent(self, visit: Visit, query: CallbackQuery, agrees: bool) -> None:
        if visit.in_group:
            await _quietly(query.answer(texts.LOST_BUTTON))
            return
        if agrees:
            self._memory.agree("telegram", visit.person)
        else:
            self._memory.forget(visit.person)
        await _quietly(query.answer())
        await self._mark(query, str(query.data))
        await self._say(visit, texts.AGREED if agrees else texts.DECLINED)

    async def _on_location(self, visit: Visit, message: Message) -> None:
        if message.location is None or visit.is_edit:
            return  # a place that is shared live is told anew every few seconds
        await self._introduce(visit)
        lat, lon = message.location.latitude, message.location.longitude
        catalogue, today = self._runtime.catalogue(), self._runtime.settings.today
        unit = catalogue.places.nearest(lat, lon, today)
        if unit is None:
            await self._say(visit, texts.OUTSIDE)
            return
        await self._say(visit, texts.NEAREST.format(unit=_lower(unit)))
        await self._pin(visit, unit, catalogue.desk(unit.code, today))
        await self._tapped(visit, "/inform_place" + json.dumps({"unit": unit.code}))

    async def _on_unreadable(self, visit: Visit, message: Message) -> None:
        album = message.media_group_id
        if visit.is_edit or (album and not message.caption and self._albums.get(album)):
            return
        if album:
            self._albums.put(album, True)
        await self._introduce(visit)
        caption = self._without_mention(message, message.caption or "")
        await self._say(visit, texts.ONLY_WORDS_READ if caption else texts.UNREADABLE)
        if caption:
            await self._asked(visit, caption)

    # -- one turn --------------------------------------------------------------------------------------------

    async def _tapped(self, visit: Visit, payload: str) -> None:
        await self._reply(visit, lambda: self._turns.tapped(visit.conversation, payload))

    async def _reply(self, visit: Visit, take: Callable[[], Awaitable[Turn]]) -> None:
        async with self._free, self._typing(visit):
            turn = await asyncio.wait_for(take(), LONGEST_TURN)
        if not any(reply.text for reply in turn.replies):
            raise RuntimeError("the bot said nothing")
        for reply in turn.replies:
            for html, keyboard in render(reply, lambda payload: self._memory.shorten(payload, LONGEST_PAYLOAD)):
                await self._send(visit, html, keyboard)

    @asynccontextmanager
    async def _typing(self, visit: Visit) -> AsyncIterator[None]:
        """Shows "typing…"; nothing waits for it."""

        over = asyncio.Event()

        async def show() -> None:
            topic = _topic(visit)
            while not over.is_set():
                await _quietly(self._bot.send_chat_action(visit.chat.id, ChatAction.TYPING, message_thread_id=topic))
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(over.wait(), TYPING)

        # Not cancelled at the end: a request that is broken off costs its connection.
        showing = asyncio.ensure_future(show())
        self._aside.add(showing)
        showing.add_done_callback(self._aside.discard)
        await asyncio.sleep(0)
        try:
            yield
        finally:
            over.set()

    async def _introduce(self, visit: Visit, again: bool = False) -> None:
        """Say what this is, once, before the first answer."""
        known = self._introduced.get(visit.chat.id) or (not visit.in_group and self._memory.has_agreed(visit.person))
        if known and not again:
            return
        self._introduced.put(visit.chat.id, True)
        if visit.to_skip:
            return  # it went out before the restart, or was not needed then
        # Not counted as part of the answer: after a restart nobody knows whether it was.
        if visit.in_group:
            await self._send(visit, _escaped(texts.NOTICE_IN_GROUP), None, counted=False)
        else:
            row = [_button(texts.AGREE, AGREE), _button(texts.DECLINE, DECLINE)]
            await self._send(visit, _escaped(texts.NOTICE), InlineKeyboardMarkup([row]), counted=False)

    # -- sending ---------------------------------------------------------------------------------------------

    async def _say(self, visit: Visit, text: str) -> None:
        await self._send(visit, _escaped(text), None)

    async def _send(
        self, visit: Visit, html: str, keyboard: Optional[InlineKeyboardMarkup], counted: bool = True
    ) -> None:
        quote, topic = _quote(visit), _topic(visit)

        async def send(chat: int) -> None:
            await self._bot.send_message(
                chat, html, reply_markup=keyboard, reply_parameters=quote, message_thread_id=topic
            )

        await (self._once(visit, send) if counted else _to(visit.chat.id, send))

    async def _pin(self, visit: Visit, unit: Unit, desk: Optional[ServicePoint]) -> None:
        """A pin on the map: the desk, or the ward's centre, said to be just that."""
        lat, lon, title, address = unit.lat, unit.lon, texts.NEAR_CENTRE.format(unit=_lower(unit)), ""
        if desk is not None and desk.lat is not None and desk.lon is not None:
            lat, lon, title, address = desk.lat, desk.lon, desk.name, desk.address or unit.name
        else:
            name = _lower(desk) if desk else f"Điểm phục vụ hành chính công {_lower(unit)}"
            address = texts.NO_ADDRESS.format(desk=name)
        if lat is None or lon is None:
            return
        place, quote, topic = (lat, lon, title, address), _quote(visit), _topic(visit)

        async def send(chat: int) -> None:
            await self._bot.send_venue(chat, *place, reply_parameters=quote, message_thread_id=topic)

        await self._once(visit, send)

    async def _once(self, visit: Visit, send: Callable[[int], Awaitable[Any]]) -> None:
        """Send one message of an answer, unless it went out before a restart."""
        if visit.to_skip:
            visit.to_skip -= 1
        else:
            await _to(visit.chat.id, send)
            self._inbox.went_out(visit.update.update_id, visit.sent + 1)
        visit.sent += 1

    async def _mark(self, query: CallbackQuery, data: str) -> None:
        """Show which button was chosen; all of them stay usable."""
        if isinstance(query.message, Message) and query.message.reply_markup:
            keyboard = marked(query.message.reply_markup, data)
            if keyboard != query.message.reply_markup:
                await _quietly(query.edit_message_reply_markup(keyboard))

    # -- who is meant ----------------------------------------------------------------------------------------

    def _is_addressed(self, visit: Visit, message: Message) -> bool:
        """In a group the bot answers only when it is named, replied to, or given one of its commands."""
        if not visit.in_group:
            return True
        replied = message.reply_to_message
        if replied is not None and replied.from_user is not None and replied.from_user.id == self._bot.id:
            return True
        if self._command(message) in COMMANDS:
            return True
        return any(part.lower().endswith(self._name) for part in _mentions(message).values())

    def _command(self, message: Message) -> Optional[str]:
        """The command that a message begins with, without its slash; None: there is none, or it is another bot's."""
        first = next(iter(message.entities or ()), None)
        if first is None or first.type != MessageEntity.BOT_COMMAND or first.offset:
            return None
        command, _, bot = message.parse_entity(first).lower().partition("@")
        return command.removeprefix("/") if not bot or f"@{bot}" == self._name else None

    def _without_mention(self, message: Message, text: str) -> str:
        for part in _mentions(message).values():
            if part.lower() == self._name:
                text = text.replace(part, " ")
        return text.strip()

    @property
    def _name(self) -> str:
        return f"@{self._bot.username}".lower()


class Recent:
    """A dictionary that forgets what was put in long ago."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        return self._values.get(key)

    def put(self, key: Hashable, value: Any) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > MANY:
            self._values.popitem(last=False)


def _mentions(message: Message) -> dict[MessageEntity, str]:
    kinds: list[Optional[str]] = [MessageEntity.MENTION, MessageEntity.BOT_COMMAND]
    if message.text:
        return message.parse_entities(kinds)
    return message.parse_caption_entities(kinds) if message.caption else {}


def _quote(visit: Visit) -> Optional[ReplyParameters]:
    """In a group, and to a message that was changed, it must be seen to whom the answer is."""
    message = visit.message
    if message is None or not (visit.in_group or visit.is_edit):
        return None
    return ReplyParameters(message.message_id, allow_sending_without_reply=True)


def _topic(visit: Visit) -> Optional[int]:
    message = visit.update.effective_message
    return message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None


async def _to(chat: int, send: Callable[[int], Awaitable[Any]]) -> None:
    try:
        await send(chat)
    except ChatMigrated as moved:
        await send(moved.new_chat_id)


def _button(title: str, data: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(title, callback_data=data)


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def _sender(update: Update) -> int:
    who = update.effective_user or update.effective_chat
    return who.id if who else 0


def _clean(text: str) -> str:
    """Without what no database takes."""
    return text.replace("\0", " ").encode(errors="ignore").decode().strip()


def _lower(named: Unit | ServicePoint) -> str:
    """A name inside a sentence: "phường Bạch Mai"."""
    return named.name[:1].lower() + named.name[1:]


async def _quietly(call: Awaitable[Any]) -> None:
    """For what is only a courtesy (typing, marking a button): failing is no reason not to answer."""
    try:
        await call
    except TelegramError as error:
        logger.info("Telegram: %s", error)
