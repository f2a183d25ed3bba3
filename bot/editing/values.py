"""What people type, as it is written: tidied, nothing left out."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, datetime
from typing import Union

from bot.phrasebook import slug
from bot.text import clean

LONGEST_KEY = 60
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
_BULLET = re.compile(r"^[-•*]\s+")


def rows(text: str) -> list[str]:
    """One phrasing a line; the dash or bullet that lists are pasted with is no part of it."""
    return [line for line in (clean(_BULLET.sub("", clean(row))) for row in text.splitlines()) if line]


def paragraphs(text: str) -> str:
    """Text of several lines, without blanks at their ends."""
    return "\n".join(clean(row) for row in text.strip().splitlines())


def a_date(text: str) -> Union[date, str, None]:
    """A date as typed in Vietnam (23/11/2026) or by a date field; what is none stays as it is."""
    text = text.strip()
    for form in _DATES:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return text or None


def new_key(question: str, taken: Collection[str]) -> str:
    """The id of a new FAQ entry, made from its question."""
    base = slug(question)[:LONGEST_KEY].strip("-") or "cau-hoi"
    key, number = base, 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key
