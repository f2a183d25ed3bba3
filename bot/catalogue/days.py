"""The day that a question is about ("năm 2024 thì nộp ở đâu", "trước 1/7/2025 ai giải quyết").

Most dates in a message are not that day: "sinh năm 1990", "sổ cấp ngày 3/5/2001". A date counts only where it
opens or closes a clause, or leads to a question, and no word before it ties it to an event. A period stands for
its last day, or for today if it is not over. No library serves: dateparser reads any date, but cannot tell an
"as of" from a birthday, and that is the whole difficulty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Optional

from bot.catalogue.records import TWO_LEVEL_START
from bot.text import clean, fold, normalise

FIRST_YEAR = 2015
"""Older years are about people's lives, not about who was competent: the records begin with the law of 2015."""

ONE_DAY = timedelta(days=1)
_YEARS_AWAY = {"nay": 0, "ngoai": -1, "truoc": -1, "kia": -2, "sau": 1, "toi": 1}
_AWAY = "|".join(_YEARS_AWAY)
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}

# What stands before a period and says which day of it, or on which side of it, is meant.
_HOW = r"(?:(?P<how>truoc|sau|ke tu|tu|tinh den|den het|cho den|den|het|(?<!o )dau|giua|cuoi)\s+)?"
_YEAR = (
    r"(?:nam\s*)?(?:(?P<year>20\d\d)(?!\d)|(?:(?<=nam )|(?<=nam)|(?<=/))(?P<short>[12]\d)(?![\d/]))"
    rf"|nam (?P<away>{_AWAY})"
)
_HOUR = r"(?:(?:luc\s+)?\d{1,2}\s*(?:h|gio|:)\s*(?:\d{1,2})?\s*(?:phut)?,?\s*(?:ngay\s*)?)?"
_TO_MONTH, _TO_YEAR = r"\s*(?:[/.-]|thang)\s*", r"\s*(?:[/.-]|,?\s*nam|\s)\s*"
_NEAR_YEAR = rf"(?:(?P<year>20\d\d)(?!\d)|(?P<short>[12]\d)(?![\d/.-])|nam (?P<away>{_AWAY})|(?P<word>{_AWAY})\b)"
_PATTERNS = {
    "iso": rf"{_HOW}{_HOUR}(?P<year>20\d\d)[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?!\d)(?:[t ]\d\d?:\d\d)?",
    "quarter": rf"{_HOW}quy\s*(?P<quarter>[1-4]|i{{1,3}}|iv){_TO_YEAR}{_NEAR_YEAR}",
    "day": rf"{_HOW}{_HOUR}(?:ngay\s*)?(?P<day>\d{{1,2}}){_TO_MONTH}(?P<month>\d{{1,2}}){_TO_YEAR}{_NEAR_YEAR}",
    "month": (
        rf"{_HOW}(?:(?:thang\s*|t)(?P<month>\d{{1,2}}){_TO_YEAR}{_NEAR_YEAR}"
        r"|(?P<m>\d{1,2})/(?P<y>20\d\d)(?!\d))"
    ),
    "years": r"(?P<ago>\d{1,2}) nam (?P<side>truoc|sau|nua|toi)|cach (?:day|nay) (?P<back>\d{1,2}) nam",
    "year": rf"(?<!may ){_HOW}(?:{_YEAR})(?![\d/.-]*\d)",
    "next_year": r"sang nam(?! \d)",
    "near": r"(?P<what>thang|tuan) (?P<side>truoc|nay|sau|toi)|hom (?:qua|kia)|ngay (?:mai|kia)",
    "now": r"(?:bay gio|hien nay|hien tai|bay h|hom nay)",
    "districts": (
        r"truoc (?:khi )?(?:sap nhap|sat nhap|bo (?:cap )?(?:huyen|quan))"
        r"|(?:hoi|khi|luc|thoi)(?: van)? con (?:cap )?(?:quan|huyen)"
        r"|(?:truoc day|truoc kia|ngay truoc|hoi truoc|hoi xua|ngay xua)"
    ),
}
_MENTIONS = {name: re.compile(rf"(?<![\w/.-])(?:{pattern})(?![\w/])") for name, pattern in _PATTERNS.items()}

