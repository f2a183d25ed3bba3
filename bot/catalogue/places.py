"""Which of Hà Nội's wards and communes a citizen means: by a new name, an old one, or a location.

A name is read as the unit of the day that is asked about. A former ward that was split gives a choice,
never a guess (the share of people in each part is not known). Names are matched syllable by syllable:
a syllable written without diacritics fits any, one written with diacritics must be the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache, lru_cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Optional

from bot.catalogue.competence import Place
from bot.catalogue.records import Unit, UnitChange, UnitKind
from bot.text import fits, fold, normalise

_TOKEN = re.compile(r"[^\W_]+")
_WARDS = frozenset({UnitKind.WARD, UnitKind.COMMUNE, UnitKind.TOWNSHIP})
_DISTRICTS = frozenset({UnitKind.URBAN_DISTRICT, UnitKind.RURAL_DISTRICT, UnitKind.TOWN})
_PREFIXES: tuple[tuple[tuple[str, ...], frozenset[UnitKind]], ...] = (
    (("thi", "tran"), _WARDS),
    (("thi", "xa"), _DISTRICTS),
    (("phuong",), _WARDS),
    (("xa",), _WARDS),
    (("quan",), _DISTRICTS),
    (("huyen",), _DISTRICTS),
    (("px",), _WARDS),
    (("ph",), _WARDS),
    (("p",), _WARDS),
    (("f",), _WARDS),
    (("tt",), _WARDS),
    (("tx",), _DISTRICTS),
    (("q",), _DISTRICTS),
    (("h",), _DISTRICTS),
)
_LOCATIVE = frozenset(
    [
        "o",
        "tai",
        "ve",
        "den",
        "sang",
        "ra",
        "len",
        "qua",
        "tren",
        "duoi",
        "khu",
        "vung",
        "nha",
        "gan",
        "dia",
        "ban",
        "thuoc",
        "vuc",
        "con",
    ]
)
_ORIGIN = frozenset(["tu", "que", "goc", "nguoi"])
_DISTRICT_SHORT = {
    "hbt": "hai ba trung",
    "hk": "hoan kiem",
    "bd": "ba dinh",
    "dd": "dong da",
    "cg": "cau giay",
    "tx": "thanh xuan",
    "hm": "hoang mai",
    "lb": "long bien",
    "hd": "ha dong",
    "th": "tay ho",
    "ntl": "nam tu liem",
    "btl": "bac tu liem",
}
_CLEAR_SHORT = frozenset({"hbt", "ntl", "btl"})
_FILLER = frozenset(
    [
        "o",
        "tai",
        "con",
        "thi",
        "sao",
        "the",
        "nao",
        "a",
        "ạ",
        "nhe",
        "em",
        "minh",
        "toi",
        "nha",
        "thuoc",
        "khu",
        "vuc",
        "phuong",
        "xa",
        "quan",
        "huyen",
        "cu",
        "moi",
        "ha",
        "noi",
        "hn",
        "tp",
        "thanh",
        "pho",
        "day",
    ]
)


class Found(str, Enum):
    """What a text says about the place."""

    NOTHING = "nothing"
    UNIT = "unit"
    CHOICE = "choice"
    """A name that several units carry, or a former unit that was split."""
    ELSEWHERE = "elsewhere"
    """Another province."""


@dataclass(frozen=True)
class Mention:
    """A place in a text."""

    found: Found
    units: tuple[str, ...] = ()
    """Codes, best first: one for UNIT, several for CHOICE."""
    name: str = ""
    """As the catalogue (or the list of provinces) writes what was named."""
    start: int = 0
    end: int = 0
    is_district: bool = False


NOWHERE = Mention(Found.NOTHING)


@dataclass(frozen=True)
class _Word:
    text: str
    folded: str
    start: int
    end: int
    capital: bool


@dataclass(frozen=True)
class _Hit:
    """A name of the index at some words of a text."""

    first: int
    last: int
    units: tuple[Unit, ...]
    marked: bool
    """A word such as "phường" stands before it."""


class Places:
    """All units, looked up by name, successor or position."""

    def __init__(self, units: Iterable[Unit], changes: Iterable[UnitChange]) -> None:
        self.units = {unit.code: unit for unit in units}
        self._successors: dict[str, list[str]] = {}
        for change in changes:
            self._successors.setdefault(change.old, []).append(change.new)
        for unit in self.units.values():
            if unit.parent and unit.code in self._successors:
                inside = self._successors.setdefault(unit.parent, [])
                inside.extend(code for code in self._successors[unit.code] if code not in inside)
        self._names: dict[tuple[str, ...], list[Unit]] = {}
        for unit in self.units.values():
            self._names.setdefault(_syllables(unit.bare_name), []).append(unit)
        self._longest = max(map(len, self._names), default=0)

    def successors(self, code: str) -> tuple[str, ...]:
        """Today's units that a former unit went into; the unit itself where it is of today."""
        return tuple(self._successors.get(code, ())) or (code,)

    def place(self, code: Optional[str]) -> Place:
        """The unit with the units that it lies in, as `competence.resolve` wants it."""
        parents: list[str] = []
        unit = self.units.get(code or "")
        while unit is not None and unit.parent:
            parents.append(unit.parent)
            unit = self.units.get(unit.parent)
        return Place(code, tuple(parents))

    def on_day(self, code: str, day: date) -> tuple[str, ...]:
        """The units of a day that a unit stands for: itself, or its successors."""
        unit = self.units.get(code)
        if unit is None:
            return ()
        return (code,) if unit.holds_on(day) else self.successors(code)

    def nearest(self, lat: float, lon: float, day: date) -> Optional[Unit]:
        """The unit whose centre is nearest; None outside 60 km of any (another province)."""
        here = [unit for unit in self.units.values() if unit.lat is not None and unit.holds_on(day)]
        best = min(here, key=lambda unit: _km(lat, lon, unit), default=None)
        return best if best is not None and _km(lat, lon, best) <= 60 else None

    def find(self, text: str, day: date) -> Mention:
        """The place that a text names, as it is to be read on a day."""
        words = _split(text)
        hits = list(self._hits(words))
        wards = [hit for hit in hits if hit.units[0].kind in _WARDS]
        districts = [hit for hit in hits if hit.units[0].kind in _DISTRICTS]
        if wards:
            ward = max(wards, key=lambda hit: (hit.marked, hit.last - hit.first, -hit.first))
            return self._read_ward(ward, districts, words, day)
        if districts:
            return self._read_district(districts[0], words, day)
        return _elsewhere(words)

    def _hits(self, words: Sequence[_Word]) -> Iterator[_Hit]:
        position = 0
        while position < len(words):
            hit = self._hit_at(words, position)
            if hit is None:
                position += 1
            else:
                yield hit
                position = hit.last + 1

    def _hit_at(self, words: Sequence[_Word], position: int) -> Optional[_Hit]:
        kinds, start = _prefix(words, position)
        for length in range(min(self._longest, len(words) - start), 0, -1):
            span = words[start : start + length]
            units = self._named(span, kinds)
            if not units:
                continue
            hit = _Hit(start, start + length - 1, units, kinds is not None)
            if hit.marked or (_stands_for_place(words, hit) and not _is_province(span)):
                return hit
        return None

    def _named(self, span: Sequence[_Word], kinds: Optional[frozenset[UnitKind]]) -> tuple[Unit, ...]:
        key = tuple(word.folded for word in span)
        short = _DISTRICT_SHORT.get(key[0]) if len(key) == 1 else None
        if short and (kinds is _DISTRICTS or key[0] in _CLEAR_SHORT):
            found = [unit for unit in self._names.get(tuple(short.split()), ()) if unit.kind in _DISTRICTS]
            return tuple(found)
        named = [unit for unit in self._names.get(key, ()) if _fits(span, unit.bare_name)]
        chosen = [unit for unit in named if kinds is None or unit.kind in kinds]
        if not chosen:
            return ()
        # Districts and wards are told apart by the word before the name; without one, a name that
        # was a district's is read as the district.
        districts = [unit for unit in chosen if unit.kind in _DISTRICTS]
        return tuple(districts if districts and kinds is None else chosen)

    def _read_ward(self, hit: _Hit, districts: Sequence[_Hit], words: Sequence[_Word], day: date) -> Mention:
        in_district = [
            unit
            for unit in hit.units
            if unit.parent in {district.code for found in districts for district in found.units}
        ]
        former = [unit for unit in hit.units if not unit.holds_on(day)]
        current = [unit for unit in hit.units if unit.holds_on(day)]
        said_former = _follows(words, hit.last, ("cu", "truoc", "ngay"))
        chosen = in_district or (former if said_former and former else current) or former
        last = max([hit.last, *(found.last for found in districts if found.first > hit.last)])
        return self._mention(chosen, words, hit.first, last, day)

    def _read_district(self, hit: _Hit, words: Sequence[_Word], day: date) -> Mention:
        mention = self._mention(hit.units, words, hit.first, hit.last, day)
        same_name = {unit.code for unit in self._names[_syllables(hit.units[0].bare_name)]}
        ordered = sorted(mention.units, key=lambda code: code not in same_name)
        return Mention(mention.found, tuple(ordered), mention.name, mention.start, mention.end, True)

    def _mention(self, chosen: Sequence[Unit], words: Sequence[_Word], first: int, last: int, day: date) -> Mention:
        codes = tuple(dict.fromkeys(code for unit in chosen for code in self.on_day(unit.code, day)))
        found = Found.UNIT if len(codes) == 1 else Found.CHOICE
        name = chosen[0].name if len({unit.name for unit in chosen}) == 1 else chosen[0].bare_name
        return Mention(found, codes, str(name), words[first].start, words[last].end)


