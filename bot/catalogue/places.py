"""Which of Hà Nội's wards and communes a citizen means: by a new name, an old one, or a location.

A name is read as the unit of the day that is asked about. A former ward that was split gives a choice,
never a guess (the share of people in each part is not known). Names are matched syllable by syllable:
a syllable written without diacritics fits any, one written with diacritics must be the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from enum import Enum
from functools import cache, lru_cache
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Optional

from bot.catalogue.competence import Place
from bot.catalogue.records import Unit, UnitChange, UnitKind
from bot.text import CLAUSE_END, fits, fold, normalise

_TOKEN = re.compile(r"[^\W_]+")
_WARDS = frozenset({UnitKind.WARD, UnitKind.COMMUNE, UnitKind.TOWNSHIP})
_DISTRICTS = frozenset({UnitKind.URBAN_DISTRICT, UnitKind.RURAL_DISTRICT, UnitKind.TOWN})
_WARD, _COMMUNE, _TOWNSHIP = (frozenset({k}) for k in (UnitKind.WARD, UnitKind.COMMUNE, UnitKind.TOWNSHIP))
_PREFIXES: tuple[tuple[tuple[str, ...], frozenset[UnitKind]], ...] = (
    (("thị", "trấn"), _TOWNSHIP),
    (("thị", "xã"), _DISTRICTS),
    (("phường",), _WARD),
    (("xã",), _COMMUNE),
    (("quận",), _DISTRICTS),
    (("huyện",), _DISTRICTS),
    (("px",), _WARDS),
    (("phg",), _WARD),
    (("ph",), _WARD),
    (("p",), _WARD),
    (("f",), _WARD),
    (("tt",), _TOWNSHIP),
    (("tx",), _DISTRICTS),
    (("q",), _DISTRICTS),
    (("h",), _DISTRICTS),
)
_NUMBERED_OR_JOINED = re.compile(r" (\d+|- .+)$")
"""What people leave out of "Mỹ Đình 1" and "Văn Miếu - Quốc Tử Giám"."""
_A_QUESTION = 4
"""Words after a break from which on they are a clause of their own, and no end of an address."""
_MYSELF = frozenset(["toi", "em", "minh", "chau", "mk", "mik", "e", "m", "to"])
_KIN = frozenset(
    ["bo", "me", "ba", "ma", "con", "chau", "chong", "vo", "anh", "chi", "ong", "co", "chu", "ban", "trai", "gai"]
)
_ALIKE = 0.88
"""How like a unit's name a misspelt one must be (difflib's ratio): one letter in nine."""
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
        "gan",
        "dia",
        "ban",
        "thuoc",
        "vuc",
        "con",
    ]
)
_UNIT_WORDS = frozenset("tp tx tt xa phuong huyen quan thanh thi p q h".split())
"""Words that begin the name of a unit in an address."""
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
    "gl": "gia lam",
    "da": "dong anh",
    "ss": "soc son",
    "ml": "me linh",
    "cm": "chuong my",
    "st": "son tay",
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
    named: tuple[str, ...] = ()
    """Codes of the units that carry the name, of whatever time."""
    aside: bool = False
    """For ELSEWHERE: it tells where somebody else is, in another clause than the question's ("con tôi đang đi nghĩa
    vụ ở Lạng Sơn. …")."""


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
        for unit in self.units.values():
            short = _NUMBERED_OR_JOINED.sub("", unit.bare_name)
            named = self._names.setdefault(_syllables(short), [])
            # "Mỹ Đình" is none of "Mỹ Đình 1" and "Mỹ Đình 2", and may be either; "Văn Miếu" is no other ward.
            if all(_NUMBERED_OR_JOINED.search(other.bare_name) for other in named if other is not unit):
                named += [] if unit in named else [unit]
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
        """The units of a day that a unit stands for: itself, its successors, or the former ones that it took over."""
        unit = self.units.get(code)
        if unit is None:
            return ()
        if unit.holds_on(day):
            return (code,)
        return self.predecessors(code) if unit.valid_from and day < unit.valid_from else self.successors(code)

    def predecessors(self, code: str) -> tuple[str, ...]:
        """The former wards that a unit of today took over, whole or in part; the unit itself if none are known."""
        wards = (old for old, new in self._successors.items() if code in new and self.units[old].kind in _WARDS)
        return tuple(wards) or (code,)

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
        other = NOWHERE if _names_hanoi(words) else _elsewhere(text, words)
        if not hits or _goes_on(words, hits[-1], other):
            return other
        if wards:
            ward = max(wards, key=lambda hit: (hit.marked, hit.last - hit.first, -hit.first))
            return self._read_ward(ward, districts, words, day)
        return self._read_district(districts[0], words, day)

    def _hits(self, words: Sequence[_Word]) -> Iterator[_Hit]:
        position = 0
        while position < len(words):
            for hit in self._hits_at(words, position):
                yield hit
                position = hit.last
            position += 1

    def _hits_at(self, words: Sequence[_Word], position: int) -> list[_Hit]:
        """The unit that is named at a position, and the district that is named right after it."""
        kinds, start = _prefix(words, position)
        lengths = range(min(self._longest, len(words) - start), 0, -1)
        spans = [words[start : start + length] for length in lengths]
        for span in spans:
            units = self._named(span, kinds)
            if not units:
                continue
            hit = _Hit(start, start + len(span) - 1, units, kinds is not None)
            district = self._district_after(words, hit)
            if district is not None:
                return [hit, district]
            if hit.marked or (_stands_for_place(words, hit) and not _is_province(span)):
                return [hit]
        misspelt = next(filter(None, (self._misspelt(span, kinds) for span in spans)), None) if kinds else None
        return [_Hit(start, start + misspelt[0] - 1, misspelt[1], True)] if misspelt else []

    def _district_after(self, words: Sequence[_Word], ward: _Hit) -> Optional[_Hit]:
        """The district right after a ward that lies in it: each makes the other certain."""
        _, start = _prefix(words, ward.last + 1)
        parents = {unit.parent for unit in ward.units}
        for length in range(min(self._longest, len(words) - start), 0, -1):
            span = words[start : start + length]
            units = tuple(unit for unit in self._named(span, _DISTRICTS) if unit.code in parents)
            if units:
                return _Hit(start, start + length - 1, units, True)
        return None

    def _named(self, span: Sequence[_Word], kinds: Optional[frozenset[UnitKind]]) -> tuple[Unit, ...]:
        key = tuple(word.folded for word in span)
        short = _DISTRICT_SHORT.get(key[0]) if len(key) == 1 else None
        if short and (kinds is _DISTRICTS or key[0] in _CLEAR_SHORT):
            found = [unit for unit in self._names.get(tuple(short.split()), ()) if unit.kind in _DISTRICTS]
            return tuple(found)
        named = [unit for unit in self._names.get(key, ()) if _fits(span, unit.bare_name)]
        return _of_kind(named, kinds)

    def _misspelt(self, span: Sequence[_Word], kinds: frozenset[UnitKind]) -> Optional[tuple[int, tuple[Unit, ...]]]:
        """After "phường" or "xã", a name with a wrong tone mark; after "phường", with a wrong letter.

        Gives the number of words and the units. Never for one syllable, nor (letters) for "xã": too much else
        follows that word ("xã hội").
        """
        key = tuple(word.folded for word in span)
        if len(key) < 2 or kinds & _DISTRICTS:
            return None
        units = _of_kind(self._names.get(key, ()), kinds)
        if not units and kinds is _WARD:
            known = {" ".join(name): name for name in self._names if len(name) == len(key)}
            alike = get_close_matches(" ".join(key), known, n=1, cutoff=_ALIKE)
            units = _of_kind(self._names[known[alike[0]]], kinds) if alike else ()
        return (len(key), units) if units else None

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
        return replace(mention, units=tuple(ordered), is_district=True)

    def _mention(self, chosen: Sequence[Unit], words: Sequence[_Word], first: int, last: int, day: date) -> Mention:
        codes = tuple(dict.fromkeys(code for unit in chosen for code in self.on_day(unit.code, day)))
        found = Found.UNIT if len(codes) == 1 else Found.CHOICE
        name = chosen[0].name if len({unit.name for unit in chosen}) == 1 else chosen[0].bare_name
        named = tuple(unit.code for unit in chosen)
        return Mention(found, codes, str(name), words[first].start, words[last].end, named=named)