# Words that tie a date to an event in somebody's life, where one of them stands just before it.
_TIED = frozenset(
    "sinh de cuoi hon cap mua ban mat xay lam ky nhap tai nghiep ve dang dung mau so han tri thue truc "
    "luat quyet dinh nghi qd nd cua tu doi nhan hoc".split()
)
_OFFICES = frozenset({("khai", "sinh"), ("ket", "hon"), ("khai", "tu"), ("thuong", "tru"), ("tam", "tru")})
"""Names of procedures that end in what would tie a date to an event."""
_OPENERS = frozenset(
    "hoi vao trong con the vay neu thi khi luc o tinh den diem thoi truoc a nhung va cho hoac ngay ma".split()
)
_OPEN_ENDED = frozenset({"tu", "ke tu", "sau"})
_PEOPLE = frozenset("toi em minh con chau anh chi vo chong bo me nha ong ba gia".split())
_THEN_NOW = frozenset("gio nay hien bay".split())
_ASKS_NEXT = re.compile(
    r"(?:thi )?(?:phai )?"
    r"(?:nop|o|do|tai|den|ra|len|lam|xin|ai|noi|cho|co quan|don vi|cap|ben|can|gui|dang ky|giai quyet)\b"
)
_QUESTION = re.compile(r"\b(?:dau|nao|ai|gi|sao)\b")
_ASKED = frozenset("dau nao ai gi khong ko k sao".split())
_CLAUSE = ",.;?!\n"


@dataclass(frozen=True)
class DayMention:
    """A day, and where the text says so."""

    day: date
    start: int
    end: int


@dataclass(frozen=True)
class _Said:
    """A time as it is said."""

    day: date
    start: int
    end: int
    how: str = ""


def find_day(text: str, today: date) -> Optional[DayMention]:
    """The day that a text asks about; None: it says nothing of it."""
    composed = normalise(text) if len(normalise(text)) == len(text) else text
    folded = fold(composed)
    if len(folded) != len(text):
        return None
    for said in _mentions(folded, today, composed):
        if said.day.year >= FIRST_YEAR and _asks_about(folded, said):
            return DayMention(said.day, said.start, said.end)
    return None


def parse_day(text: str, today: date) -> date:
    """The day that a text consists of, as people write days: 2024-03-01, 1/3/2024, "tháng 3/2024", "năm ngoái".

    Raises:
        ValueError: it is none, in Vietnamese.
    """
    folded = re.sub(r"^(?:vao |hoi |luc |trong |ngay (?=20))+", "", fold(clean(text)).strip(" .?"))
    if re.fullmatch(r"20\d{6}", folded):
        folded = f"{folded[:4]}-{folded[4:6]}-{folded[6:]}"
    with suppress(ValueError):
        return date.fromisoformat(folded)
    for said in _mentions(folded, today):
        if said.start == 0 and said.end == len(folded):
            return said.day
    raise ValueError(f"“{text}” không phải một ngày; hãy viết như 2024-03-01, 1/3/2024, tháng 3/2024 hoặc năm 2024")


def _mentions(folded: str, today: date, written: str = "") -> Iterator[_Said]:
    """Every time that is said, the exact ones before the vague ones; `written` is the text with its diacritics."""
    taken: list[tuple[int, int]] = []
    for name, pattern in _MENTIONS.items():
        for match in pattern.finditer(folded):
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            taken.append(match.span())
            parts = {key: value for key, value in match.groupdict().items() if value is not None}
            start = match.start()
            if "how" in parts and not _is_meant(written[slice(*match.span("how"))].lower(), parts["how"]):
                start = match.end("how") + 1
                del parts["how"]
            day = _day_of(name, parts, match[0], today)
            if day is not None:
                yield _Said(day, start, match.end(), parts.get("how", ""))


def _is_meant(written: str, how: str) -> bool:
    """Whether "dau" and "cuoi" are "đầu" and "cuối", and not "đâu", "cưới"."""
    return written in ("", how) or written == {"dau": "đầu", "cuoi": "cuối"}.get(how, written)


