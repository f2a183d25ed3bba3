"""What one row of each catalogue table says. The same models check a CSV/XLSX row and feed the bot.

Dates are inclusive on both ends; an empty `valid_to` means "until further notice". Everything that a
citizen may be shown carries `source` and `as_of`. What is not known is empty, never guessed.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar, Optional
from urllib.parse import urlsplit

from pydantic import BaseModel, Extra, root_validator, validator

TWO_LEVEL_START = date(2025, 7, 1)
"""First day without districts (Resolution 1656/NQ-UBTVQH15, Law 72/2025/QH15)."""

LIST_SEPARATOR = ";"
DEAD_LINKS = ("ma_thu_tuc=", "dichvucong.hanoi.gov.vn", "/p/home/")

_CODE = re.compile(r"\d\.\d{6}(\.[0-9A-Za-z.]+)?")


class Level(str, Enum):
    """Level of government (cấp)."""

    CENTRAL = "trung_uong"
    CITY = "thanh_pho"
    DISTRICT = "huyen"
    COMMUNE = "xa"
    OTHER = "khac"


class TimeUnit(str, Enum):
    HOUR = "gio"
    DAY = "ngay"
    WORKING_DAY = "ngay_lam_viec"
    MONTH = "thang"


class OnlineLevel(str, Enum):
    """How far a procedure can be done online (mức độ dịch vụ công trực tuyến)."""

    FULL = "toan_trinh"
    PARTIAL = "mot_phan"
    INFORMATION = "thong_tin"
    UNKNOWN = "co_kenh"
    """The portal lists an online channel, without saying how far it goes."""
    NONE = "khong"


class DelegationKind(str, Enum):
    """phân quyền: by law; phân cấp: the body below decides in its own name; ủy quyền: for a set time."""

    BY_LAW = "phan_quyen"
    DEVOLVED = "phan_cap"
    MANDATED = "uy_quyen"


class Stage(str, Enum):
    PROPOSED = "du_kien"
    DECIDED = "da_quyet_dinh"
    ENDED = "da_ket_thuc"


class Scope(str, Enum):
    ALL = "tat_ca"
    ONLY = "chi"
    EXCEPT = "tru"


class UnitKind(str, Enum):
    WARD = "phuong"
    COMMUNE = "xa"
    TOWNSHIP = "thi_tran"
    URBAN_DISTRICT = "quan"
    RURAL_DISTRICT = "huyen"
    TOWN = "thi_xa"


class Record(BaseModel):
    """A row. Empty cells are None; cells of a list are split at ';'."""

    key: ClassVar[tuple[str, ...]] = ("code",)
    table: ClassVar[str]

    class Config:
        extra = Extra.forbid
        frozen = True
        anystr_strip_whitespace = True
        min_anystr_length = 1

    @root_validator(pre=True)
    def _blank_is_none(cls, values: dict[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in values.items():
            field = cls.__fields__.get(name)
            if isinstance(value, str):
                value = value.strip()
                if field is not None and field.outer_type_ != field.type_:
                    value = [part.strip() for part in value.split(LIST_SEPARATOR) if part.strip()]
            if value is None or value == "":
                if field is not None and not field.required:
                    continue
                value = None
            out[name] = value
        return out

    def identity(self) -> tuple[Any, ...]:
        """The natural key: two rows with the same one speak of the same thing."""
        return tuple(getattr(self, name) for name in self.key)

    @classmethod
    def columns(cls) -> list[str]:
        """The columns of a CSV file or sheet: what it is first, from when to when it holds after."""
        return sorted(cls.__fields__, key=lambda name: name in ("valid_from", "valid_to", "source", "as_of"))

    def cells(self) -> dict[str, str]:
        """The row as text cells, in the order of the columns; reading them gives the row again."""
        return {name: _cell(getattr(self, name)) for name in self.columns()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, (list, tuple)):
        return f"{LIST_SEPARATOR} ".join(_cell(item) for item in value)
    return str(value)


class Dated(Record):
    """A row that holds from one date to another."""

    valid_from: Optional[date] = None
    valid_to: Optional[date] = None

    @validator("valid_to")
    def _in_order(cls, value: Optional[date], values: dict[str, Any]) -> Optional[date]:
        start = values.get("valid_from")
        if value and start and value < start:
            raise ValueError(f"ngày hết hạn {value} trước ngày bắt đầu {start}")
        return value

    def holds_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


def check_link(url: Optional[str]) -> Optional[str]:
    """An http(s) address that is not known to be dead.

    Raises:
        ValueError: it is neither.
    """
    if url is None:
        return None
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
        raise ValueError(f"không phải địa chỉ http(s): {url}")
    if any(mark in url for mark in DEAD_LINKS):
        raise ValueError(f"đường dẫn kiểu cũ, không còn hoạt động: {url}")
    return url


def check_code(code: str) -> str:
    """A procedure's code (mã TTHC) such as 1.004222.

    Raises:
        ValueError: it is not of that form.
    """
    if not _CODE.fullmatch(code):
        raise ValueError(f"mã thủ tục phải có dạng 1.004222, không phải {code}")
    return code


class Procedure(Dated):
    """An administrative procedure (thủ tục hành chính), as the national portal publishes it."""

    table = "procedure"
    code: str
    name: str
    field: str
    levels: list[Level]
    ministry: Optional[str] = None
    audience: list[str] = []
    time_value: Optional[Decimal] = None
    """With `time_unit`; the shortest where the portal names several."""
    time_max: Optional[Decimal] = None
    """The longest, where the portal names several."""
    time_unit: Optional[TimeUnit] = None
    fee_vnd: Optional[int] = None
    """Only where the portal states one plain amount; otherwise the procedure's page says it."""
    online_url: Optional[str] = None
    online_level: OnlineLevel = OnlineLevel.NONE
    legal_basis: list[str] = []
    status: str = "hieu_luc"
    source: str
    as_of: date

    _code = validator("code", allow_reuse=True)(check_code)
    _link = validator("online_url", allow_reuse=True)(check_link)

    @validator("levels")
    def _some_level(cls, value: list[Level]) -> list[Level]:
        if not value:
            raise ValueError("chưa ghi cấp thực hiện")
        return value

    @validator("time_unit", always=True)
    def _time_is_whole(cls, value: Optional[TimeUnit], values: dict[str, Any]) -> Optional[TimeUnit]:
        if (value is None) != (values.get("time_value") is None):
            raise ValueError("thời hạn phải có đủ số và đơn vị")
        return value


