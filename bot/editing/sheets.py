"""Entries as an Excel workbook, out and in: one sheet for each kind, one row for each entry.

Cells never hold formulas: on the way out whatever begins with "=", "+", "-" or "@" is written as text; on the way in a
formula refuses its row. Nothing is changed here: rows become changes that somebody looks at before they are made.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Optional

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from bot.editing.checks import Checker, Grade
from bot.editing.differences import Difference, differences, source_line
from bot.editing.editor import KINDS, Change, Item, Kind, Snapshot, plain
from bot.editing.values import a_date, new_key, paragraphs, rows
from bot.text import clean, fold

LARGEST_UNPACKED = 150 * 1024 * 1024
"""Bytes; a workbook that unpacks to more is not opened."""
MOST_ROWS = 20_000
LONGEST_CELL = 32_767
"""Characters that Excel keeps in a cell."""
_SHEETS = {"faq": "Câu hỏi", "procedure": "Thủ tục", "vague": "Câu cần hỏi lại", "missing": "Chưa có dữ liệu"}
_HEADERS = {
    "key": "Mã mục",
    "file": "Tệp",
    "question": "Câu hỏi",
    "name": "Tên ngắn",
    "field": "Lĩnh vực",
    "keyword": "Từ khóa",
    "choices": "Thủ tục để chọn (mỗi dòng một mã)",
    "phrasings": "Cách hỏi (mỗi dòng một câu)",
    "answer": "Câu trả lời",
    "sources": "Nguồn (mỗi dòng: tên | liên kết | ngày)",
    "owner": "Người phụ trách",
    "review": "Ngày rà soát",
    "retired": "Ngừng dùng (x)",
    "version": "Phiên bản (đừng sửa)",
}
_WIDTHS = {"phrasings": 70, "answer": 70, "sources": 60, "question": 40, "name": 40, "choices": 22, "file": 28}
_NEEDED = ("key", "file", "phrasings", "version")
_GUIDE = (
    "Mỗi trang tính là một loại nội dung, mỗi hàng là một mục. Trong một ô, xuống dòng bằng Alt+Enter.",
    "Sửa ô nào thì sửa; đừng sửa cột Mã mục và Phiên bản của mục đã có.",
    "Thêm mục mới: thêm hàng, để trống Mã mục (riêng trang Thủ tục thì ghi mã thủ tục) và Phiên bản, ghi Tệp.",
    "Xóa một hàng không làm mất mục: muốn ngừng dùng thì ghi x vào cột Ngừng dùng.",
    "Nạp lại tệp ở trang cán bộ: bạn được xem trước mọi khác biệt rồi mới ghi.",
)
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_YES = {"x", "co", "1", "true", "yes", "dung"}
_NO = {"", "khong", "0", "false", "no"}


class BadWorkbook(ValueError):
    """No workbook of ours; the message says why."""


@dataclass(frozen=True)
class Row:
    """One row of a workbook, and what it would do."""

    sheet: str
    number: int
    """As Excel counts: the header is row 1."""
    kind: Kind
    title: str
    item: Optional[Item] = None
    """The entry as it is; None: the row is a new one, or cannot be read."""
    change: Optional[Change] = None
    """None: nothing changes, or the row is refused."""
    differences: tuple[Difference, ...] = ()
    problems: tuple[str, ...] = ()
    """Why the row is refused."""
    questions: tuple[str, ...] = ()
    """What somebody must agree to before it is written."""
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """refused, asked, new, changed or same."""
        if self.problems:
            return "refused"
        if self.change is None:
            return "same"
        if self.questions:
            return "asked"
        return "changed" if self.item else "new"


def write(snapshot: Snapshot) -> bytes:
    """All entries as a workbook (.xlsx)."""
    book = Workbook()
    blank = book.active
    for kind in KINDS.values():
        sheet = book.create_sheet(_SHEETS[kind.name])
        columns = _columns(kind)
        sheet.append([_HEADERS[name] for name in columns])
        for row, item in enumerate(snapshot.of(kind), 2):
            for position, name in enumerate(columns, 1):
                _put(sheet.cell(row, position), _cell(item, name))
        _dress(sheet, columns)
    guide = book.create_sheet("Hướng dẫn")
    guide.column_dimensions["A"].width = 110
    for line in _GUIDE:
        guide.append([line])
    if blank is not None:
        book.remove(blank)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(data: bytes, checker: Checker) -> list[Row]:
    """What a workbook would change; refused rows say why.

    Raises:
        BadWorkbook: it cannot be read at all.
    """
    book = _opened(data)
    try:
        typed = [row for kind in KINDS.values() for row in _typed(book, kind)]
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise BadWorkbook(f"Tệp Excel bị hỏng ({error}).") from error
    finally:
        book.close()
    if not any(_SHEETS[kind.name] in book.sheetnames for kind in KINDS.values()):
        names = ", ".join(f"“{name}”" for name in _SHEETS.values())
        raise BadWorkbook(f"Tệp không có trang tính nào tên {names}.")
    return _judged(typed, checker)


# Out


def _columns(kind: Kind) -> list[str]:
    return ["key", "file", *(name for name in kind.fields if name not in _LAST), *_LAST, "version"]


_LAST = ("owner", "review", "retired")


def _cell(item: Item, name: str) -> Any:
    values = item.values
    if name in ("key", "file", "version"):
        return {"key": item.key, "file": item.file, "version": item.version}[name]
    if name in ("phrasings", "choices"):
        return "\n".join(map(str, values.get(name, ())))
    if name == "sources":
        return "\n".join(source_line(each, " | ") for each in values.get("sources", ()))
    if name == "retired":
        return "x" if item.retired else None
    return values.get(name)


def _put(cell: Any, value: Any) -> None:
    if isinstance(value, date):
        cell.value, cell.number_format = value, "dd/mm/yyyy"
    elif value not in (None, ""):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", str(value))[:LONGEST_CELL]
        # Never a formula, whatever it begins with; nor does it become one when somebody edits the cell.
        cell.data_type, cell.quotePrefix = "s", str(value)[:1] in "=+-@\t\r"
    cell.alignment = _WRAPPED


def _dress(sheet: Any, columns: Sequence[str]) -> None:
    for position, name in enumerate(columns, 1):
        head = sheet.cell(1, position)
        head.font, head.fill = Font(bold=True), PatternFill("solid", fgColor="F1E4E4")
        head.alignment = _WRAPPED
        letter = get_column_letter(position)
        sheet.column_dimensions[letter].width = _WIDTHS.get(name, 18)
        sheet.column_dimensions[letter].hidden = name == "version"
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = sheet.dimensions


# In


@dataclass
class _Typed:
    """One row as typed."""

    sheet: str
    number: int
    kind: Kind
    cells: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        value = self.cells.get(name)
        if isinstance(value, float):
            return f"{value:.6f}" if name == "key" else f"{value:g}"
        return "" if value is None else str(value)


def _opened(data: bytes) -> Any:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(each.file_size for each in packed.infolist()) > LARGEST_UNPACKED:
                raise BadWorkbook("Tệp quá lớn khi mở ra.")
        return load_workbook(io.BytesIO(data), read_only=True, data_only=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        if isinstance(error, BadWorkbook):
            raise
        raise BadWorkbook("Không đọc được: cần tệp Excel dạng .xlsx.") from error


def _typed(book: Any, kind: Kind) -> Iterator[_Typed]:
    name = _SHEETS[kind.name]
    if name not in book.sheetnames:
        return
    sheet_rows = book[name].iter_rows()
    header = next(sheet_rows, ())
    known = {fold(_HEADERS[column]): column for column in _columns(kind)}
    columns = {at: known.get(fold(clean(str(cell.value or "")))) for at, cell in enumerate(header)}
    lacking = [_HEADERS[column] for column in _NEEDED if column not in columns.values()]
    if lacking:
        yield _Typed(name, 1, kind, problems=[f"thiếu cột: {', '.join(lacking)}"])
        return
    for number, cells in enumerate(sheet_rows, 2):
        if number > MOST_ROWS:
            yield _Typed(name, number, kind, problems=[f"quá {MOST_ROWS} hàng: phần sau không được đọc"])
            return
        row = _Typed(name, number, kind)
        for at, cell in enumerate(cells):
            column = columns.get(at)
            if column is None:
                continue
            if cell.data_type == "f":
                row.problems.append(f"ô {get_column_letter(at + 1)}{number} chứa công thức: bạn thay bằng chữ")
            elif cell.data_type == "e":
                row.problems.append(f"ô {get_column_letter(at + 1)}{number} báo lỗi {cell.value}")
            row.cells[column] = cell.value
        if any(value not in (None, "") for value in row.cells.values()):
            yield row


@dataclass
class _Meant:
    """One row as understood."""

    typed: _Typed
    item: Optional[Item]
    file: str
    key: str
    values: dict[str, Any]

    @property
    def changes(self) -> bool:
        return self.item is None or self.item.file != self.file or self.values != self.item.values


def _judged(typed: Sequence[_Typed], checker: Checker) -> list[Row]:
    meant = [_meant(row, checker.snapshot) for row in typed]
    new = [each for each in meant if each.changes and not each.typed.problems]
    if checker.links is not None:
        # All at once, before they are asked about one by one.
        checker.links.check(url for each in new for url in _new_urls(each))
    checker = replace(checker, gone=frozenset(_gone(new, checker)))
    seen: dict[str, str] = {}
    entries: dict[str, str] = {}
    return [_row(each, checker, seen, entries) for each in meant]


def _meant(row: _Typed, snapshot: Snapshot) -> _Meant:
    kind = row.kind
    key, version = clean(row.text("key")), clean(row.text("version"))
    item = snapshot.same(kind, version) if kind.name == "vague" else snapshot.named(kind, key)
    file = _file(row.text("file"), kind, snapshot) or (item.file if item and not row.text("file").strip() else "")
    if not file:
        row.problems.append(f"không có tệp “{row.text('file')}”" if row.text("file") else "chưa ghi tệp")
    if item is None and version:
        row.problems.append("mục này không còn, hoặc đã được sửa sau khi bạn tải tệp về: bạn tải tệp mới rồi sửa lại")
    values = plain(kind, {**(item.values if item else {}), **_values(row)})
    meant = _Meant(row, item, file, key, values)
    if item is not None and item.version != version and meant.changes:
        row.problems.append("mục này đã được sửa sau khi bạn tải tệp về: bạn tải tệp mới rồi sửa lại")
    return meant


def _file(text: str, kind: Kind, snapshot: Snapshot) -> str:
    """A file by its path, its name or its topic."""
    wanted = fold(clean(text))
    for file, topic in snapshot.files_of(kind).items():
        stem = file.rsplit("/", maxsplit=1)[-1]
        if wanted in (fold(file), stem, stem.removesuffix(".yml"), fold(topic)):
            return file
    return ""


def _values(row: _Typed) -> dict[str, Any]:
    """The fields whose columns are there."""
    values: dict[str, Any] = {}
    for name in row.kind.fields:
        if name not in row.cells:
            continue
        text = row.text(name)
        if name in ("phrasings", "choices"):
            values[name] = rows(text)
        elif name == "answer":
            values[name] = paragraphs(text)
        elif name == "review":
            values[name] = _date(row.cells[name])
        elif name == "retired":
            if fold(text.strip()) not in _YES | _NO:
                row.problems.append(f"cột Ngừng dùng: “{text}” không rõ nghĩa, ghi x hoặc để trống")
            values[name] = fold(text.strip()) in _YES
        elif name == "sources":
            values[name] = [_source(line) for line in text.splitlines() if line.strip()]
        else:
            values[name] = clean(text)
    return values


def _date(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) or value is None else a_date(str(value))


def _source(line: str) -> dict[str, Any]:
    parts = [clean(part) for part in re.split(r"\s*\|\s*", line.strip())]
    as_of = a_date(parts.pop()) if len(parts) > 1 else None
    is_link = len(parts) > 1 and (parts[-1] == "" or "://" in parts[-1] or "." in parts[-1])
    url = parts.pop() if is_link else None
    return {"title": " | ".join(parts), "url": url or None, "as_of": as_of}


def _new_urls(meant: _Meant) -> Iterable[str]:
    before = [each.get("url") for each in meant.item.values.get("sources", ())] if meant.item else []
    now = [each.get("url") for each in meant.values.get("sources", ())]
    return [str(url) for url in now if url and url not in before]


def _gone(changed: Iterable[_Meant], checker: Checker) -> Iterator[tuple[str, str]]:
    """Phrasings that rows take away from their entries: another row may have them."""
    for each in changed:
        if each.item is not None:
            stays = [] if each.values.get("retired") else each.values.get("phrasings") or []
            kept = {checker.sayings.key(text) for text in stays}
            before = {checker.sayings.key(text) for text in each.item.phrasings}
            yield from ((each.item.id, key) for key in before - kept)


def _row(meant: _Meant, checker: Checker, seen: dict[str, str], entries: dict[str, str]) -> Row:
    typed, item, kind = meant.typed, meant.item, meant.typed.kind
    title = item.title if item else str(meant.values.get("question") or meant.values.get("name") or meant.key)
    row = Row(typed.sheet, typed.number, kind, title, item, problems=tuple(typed.problems))
    if typed.problems or not meant.changes:
        return row
    findings = checker.check(kind, meant.values, item, meant.key)
    problems = [each.text for each in findings if each.grade is Grade.REFUSED]
    key = meant.key
    if item is None and kind.name == "faq":
        taken = [*(each.key for each in checker.snapshot.of(kind)), *entries]
        key = new_key(str(meant.values.get("question") or ""), taken)
    here = f"trang “{typed.sheet}” hàng {typed.number}"
    name = f"{kind.name}:{item.id if item else key}"
    if (item or key) and name in entries:
        problems.append(f"mục này đã có ở {entries[name]}")
    problems += _repeated(meant, checker, seen, here)
    if problems:
        return replace(row, problems=tuple(problems))
    entries[name] = here
    entries[key] = here
    change = Change(kind, meant.file, item.key if item else key, meant.values, item.version if item else None)
    return replace(
        row,
        change=change,
        differences=tuple(_told(meant)),
        questions=tuple(each.text for each in findings if each.grade is Grade.ASKED),
        notes=tuple(each.text for each in findings if each.grade is Grade.NOTED),
    )


def _repeated(meant: _Meant, checker: Checker, seen: dict[str, str], here: str) -> list[str]:
    """Phrasings that are new in this row and in another one."""
    before = set(meant.item.phrasings) if meant.item else set()
    new = [text for text in meant.values.get("phrasings") or [] if text not in before]
    clashes = [f"“{text}” đã có ở {seen[k]}" for text in new if (k := checker.sayings.key(text)) in seen]
    if not clashes:
        seen.update((checker.sayings.key(text), here) for text in new)
    return clashes


def _told(meant: _Meant) -> Iterator[Difference]:
    if meant.item is not None and meant.item.file != meant.file:
        yield Difference("file", (meant.item.file,), (meant.file,))
    yield from differences(meant.typed.kind, meant.item.values if meant.item else {}, meant.values)


def counts(found: Iterable[Row]) -> Mapping[str, int]:
    told = dict.fromkeys(("new", "changed", "asked", "refused", "same"), 0)
    for row in found:
        told[row.state] += 1
    return told