def _day_of(name: str, parts: dict[str, str], said: str, today: date) -> Optional[date]:
    if name == "now":
        return today
    if name == "districts":
        return TWO_LEVEL_START - ONE_DAY
    if name == "near":
        return _near(parts, said, today)
    if name == "next_year":
        return date(today.year + 1, 1, 1)
    if name == "years":
        back = parts.get("back") or parts.get("ago") or "0"
        ahead = parts.get("side") in ("sau", "nua", "toi")
        return _same_day(today, today.year + (int(back) if ahead else -int(back)))
    year = _year(parts, today)
    if year is None:
        return None
    period = _period(year, parts)
    return _within(*period, parts.get("how", ""), today) if period else None


def _year(parts: dict[str, str], today: date) -> Optional[int]:
    if "year" in parts or "y" in parts:
        return int(parts.get("year") or parts["y"])
    if "short" in parts:
        return 2000 + int(parts["short"])
    word = parts.get("away") or parts.get("word")
    return today.year + _YEARS_AWAY[word] if word else None


def _period(year: int, parts: dict[str, str]) -> Optional[tuple[date, date]]:
    """First day, and the day after the last; None: there is no such day."""
    quarter, month = parts.get("quarter"), parts.get("month") or parts.get("m")
    try:
        if "day" in parts:
            day = date(year, int(parts["month"]), int(parts["day"]))
            return day, day + ONE_DAY
        if quarter:
            first = date(year, 3 * (_QUARTERS.get(quarter) or int(quarter)) - 2, 1)
            return first, _next_month(_next_month(_next_month(first)))
        if month:
            return date(year, int(month), 1), _next_month(date(year, int(month), 1))
        return date(year, 1, 1), date(year + 1, 1, 1)
    except ValueError:
        return None


def _within(first: date, after: date, how: str, today: date) -> date:
    """The day that a period stands for."""
    last = after - ONE_DAY
    if how == "truoc":
        return first - ONE_DAY
    if how in _OPEN_ENDED:
        return max(after if how == "sau" else first, today)
    if how == "dau":
        return first
    if how == "giua":
        return first + (last - first) / 2
    if how or first == last:
        return last
    return first if first > today else min(last, today)


def _near(parts: dict[str, str], said: str, today: date) -> date:
    side, month = parts.get("side"), today.replace(day=1)
    if side == "nay":
        return today
    if parts.get("what") == "thang":
        return month - ONE_DAY if side == "truoc" else _next_month(month)
    if parts.get("what") == "tuan":
        return today - 7 * ONE_DAY if side == "truoc" else today + 7 * ONE_DAY
    away = {"hom qua": -1, "hom kia": -2, "ngay mai": 1, "ngay kia": 2}
    return today + away[said] * ONE_DAY


def _asks_about(folded: str, said: _Said) -> bool:
    before = re.split(f"[{re.escape(_CLAUSE)}]", folded[: said.start])[-1].split()
    after = re.split(f"[{re.escape(_CLAUSE)}]", folded[said.end :])[0].strip()
    if _is_event(before, after):
        return False
    if not set(before) - _OPENERS or (before[-1] == "hoi" and _QUESTION.search(after)):
        return True
    if said.how in ("tu", "ke tu"):  # "cho thuê nhà từ năm 2022 nộp thuế ở đâu"
        return not after and before[-1] in _ASKED
    if not after:
        return before[-1] in _OPENERS | _ASKED
    return after.split()[0] == "thi" or bool(_ASKS_NEXT.match(after) and _QUESTION.search(after))


def _is_event(before: list[str], after: str) -> bool:
    """Whether the words around a date tie it to something that happened to somebody."""
    then = after.split()
    if then[:1] and then[0] in _THEN_NOW:
        return True
    if then[:1] and then[0] in _PEOPLE and (not _QUESTION.search(after) or set(then) & (_THEN_NOW | {"thi"})):
        return True
    near = [word for word in before if word not in _OPENERS][-2:]
    if tuple(near) in _OFFICES:
        return not (_ASKS_NEXT.match(after) and _QUESTION.search(after))
    return bool(set(near) & _TIED)


def _same_day(day: date, year: int) -> Optional[date]:
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return day.replace(year=year, day=28)


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
