"""Records of the national portal (dichvucong.gov.vn), as public crawls hold them, made into ours.

The crawl's known weaknesses are met here: what it flags or leaves out is left empty, a bare "Miễn phí"
is not taken for a fact (it is wrong for criminal records, plates, licences…), and an agency that it does
not name is derived from the level of government and marked as not certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Optional
from urllib.parse import quote

from bot.catalogue.records import (
    TWO_LEVEL_START,
    Authority,
    BaseCompetence,
    Level,
    OnlineLevel,
    Procedure,
    Record,
    TimeUnit,
    check_link,
)
from bot.text import clean, fold

PORTAL = "https://dichvucong.gov.vn"
SOURCE = "Cổng Dịch vụ công quốc gia"

_LEVELS = {"bo": Level.CENTRAL, "tinh": Level.CITY, "huyen": Level.DISTRICT, "xa": Level.COMMUNE}
_LOCAL = (Level.CITY, Level.COMMUNE)
_TIME = re.compile(r"(\d+(?:[.,]\d+)?)\s*(giờ|ngày làm việc|ngày|tháng)", re.IGNORECASE)
_TIME_UNITS = {
    "giờ": TimeUnit.HOUR,
    "ngày": TimeUnit.DAY,
    "ngày làm việc": TimeUnit.WORKING_DAY,
    "tháng": TimeUnit.MONTH,
}
_PLAIN_FEE = re.compile(
    r"(?:Phí|Lệ phí)?\s*:?\s*(\d{1,3}(?:,\d{3})+)\s*(?:VNĐ|Việt Nam Đồng|Đồng)\s*(?:\((.*)\))?", re.S
)
_LIMITED_FEE = re.compile(r"từ ngày|đến hết|giảm|bằng \d|\d+\s*%|trường hợp|;", re.IGNORECASE)
_LAW = re.compile(r"\d+/\d{4}/[A-ZĐ][\wĐĂÂÊÔƠƯ-]*|\d+/[A-ZĐ]{2}[\wĐ-]*", re.UNICODE)
_OLD_OFFICES = ("huyện", "Lao động-Thương binh", "Giao thông vận tải", "Phát triển Nông thôn", "Phòng Tư Pháp")

# Who usually decides, by ministry and level, where a record names no agency (never shown as certain).
_USUAL = {
    ("bo-tu-phap", Level.COMMUNE): "ubnd-xa",
    ("bo-nong-nghiep-mt", Level.COMMUNE): "ubnd-xa",
    ("bo-xay-dung", Level.COMMUNE): "ubnd-xa",
    ("bo-tai-chinh", Level.COMMUNE): "ubnd-xa",
    ("bo-cong-an", Level.COMMUNE): "ca-xa",
    ("bo-quoc-phong", Level.COMMUNE): "bchqs-xa",
    ("bo-tu-phap", Level.CITY): "so-tu-phap",
    ("bo-nong-nghiep-mt", Level.CITY): "so-nnmt",
    ("bo-xay-dung", Level.CITY): "so-xay-dung",
    ("bo-tai-chinh", Level.CITY): "so-tai-chinh",
    ("bo-cong-an", Level.CITY): "ca-tp",
    ("bo-quoc-phong", Level.CITY): "btl-thu-do",
    ("ngan-hang-nha-nuoc", Level.CITY): "nhnn-kv",
}
_USUAL_BY_FIELD = {"thuế": "thue-co-so", "bhxh": "bhxh-co-so", "bhyt": "bhxh-co-so", "hải quan": "hai-quan-kv"}


@dataclass(frozen=True)
class AgencyNames:
    """Finds the catalogue's authorities in the agency text of a record."""

    aliases: tuple[tuple[str, Authority], ...]
    """Folded alias → authority, longest first, so that a short name does not cut into a long one."""

    @classmethod
    def of(cls, authorities: Iterable[Authority]) -> AgencyNames:
        pairs = [(fold(alias), authority) for authority in authorities for alias in authority.aliases]
        return cls(tuple(sorted(pairs, key=lambda pair: -len(pair[0]))))

    def find(self, text: Optional[str]) -> list[Authority]:
        """The authorities that a text names, in the order it names them, each once."""
        rest = fold(clean(text or ""))
        found: dict[str, tuple[int, Authority]] = {}
        for alias, authority in self.aliases:
            position = rest.find(alias)
            if position >= 0:
                rest = rest.replace(alias, "_" * len(alias))
                known = found.get(authority.code)
                found[authority.code] = (min(position, known[0]) if known else position, authority)
        return [authority for _, authority in sorted(found.values(), key=lambda pair: pair[0])]


def is_record(row: Mapping[str, Any]) -> bool:
    """Whether a JSON object is a portal record (and not one of our own templates)."""
    return "code" in row and "name" in row and "source_repo" in row


def is_full(row: Mapping[str, Any]) -> bool:
    """Name-only records date from before the two-level reform and carry dead links: not loaded."""
    return row.get("detail") != "name_only"


def to_records(row: Mapping[str, Any], agencies: AgencyNames) -> list[Record]:
    """The procedure of one full portal record, and who decides it where a local level does.

    Raises:
        pydantic.ValidationError, ValueError: the record cannot be read; the message says why.
    """
    procedure = _procedure(row)
    base = _base_competence(row, procedure, agencies)
    return [procedure] if base is None else [procedure, base]