class Guide(Record):
    """Our own short words about a much-asked procedure: what it is, what to bring, what it costs."""

    table = "guide"
    code: str
    summary: str
    documents: list[str]
    fee: Optional[str] = None
    """A sourced fee in words; empty: see the procedure's page."""
    source: str
    as_of: date

    _code = validator("code", allow_reuse=True)(check_code)


class Authority(Record):
    """Who can decide (cơ quan có thẩm quyền): a people's committee, its chairman, a department, police…"""

    table = "authority"
    code: str
    name: str
    level: Level
    kind: str
    local_name: Optional[str] = None
    """The name in one place, with {unit} (e.g. "Công an {unit}"); empty where there is one for all."""
    aliases: list[str] = []
    """How the portal's records name it."""


class BaseCompetence(Dated):
    """Who decides before any delegation (thẩm quyền gốc)."""

    table = "base_competence"
    key = ("procedure", "valid_from")
    procedure: str
    authority: str
    """Who decides."""
    handler: Optional[str] = None
    """Who does the work and takes the papers (cơ quan thực hiện), where that is another body."""
    also: list[str] = []
    """Others that the record names, for other cases of the same procedure."""
    certain: bool = True
    """False: derived from the level that the record names, not from a named agency."""
    source: str
    as_of: date

    _code = validator("procedure", allow_reuse=True)(check_code)


