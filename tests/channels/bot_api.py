"""A stand-in Telegram Bot API over real HTTP, so that the channel is tested with the real python-telegram-bot.

It runs in a thread of its own, beside a bot in this process or in another one: ``base_url=f"{api.url}/bot"``. People
write, tap and share places through `Chat`; what the bot did is read from `BotApi.calls` and `Chat.messages`. Every
request is held against the documented limits: a broken one is refused with 400, as Telegram does, *and* noted in
`BotApi.violations`, because a bot may swallow the error.

Stricter than Telegram, on purpose: a raw ``>`` or ``&`` in HTML, a link to anything but the web, mail, phone or tg,
a second answer to one callback query. Not there: Markdown, media sent by the bot, flood limits other than `fail`.

From an ``async`` test, wait in a thread (``await asyncio.to_thread(chat.wait_for_reply)``) if the bot lives in the
test's own event loop: everything here is synchronous.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import socket
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from html import unescape
from typing import Any, Optional, TypeVar, Union
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

JSON = dict[str, Any]
T = TypeVar("T")

LONGEST_TEXT = 4096
LONGEST_CALLBACK_DATA = 64
LONGEST_CALLBACK_ANSWER = 200
MOST_BUTTONS = 100
MOST_COMMANDS = 100
LONGEST_POLL = 50
"""Seconds: Telegram cuts longer polls."""
RETRY_FIRST, RETRY_LAST = 0.05, 2.0
"""Seconds between two deliveries of one update to a webhook that refuses it, doubled each time. Telegram is slower."""

ACTIONS = frozenset(
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
    "find_location record_video_note upload_video_note".split()
)
BUTTON_ACTIONS = frozenset(
    "url callback_data web_app login_url switch_inline_query switch_inline_query_current_chat "
    "switch_inline_query_chosen_chat copy_text callback_game pay".split()
)
UPDATES_BY_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that Telegram leaves out unless they are asked for."""

_INTEGERS = frozenset(
    "chat_id message_id offset limit timeout max_connections cache_time reply_to_message_id message_thread_id".split()
)
_NUMBERS = frozenset({"latitude", "longitude", "horizontal_accuracy"})
_FLAGS = frozenset({"drop_pending_updates", "show_alert", "disable_notification", "protect_content"})
_STRUCTURES = frozenset(
    "reply_markup entities allowed_updates commands scope link_preview_options reply_parameters".split()
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")

# Shared by all servers of a process: a bot that keeps its memory must not take a new update or person for a known one.
_UPDATE_IDS = itertools.count(int(time.time()))
_SERIAL = itertools.count(1001)


class Refused(Exception):
    """The Bot API says no."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def to_json(self) -> JSON:
        body: JSON = {"ok": False, "error_code": self.status, "description": self.description}
        return {**body, "parameters": self.parameters} if self.parameters else body


def bad(description: str) -> Refused:
    return Refused(400, f"Bad Request: {description}")


def units(text: str) -> int:
    """UTF-16 code units, in which Telegram counts offsets and lengths."""
    return len(text.encode("utf-16-le")) // 2


# -- HTML ------------------------------------------------------------------------------------------------------

_TAGS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("tg-spoiler", "span"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_ATTRIBUTES = {"a": "href", "code": "class", "span": "class", "blockquote": "expandable"}
_LINKS = ("http://", "https://", "tg://", "mailto:", "tel:")
_ATTRIBUTE = r"""\s+[a-zA-Z_:-]+(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))?"""
_CHARACTER = r"(?:lt|gt|amp|quot|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});"
_MARKUP = re.compile(
    rf"<(?P<end>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9-]*)(?P<attributes>(?:{_ATTRIBUTE})*)\s*>|&{_CHARACTER}|[<>&]"
)
_RAW_AMPERSAND = re.compile(rf"&(?!{_CHARACTER})")
_PAIR = re.compile(r"""([a-zA-Z_:-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=]+))?""")


@dataclass(frozen=True)
class _OpenTag:
    name: str
    start: int
    """UTF-16 units of text before it."""
    extra: JSON
    """What its entity says besides type and place."""


class _Html:
    """One message in Telegram's HTML, read once."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._text: list[str] = []
        self._length = 0
        self._open: list[_OpenTag] = []
        self._entities: list[JSON] = []

    def read(self) -> tuple[str, list[JSON]]:
        """The text that people see, and its entities."""
        at = 0
        for found in _MARKUP.finditer(self._html):
            self._say(self._html[at : found.start()])
            at = found.end()
            if found["tag"] is None:
                self._character(found)
            elif found["end"]:
                self._close(found)
            else:
                self._start(found)
        self._say(self._html[at:])
        if self._open:
            raise _unparsed(f'Can\'t find end tag corresponding to start tag "{self._open[-1].name}"')
        return "".join(self._text), sorted(self._entities, key=lambda entity: (entity["offset"], -entity["length"]))

    def _say(self, text: str) -> None:
        self._text.append(text)
        self._length += units(text)

    def _character(self, found: re.Match[str]) -> None:
        if found[0] == "<":
            raise _unparsed(f'Unsupported start tag "" at byte offset {self._byte(found)}')
        if len(found[0]) == 1:
            raise _unparsed(f'Unescaped "{found[0]}" at byte offset {self._byte(found)}')
        self._say(unescape(found[0]))

    def _start(self, found: re.Match[str]) -> None:
        name = found["tag"].lower()
        if name not in _TAGS:
            raise _unparsed(f'Unsupported start tag "{name}" at byte offset {self._byte(found)}')
        inside = [tag.name for tag in self._open]
        if "code" in inside or ("pre" in inside and name != "code") or (name == "blockquote" and name in inside):
            raise _unparsed(f'Tag "{name}" can\'t be inside "{inside[-1]}" at byte offset {self._byte(found)}')
        extra = _extra(name, _attributes(found["attributes"]), in_pre="pre" in inside)
        self._open.append(_OpenTag(name, self._length, extra))

    def _close(self, found: re.Match[str]) -> None:
        name = found["tag"].lower()
        if not self._open:
            raise _unparsed(f"Unexpected end tag at byte offset {self._byte(found)}")
        tag = self._open.pop()
        if name != tag.name:
            wanted, at = f'"</{tag.name}>", found "</{name}>"', self._byte(found)
            raise _unparsed(f"Unmatched end tag at byte offset {at}, expected {wanted}")
        in_pre = name == "code" and any(outer.name == "pre" for outer in self._open)
        if self._length > tag.start and not in_pre:
            place = {"type": _TAGS[name], "offset": tag.start, "length": self._length - tag.start}
            self._entities.append({**place, **tag.extra})

    def _byte(self, found: re.Match[str]) -> int:
        return len(self._html[: found.start()].encode())


