"""The catalogue in words that a clerk reads: what its tables, columns and codes are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Optional

from bot.catalogue.competence import Phase, Verdict
from bot.catalogue.database import Change
from bot.catalogue.history import is_ending
from bot.catalogue.records import (
    DelegationKind,
    Level,
    OnlineLevel,
    Record,
    Scope,
    Stage,
    TimeUnit,
    UnitKind,
)
from bot.catalogue.references import POINTERS
from bot.catalogue.report.render import KIND_WORDS, LEVEL_WORDS, PHASE_WORDS
from bot.catalogue.store import Catalogue

TABLES: Mapping[str, str] = {
    "procedure": "Thủ tục",
    "guide": "Hướng dẫn ngắn",
    "base_competence": "Thẩm quyền gốc",
    "delegation": "Phân cấp, ủy quyền",
    "decision": "Văn bản",
    "internal_process": "Quy trình nội bộ",
    "authority": "Cơ quan",
    "unit": "Phường, xã, quận, huyện",
    "unit_change": "Sáp nhập đơn vị",
    "service_point": "Điểm tiếp nhận",
}
COLUMNS: Mapping[str, str] = {
    "code": "Mã",
    "name": "Tên",
    "field": "Lĩnh vực",
    "levels": "Cấp thực hiện",
    "ministry": "Bộ quản lý",
    "audience": "Đối tượng",
    "time_value": "Thời hạn (số)",
    "time_max": "Thời hạn dài nhất (số)",
    "time_unit": "Thời hạn (đơn vị)",
    "fee_vnd": "Lệ phí (đồng)",
    "online_url": "Trang trên Cổng dịch vụ công",
    "online_level": "Mức độ trực tuyến",
    "legal_basis": "Căn cứ pháp lý",
    "status": "Tình trạng",
    "summary": "Nói ngắn gọn",
    "documents": "Giấy tờ cần có",
    "fee": "Lệ phí, bằng lời",
    "level": "Cấp",
    "kind": "Loại",
    "local_name": "Tên ở một nơi ({unit} là tên nơi đó)",
    "aliases": "Tên khác",
    "procedure": "Mã thủ tục",
    "authority": "Ai quyết định",
    "handler": "Ai làm và nhận hồ sơ, nếu là nơi khác",
    "also": "Cơ quan khác mà bản ghi nêu",
    "certain": "Chắc chắn",
    "parent": "Thuộc",
    "lat": "Vĩ độ",
    "lon": "Kinh độ",
    "old": "Đơn vị cũ",
    "new": "Đơn vị mới",
    "on": "Từ ngày",
    "share": "Phần chuyển sang (0–1)",
    "number": "Số văn bản",
    "issued_on": "Ngày ban hành",
    "issuer": "Cơ quan ban hành",
    "title": "Trích yếu, tên",
    "url": "Đường dẫn",
    "replaced_by": "Đã thay bằng văn bản số",
    "note": "Ghi chú",
    "decision": "Văn bản",
    "from_authority": "Bên giao",
    "to_authority": "Bên nhận",
    "scope": "Phạm vi",
    "units": "Phường, xã",
    "stage": "Giai đoạn",
    "internal_process": "Quy trình nội bộ",
    "address": "Địa chỉ",
    "phones": "Điện thoại",
    "hours": "Giờ làm việc",
    "valid_from": "Từ ngày",
    "valid_to": "Đến hết ngày",
    "source": "Nguồn",
    "as_of": "Thông tin tính đến ngày",
}
_OWN: Mapping[tuple[str, str], str] = {
    ("delegation", "kind"): "Hình thức",
    ("delegation", "units"): "Các phường, xã của phạm vi",
    ("service_point", "units"): "Phục vụ các phường, xã (bỏ trống: mọi nơi)",
    ("decision", "valid_from"): "Có hiệu lực từ ngày",
    ("decision", "valid_to"): "Hết hiệu lực sau ngày",
}
HINTS: Mapping[str, str] = {
    "source": "Lấy từ đâu: địa chỉ trang web, số văn bản. Đổi nội dung thì ghi nguồn mới.",
    "as_of": "Ngày bạn đã kiểm tra thông tin này.",
    "valid_to": "Ngày cuối cùng còn dùng; bỏ trống nếu chưa định.",
    "valid_from": "Bỏ trống nếu không rõ.",
    "documents": "Mỗi giấy tờ một dòng.",
    "legal_basis": "Mỗi số văn bản một dòng.",
    "aliases": "Mỗi tên một dòng.",
    "phones": "Mỗi số một dòng.",
    "audience": "Mỗi đối tượng một dòng.",
    "also": "Mỗi mã cơ quan một dòng.",
    "certain": "Bỏ chọn nếu mới suy từ cấp thực hiện, chưa thấy văn bản nêu tên cơ quan.",
    "fee_vnd": "Chỉ ghi khi là một số tiền rõ ràng; bỏ trống nếu có điều kiện.",
}
_VALUES: Mapping[type[Enum], Mapping[Any, str]] = {
    Level: LEVEL_WORDS,
    DelegationKind: KIND_WORDS,
    TimeUnit: {
        TimeUnit.HOUR: "giờ",
        TimeUnit.DAY: "ngày",
        TimeUnit.WORKING_DAY: "ngày làm việc",
        TimeUnit.MONTH: "tháng",
    },
    OnlineLevel: {
        OnlineLevel.FULL: "Toàn trình",
        OnlineLevel.PARTIAL: "Một phần",
        OnlineLevel.INFORMATION: "Chỉ có thông tin",
        OnlineLevel.UNKNOWN: "Có kênh trực tuyến, chưa rõ mức",
        OnlineLevel.NONE: "Không có",
    },
    Stage: {Stage.PROPOSED: "Dự kiến", Stage.DECIDED: "Đã quyết định", Stage.ENDED: "Đã kết thúc"},
    Scope: {
        Scope.ALL: "Mọi nơi",
        Scope.ONLY: "Chỉ các phường, xã được liệt kê",
        Scope.EXCEPT: "Mọi nơi, trừ các phường, xã được liệt kê",
    },
    UnitKind: {
        UnitKind.WARD: "Phường",
        UnitKind.COMMUNE: "Xã",
        UnitKind.TOWNSHIP: "Thị trấn",
        UnitKind.URBAN_DISTRICT: "Quận",
        UnitKind.RURAL_DISTRICT: "Huyện",
        UnitKind.TOWN: "Thị xã",
    },
    Phase: PHASE_WORDS,
}
_STATUS = {"hieu_luc": "Còn hiệu lực"}
"""A procedure's status, which is any text: what the portal writes."""
VERDICTS: Mapping[Verdict, str] = {
    Verdict.BASE: "Theo thẩm quyền gốc, không có phân cấp hay ủy quyền nào áp dụng.",
    Verdict.DELEGATED: "Theo phân cấp, ủy quyền dưới đây.",
    Verdict.UNKNOWN: "Danh mục chưa ghi ai có thẩm quyền vào ngày này. Bot không đoán.",
    Verdict.CONTRADICTION: "Hai văn bản cùng hạng giao cho hai nơi. Bot chỉ nêu thẩm quyền gốc và nói là chưa chắc.",
    Verdict.ENDED: "Danh mục dẫn tới một cấp không còn vào ngày này. Bot nói là chưa chắc.",
}


