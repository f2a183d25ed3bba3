"""The report as tables, CSV files and an Excel workbook with charts, in Vietnamese."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Union

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.utils import get_column_letter

from bot.catalogue.answers import day_text
from bot.catalogue.competence import Phase
from bot.catalogue.records import DelegationKind, Level
from bot.catalogue.report.shapes import (
    Entry,
    Report,
    number_text,
)

Cell = Union[str, int, Decimal, date, None]


@dataclass(frozen=True)
class Table:
    """One section of the report, as every renderer shows it."""

    name: str
    """Of its CSV file."""
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def text_rows(self) -> list[list[str]]:
        """The rows as people read them: 1.867; 32,30; 23/11/2026."""
        return [[_text(cell) for cell in row] for row in self.rows]


PHASE_WORDS = {
    Phase.IN_FORCE: "Đang có hiệu lực",
    Phase.DECIDED: "Đã quyết định, chưa bắt đầu",
    Phase.PROPOSED: "Dự kiến",
    Phase.ENDED: "Đã kết thúc",
}
LEVEL_WORDS = {
    Level.CENTRAL: "Trung ương",
    Level.CITY: "Thành phố",
    Level.DISTRICT: "Cấp huyện (đến 30/6/2025)",
    Level.COMMUNE: "Phường, xã",
    Level.OTHER: "Khác",
}
KIND_WORDS = {
    DelegationKind.BY_LAW: "Phân quyền",
    DelegationKind.DEVOLVED: "Phân cấp",
    DelegationKind.MANDATED: "Ủy quyền",
}
GROUP_WORDS = {
    "cap": "Thủ tục theo cấp",
    "ke_hoach": "Kế hoạch ủy quyền",
    "phan_bo_4610": "Phân bổ theo Quyết định 4610/QĐ-UBND",
}
CHARTED_FIELDS = 20
"""More bars than this cannot be read on a page."""

_WIDEST_COLUMN = 60
_SAMPLE = 200
"""Rows from which a column's width is taken."""
_ENTRY_HEADER = ("Mã thủ tục", "Tên thủ tục", "Lĩnh vực", "Hình thức", "Văn bản", "Bên giao", "Bên nhận")
_COVERAGE_HEADER = ("Thủ tục", "Đang được giao", "Tỷ lệ (%)")


def tables(report: Report) -> list[Table]:
    """Every section, in the order in which it is read."""
    return [
        _overview(report),
        _phase_table(report),
        _level_table(report),
        _field_table(report),
        _pair_table(report),
        _kind_table(report),
        _unit_table(report),
        _process_table(report),
        _entry_table(report),
        _announced_table(report),
        _check_table(report),
    ]


def write_csv(report: Report, folder: Path) -> list[Path]:
    """A CSV file of each section."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for table in tables(report):
        path = folder / f"{table.name}.csv"
        # With a byte order mark, without which Excel garbles Vietnamese.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(table.header)
            writer.writerows(table.rows)
        written.append(path)
    return written


def write_xlsx(report: Report, path: Path) -> None:
    """A workbook with a sheet of each section, and charts of the delegations by phase and by field."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    book.remove(book.worksheets[0])
    sheets = {table.name: write_sheet(book, table) for table in tables(report)}
    add_chart(sheets["giai_doan"], "Lượt giao theo giai đoạn", (2, 2), len(report.phases))
    charted = [field for field in report.fields[:CHARTED_FIELDS] if any(field.phases.values())]
    if charted:
        add_chart(sheets["linh_vuc"], "Lượt giao theo lĩnh vực và giai đoạn", (5, 4 + len(Phase)), len(charted))
    book.save(path)


def _overview(report: Report) -> Table:
    total, processes = report.total, report.processes
    entries = len(report.entries)
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Ngày báo cáo", report.day, None),
        ("Thủ tục trong danh mục", total.procedures, None),
        ("Thủ tục đang được giao (phân quyền, phân cấp hoặc ủy quyền)", total.delegated, total.rate),
        ("Trong đó đã có quy trình nội bộ", processes.with_process, processes.rate),
        ("Trong đó chưa có quy trình nội bộ", processes.procedures - processes.with_process, None),
        ("Lượt giao đã ghi trong danh mục, mọi giai đoạn", entries, None),
        ("Lượt giao của thủ tục không còn hoặc chưa có trong danh mục (không tính)", report.left_out, None),
    )
    note = f"Tính từ danh mục: chỉ phản ánh {number_text(entries)} lượt giao đã được nhập."
    return Table("tong_quan", "Tổng quan", ("Chỉ tiêu", "Số liệu", "Tỷ lệ (%)"), rows, note)


def _phase_table(report: Report) -> Table:
    rows = tuple((PHASE_WORDS[row.of], row.delegations, row.procedures) for row in report.phases)
    return Table("giai_doan", "Theo giai đoạn", ("Giai đoạn", "Lượt giao", "Thủ tục"), rows)


def _level_table(report: Report) -> Table:
    rows = tuple((LEVEL_WORDS[row.of], row.procedures, row.delegated, row.rate) for row in report.levels)
    note = "Một thủ tục làm ở nhiều cấp được tính ở từng cấp, nên cộng các dòng lại sẽ lớn hơn tổng số."
    return Table("cap", "Theo cấp", ("Cấp thực hiện", *_COVERAGE_HEADER), rows, note)


def _field_table(report: Report) -> Table:
    header = ("Lĩnh vực", *_COVERAGE_HEADER, *(PHASE_WORDS[phase] for phase in Phase))
    rows = tuple(
        (row.of, row.procedures, row.delegated, row.rate, *(row.phases[phase] for phase in Phase))
        for row in report.fields
    )
    return Table("linh_vuc", "Theo lĩnh vực", header, rows, "Bốn cột cuối đếm lượt giao theo giai đoạn.")