def _split(text: str) -> list[_Word]:
    words = []
    for match in _TOKEN.finditer(text):
        written = normalise(match[0])
        words.append(_Word(written.lower(), fold(written), match.start(), match.end(), written[:1].isupper()))
    return words


def _syllables(name: str) -> tuple[str, ...]:
    return tuple(fold(part) for part in _TOKEN.findall(name))


@cache
def _written(name: str) -> tuple[str, ...]:
    return tuple(normalise(part).lower() for part in _TOKEN.findall(name))


def _fits(span: Sequence[_Word], name: str) -> bool:
    return all(fits(word.text, right) for word, right in zip(span, _written(name)))


def _prefix(words: Sequence[_Word], position: int) -> tuple[Optional[frozenset[UnitKind]], int]:
    """The kinds that the words at a position announce, and where the name begins."""
    for prefix, kinds in _PREFIXES:
        end = position + len(prefix)
        if end < len(words) and tuple(word.folded for word in words[position:end]) == prefix:
            return kinds, end
    return None, position


def _stands_for_place(words: Sequence[_Word], hit: _Hit) -> bool:
    """Whether a bare name is meant as a place: said after "ở", written as a name, or all there is."""
    before = words[hit.first - 1].folded if hit.first else ""
    span = words[hit.first : hit.last + 1]
    several = len(span) > 1
    if before in _LOCATIVE and (several or span[0].capital):
        return True
    accented = any(word.text != word.folded for word in span)
    if several and accented and all(word.capital for word in span) and before not in _ORIGIN:
        return True
    if several and all(word.text != word.folded or word.text == fold(word.text) for word in span):
        rest = [word for i, word in enumerate(words) if not hit.first <= i <= hit.last]
        return all(word.folded in _FILLER for word in rest)
    return len(span) == 1 and span[0].folded in _CLEAR_SHORT