def column(table: str, name: str) -> str:
    return _OWN.get((table, name)) or COLUMNS.get(name, name)


def word(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Có" if value else "Không"
    if isinstance(value, Enum):
        return _VALUES.get(type(value), {}).get(value, str(value.value))
    if isinstance(value, (list, tuple)):
        return "; ".join(map(word, value))
    if hasattr(value, "isoformat"):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, (float, Decimal)) and value == int(value):
        return str(int(value))
    return _STATUS.get(str(value), str(value))


def days(text: str) -> str:
    """A text in which dates are written as people write them."""
    return re.sub(r"\b(\d{4})-(\d\d)-(\d\d)\b", r"\3/\2/\1", text)


def name_of(record: Record, catalogue: Catalogue) -> str:
    """What a row is about, in one line."""
    table, key = record.table, [str(part) for part in record.identity() if part is not None]
    name = getattr(record, "name", None) or getattr(record, "title", None)
    if name:
        return f"{name} ({key[0]})"
    code = getattr(record, "procedure", None) or (record.identity()[0] if table == "guide" else None)
    found = catalogue.procedures.get(str(code))
    if found:
        rest = " · ".join(days(code_word(part, catalogue)) for part in key[1:])
        return f"{found.name} ({found.code})" + (f" · {rest}" if rest else "")
    return " → ".join(code_word(part, catalogue) for part in key)


def code_word(code: str, catalogue: Catalogue) -> str:
    """The name behind a code, where there is one."""
    for names in (catalogue.authorities, catalogue.places.units):
        found: Optional[Any] = names.get(code)
        if found is not None:
            return str(found.name)
    return code


def verb(change: Change) -> tuple[str, str]:
    """What became of a row, and the class of its tag."""
    if change.before is None:
        return "Thêm", "good"
    if change.after is None:
        return "Bỏ", "bad"
    return ("Kết thúc", "warn") if is_ending(change) else ("Sửa", "")


def cells_changed(change: Change, catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """Column, before and after, of the columns that say something else now; of a new or removed row all it says."""

    def said(record: Optional[Record], name: str) -> str:
        value = getattr(record, name, None)
        if name in POINTERS.get(change.kind, {}) and value is not None:
            codes = value if isinstance(value, (list, tuple)) else [value]
            return "; ".join(code_word(str(code), catalogue) for code in codes)
        return word(value)

    found = []
    for name in change.kind.columns():
        before, after = said(change.before, name), said(change.after, name)
        if before != after:
            found.append((column(change.kind.table, name), before, after))
    return found