def _pair_table(report: Report) -> Table:
    rows = tuple((row.of.giver, row.of.taker, row.delegations, row.procedures) for row in report.pairs)
    header = ("Bên giao", "Bên nhận", "Lượt giao", "Thủ tục")
    return Table("ben_giao_nhan", "Theo bên giao, bên nhận", header, rows, "Chỉ đếm lượt giao đang có hiệu lực.")


def _kind_table(report: Report) -> Table:
    rows = tuple((KIND_WORDS[row.of], row.delegations, row.procedures) for row in report.kinds)
    header = ("Hình thức", "Lượt giao", "Thủ tục")
    return Table("hinh_thuc", "Theo hình thức", header, rows, "Chỉ đếm lượt giao đang có hiệu lực.")


def _unit_table(report: Report) -> Table:
    rows = tuple((row.code, row.name, row.within, row.delegated) for row in report.units)
    header = ("Mã đơn vị", "Phường, xã", "Thuộc", "Thủ tục theo thẩm quyền được giao")
    note = "Số thủ tục mà tại nơi đó người có thẩm quyền là bên được giao."
    return Table("don_vi", "Theo phường, xã", header, rows, note)


def _process_table(report: Report) -> Table:
    processes = report.processes
    rows = tuple(_entry_cells(entry) for entry in processes.missing)
    note = (
        f"{number_text(processes.with_process)}/{number_text(processes.procedures)} thủ tục đang được giao đã có "
        "quy trình nội bộ; cam kết là 100 %. Trên đây là các lượt giao chưa có."
    )
    return Table("thieu_quy_trinh", "Chưa có quy trình nội bộ", _ENTRY_HEADER, rows, note)


def _entry_table(report: Report) -> Table:
    header = (*_ENTRY_HEADER, "Giai đoạn", "Từ ngày", "Đến ngày", "Quy trình nội bộ", "Nguồn", "Tính đến")
    rows = []
    for entry in report.entries:
        row = entry.delegation
        dates = (row.valid_from, row.valid_to)
        rows.append(
            (*_entry_cells(entry), PHASE_WORDS[entry.phase], *dates, row.internal_process, row.source, row.as_of)
        )
    return Table("luot_giao", "Từng lượt giao", header, tuple(rows))


def _entry_cells(entry: Entry) -> tuple[Cell, ...]:
    procedure, row = entry.procedure, entry.delegation
    kind = KIND_WORDS[row.kind]
    return procedure.code, procedure.name, procedure.field, kind, row.decision, entry.giver, entry.taker


def _announced_table(report: Report) -> Table:
    rows = tuple(
        (GROUP_WORDS[row.group], row.label, row.value, row.unit, row.source, _day_or_month(row.as_of))
        for row in report.announced
    )
    header = ("Nhóm", "Nội dung", "Số đã công bố", "Đơn vị", "Nguồn", "Tính đến")
    note = "Số do thành phố và báo chí công bố, không tính từ danh mục; chỉ có giá trị tại thời điểm đã ghi."
    return Table("so_cong_bo", "Số đã công bố", header, rows, note)


def _check_table(report: Report) -> Table:
    rows = tuple((row.subject, "Khớp" if row.agrees else "Không khớp", row.text) for row in report.checks)
    note = "Chỉ so các số đã công bố với nhau, không so với số tính từ danh mục."
    return Table("doi_chieu", "Đối chiếu số đã công bố", ("Nội dung", "Kết quả", "Phép tính"), rows, note)


def write_sheet(book: Any, table: Table) -> Any:
    """A sheet of a workbook with a table on it."""
    sheet = book.create_sheet(table.title)
    sheet.freeze_panes = "A2"
    for number, row in enumerate((table.header, *table.rows), 1):
        for column, value in enumerate(row, 1):
            _write_cell(sheet.cell(number, column), value)
    for column, cells in enumerate(zip(table.header, *table.rows[:_SAMPLE]), 1):
        width = min(_WIDEST_COLUMN, 2 + max(len(_text(cell)) for cell in cells))
        sheet.column_dimensions[get_column_letter(column)].width = width
    if table.note:
        sheet.cell(len(table.rows) + 3, 1, table.note)
    return sheet


def _write_cell(cell: Any, value: Cell) -> None:
    cell.value = value
    if isinstance(value, str):
        # A text that begins with "=" is still a text.
        cell.data_type = "s"
    elif isinstance(value, date):
        cell.number_format = "d/m/yyyy"
    elif isinstance(value, int):
        cell.number_format = "#,##0"
    elif isinstance(value, Decimal):
        cell.number_format = "#,##0.00" if value % 1 else "#,##0"


def add_chart(sheet: Any, title: str, columns: tuple[int, int], rows: int) -> None:
    """A stacked bar for each of the first rows, named by the first column."""
    chart = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.title = "bar", "stacked", 100, title
    first, last = columns
    chart.add_data(Reference(sheet, first, 1, last, rows + 1), titles_from_data=True)
    chart.set_categories(Reference(sheet, 1, 2, 1, rows + 1))
    # Rows read downwards, bars are drawn upwards; and openpyxl leaves axes out unless told not to.
    chart.x_axis.scaling.orientation = "maxMin"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.width, chart.height = 24, 6 + 0.8 * rows
    sheet.add_chart(chart, f"{get_column_letter(sheet.max_column + 2)}2")


def _text(cell: Cell) -> str:
    if isinstance(cell, date):
        return day_text(cell)
    if isinstance(cell, (int, Decimal)):
        return number_text(cell)
    return cell or ""


def _day_or_month(iso: str) -> str:
    return "/".join(str(int(part)) for part in reversed(iso.split("-")))