def _procedure(row: Mapping[str, Any]) -> Procedure:
    flags = row.get("quality_flags") or []
    time_value, time_max, time_unit = parse_time(row.get("time_limit") if "time_unit_missing" not in flags else None)
    return Procedure(
        code=row["code"],
        name=_title(row["name"]),
        field=clean(row.get("field") or "Chưa phân lĩnh vực"),
        levels=[_LEVELS.get(level, Level.OTHER) for level in row.get("level") or []],
        ministry=row.get("ministry"),
        audience=[clean(part) for part in re.split(r",(?![^(]*\))", row.get("audience") or "") if part.strip()],
        time_value=time_value,
        time_max=time_max,
        time_unit=time_unit,
        fee_vnd=parse_fee(row.get("fee")),
        online_url=_link(row.get("online_url")),
        online_level=OnlineLevel.UNKNOWN if row.get("online") else OnlineLevel.NONE,
        legal_basis=legal_numbers(row.get("legal_basis") or []),
        source=SOURCE,
        as_of=date.fromisoformat(str(row["snapshot"])[:10]),
    )


def _title(name: str) -> str:
    """The official name without the word "Thủ tục" that half of the ministries put before it."""
    title = re.sub(r"^(thủ tục)\s+", "", clean(name), flags=re.IGNORECASE).rstrip(" .;")
    return title[:1].upper() + title[1:]


def _link(url: Optional[str]) -> Optional[str]:
    try:
        return check_link(url)
    except ValueError:
        return None


def parse_time(text: Optional[str]) -> tuple[Optional[Decimal], Optional[Decimal], Optional[TimeUnit]]:
    """Shortest, longest (None if the same) and unit of "3 Ngày làm việc; 10 Ngày làm việc".

    All None where a number has no unit, or where the units differ.
    """
    parts = [part.strip() for part in (text or "").split(";") if part.strip()]
    found = [match for part in parts if (match := _TIME.fullmatch(part))]
    units = {_TIME_UNITS[match[2].lower()] for match in found}
    if not found or len(found) != len(parts) or len(units) != 1:
        return None, None, None
    values = sorted(Decimal(match[1].replace(",", ".")).normalize() for match in found)
    if values[0] == 0:
        return None, None, None
    longest = values[-1] if values[-1] != values[0] else None
    return _plain_number(values[0]), longest and _plain_number(longest), units.pop()


def _plain_number(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral() else value


def parse_fee(text: Optional[str]) -> Optional[int]:
    """The fee in đồng where the record states one plain amount; None otherwise (also for "Miễn phí")."""
    match = _PLAIN_FEE.fullmatch(clean(text or ""))
    if not match or (match[2] and _LIMITED_FEE.search(match[2])):
        return None
    return int(match[1].replace(",", ""))


def legal_numbers(numbers: Iterable[str]) -> list[str]:
    """Document numbers such as 154/2024/NĐ-CP, each once; what does not look like one is dropped."""
    return list(dict.fromkeys(number for raw in numbers if _LAW.fullmatch(number := clean(raw))))


def _base_competence(row: Mapping[str, Any], procedure: Procedure, agencies: AgencyNames) -> Optional[BaseCompetence]:
    level = next((level for level in (Level.COMMUNE, Level.CITY) if level in procedure.levels), None)
    deciders = agencies.find(row.get("competent_authority"))
    handlers = agencies.find(row.get("agency"))
    named = _local(deciders, level) or _local(handlers, level)
    authority = named.code if named else _usual(row, procedure, level)
    if authority is None:
        return None
    handler = _local(handlers, level)
    text = f"{row.get('agency')} {row.get('competent_authority')}"
    flags = row.get("quality_flags") or []
    certain = (
        named is not None
        and "agency_names_hanoi_but_national_catalogue" not in flags
        and not any(mark in text for mark in _OLD_OFFICES)
    )
    others = {found.code for found in [*deciders, *handlers]} - {authority, handler.code if handler else authority}
    return BaseCompetence(
        procedure=procedure.code,
        authority=authority,
        handler=handler.code if handler and handler.code != authority else None,
        also=sorted(others),
        certain=certain,
        valid_from=TWO_LEVEL_START,
        source=SOURCE,
        as_of=procedure.as_of,
    )


def _local(found: list[Authority], level: Optional[Level]) -> Optional[Authority]:
    """The authority nearest to the citizen: of the procedure's own lowest level, else any local one."""
    at_level = [authority for authority in found if authority.level is level]
    local = [authority for authority in found if authority.level in (*_LOCAL, Level.OTHER)]
    return next(iter(at_level or local or found), None)


def _usual(row: Mapping[str, Any], procedure: Procedure, level: Optional[Level]) -> Optional[str]:
    if level is None:
        return None
    words = procedure.field.lower()
    by_field = next((code for word, code in _USUAL_BY_FIELD.items() if word in words), None)
    return by_field or _USUAL.get((str(row.get("ministry")), level))


def search_link(keyword: str) -> str:
    """The portal's own search, for a procedure whose page is not known."""
    return f"{PORTAL}/dvc-ket-qua-thu-tuc?keyword={quote(keyword)}"