def _of_kind(named: Sequence[Unit], kinds: Optional[frozenset[UnitKind]]) -> tuple[Unit, ...]:
    """Districts and wards are told apart by the word before the name; without one, a name that was a district's
    is read as the district. People who say "xã" of what is a ward by now are understood all the same."""
    if kinds is None:
        districts = [unit for unit in named if unit.kind in _DISTRICTS]
        return tuple(districts or named)
    exact = [unit for unit in named if unit.kind in kinds]
    return tuple(exact or [unit for unit in named if not kinds & _DISTRICTS and unit.kind in _WARDS])


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
        if end < len(words) and all(fits(word.text, right) for word, right in zip(words[position:end], prefix)):
            return kinds, end
    return None, position


def _stands_for_place(words: Sequence[_Word], hit: _Hit) -> bool:
    """Whether a bare name is meant as a place: said after "ở", written as a name, or all there is."""
    before = words[hit.first - 1].folded if hit.first else ""
    span = words[hit.first : hit.last + 1]
    several = len(span) > 1
    if _is_person(words, hit.first):
        return False
    if before in _LOCATIVE and (several or span[0].capital):
        return True
    accented = any(word.text != word.folded for word in span)
    if several and accented and all(word.capital for word in span) and before not in _ORIGIN:
        return True
    if several and all(word.text != word.folded or word.text == fold(word.text) for word in span):
        rest = [word for i, word in enumerate(words) if not hit.first <= i <= hit.last]
        return all(word.folded in _FILLER for word in rest)
    return len(span) == 1 and span[0].folded in _CLEAR_SHORT