def _unparsed(why: str) -> Refused:
    return bad(f"can't parse entities: {why}")


def _attributes(source: str) -> dict[str, str]:
    found = {name.lower(): value.strip("\"'") for name, value in _PAIR.findall(source)}
    for value in found.values():
        if _RAW_AMPERSAND.search(value):
            raise _unparsed('Unescaped "&" in an attribute')
    return {name: unescape(value) for name, value in found.items()}


def _extra(name: str, attributes: dict[str, str], in_pre: bool) -> JSON:
    for attribute in attributes:
        if attribute != _ATTRIBUTES.get(name):
            raise _unparsed(f'Unsupported attribute "{attribute}" of tag "{name}"')
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _unparsed('Tag "span" must have class "tg-spoiler"')
    if name == "code" and attributes and not (in_pre and attributes["class"].startswith("language-")):
        raise _unparsed('Tag "code" may have a class "language-…" inside "pre" only')
    if name == "a":
        if not attributes.get("href", "").startswith(_LINKS):
            raise _unparsed(f"Unsupported link {attributes.get('href')!r}")
        return {"url": attributes["href"]}
    return {"type": "expandable_blockquote"} if "expandable" in attributes else {}


def parse_html(html: str) -> tuple[str, list[JSON]]:
    """The text that people see and its entities.

    Raises:
        Refused: not the HTML that Telegram documents.
    """
    return _Html(html).read()


def _trimmed(text: str, entities: list[JSON]) -> tuple[str, list[JSON]]:
    """Without white space around, which Telegram cuts off before it counts."""
    lead, kept = units(text) - units(text.lstrip()), text.strip()
    length, moved = units(kept), []
    for entity in entities:
        start, end = max(entity["offset"] - lead, 0), min(entity["offset"] + entity["length"] - lead, length)
        if start < end:
            moved.append({**entity, "offset": start, "length": end - start})
    return kept, moved


# -- Checks of one request ---------------------------------------------------------------------------------------


def decoded(raw: JSON) -> JSON:
    """Parameters as JSON values: forms carry numbers and structures as text. What cannot be read stays text."""
    return {key: _value(key, value) for key, value in raw.items()}