class Unit(Dated):
    """An administrative unit (đơn vị hành chính): 126 wards and communes today, 30 districts before."""

    table = "unit"
    code: str
    name: str
    kind: UnitKind
    parent: Optional[str] = None
    lat: Optional[float] = None
    lon: Optional[float] = None
    source: str
    as_of: date

    @property
    def bare_name(self) -> str:
        """The name without its kind: "Phường Bạch Mai" → "Bạch Mai"."""
        for prefix in ("Phường ", "Xã ", "Thị trấn ", "Quận ", "Huyện ", "Thị xã "):
            if str(self.name).startswith(prefix):
                return str(self.name)[len(prefix) :]
        return str(self.name)


class UnitChange(Record):
    """What became of a former unit on 2025-07-01: one row per successor."""

    table = "unit_change"
    key = ("old", "new")
    old: str
    new: str
    on: date
    share: Optional[Decimal] = None
    """Part of the former unit, 0–1; 1 where it went over whole; empty where a split is not measured."""
    source: str
    as_of: date


class Decision(Dated):
    """A document that delegates or regulates (quyết định, nghị quyết, nghị định, luật)."""

    table = "decision"
    key = ("number",)
    number: str
    issued_on: Optional[date] = None
    issuer: str
    title: str
    url: Optional[str] = None
    replaced_by: Optional[str] = None
    note: Optional[str] = None
    source: str
    as_of: date

    _link = validator("url", allow_reuse=True)(check_link)

    @validator("replaced_by")
    def _by_another(cls, value: Optional[str], values: dict[str, Any]) -> Optional[str]:
        if value is not None and value == values.get("number"):
            raise ValueError("văn bản không thể tự thay mình")
        return value


class InternalProcess(Record):
    """The internal process (quy trình nội bộ) that a delegated procedure runs by."""

    table = "internal_process"
    code: str
    title: str
    decision: Optional[str] = None
    url: Optional[str] = None
    source: str
    as_of: date

    _link = validator("url", allow_reuse=True)(check_link)


class Delegation(Dated):
    """One authority hands a procedure to another, by a decision, somewhere, for some time."""

    table = "delegation"
    key = ("procedure", "decision", "from_authority", "to_authority", "valid_from")
    procedure: str
    decision: str
    kind: DelegationKind
    from_authority: str
    to_authority: str
    scope: Scope = Scope.ALL
    units: list[str] = []
    stage: Stage
    internal_process: Optional[str] = None
    source: str
    as_of: date

    _code = validator("procedure", allow_reuse=True)(check_code)

    @validator("units", always=True)
    def _scope_has_units(cls, value: list[str], values: dict[str, Any]) -> list[str]:
        scope = values.get("scope")
        if scope is not None and (scope is Scope.ALL) == bool(value):
            raise ValueError("phạm vi 'chi'/'tru' phải kèm danh sách đơn vị, 'tat_ca' thì không")
        return value

    @validator("to_authority")
    def _two_bodies(cls, value: str, values: dict[str, Any]) -> str:
        if value == values.get("from_authority"):
            raise ValueError("bên giao và bên nhận là một")
        return value

    def covers(self, unit: Optional[str], parents: tuple[str, ...] = ()) -> bool:
        """Whether the delegation holds in a unit (or in a unit that it lies in)."""
        if self.scope is Scope.ALL:
            return True
        listed = unit in self.units or any(parent in self.units for parent in parents)
        return listed if self.scope is Scope.ONLY else not listed


class ServicePoint(Dated):
    """Where papers are handed in (điểm tiếp nhận): a one-stop desk, a city branch, a police desk."""

    table = "service_point"
    code: str
    name: str
    kind: str
    address: Optional[str] = None
    phones: list[str] = []
    hours: Optional[str] = None
    lat: Optional[float] = None
    lon: Optional[float] = None
    units: list[str] = []
    """Units served; empty: all."""
    source: str
    as_of: date


RECORDS: tuple[type[Record], ...] = (
    Authority,
    Unit,
    UnitChange,
    Decision,
    InternalProcess,
    Procedure,
    Guide,
    BaseCompetence,
    Delegation,
    ServicePoint,
)
"""Every table, in the order in which rows can be loaded (what is pointed at comes first)."""