def _follows(words: Sequence[_Word], last: int, wanted: Iterable[str]) -> bool:
    return any(word.folded in set(wanted) for word in words[last + 1 : last + 6] if word.text not in ("cứ",))


def _elsewhere(words: Sequence[_Word]) -> Mention:
    for name, syllables in _provinces():
        size = len(syllables)
        for i in range(len(words) - size + 1):
            span = words[i : i + size]
            if tuple(word.folded for word in span) != syllables or not _fits(span, name):
                continue
            before = [word.folded for word in words[max(0, i - 2) : i]]
            if before and (before[-1] in {"o", "tai", "tinh"} or before == ["thanh", "pho"]) and "tu" not in before:
                return Mention(Found.ELSEWHERE, (), name, span[0].start, span[-1].end)
    return NOWHERE


def _is_province(span: Sequence[_Word]) -> bool:
    key = tuple(word.folded for word in span)
    return any(key == syllables and _fits(span, name) for name, syllables in _provinces())


@lru_cache(maxsize=1)
def _provinces() -> tuple[tuple[str, tuple[str, ...]], ...]:
    lines = (Path(__file__).parent / "data" / "provinces.txt").read_text(encoding="utf-8").splitlines()
    return tuple((line, _syllables(line)) for line in lines if line and not line.startswith("#"))


def _km(lat: float, lon: float, unit: Unit) -> float:
    """Great-circle distance to the unit's centre (haversine)."""
    assert unit.lat is not None and unit.lon is not None
    p, q = radians(lat), radians(unit.lat)
    a = sin((q - p) / 2) ** 2 + cos(p) * cos(q) * sin(radians(unit.lon - lon) / 2) ** 2
    return 2 * 6371 * asin(sqrt(a))