def _value(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    with suppress(ValueError):
        if key in _INTEGERS:
            return int(value)
        if key in _NUMBERS:
            return float(value)
        if key in _STRUCTURES:
            return json.loads(value)
    return value.lower() in ("true", "1") if key in _FLAGS else value


def checked_text(params: JSON) -> tuple[str, list[JSON]]:
    """Text and entities of a message, as people see them."""
    text, mode = params.get("text", ""), params.get("parse_mode") or ""
    if not isinstance(text, str) or not text.strip():
        raise bad("message text is empty")
    if mode.upper() not in ("", "HTML"):
        raise bad("unsupported parse_mode")
    text, entities = _trimmed(*(parse_html(text) if mode else (text, checked_entities(params, text))))
    if not text:
        raise bad("message text is empty")
    if units(text) > LONGEST_TEXT:
        raise bad("message is too long")
    return text, entities


def checked_entities(params: JSON, text: str) -> list[JSON]:
    entities = params.get("entities") or []
    if not isinstance(entities, list):
        raise bad("can't parse entities: expected an Array")
    for entity in entities:
        end = entity.get("offset", -1) + entity.get("length", 0)
        if entity.get("offset", -1) < 0 or not 0 < end <= units(text):
            raise bad("can't parse entities: entity beyond the text")
    return entities


def checked_markup(params: JSON) -> Optional[JSON]:
    """The inline keyboard of a message, if it has one; other markups are only looked over."""
    markup = params.get("reply_markup")
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _inline_keyboard(markup["inline_keyboard"])
    if "keyboard" in markup:
        for button in _flat(markup["keyboard"]):
            if not (button if isinstance(button, str) else button.get("text")):
                raise bad("keyboard button text must be non-empty")
    elif not ({"remove_keyboard", "force_reply"} & markup.keys()):
        raise bad("object expected as reply markup")
    return None


def _flat(rows: Any) -> list[Any]:
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("can't parse keyboard: expected an Array of Arrays")
    return [button for row in rows for button in row]


def _inline_keyboard(rows: Any) -> Optional[JSON]:
    buttons = _flat(rows)
    if len(buttons) > MOST_BUTTONS:
        raise bad("reply markup is too long")
    for button in buttons:
        _check_button(button)
    # An empty keyboard is none: that is how a keyboard is taken off.
    return {"inline_keyboard": [row for row in rows if row]} if buttons else None


def _check_button(button: Any) -> None:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise bad('can\'t parse inline keyboard button: field "text" must be of type String')
    if not button["text"].strip():
        raise bad("inline keyboard button text must be non-empty")
    actions = BUTTON_ACTIONS & button.keys()
    if not actions or button.get("callback_data") == "":
        raise bad("can't parse inline keyboard button: text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad(f"can't parse inline keyboard button: exactly one action expected, got {sorted(actions)}")
    data = button.get("callback_data")
    if data is not None and (not isinstance(data, str) or len(data.encode()) > LONGEST_CALLBACK_DATA):
        raise bad("BUTTON_DATA_INVALID")
    if "url" in button:
        _check_button_url(str(button["url"]))


def _check_button_url(url: str) -> None:
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https", "tg"):
        raise bad(f"inline keyboard button URL '{url}' is invalid: Unsupported URL protocol")
    if not rest or re.search(r"\s", url) or (scheme != "tg" and not urlsplit(url).hostname):
        raise bad(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def checked_place(params: JSON) -> JSON:
    place: JSON = {}
    for key, most in (("latitude", 90), ("longitude", 180)):
        value = params.get(key)
        if not isinstance(value, (int, float)) or not -most <= value <= most:
            raise bad(f"wrong {key} specified: {value!r}")
        place[key] = value
    accuracy = params.get("horizontal_accuracy", 0)
    if not isinstance(accuracy, (int, float)) or not 0 <= accuracy <= 1500:
        raise bad("wrong horizontal accuracy specified")
    return place


def checked_commands(params: JSON) -> list[JSON]:
    commands = params.get("commands")
    if not isinstance(commands, list) or not 1 <= len(commands) <= MOST_COMMANDS:
        raise bad("BOT_COMMANDS_INVALID: 1–100 commands expected")
    for command in commands:
        if not _COMMAND.fullmatch(str(command.get("command", ""))):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return commands


def checked_range(params: JSON, key: str, least: int, most: int, otherwise: int) -> int:
    value = params.get(key, otherwise)
    if not isinstance(value, int) or not least <= value <= most:
        raise bad(f"wrong parameter {key}: {value!r}, expected {least}–{most}")
    return value


def checked_kinds(params: JSON, current: Optional[list[str]]) -> Optional[list[str]]:
    """Kinds of updates asked for; what is not said stays as it was, an empty list means the usual ones."""
    kinds = params.get("allowed_updates", current)
    if kinds is not None and not (isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)):
        raise bad("can't parse allowed_updates: expected an Array of String")
    return kinds or None


# -- What is told to tests -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One request of the bot, noted when it was answered."""

    method: str
    params: JSON
    time: float
    """When it came in, by `time.monotonic`."""
    status: int
    """HTTP status of the answer; 0: the connection was closed without one."""
    seconds: float
    """Until it was answered."""


@dataclass(frozen=True)
class Violation:
    """A request that breaks a documented rule."""

    method: str
    description: str
    params: JSON


@dataclass(frozen=True)
class Delivery:
    """One POST to the bot's webhook."""

    update_id: int
    status: int
    """0: no answer."""
    time: float
    seconds: float = 0.0
    """Until it was answered."""


@dataclass(frozen=True)
class User:
    id: int
    first_name: str
    language_code: str = "vi"
    username: Optional[str] = None

    def to_json(self) -> JSON:
        body = {"id": self.id, "is_bot": False, "first_name": self.first_name, "language_code": self.language_code}
        return {**body, "username": self.username} if self.username else body


@dataclass(frozen=True)
class Message:
    """A message of the bot, as displayed at the moment it was read from the chat."""

    chat: Chat = field(repr=False, compare=False)
    message_id: int
    text: str = ""
    """What people see; empty for a place."""
    html: str = field(default="", repr=False)
    """What was sent, markup included."""
    parse_mode: Optional[str] = None
    reply_markup: Optional[JSON] = None
    entities: list[JSON] = field(default_factory=list)
    location: Optional[JSON] = None
    venue: Optional[JSON] = None
    reply_to: Optional[int] = None
    preview: Optional[JSON] = field(default=None, repr=False)
    """Its `link_preview_options`."""
    sent: float = field(default=0.0, compare=False)
    """When it was sent, by `time.monotonic`."""
    date: int = field(default=0, compare=False)
    edited: Optional[int] = field(default=None, compare=False)
    """Unix time of its last edit."""

    @property
    def buttons(self) -> list[JSON]:
        """Inline buttons, row after row."""
        return [button for row in (self.reply_markup or {}).get("inline_keyboard", []) for button in row]

    @property
    def titles(self) -> list[str]:
        return [button["text"] for button in self.buttons]

    def button(self, which: Union[str, int]) -> JSON:
        """The button with this title, or in this place."""
        if isinstance(which, int):
            assert -len(self.buttons) <= which < len(self.buttons), f"no button {which} among {self.titles}"
            return self.buttons[which]
        for button in self.buttons:
            if button["text"] == which:
                return button
        raise AssertionError(f"no button {which!r} among {self.titles}")

    def to_json(self) -> JSON:
        optional = {
            "text": self.text,
            "entities": self.entities,
            "location": self.location,
            "venue": self.venue,
            "reply_markup": self.reply_markup,
            "edit_date": self.edited,
        }
        sender, chat = self.chat.api.me, self.chat.to_json()
        body = {"message_id": self.message_id, "from": sender, "chat": chat, "date": self.date}
        body.update({key: value for key, value in optional.items() if value})
        if self.reply_to is not None:
            body["reply_to_message"] = self.chat.find_json(self.reply_to)
        return body


# -- Misbehaviour ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fault:
    """What goes wrong with one request."""

    refusal: Optional[Refused] = None
    closed: str = ""
    """"before" the request is done, or "after": the connection is closed without an answer."""
    seconds: float = 0.0


_NO_FAULT = _Fault()
_DESCRIPTIONS = {403: "Forbidden: bot was blocked by the user", 500: "Internal Server Error", 502: "Bad Gateway"}


def _refusal(status: int, retry_after: int, description: Optional[str]) -> Refused:
    if status == 429:
        return Refused(429, description or f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)
    return Refused(status, description or _DESCRIPTIONS.get(status, f"Error {status}"))


class _Faults:
    """Ordered misbehaviour, used up first come, first served."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self._ordered: dict[str, deque[_Fault]] = {}

    def order(self, method: str, times: int, fault: _Fault) -> None:
        with self._lock:
            self._ordered.setdefault(method.lower(), deque()).extend([fault] * times)

    def take(self, method: str) -> _Fault:
        with self._lock:
            for name in (method.lower(), "*"):
                if self._ordered.get(name):
                    return self._ordered[name].popleft()
        return _NO_FAULT


# -- Updates on their way to the bot ---------------------------------------------------------------------------------


@dataclass(eq=False)
class _Waiting:
    """An update that the bot has not confirmed yet."""

    update: JSON
    lane: int
    """Its chat; updates of one chat are delivered in order."""
    owed: bool = False
    """Repeated or shuffled: handed over at least once, whatever offset the bot confirms."""


class _Updates:
    """The queue that getUpdates and the webhook empty. Filled from any thread, emptied in the server's loop."""

    def __init__(self, lock: threading.RLock, call_soon: Callable[..., object]) -> None:
        self._lock = lock
        self._call_soon = call_soon
        self._waiting: dict[_Waiting, None] = {}
        self._last: Optional[_Waiting] = None
        self._held: list[_Waiting] = []
        self._to_hold = 0
        self._poll: Optional[asyncio.Future[None]] = None
        self.allowed: Optional[list[str]] = None
        self.webhook: Optional[_Webhook] = None

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def put(self, kind: str, body: JSON, lane: int) -> JSON:
        with self._lock:
            update = {"update_id": next(_UPDATE_IDS), kind: body}
            self._last = _Waiting(update, lane)
            if kind in self.allowed if self.allowed else kind not in UPDATES_BY_REQUEST:
                self._admit(self._last)
            return update

    def hold(self, count: int) -> None:
        with self._lock:
            self._to_hold = count

    def repeat(self) -> JSON:
        with self._lock:
            assert self._last is not None, "no update to repeat"
            self._release([replace(self._last, owed=True)])
            return self._last.update

    def _admit(self, waiting: _Waiting) -> None:
        if not self._to_hold:
            self._release([waiting])
            return
        self._held.append(replace(waiting, owed=True))
        self._to_hold -= 1
        if not self._to_hold:
            held, self._held = self._held, []
            self._release(held[::-1])

    def _release(self, ready: list[_Waiting]) -> None:
        self._waiting.update(dict.fromkeys(ready))
        self._call_soon(self._arrived, ready)

    # -- From here on in the server's loop only.

    def _arrived(self, ready: list[_Waiting]) -> None:
        if self.webhook is not None:
            self.webhook.add(ready)
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def interrupt(self, reason: Refused) -> None:
        """End a long poll."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(reason)

    def confirm(self, offset: int) -> None:
        with self._lock:
            if offset < 0:
                ids = sorted(waiting.update["update_id"] for waiting in self._waiting)
                offset = ids[max(offset, -len(ids))] if ids else 0
            for waiting in [one for one in self._waiting if one.update["update_id"] < offset and not one.owed]:
                del self._waiting[waiting]

    async def poll(self, limit: int, seconds: float) -> list[_Waiting]:
        found = self.first(limit)
        if found or not seconds:
            return found
        poll = self._poll = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(poll, seconds)
        except asyncio.TimeoutError:
            pass
        finally:
            if self._poll is poll:
                self._poll = None
        return self.first(limit)

    def first(self, limit: int) -> list[_Waiting]:
        with self._lock:
            return list(itertools.islice(self._waiting, limit))

    def done(self, waiting: _Waiting) -> None:
        with self._lock:
            self._waiting.pop(waiting, None)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def switch(self, webhook: Optional[_Webhook]) -> None:
        """Deliver to this webhook from now on, beginning with what waits; None: wait for getUpdates."""
        if self.webhook is not None:
            self.webhook.stop()
        self.webhook = webhook
        if webhook is not None:
            self.interrupt(Refused(409, "Conflict: terminated by setWebhook request"))
            webhook.add(self.first(len(self)))


class _Webhook:
    """Posts updates: those of one chat in order, those of several side by side; what is refused is tried again."""

    def __init__(self, api: BotApi, url: str, secret: str, at_once: int) -> None:
        self.url = url
        self.secret = secret
        self.at_once = at_once
        self.error: Optional[tuple[int, str]] = None
        """Unix time and description of the last delivery that failed."""
        self._api = api
        self._slots = asyncio.Semaphore(at_once)
        self._lanes: dict[int, deque[_Waiting]] = {}
        self._seen: set[_Waiting] = set()
        """What waited when the webhook was set is told a second time, by the thread that had just put it there."""
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, ready: list[_Waiting]) -> None:
        for waiting in ready:
            if waiting in self._seen:
                continue
            self._seen.add(waiting)
            if waiting.lane in self._lanes:
                self._lanes[waiting.lane].append(waiting)
                continue
            self._lanes[waiting.lane] = deque([waiting])
            task = asyncio.get_running_loop().create_task(self._empty(waiting.lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _empty(self, lane: int) -> None:
        line = self._lanes[lane]
        while line:
            await self._deliver(line.popleft())
        del self._lanes[lane]

    async def _deliver(self, waiting: _Waiting) -> None:
        pause = RETRY_FIRST
        while not await self._accepted(waiting.update):
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_LAST)
        self._api.updates.done(waiting)

    async def _accepted(self, update: JSON) -> bool:
        await self._api.up.wait()
        async with self._slots:
            began = time.monotonic()
            status = await self._api.post(self.url, json.dumps(update).encode(), self.secret)
        self._api.deliveries.append(Delivery(update["update_id"], status, began, time.monotonic() - began))
        if 200 <= status < 300:
            return True
        self.error = int(time.time()), f"Wrong response from the webhook: {status}" if status else "Connection failed"
        return False


# -- People ----------------------------------------------------------------------------------------------------------

_SPOTTED = re.compile(
    r"(?P<bot_command>(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w+)?)|(?P<mention>(?<!\w)@\w{4,32})|(?P<url>https?://\S+)"
)


def _spotted(text: str) -> list[JSON]:
    """The entities that a Telegram client marks by itself."""
    return [
        {"type": found.lastgroup, "offset": units(text[: found.start()]), "length": units(found[0])}
        for found in _SPOTTED.finditer(text)
    ]


class Chat:
    """A chat with the bot: what people do there, and what the bot did.

    In a group the first member acts unless `by` names another one. What people do returns the update.
    """

    def __init__(self, api: BotApi, id: int, title: Optional[str], members: list[User]) -> None:
        self.api = api
        self.id = id
        self.title = title
        self.members = members
        self.known = False
        """Something came from here: a bot cannot write first."""
        self.blocked = False
        self._ids = itertools.count(1)
        self._said: dict[int, JSON] = {}
        self._sent: dict[int, Message] = {}
        self._unread: list[int] = []
        self._changed = threading.Condition(api.lock)

    def to_json(self) -> JSON:
        if self.title is not None:
            return {"id": self.id, "type": "supergroup", "title": self.title}
        return {"id": self.id, "type": "private", "first_name": self.members[0].first_name}

    # -- What people do

    def says(
        self,
        text: str,
        reply_to: Union[int, Message, None] = None,
        entities: Optional[list[JSON]] = None,
        by: Optional[User] = None,
    ) -> JSON:
        """Commands, mentions and links are marked as a client does, unless `entities` says otherwise."""
        if not text.strip() or units(text) > LONGEST_TEXT:
            raise ValueError(f"Telegram clients send 1–{LONGEST_TEXT} characters")
        return self.sends(by, reply_to, text=text, **_if_any(entities=_spotted(text) if entities is None else entities))

    def shares_location(self, lat: float, lon: float, by: Optional[User] = None) -> JSON:
        return self.sends(by, location={"latitude": lat, "longitude": lon})

    def sends_voice(self, by: Optional[User] = None, **more: Any) -> JSON:
        return self.sends(by, voice={**self._file(), "duration": 3, "mime_type": "audio/ogg"}, **more)

    def sends_photo(self, by: Optional[User] = None, **more: Any) -> JSON:
        """`caption=…` goes with it, as with voice and document."""
        return self.sends(by, photo=[{**self._file(), "width": 90, "height": 60}], **more)

    def sends_sticker(self, by: Optional[User] = None, **more: Any) -> JSON:
        looks = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
        return self.sends(by, sticker={**self._file(), **looks, "emoji": "👍"}, **more)

    def sends_document(self, by: Optional[User] = None, **more: Any) -> JSON:
        return self.sends(by, document={**self._file(), "file_name": "don.pdf", "mime_type": "application/pdf"}, **more)

    def sends(self, by: Optional[User] = None, reply_to: Union[int, Message, None] = None, **fields: Any) -> JSON:
        """Any message, by the fields of Telegram's Message."""
        with self.api.lock:
            number, sender = next(self._ids), (by or self.members[0]).to_json()
            body: JSON = {"message_id": number, "from": sender, "chat": self.to_json(), "date": int(time.time())}
            body.update(fields)
            if reply_to is not None:
                replied = reply_to.message_id if isinstance(reply_to, Message) else reply_to
                body["reply_to_message"] = self.find_json(replied)
            self._said[number] = body
            self.blocked = False
            return self._tell("message", body)

    def edits(self, message_id: int, text: str) -> JSON:
        """Change a message that somebody here sent."""
        with self.api.lock:
            old = self._said[message_id]
            body = {**old, "text": text, "edit_date": int(time.time()), "entities": _spotted(text)}
            self._said[message_id] = body
            return self._tell("edited_message", body)

    def taps(self, message: Union[int, Message], button: Union[str, int] = 0, by: Optional[User] = None) -> JSON:
        """Tap a button, by title or place, of a message of the bot.

        The buttons are those of `message` as it was read, so a tap may cross an edit, as in life.
        """
        shown = message if isinstance(message, Message) else self.message(message)
        data = shown.button(button).get("callback_data")
        assert data is not None, f"{button!r} sends nothing to the bot"
        with self.api.lock:
            sender, now = (by or self.members[0]).to_json(), self.now(shown).to_json()
            query = {"id": self.api.new_query(self), "from": sender, "message": now}
            return self._tell("callback_query", {**query, "chat_instance": str(self.id), "data": data})

    def blocks_bot(self) -> JSON:
        """In a group: throws it out. What the bot sends here is refused with 403 until somebody writes again."""
        return self._membership("member", "kicked")

    def unblocks_bot(self) -> JSON:
        return self._membership("kicked", "member")

    def _membership(self, before: str, after: str) -> JSON:
        with self.api.lock:
            self.blocked = after == "kicked"
            bot = self.api.me
            extra = {"until_date": 0}
            body = {
                "chat": self.to_json(),
                "from": self.members[0].to_json(),
                "date": int(time.time()),
                "old_chat_member": {"user": bot, "status": before, **(extra if before == "kicked" else {})},
                "new_chat_member": {"user": bot, "status": after, **(extra if after == "kicked" else {})},
            }
            return self._tell("my_chat_member", body)

    def _tell(self, kind: str, body: JSON) -> JSON:
        self.known = True
        return self.api.updates.put(kind, body, self.id)

    def _file(self) -> JSON:
        number = self.api.new_number()
        return {"file_id": f"file{number}", "file_unique_id": f"unique{number}", "file_size": 1234}

    # -- What the bot did

    @property
    def messages(self) -> list[Message]:
        """The bot's messages as now displayed, oldest first; deleted ones are gone."""
        with self.api.lock:
            return list(self._sent.values())

    def message(self, message_id: int) -> Message:
        """One message of the bot as now displayed."""
        with self.api.lock:
            return self._sent[message_id]

    def now(self, message: Message) -> Message:
        """The same message as now displayed; as it was, if it has been deleted."""
        return self._sent.get(message.message_id, message)

    def wait_for_reply(self, n: int = 1, timeout: float = 120, settle: float = 0.0) -> list[Message]:
        """All messages of the bot here that no earlier wait returned, as soon as there are at least n.

        Args:
            settle: seconds to wait for still more, beginning anew with each that comes.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._unread) >= n, timeout):
                raise AssertionError(
                    f"{len(self._unread)} of {n} messages to chat {self.id} within {timeout} s\n{self.api.so_far()}"
                )
            while settle and self._changed.wait(settle):
                pass
            read, self._unread = self._unread, []
            return [self._sent[message_id] for message_id in read if message_id in self._sent]

    # -- For the server

    def find_json(self, message_id: int) -> Optional[JSON]:
        """Anybody's message, without what it replies to: Telegram goes one step deep."""
        own = self._sent.get(message_id)
        found = replace(own, reply_to=None).to_json() if own else self._said.get(message_id)
        return {key: value for key, value in found.items() if key != "reply_to_message"} if found else None

    def add(self, **fields: Any) -> Message:
        """A new message of the bot."""
        sent = Message(self, next(self._ids), sent=time.monotonic(), date=int(time.time()), **fields)
        self._sent[sent.message_id] = sent
        self._unread.append(sent.message_id)
        self.api.count_message(sent)
        self._changed.notify_all()
        return sent

    def own(self, message_id: Any) -> Message:
        """A message that the bot may edit."""
        if message_id in self._sent:
            return self._sent[message_id]
        raise bad("message can't be edited" if message_id in self._said else "message to edit not found")

    def change(self, old: Message, **fields: Any) -> Message:
        new = replace(old, **fields)
        if new == old:
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        self._sent[old.message_id] = replace(new, edited=int(time.time()))
        self._changed.notify_all()
        return self._sent[old.message_id]

    def delete(self, message_id: Any) -> None:
        if not (self._sent.pop(message_id, None) or self._said.pop(message_id, None)):
            raise bad("message to delete not found")


def _if_any(**fields: Any) -> JSON:
    return {key: value for key, value in fields.items() if value}


# -- Methods ---------------------------------------------------------------------------------------------------------


@dataclass
class _Query:
    """A tap, and how the bot answered it."""

    chat: Chat
    answer: Optional[JSON] = None


class _Methods:
    """The Bot API's methods: parameters in, result out. getUpdates, which may wait, is in `BotApi`."""

    def __init__(self, api: BotApi) -> None:
        self._api = api
        self._commands: dict[tuple[str, str], list[JSON]] = {}
        self._descriptions: dict[tuple[str, str], str] = {}
        self._by_name = {name.lower(): (name, getattr(self, _python_name(name))) for name in self._NAMES}

    _NAMES = (
        "getMe logOut close setWebhook deleteWebhook getWebhookInfo sendMessage sendLocation sendVenue sendChatAction "
        "editMessageText editMessageReplyMarkup deleteMessage answerCallbackQuery setMyCommands getMyCommands "
        "deleteMyCommands setMyDescription getMyDescription setMyShortDescription getMyShortDescription"
    ).split()

    def find(self, name: str) -> Optional[tuple[str, Callable[[JSON], Any]]]:
        """Telegram takes a method's name in any case."""
        return self._by_name.get(name.lower())

    # -- The bot itself

    @property
    def default_commands(self) -> list[JSON]:
        return self._commands.get(_scope({}), [])

    def _get_me(self, params: JSON) -> JSON:
        powers = {"can_join_groups": True, "can_read_all_group_messages": True, "supports_inline_queries": False}
        return {**self._api.me, **powers}

    def _log_out(self, params: JSON) -> bool:
        return True

    def _close(self, params: JSON) -> bool:
        return True

    def _set_my_commands(self, params: JSON) -> bool:
        self._commands[_scope(params)] = checked_commands(params)
        return True

    def _get_my_commands(self, params: JSON) -> list[JSON]:
        return self._commands.get(_scope(params), [])

    def _delete_my_commands(self, params: JSON) -> bool:
        self._commands.pop(_scope(params), None)
        return True

    def _set_my_description(self, params: JSON) -> bool:
        return self._describe("description", params, 512)

    def _set_my_short_description(self, params: JSON) -> bool:
        return self._describe("short_description", params, 120)

    def _get_my_description(self, params: JSON) -> JSON:
        return {"description": self._descriptions.get(("description", _language(params)), "")}

    def _get_my_short_description(self, params: JSON) -> JSON:
        return {"short_description": self._descriptions.get(("short_description", _language(params)), "")}

    def _describe(self, field: str, params: JSON, longest: int) -> bool:
        text = str(params.get(field) or "")
        if len(text) > longest:
            raise bad(f"{field} is too long")
        self._descriptions[field, _language(params)] = text
        return True

    # -- Webhook

    def _set_webhook(self, params: JSON) -> bool:
        url, secret = str(params.get("url") or ""), str(params.get("secret_token") or "")
        if not url:
            return self._delete_webhook(params)
        parts = urlsplit(url)
        # Telegram's own local server also takes plain http; on this machine there is no certificate.
        if not parts.hostname or (parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1")):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not _SECRET.fullmatch(secret):
            raise bad("secret token contains unallowed characters")
        at_once = checked_range(params, "max_connections", 1, 100, 40)
        self._api.updates.allowed = checked_kinds(params, self._api.updates.allowed)
        self._drop(params)
        now = self._api.updates.webhook
        # The same once more (another worker of the bot starts) must not disturb what is being delivered.
        if now is None or (now.url, now.secret, now.at_once) != (url, secret, at_once):
            self._api.updates.switch(_Webhook(self._api, url, secret, at_once))
        return True

    def _delete_webhook(self, params: JSON) -> bool:
        self._drop(params)
        self._api.updates.switch(None)
        return True

    def _drop(self, params: JSON) -> None:
        if params.get("drop_pending_updates"):
            self._api.updates.clear()

    def _get_webhook_info(self, params: JSON) -> JSON:
        webhook = self._api.updates.webhook
        info = {"url": "", "has_custom_certificate": False, "pending_update_count": len(self._api.updates)}
        if webhook is not None:
            info.update(url=webhook.url, max_connections=webhook.at_once, ip_address="127.0.0.1")
            if webhook.error:
                info.update(last_error_date=webhook.error[0], last_error_message=webhook.error[1])
        return {**info, **_if_any(allowed_updates=self._api.updates.allowed)}

    # -- Messages

    def _send_message(self, params: JSON) -> JSON:
        chat = self._chat(params)
        text, entities = checked_text(params)
        shown = {"text": text, "entities": entities, "html": params["text"], "parse_mode": params.get("parse_mode")}
        return chat.add(**shown, preview=params.get("link_preview_options"), **_common(chat, params)).to_json()

    def _send_location(self, params: JSON) -> JSON:
        chat = self._chat(params)
        return chat.add(location=checked_place(params), **_common(chat, params)).to_json()

    def _send_venue(self, params: JSON) -> JSON:
        chat, place = self._chat(params), checked_place(params)
        for key in ("title", "address"):
            if not str(params.get(key) or "").strip():
                raise bad(f"there is no {key} in the request")
        venue = {"location": place, "title": params["title"], "address": params["address"]}
        return chat.add(location=place, venue=venue, **_common(chat, params)).to_json()

    def _send_chat_action(self, params: JSON) -> bool:
        self._chat(params)
        if params.get("action") not in ACTIONS:
            raise bad("wrong parameter action in request")
        return True

    def _edit_message_text(self, params: JSON) -> JSON:
        chat = self._chat(params)
        old, (text, entities), markup = chat.own(params.get("message_id")), checked_text(params), checked_markup(params)
        if not old.text:
            raise bad("there is no text in the message to edit")
        shown = {"text": text, "entities": entities, "html": params["text"], "parse_mode": params.get("parse_mode")}
        # How it was marked up is not what people see: alone it changes nothing.
        if (text, entities) == (old.text, old.entities):
            shown = {}
        return chat.change(old, **shown, reply_markup=markup, preview=params.get("link_preview_options")).to_json()

    def _edit_message_reply_markup(self, params: JSON) -> JSON:
        chat = self._chat(params)
        return chat.change(chat.own(params.get("message_id")), reply_markup=checked_markup(params)).to_json()

    def _delete_message(self, params: JSON) -> bool:
        self._chat(params).delete(params.get("message_id"))
        return True

    def _answer_callback_query(self, params: JSON) -> bool:
        query = self._api.queries.get(str(params.get("callback_query_id")))
        if query is None or query.answer is not None:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(str(params.get("text") or "")) > LONGEST_CALLBACK_ANSWER:
            raise bad("MESSAGE_TOO_LONG")
        checked_range(params, "cache_time", 0, 2**31, 0)
        query.answer = params
        return True

    def _chat(self, params: JSON) -> Chat:
        chat = self._api.chats.get(_hashable(params, "chat_id"))
        if chat is None or not chat.known:
            raise bad("chat not found")
        if chat.blocked:
            group = chat.title is not None
            raise Refused(
                403, f"Forbidden: bot was {'kicked from the supergroup chat' if group else 'blocked by the user'}"
            )
        return chat


def _hashable(params: JSON, key: str) -> Union[int, str]:
    value = params.get(key)
    if not isinstance(value, (int, str)) or value == "":
        raise bad(f"{key} is empty")
    return value


def _python_name(method: str) -> str:
    return "_" + re.sub("([A-Z])", r"_\1", method).lower()


def _scope(params: JSON) -> tuple[str, str]:
    return json.dumps(params.get("scope") or {"type": "default"}, sort_keys=True), _language(params)


def _language(params: JSON) -> str:
    return str(params.get("language_code") or "")


def _common(chat: Chat, params: JSON) -> JSON:
    """Keyboard and reply of a new message."""
    reply = params.get("reply_parameters") or {}
    if not isinstance(reply, dict):
        raise bad("object expected as reply parameters")
    reply_to: Optional[int] = reply.get("message_id", params.get("reply_to_message_id"))
    if reply_to is not None and chat.find_json(reply_to) is None:
        if not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        reply_to = None
    return {"reply_markup": checked_markup(params), "reply_to": reply_to}


# -- The server ------------------------------------------------------------------------------------------------------

_CLOSED_BEFORE, _CLOSED_AFTER = _Fault(closed="before"), _Fault(closed="after")
_LARGEST_BODY = 20 * 1024 * 1024
_OUTAGE_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
_REGISTERED = "the secret that the bot gave to setWebhook"


class BotApi:
    """The stand-in: starts on entering, stops on leaving.

    Args:
        token: the only one that is let in.
        deliver_to: where webhook updates really go, as scheme and host, if the bot registers its public address.
    """

    def __init__(
        self, token: str = "123456:TEST", username: str = "hoimotcua_bot", deliver_to: Optional[str] = None
    ) -> None:
        self.token = token
        self.deliver_to = deliver_to
        self.me: JSON = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Hỏi Một Cửa",
            "username": username,
        }
        self.calls: list[Call] = []
        """Everything that the bot asked, in the order of the answers."""
        self.violations: list[Violation] = []
        """What was refused with 400 or 404, and should not have been asked."""
        self.deliveries: list[Delivery] = []
        self.chats: dict[Union[int, str], Chat] = {}
        self.queries: dict[str, _Query] = {}
        self.lock = threading.RLock()
        self.updates = _Updates(self.lock, self._call_soon)
        self._methods = _Methods(self)
        self._faults = _Faults(self.lock)
        self._unread: list[Message] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bot-api", daemon=True)
        self._port = 0
        self._began = time.monotonic()
        self._outages = 0

    def __enter__(self) -> BotApi:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        self._wait_in_loop(self._open())

    def stop(self) -> None:
        self._wait_in_loop(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    # -- People

    def user(
        self,
        id: Optional[int] = None,
        first_name: str = "Lan",
        language_code: str = "vi",
        username: Optional[str] = None,
    ) -> User:
        return User(self.new_number() if id is None else id, first_name, language_code, username)

    def private(self, user: Optional[User] = None) -> Chat:
        """The chat of one person with the bot; always the same one for the same person."""
        user = user or self.user()
        with self.lock:
            return self.chats.setdefault(user.id, Chat(self, user.id, None, [user]))

    def group(self, title: str, members: list[User]) -> Chat:
        with self.lock:
            group = Chat(self, -1_000_000_000_000 - self.new_number(), title, members)
            self.chats[group.id] = group
            return group

    # -- What the bot did

    @property
    def commands(self) -> list[JSON]:
        """The menu shown to everybody, as last set."""
        return self._methods.default_commands

    @property
    def unanswered(self) -> list[str]:
        """Taps that still show a spinner: ids of the callback queries without an answer."""
        with self.lock:
            return [number for number, query in self.queries.items() if query.answer is None]

    def answer_to(self, tap: JSON) -> Optional[JSON]:
        """How the bot answered a tap: the parameters of answerCallbackQuery; None: not yet."""
        return self.queries[tap["callback_query"]["id"]].answer

    def called(self, method: str, status: Optional[int] = None) -> list[Call]:
        """The calls of one method, by its name in Telegram's spelling."""
        return [call for call in tuple(self.calls) if call.method == method and status in (None, call.status)]

    def wait_for(self, wanted: Union[int, Callable[[BotApi], object]], timeout: float = 120) -> list[Message]:
        """The bot's messages, in all chats, that no earlier call of this returned.

        Args:
            wanted: how many there must be, or a condition on this server: `lambda api: not api.unanswered`.
        """
        ready = wanted if callable(wanted) else lambda api: len(api._unread) >= wanted
        deadline = time.monotonic() + timeout
        while True:
            with self.lock:
                if ready(self):
                    read, self._unread = self._unread, []
                    return [one.chat.now(one) for one in read]
            if time.monotonic() > deadline:
                what = "the condition" if callable(wanted) else f"{len(self._unread)} of {wanted} messages"
                raise AssertionError(f"{what} within {timeout} s\n{self.so_far()}")
            time.sleep(0.01)

    def wait_for_call(self, method: str, n: int = 1, timeout: float = 120) -> list[Call]:
        """All calls of a method since the start, as soon as there are n."""
        self._wait_quietly(lambda: len(self.called(method)) >= n, f"{n} calls of {method}", timeout)
        return self.called(method)

    def so_far(self, last: int = 40) -> str:
        """The latest calls and violations, for the message of a failed test."""
        calls = [call for call in tuple(self.calls) if call.method != "getUpdates" or call.status != 200]
        lines = [f"{len(self.calls)} calls so far" + (f", the last {last}:" if len(calls) > last else ":")]
        lines += [f"  +{one.time - self._began:.3f} {one.method} {one.status} {one.params}" for one in calls[-last:]]
        lines += [f"  violation: {one.method}: {one.description}" for one in self.violations[-last:]]
        return "\n".join([*lines, f"  {len(self.updates)} updates wait for the bot"])

    # -- Misbehaviour

    def fail(
        self,
        method: str,
        times: int = 1,
        status: int = 429,
        retry_after: int = 1,
        description: Optional[str] = None,
    ) -> None:
        """Refuse the next calls of a method ("*": any) and do nothing."""
        self._faults.order(method, times, _Fault(_refusal(status, retry_after, description)))

    def drop(self, method: str, times: int = 1, after: bool = False) -> None:
        """Close the connection without an answer, before the call is done or after: the bot cannot tell."""
        self._faults.order(method, times, _CLOSED_AFTER if after else _CLOSED_BEFORE)

    def slow(self, method: str, seconds: float, times: int = 1) -> None:
        """Take so long over the next calls; they are done at the end, even if the bot has gone away."""
        self._faults.order(method, times, _Fault(seconds=seconds))

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Telegram is down: 502 for every request, no update is delivered."""
        self._wait_in_loop(self._shift_outages(+1))
        try:
            yield
        finally:
            self._wait_in_loop(self._shift_outages(-1))

    def repeat_last_update(self) -> JSON:
        """Deliver the latest update once more, with the same update_id."""
        return self.updates.repeat()

    def shuffle_next(self, n: int) -> None:
        """Keep the next n updates back until all are there, then deliver them last first."""
        self.updates.hold(n)

    # -- Raw

    def post_webhook(
        self,
        update: Union[JSON, str, bytes],
        secret: Optional[str] = _REGISTERED,
        url: Optional[str] = None,
    ) -> int:
        """Send anything to the bot's webhook, as anybody on the net could.

        Args:
            secret: header to send instead of the one that the bot registered; None: no header.
        Returns:
            The HTTP status; 0 if there was no answer.
        """
        webhook = self.updates.webhook
        assert url or webhook, "the bot has set no webhook"
        if secret == _REGISTERED:
            secret = webhook.secret if webhook else None
        body = update if isinstance(update, bytes) else (update if isinstance(update, str) else json.dumps(update))
        raw = body if isinstance(body, bytes) else body.encode()
        return self._wait_in_loop(self.post(url or (webhook.url if webhook else ""), raw, secret or ""))

    # -- For the other classes here

    def new_number(self) -> int:
        return next(_SERIAL)

    def new_query(self, chat: Chat) -> str:
        number = str(4_000_000_000_000_000 + self.new_number())
        self.queries[number] = _Query(chat)
        return number

    def count_message(self, message: Message) -> None:
        self._unread.append(message)

    async def post(self, url: str, body: bytes, secret: str) -> int:
        headers = {"Content-Type": "application/json"}
        if secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        try:
            # The bot's certificate is none of our business: a proxy holds it.
            async with self._session.post(self._delivered(url), data=body, headers=headers, ssl=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return 0

    def _delivered(self, url: str) -> str:
        if self.deliver_to is None:
            return url
        parts = urlsplit(url)
        return self.deliver_to.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")

    # -- Event loop

    def _call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        self._loop.call_soon_threadsafe(callback, *args)

    def _wait_in_loop(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def _wait_quietly(self, ready: Callable[[], object], what: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not ready():
            if time.monotonic() > deadline:
                raise AssertionError(f"not {what} within {timeout} s\n{self.so_far()}")
            time.sleep(0.01)

    async def _open(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=30)
        )
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        await web.SockSite(self._runner, listening, backlog=1024).start()
        self._port = listening.getsockname()[1]

    async def _shut(self) -> None:
        self.updates.switch(None)
        self.updates.interrupt(Refused(502, "Bad Gateway"))
        await self._runner.cleanup()
        await self._session.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _shift_outages(self, by: int) -> None:
        self._outages += by
        if self._outages:
            self.up.clear()
            self.updates.interrupt(Refused(502, "Bad Gateway"))
        else:
            self.up.set()

    # -- One request

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        began = time.monotonic()
        name = request.match_info["method"]
        method, _ = self._methods.find(name) or (name, None)
        params = decoded(await _parameters(request))
        fault = _NO_FAULT if self._outages else self._faults.take(method)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        answer = None
        if fault.closed != "before":
            answer = await self._answer(request, method, params, fault)
        if answer is not None and not fault.closed and not _is_gone(request):
            self.calls.append(Call(method, params, began, answer.status, time.monotonic() - began))
            return answer
        self.calls.append(Call(method, params, began, 0, time.monotonic() - began))
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _answer(self, request: web.Request, method: str, params: JSON, fault: _Fault) -> web.Response:
        if self._outages:
            return web.Response(status=502, text=_OUTAGE_PAGE, content_type="text/html")
        try:
            if fault.refusal:
                raise fault.refusal
            self._admit(request.match_info["token"])
            return web.json_response({"ok": True, "result": await self._result(request, method, params)})
        except Refused as refused:
            if refused.status in (400, 404) and refused is not fault.refusal:
                self.violations.append(Violation(method, refused.description, params))
            return web.json_response(refused.to_json(), status=refused.status)
        except Exception:
            # A hole in this stand-in must not look like a bad moment of Telegram, which a bot rides out.
            self.violations.append(Violation(method, traceback.format_exc(), params))
            return web.json_response(Refused(500, "Internal Server Error").to_json(), status=500)

    def _admit(self, token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise Refused(404, "Not Found")
        if token != self.token:
            raise Refused(401, "Unauthorized")

    async def _result(self, request: web.Request, method: str, params: JSON) -> Any:
        if method.lower() == "getupdates":
            return await self._get_updates(request, params)
        found = self._methods.find(method)
        if found is None:
            raise Refused(404, "Not Found")
        with self.lock:
            return found[1](params)

    async def _get_updates(self, request: web.Request, params: JSON) -> list[JSON]:
        limit = checked_range(params, "limit", 1, 100, 100)
        seconds = checked_range(params, "timeout", 0, 2**31, 0)
        offset = checked_range(params, "offset", -(2**63), 2**63, 0)
        if self.updates.webhook is not None:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first",
            )
        other = "terminated by other getUpdates request; make sure that only one bot instance is running"
        self.updates.interrupt(Refused(409, f"Conflict: {other}"))
        self.updates.allowed = checked_kinds(params, self.updates.allowed)
        self.updates.confirm(offset)
        found = await self.updates.poll(limit, min(seconds, LONGEST_POLL))
        if not _is_gone(request):
            for waiting in found:
                waiting.owed = False
        return [waiting.update for waiting in found]


def _is_gone(request: web.Request) -> bool:
    """Whether the bot hung up while it was waited for."""
    return request.transport is None or request.transport.is_closing()


async def _parameters(request: web.Request) -> JSON:
    """From the address and from the body, whatever its kind; of a file, what it is called."""
    given: JSON = dict(request.query)
    if request.content_type == "application/json":
        body = await request.text()
        with suppress(ValueError):
            read = json.loads(body) if body else {}
            given.update(read if isinstance(read, dict) else {})
        return given
    form = await request.post()
    given.update({key: value if isinstance(value, str) else {"file": str(value)} for key, value in form.items()})
    return given
