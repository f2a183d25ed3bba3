from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from bot import phrasebook
from bot.editing import sheets
from bot.editing.checks import Checker, Sayings
from bot.editing.editor import KINDS, Editor
from bot.editing.sheets import BadWorkbook, Row

HEADS = {
    "key": "Mã mục",
    "file": "Tệp",
    "question": "Câu hỏi",
    "phrasings": "Cách hỏi (mỗi dòng một câu)",
    "answer": "Câu trả lời",
    "sources": "Nguồn (mỗi dòng: tên | liên kết | ngày)",
    "review": "Ngày rà soát",
    "retired": "Ngừng dùng (x)",
    "version": "Phiên bản (đừng sửa)",
}


class Desk:
    """Somebody with Excel."""

    def __init__(self, folder: Path) -> None:
        self.editor = Editor(folder)
        self.book = load_workbook(io.BytesIO(sheets.write(self.editor.snapshot())))

    def cell(self, row: int, column: str, sheet: str = "Câu hỏi") -> Any:
        heads = [each.value for each in self.book[sheet][1]]
        return self.book[sheet].cell(row, heads.index(HEADS[column]) + 1)

    def row_of(self, key: str, sheet: str = "Câu hỏi") -> int:
        return next(n for n, row in enumerate(self.book[sheet].iter_rows(values_only=True), 1) if row[0] == key)

    def add(self, **cells: Any) -> int:
        row = self.book["Câu hỏi"].max_row + 1
        for name, value in cells.items():
            self.cell(row, name).value = value
        return row

    def read(self) -> list[Row]:
        out = io.BytesIO()
        self.book.save(out)
        return sheets.read(out.getvalue(), self.checker())

    def checker(self) -> Checker:
        snapshot = self.editor.snapshot()
        book = phrasebook.load(self.editor.folder)
        return Checker(snapshot, Sayings(book.abbreviations), dict.fromkeys(book.entries, ""), date(2026, 11, 23))

    def changed(self) -> list[Row]:
        return [row for row in self.read() if row.state != "same"]


@pytest.fixture
def desk(small: Path) -> Desk:
    return Desk(small)


def test_out_and_in_changes_nothing(folder: Path) -> None:
    desk = Desk(folder)
    rows = desk.read()
    assert {row.state for row in rows} == {"same"}
    assert len(rows) == len(desk.editor.snapshot().items)


def test_an_edit_a_new_entry_and_one_retired(desk: Desk) -> None:
    row = desk.row_of("duong-day-nong")
    desk.cell(row, "phrasings").value += "\nsố máy của bàn một cửa đâu rồi"
    desk.cell(row, "review").value = datetime(2027, 3, 1)
    desk.cell(desk.row_of("vneid-la-gi"), "retired").value = "x"
    new = desk.add(
        file="Nộp hồ sơ",
        question="Có nhận hồ sơ buổi tối không?",
        phrasings="tối mịt có ai nhận không\nquầy có mở đèn sau tám giờ\nca đêm của quầy hồ sơ",
        answer="Chưa có dữ liệu.",
        sources="Thông báo | https://a.gov.vn/x | 1/7/2025\nTin | 2025-08-02",
    )
    rows = {row.number: row for row in desk.changed()}
    assert {number: each.state for number, each in rows.items()} == {
        row: "changed",
        desk.row_of("vneid-la-gi"): "changed",
        new: "new",
    }
    assert [each.summary for each in rows[row].differences] == ["ngày rà soát", "cách hỏi: thêm 1"]
    desk.editor.save([each.change for each in rows.values() if each.change])
    book = phrasebook.load(desk.editor.folder)
    entry = book.faq["co-nhan-ho-so-buoi-toi-khong"]
    assert [(s.title, s.url, s.as_of.isoformat()) for s in entry.sources] == [
        ("Thông báo", "https://a.gov.vn/x", "2025-07-01"),
        ("Tin", None, "2025-08-02"),
    ]
    assert book.faq["duong-day-nong"].review == date(2027, 3, 1) and "vneid-la-gi" not in book.faq