def _is_person(words: Sequence[_Word], first: int) -> bool:
    """Whether a name goes on one that began before it ("Nguyễn Bạch Mai"), or follows "tên", "tên là"."""
    before = [word for word in words[max(0, first - 3) : first] if word.folded != "la"]
    if any(word.folded == "ten" for word in before):
        return True
    return first > 1 and words[first - 1].capital and words[first - 1].folded not in _LOCATIVE | _FILLER


def _goes_on(words: Sequence[_Word], last: _Hit, other: Mention) -> bool:
    """Whether another province ends the address that a ward's name began ("phường Trần Phú, TP Hà Giang")."""
    between = [word for word in words[last.last + 1 :] if word.end <= other.start]
    near = len(between) <= 2 or (len(between) <= 5 and between[0].folded in _UNIT_WORDS)
    return other.found is Found.ELSEWHERE and other.start > words[last.last].end and near


def _follows(words: Sequence[_Word], last: int, wanted: Iterable[str]) -> bool:
    return any(word.folded in set(wanted) for word in words[last + 1 : last + 6] if word.text not in ("cứ",))


def _names_hanoi(words: Sequence[_Word]) -> bool:
    """Whether Hà Nội is named too: who moves here from another province asks about here."""
    folded = [word.folded for word in words]
    return "hn" in folded or any(pair == ("ha", "noi") for pair in pairwise(folded))


def _elsewhere(text: str, words: Sequence[_Word]) -> Mention:
    for name, written, clear in _provinces():
        size = len(_syllables(written))
        for i in range(len(words) - size + 1):
            span = words[i : i + size]
            if not _is_written(span, written):
                continue
            if clear or _is_meant(words, i, size):
                start, end = span[0].start, span[-1].end
                return Mention(Found.ELSEWHERE, (), name, start, end, aside=_is_aside(text[end:], words[:i]))
    return NOWHERE


def _is_aside(after: str, before: Sequence[_Word]) -> bool:
    """See `Mention.aside`; what is said after the province's name, and before it."""
    end = CLAUSE_END.search(after)
    if end is None or len(after[end.end() :].split()) < _A_QUESTION:
        return False
    who = [word.folded for word in before if word.folded not in {"o", "tai", "dang"}]
    speaks_of_itself = bool(who) and who[-1] in _MYSELF and not _KIN & set(who[-3:-1])
    return not speaks_of_itself


def _is_meant(words: Sequence[_Word], first: int, size: int) -> bool:
    """Whether a province's name says where somebody is, not where they come from or what it is made of."""
    before = [word.folded for word in words[max(0, first - 2) : first]]
    if "tu" in before:
        return False
    if before and (before[-1] in {"o", "tai", "tinh", "tp", "duoi"} or before == ["thanh", "pho"]):
        return True
    if _ends_address(words, first):
        return True
    return all(word.folded in _FILLER for word in [*words[:first], *words[first + size :]])


def _ends_address(words: Sequence[_Word], first: int) -> bool:
    """Whether a name follows that of a smaller unit ("ở Từ Sơn Bắc Ninh", "TP Vinh, Nghệ An", "Biên Hòa Đồng Nai")."""
    for back in range(2, 5):
        if first < back:
            return False
        start, between = words[first - back], words[first - back + 1 : first]
        if any(word.folded in _ORIGIN - {"tu"} | {"o", "tai", "ve"} for word in between):
            return False
        if (start.folded in {"o", "tai"} and back > 2) or start.folded in _UNIT_WORDS:
            return all(word.folded not in _FILLER for word in between)
    return False


def _is_written(span: Sequence[_Word], name: str) -> bool:
    return tuple(word.folded for word in span) == _syllables(name) and _fits(span, name)


def _is_province(span: Sequence[_Word]) -> bool:
    return any(_is_written(span, written) for _, written, _ in _provinces())


@lru_cache(maxsize=1)
def _provinces() -> tuple[tuple[str, str, bool], ...]:
    """Name, a way of writing it, and whether that way can mean nothing else."""
    lines = (Path(__file__).parent / "data" / "provinces.txt").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        name, _, others = line.partition(":")
        if name and not name.startswith("#"):
            found.append((name, name, False))
            found += [(name, other.strip(), True) for other in others.split(",") if other.strip()]
    return tuple(found)


def _km(lat: float, lon: float, unit: Unit) -> float:
    """Great-circle distance to the unit's centre (haversine)."""
    assert unit.lat is not None and unit.lon is not None
    p, q = radians(lat), radians(unit.lat)
    a = sin((q - p) / 2) ** 2 + cos(p) * cos(q) * sin(radians(unit.lon - lon) / 2) ** 2
    return 2 * 6371 * asin(sqrt(a))
