"""The Excel template that a decision's annex is filled into: a sheet per table, with lists to choose from.

What can be chosen (bodies, units, procedures, decisions) stands on a sheet of its own, from the catalogue as it
is; `importer` passes that sheet over and checks every cell anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Optional

import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from pydantic.fields import ModelField

from bot.catalogue import database, references
from bot.catalogue.records import RECORDS, Delegation, Guide, Record
from bot.catalogue.references import POINTERS

LOOKUP = "tra_cuu"
"""The sheet of what can be chosen."""
ROWS = 2000
"""Rows that the lists reach down to."""
_HELP = {
    "valid_from": "Ngày bắt đầu hiệu lực, dạng 2026-11-23; bỏ trống: không rõ.",
    "valid_to": "Ngày cuối cùng còn hiệu lực, dạng 2026-11-23; bỏ trống: chưa định.",
    "as_of": "Ngày của thông tin, dạng 2026-11-23.",
    "source": "Lấy từ đâu: địa chỉ trang web, số văn bản.",
    "units": "Mã các đơn vị, cách nhau bằng dấu ; — chỉ điền khi phạm vi là chi hoặc tru.",
    "scope": "tat_ca: mọi nơi; chi: chỉ các đơn vị đã liệt kê; tru: mọi nơi trừ các đơn vị đã liệt kê.",
    "stage": "du_kien: mới dự kiến; da_quyet_dinh: đã có quyết định; da_ket_thuc: đã thôi.",
    "kind": "phan_quyen, phan_cap hoặc uy_quyen.",
    "internal_process": "Mã quy trình nội bộ (trang internal_process).",
}


def write(engine: sa.engine.Engine, path: Path) -> None:
    """An empty workbook, its header rows ready to be filled in."""
    book = Workbook()
    book.remove(book.worksheets[0])
    kinds = [kind for kind in RECORDS if kind is not Guide]
    sheets = {kind: book.create_sheet(kind.table) for kind in kinds}
    lists = _write_lookup(engine, book.create_sheet(LOOKUP))
    for kind, sheet in sheets.items():
        _write_header(sheet, kind)
        for number, name in enumerate(kind.columns(), 1):
            _restrict(sheet, get_column_letter(number), _choices(kind, name, lists))
    book.active = list(sheets).index(Delegation)
    book.save(path)


def _write_header(sheet: Any, kind: type[Record]) -> None:
    sheet.append(kind.columns())
    sheet.freeze_panes = "A2"
    for cell in sheet[1]:
        cell.font = Font(bold=bool(kind.__fields__[cell.value].required))
        if cell.value in _HELP and (kind is Delegation or cell.value not in ("kind", "units")):
            cell.comment = Comment(_HELP[cell.value], "Hỏi Một Cửa")
        sheet.column_dimensions[cell.column_letter].width = 18


def _write_lookup(engine: sa.engine.Engine, sheet: Any) -> dict[type[Record], str]:
    """Fill the sheet of choices; gives the range of each table's codes."""
    targets = sorted(references.targets(RECORDS), key=lambda kind: kind.table)
    ranges: dict[type[Record], str] = {}
    with engine.connect() as connection:
        for number, kind in enumerate(targets):
            rows = database.read_all(connection, kind)
            column = 2 * number + 1
            sheet.cell(1, column, kind.table)
            for at, row in enumerate(rows, 2):
                sheet.cell(at, column, str(row.identity()[0]))
                sheet.cell(at, column + 1, str(getattr(row, "name", None) or getattr(row, "title", "")))
            letter = get_column_letter(column)
            ranges[kind] = f"={LOOKUP}!${letter}$2:${letter}${max(2, len(rows) + 1)}"
    return ranges


def _choices(kind: type[Record], name: str, lists: Mapping[type[Record], str]) -> Optional[str]:
    """An Excel list formula for a column of which only some values are possible."""
    field = kind.__fields__[name]
    target = POINTERS.get(kind, {}).get(name)
    if _is_list(field):
        return None
    if isinstance(field.type_, type) and issubclass(field.type_, Enum):
        return '"' + ",".join(str(item.value) for item in field.type_) + '"'
    return lists.get(target) if target else None


def _is_list(field: ModelField) -> bool:
    return bool(field.outer_type_ != field.type_)


def _restrict(sheet: Any, letter: str, formula: Optional[str]) -> None:
    if formula is None:
        return
    rule = DataValidation(type="list", formula1=formula, allow_blank=True, showErrorMessage=True)
    rule.errorTitle, rule.error = "Chưa đúng", "Hãy chọn một giá trị trong danh sách."
    rule.add(f"{letter}2:{letter}{ROWS}")
    sheet.add_data_validation(rule)
