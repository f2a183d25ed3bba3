"""The decision register (sổ văn bản): which document a citizen names, and what is known of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Optional

from bot.catalogue.records import Decision, Delegation
from bot.text import fold

# What people write before a number → how the last part of such a document's number begins.
_KINDS = {
    "quyet dinh": "qd",
    "qd": "qd",
    "nghi dinh": "nd",
    "nd": "nd",
    "nghi quyet": "nq",
    "nq": "nq",
    "luat": "qh",
    "cong van": "ubnd-",
    "cv": "ubnd-",
    "thong tu": "tt",
    "van ban": "",
    "chi thi": "ct",
    "thong bao": "tb",
}
_WORDS = {"QĐ": "Quyết định", "NĐ": "Nghị định", "NQ": "Nghị quyết", "QH": "Luật", "UBND-": "Công văn"}
_ALIKE = 0.86
"""How like a kind a misspelt one must be (difflib's ratio): "nghị địn", "ngị định"."""
_PARTS = r"qd|nd|nq|tt|ubnd|hdnd|cp|ttg|qh\d\d"
_NUMBER = re.compile(
    r"(?<![\d/.,-])(?P<number>\d{1,5})"
    r"(?:\s*[/-]\s*(?P<year>20\d\d|[12]\d(?!\d))|\s*,?\s+(?:nam\s+)?(?P<said_year>20\d\d))?"
    rf"(?:\s*/\s*(?P<tail>[a-z]{{2,}}[a-z0-9]*(?:\s*-\s*[a-z0-9]+|\s+(?:{_PARTS})\b)*)"
    rf"|\s*[- ]\s*(?P<loose>(?:{_PARTS})\b(?:[\s-]+(?:{_PARTS})\b)*))?(?![\d/])"
)


@dataclass(frozen=True)
class Named:
    """A document as it is named in a text."""

    written: str
    """As the citizen wrote it."""
    numbers: tuple[str, ...]
    """The documents of the register that it can be; empty: none that we know."""
    start: int
    end: int


def find(text: str, decisions: Mapping[str, Decision]) -> Optional[Named]:
    """The document that a text names by its number; a number alone is none."""
    folded = fold(text)
    if len(folded) != len(text):
        return None
    for match in _NUMBER.finditer(folded):
        kind, start = _kind_before(folded[: match.start()])
        tail = re.sub(r"[\s-]", "", match["tail"] or match["loose"] or "")
        if kind is None and not (match["tail"] or (match["loose"] and match["year"])):
            continue
        if kind == "" and not (tail or match["year"]):  # "văn bản 3" may be the third of a list
            continue
        start = match.start() if kind is None else start
        numbers = tuple(number for number, row in decisions.items() if _fits(row, kind or "", match, tail))
        return Named(text[start : match.end()].strip(), numbers, start, match.end())
    return None


def _kind_before(before: str) -> tuple[Optional[str], int]:
    """How the number's last part begins by the word before it, and where that word begins; None: no such word."""
    stripped = re.sub(r"(?:\bso)?\s*:?\s*$", "", before)
    words = [(match[0], match.start()) for match in re.finditer(r"[a-z]+", stripped)][-2:]
    if not words or stripped.rstrip() != stripped[: words[-1][1] + len(words[-1][0])]:
        return None, 0
    last, start = words[-1]
    if last in _KINDS:
        return _KINDS[last], start
    if len(words) < 2:
        return None, 0
    both = f"{words[0][0]} {last}"
    alike = get_close_matches(both, [kind for kind in _KINDS if " " in kind], n=1, cutoff=_ALIKE)
    return (_KINDS[alike[0]], words[0][1]) if alike else (None, 0)


def _fits(decision: Decision, kind: str, match: re.Match[str], tail: str) -> bool:
    first, *middle = fold(decision.number).split("/")
    if first != match["number"] or not middle:
        return False
    years = [part for part in middle[:-1] if part.isdigit()]
    if match["year"] and not any(year.endswith(match["year"]) for year in years):
        return False
    # "quyết định 4610 năm 2023" may tell when it held: only a number that has a year can have another one.
    if match["said_year"] and years and match["said_year"] not in years:
        return False
    last = middle[-1]
    if tail:
        return last.replace("-", "").startswith(tail)
    return last.startswith(kind)


def full_name(decision: Decision) -> str:
    """ "Quyết định 4610/QĐ-UBND"; the number alone where it does not say what it is."""
    return named(str(decision.number))


def named(number: str) -> str:
    """A document's number with the word for what it is."""
    tail = number.split("/")[-1]
    word = next((word for mark, word in _WORDS.items() if tail.startswith(mark)), "")
    return f"{word} {number}".strip()


def replaces(decision: Decision, decisions: Iterable[Decision]) -> list[Decision]:
    """The documents that a document replaced."""
    return [other for other in decisions if other.replaced_by == decision.number]


def last_day(decision: Decision, decisions: Mapping[str, Decision]) -> Optional[date]:
    """The last day on which a document holds: its own, or the one before its successor's first.

    Where nothing is known of the successor but that there is one, the document ends when that was known.
    """
    ends = [decision.valid_to] if decision.valid_to else []
    if decision.replaced_by:
        heir = decisions.get(decision.replaced_by)
        start = (heir.valid_from or heir.issued_on) if heir else None
        if start or not ends:
            ends.append((start or decision.as_of) - timedelta(days=1))
    return min(ends, default=None)


def closed(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """Documents by number, each ending on its `last_day`."""
    known = {row.number: row for row in decisions}
    return {number: row.copy(update={"valid_to": last_day(row, known)}) for number, row in known.items()}


def is_in_force(decision: Decision, day: date) -> Optional[bool]:
    """None: neither a first nor a last day is known."""
    if decision.valid_from is None and decision.valid_to is None:
        return None
    return decision.holds_on(day)


def resting_on(decision: Decision, delegations: Iterable[Delegation]) -> list[Delegation]:
    return [row for row in delegations if row.decision == decision.number]
