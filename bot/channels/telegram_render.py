"""A reply of the bot as Telegram messages: escaped HTML, split where one would pause, buttons and links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels.replies import Reply
from bot.channels.telegram_texts import HUMAN, MAP

LONGEST_TEXT = 4000
"""UTF-16 units of a message; Telegram's limit is 4,096, after entities."""
LONGEST_PAYLOAD = 64
"""Bytes of a button's payload, by Telegram."""
LONGEST_TITLE = 60
"""Characters of a button."""
SHORT_TITLE = 18
"""Characters of a button of which a phone shows two side by side."""
MOST_LINKS = 6
CHOSEN = "✓ "
SOURCE = "Nguồn: "
HELPLESS = frozenset({"no_record", "out_of_scope"})
"""Answers that do not help: a human is offered."""
CONTACT = {"phone": "Điện thoại", "hours": "Giờ làm việc"}
_PAUSES = ("\n\n", "\n", ". ", "; ", ", ", " ")
_LINK = re.compile(r"""https?://[^\s<>()"'“”]*[^\s<>()"'“”.,;:!?]""")
_LABEL = re.compile(r"(?P<point>• |\d+\. )(?P<name>[^:\n]{1,45}):(?= )")


def render(reply: Reply, shorten: Callable[[str], str]) -> list[tuple[str, InlineKeyboardMarkup | None]]:
    """HTML and keyboard of each message; the keyboard hangs on the last one.

    Args:
        shorten: makes a payload fit on a button.
    """
    parts = list(split(_with_contact(reply)))
    html = [
        _html(part, heading=number == 0 and bool(reply.payload.get("procedure"))) for number, part in enumerate(parts)
    ]
    keyboard = _keyboard(reply, shorten)
    return [(text, keyboard if number == len(html) - 1 else None) for number, text in enumerate(html)]


def split(text: str, longest: int = LONGEST_TEXT) -> Iterator[str]:
    """The text in pieces of at most so many UTF-16 units, broken at the widest pause that there is."""
    rest = text.strip()
    while _units(rest) > longest:
        end = _pause(_cut(rest, longest))
        yield rest[:end].strip()
        rest = rest[end:].strip()
    if rest:
        yield rest


def _pause(head: str) -> int:
    """Where to break after this much text."""
    for pause in _PAUSES:
        at = head.rfind(pause)
        if at > len(head) // 2:
            return at + len(pause)
    return len(head)


def marked(keyboard: InlineKeyboardMarkup, data: str) -> InlineKeyboardMarkup:
    """The keyboard with the chosen button marked; all of them stay usable."""
    return InlineKeyboardMarkup([[_mark(button, data) for button in row] for row in keyboard.inline_keyboard])


def _mark(button: InlineKeyboardButton, data: str) -> InlineKeyboardButton:
    if not isinstance(button.callback_data, str):
        return button
    plain = button.text.removeprefix(CHOSEN)
    title = CHOSEN + plain if button.callback_data == data else plain
    return InlineKeyboardButton(title, callback_data=button.callback_data)


def _html(text: str, heading: bool) -> str:
    """Telegram's HTML of a piece of text: nothing but what is made here is markup."""
    lines = text.split("\n")
    if heading:
        return "\n".join([f"<b>{_escaped(lines[0])}</b>", *map(_line, lines[1:])])
    return "\n".join(map(_line, lines))


def _line(line: str) -> str:
    label = _LABEL.match(line)
    if label:
        return f"{label['point']}<b>{_escaped(label['name'])}:</b>{_linked(line[label.end() :])}"
    return f"<i>{_linked(line)}</i>" if line.startswith(SOURCE) else _linked(line)


def _linked(text: str) -> str:
    """Addresses as links that show the site only: the rest of them nobody reads."""
    html, at = "", 0
    for found in _LINK.finditer(text):
        site = _site(found[0])
        if site:
            html += f'{_escaped(text[at : found.start()])}<a href="{escape(found[0])}">{_escaped(site)}</a>'
            at = found.end()
    return html + _escaped(text[at:])


def _site(url: str) -> str:
    """Empty if it is no address."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def _keyboard(reply: Reply, shorten: Callable[[str], str]) -> InlineKeyboardMarkup | None:
    numbered = reply.payload.get("kind") == "choices"
    buttons = [
        InlineKeyboardButton(_title(f"{number}. {title}" if numbered else title), callback_data=shorten(data))
        for number, (title, data) in enumerate(reply.buttons, 1)
    ]
    rows = _rows(buttons)
    rows += [[InlineKeyboardButton(_title(title), url=url)] for title, url in _links(reply.payload)]
    if reply.payload.get("kind") in HELPLESS:
        rows.append([InlineKeyboardButton(HUMAN, callback_data="/handoff")])
    return InlineKeyboardMarkup(rows) if rows else None


def _rows(buttons: Sequence[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    """Short ones two by two, if all of them are short."""
    wide = 2 if all(len(button.text) <= SHORT_TITLE for button in buttons) else 1
    return [list(buttons[at : at + wide]) for at in range(0, len(buttons), wide)]


def _links(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Title and address of each, once."""
    office = payload.get("office") or {}
    found = [*(payload.get("links") or []), {"title": MAP, "url": office.get("map_url")}]
    known = set()
    for link in found[:MOST_LINKS]:
        url = str(link.get("url") or "")
        if _LINK.fullmatch(url) and _site(url) and url not in known:
            known.add(url)
            yield str(link.get("title") or _site(url)), url


def _title(text: str) -> str:
    """What fits on a button, cut between words."""
    text = " ".join(text.split())
    if len(text) <= LONGEST_TITLE:
        return text
    head = text[: LONGEST_TITLE - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:(–") + "…"


def _with_contact(reply: Reply) -> str:
    """The text with the office's telephone and hours, where it does not say them."""
    office = reply.payload.get("office") or {}
    lines = [f"• {name}: {office[key]}" for key, name in CONTACT.items() if office.get(key)]
    missing = [line for line in lines if line.partition(": ")[2] not in reply.text]
    if not missing:
        return reply.text
    *before, last = reply.text.split("\n")
    return "\n".join([*before, *missing, last] if last.startswith(SOURCE) else [*before, last, *missing])


def _units(text: str) -> int:
    """UTF-16 code units, which is what Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="ignore")