def test_bad_rows_are_refused_by_number_and_reason(desk: Desk) -> None:
    row = desk.row_of("duong-day-nong")
    desk.cell(row, "answer").value = "=HYPERLINK(1)"
    stale = desk.row_of("tong-dai-1022")
    desk.cell(stale, "answer").value = "Có."
    desk.cell(stale, "version").value = "0" * 16
    unclear = desk.row_of("vneid-la-gi")
    desk.cell(unclear, "retired").value = "để xem"
    wordings = "1022 là tổng đài gì\nx y z\nz t u"
    taken = desk.add(file="faq/ve-tro-ly.yml", question="A b c?", phrasings=wordings, answer="x",
                     sources="S | 2025-01-01")  # fmt: skip
    few = desk.add(file="khong-co", question="D e f?", phrasings="một", answer="x", sources="S | 2030-01-01")
    one = desk.add(file="ve-tro-ly", question="Gà?", phrasings="nuôi gà a\nnuôi vịt b\nnuôi ngan c", answer="x",
                   sources="S | 2025-01-01")  # fmt: skip
    two = desk.add(file="ve-tro-ly", question="Vịt?", phrasings="nuôi ngỗng\nNuoi vit B\nnuôi chim", answer="x",
                   sources="S | 2025-01-01")  # fmt: skip
    rows = {each.number: each for each in desk.changed()}
    assert {number for number, each in rows.items() if each.state == "refused"} == {
        row, stale, unclear, taken, few, two
    }  # fmt: skip
    assert rows[one].state == "new"
    told = {number: "; ".join(each.problems) for number, each in rows.items()}
    assert "chứa công thức" in told[row] and f"{row}" in told[row]
    assert "đã được sửa sau khi bạn tải tệp về" in told[stale]
    assert "“để xem” không rõ nghĩa" in told[unclear]
    assert "Tổng đài 1022" in told[taken]
    assert "không có tệp “khong-co”" in told[few]
    assert f"trang “Câu hỏi” hàng {one}" in told[two]
    assert all(each.change is None for each in rows.values() if each.state == "refused")


def test_a_phrasing_moves_from_one_row_to_another(desk: Desk) -> None:
    one, two = desk.row_of("duong-day-nong"), desk.row_of("tong-dai-1022")
    desk.cell(one, "phrasings").value = desk.cell(one, "phrasings").value.replace(
        "\nđường dây nóng hành chính công", ""
    )
    desk.cell(two, "phrasings").value += "\nđường dây nóng hành chính công"
    assert [row.state for row in desk.changed()] == ["changed", "changed"]


def test_what_begins_like_a_formula_is_text(desk: Desk) -> None:
    item = desk.editor.snapshot().named(KINDS["faq"], "duong-day-nong")
    assert item
    path = desk.editor.folder / item.file
    path.write_text(path.read_text().replace("      - gọi số nào để hỏi thủ tục", "      - =cmd|' /C calc'!A0", 1))
    path.write_text(path.read_text().replace("question: Số điện thoại hỏi", "question: +84 hỏi", 1))
    data = sheets.write(desk.editor.snapshot())
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        assert not [name for name in packed.namelist() if b"<f>" in packed.read(name)]
    again = load_workbook(io.BytesIO(data))["Câu hỏi"]
    cells = [cell for row in again.iter_rows() for cell in row if str(cell.value or "")[:1] in "=+-@" and cell.value]
    assert cells and all(cell.data_type == "s" and cell.quotePrefix for cell in cells)


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04nonsense"])
def test_what_is_no_workbook(desk: Desk, data: bytes) -> None:
    with pytest.raises(BadWorkbook):
        sheets.read(data, desk.checker())


def test_other_workbooks_and_lacking_columns(desk: Desk) -> None:
    desk.book["Câu hỏi"].delete_cols(1)
    row = next(each for each in desk.read() if each.sheet == "Câu hỏi")
    assert (row.number, row.state) == (1, "refused") and "Mã mục" in row.problems[0]
    for name in desk.book.sheetnames[1:]:
        del desk.book[name]
    desk.book["Câu hỏi"].title = "Khác"
    with pytest.raises(BadWorkbook, match="trang tính"):
        desk.read()
