"""Loading files into the catalogue: all or nothing, the same file twice changes nothing.

Read are the portal crawl's JSON lines (one object a line) and our own templates as CSV or XLSX: the header
row names the columns of one record class of `records`; an XLSX may hold several, a sheet each.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import sqlalchemy as sa
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException
from pydantic import ValidationError

from bot.catalogue import database, history, portal, references
from bot.catalogue.database import Change
from bot.catalogue.records import RECORDS, Authority, BaseCompetence, Record
from bot.catalogue.template import LOOKUP

SHIPPED = Path(__file__).parent / "data"

_MESSAGES = {
    "value_error.missing": "thiếu",
    "none.not_allowed": "thiếu",
    "type_error.none.not_allowed": "thiếu",
    "value_error.any_str.min_length": "thiếu",
    "value_error.str.regex": "không đúng dạng",
    "value_error.date": "không phải ngày dạng 2026-11-23 hay 23/11/2026",
    "type_error.integer": "không phải số nguyên",
    "type_error.float": "không phải số",
    "type_error.decimal": "không phải số",
    "value_error.decimal.not_finite": "không phải số",
    "type_error.enum": "không có trong danh sách cho phép",
    "type_error.list": "không phải danh sách",
    "value_error.extra": "cột lạ",
}

_DATES = frozenset({"valid_from", "valid_to", "as_of", "issued_on", "on"})
_CODES = frozenset({"code", "procedure"})
_WRITTEN_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True)
class Refusal:
    """A row that cannot be loaded: where, and why (in Vietnamese)."""

    row: int
    """Counted as an editor or spreadsheet shows it, from 1."""
    column: str
    problem: str
    sheet: str = ""

    def __str__(self) -> str:
        place = f"trang {self.sheet}, dòng {self.row}" if self.sheet else f"dòng {self.row}"
        return f"{place}, cột {self.column}: {self.problem}"


@dataclass
class Report:
    """What a load did, or would have done."""

    read: int = 0
    added: int = 0
    changed: int = 0
    skipped: int = 0
    """Rows that are fine but say nothing we keep (name-only portal records)."""
    refused: list[Refusal] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    run: int | None = None
    """The load's number, by which it can be undone."""

    @property
    def loaded(self) -> bool:
        return not self.refused


class Unreadable(ValueError):
    """The file as a whole cannot be read; the message says why, in Vietnamese."""


class MovedOn(ValueError):
    """The catalogue was changed after the preview."""


@dataclass(frozen=True)
class Line:
    """One row of a file, before it is checked."""

    number: int
    values: Mapping[str, Any]
    kind: type[Record] | None
    """None: a portal record."""
    sheet: str = ""
    file: str = ""


Progress = Callable[[Iterable[Line]], Iterable[Line]]


def import_file(
    engine: sa.engine.Engine,
    path: Path,
    progress: Progress = iter,
    who: str | None = None,
    preview: bool = False,
    version: int | None = None,
) -> Report:
    """Load one file in one transaction; a refused row means that nothing is written.

    Args:
        progress: wraps the rows as they are read (a progress bar).
        who: noted in the history.
        preview: tell what would change, and write nothing.
        version: of the catalogue that was previewed; None: whatever it is now.

    Raises:
        Unreadable: no such file, not a format we know, or no known header.
        MovedOn: the catalogue is not of that version any more.
    """
    lines = read_lines(path)
    with engine.begin() as connection:
        if not preview:
            database.lock(connection)
        if version is not None and database.version(connection) != version:
            raise MovedOn
        report, records = _check(connection, progress(lines))
        if report.refused:
            return report
        report.refused.extend(_pointing_nowhere(connection, records))
        if report.refused:
            return report
        _take(report, database.difference(connection, [row for _, row in _without_curated(connection, records)]))
        if report.changes and not preview:
            database.apply(connection, report.changes)
            report.run = database.record_run(connection, path.name, digest([path]), report.changes, who)
    return report


def _take(report: Report, changes: list[Change]) -> None:
    report.changes = changes
    report.added = sum(item.before is None for item in changes)
    report.changed = len(changes) - report.added


def load_shipped(engine: sa.engine.Engine, folder: Path = SHIPPED) -> Report:
    """Bring the catalogue up to the facts that the package ships. Does nothing when it already has them.

    What people have changed since stays as they left it: a new release does not undo the work of the staff.

    Raises:
        Unreadable: a shipped file is broken.
    """
    files = shipped_files(folder)
    now = digest(files)
    with engine.begin() as connection:
        if database.last_digest(connection, "shipped") == now:
            return Report()
        lines = [line for path in files for line in read_lines(path)]
        report, records = _check(connection, lines)
        if report.refused:
            raise Unreadable("dữ liệu kèm theo bị lỗi: " + "; ".join(map(str, report.refused[:5])))
        changes = database.difference(connection, _last_of_each(row for _, row in records))
        theirs = history.touched_by_people(connection)
        _take(report, [item for item in changes if history.mark(item.kind, item.key) not in theirs])
        database.apply(connection, report.changes)
        report.run = database.record_run(connection, "shipped", now, report.changes)
    return report


def shipped_files(folder: Path = SHIPPED) -> list[Path]:
    """Authorities first: portal records are read with them."""
    return sorted(folder.glob("*.csv"), key=lambda path: (path.name != "authorities.csv", path.name))


def digest(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def read_lines(path: Path) -> list[Line]:
    """The rows of a file, unchecked.

    Raises:
        Unreadable: see `import_file`.
    """
    if not path.is_file():
        raise Unreadable(f"không thấy tệp {path}")
    readers = {".jsonl": _read_jsonl, ".csv": _read_csv, ".xlsx": _read_xlsx}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise Unreadable(f"{path.name}: chỉ đọc được tệp .jsonl, .csv, .xlsx")
    try:
        return [replace(line, file=path.name) for line in reader(path)]
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"{path.name}: không phải UTF-8 (byte thứ {error.start + 1}); hãy lưu lại dạng CSV UTF-8"
        ) from error


def _read_jsonl(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                values = json.loads(text)
            except json.JSONDecodeError as error:
                values = {"": f"không đọc được JSON (ký tự {error.pos + 1})"}
            yield Line(number, values if isinstance(values, dict) else {"": "không phải một đối tượng JSON"}, None)


def _read_csv(path: Path) -> Iterator[Line]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        kind = _kind_of(header, path.name, path.stem)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Line(reader.line_num, _row(header, cells), kind)


def _read_xlsx(path: Path) -> Iterator[Line]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, OSError, KeyError, ValueError) as error:
        raise Unreadable(f"{path.name}: không mở được tệp Excel ({error})") from error
    for sheet in book.worksheets:
        if sheet.title == LOOKUP:
            continue
        rows = sheet.iter_rows(values_only=True)
        header = [str(cell) for cell in next(rows, ()) if cell is not None]
        if not header:
            continue
        kind = _kind_of(header, f"{path.name}, trang {sheet.title}", sheet.title)
        for number, cells in enumerate(rows, 2):
            if any(cell not in (None, "") for cell in cells):
                read = [_excel_cell(name, cell) for name, cell in zip_longest(header, cells, fillvalue="")]
                yield Line(number, _row(header, read), kind, sheet.title)


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    extra = {f"cột thứ {i + 1}": cell for i, cell in enumerate(cells) if i >= len(header) and cell.strip()}
    named = dict(zip((name.strip() for name in header), cells))
    return {**{name: _as_iso(cell) if name in _DATES else cell for name, cell in named.items()}, **extra}


def _as_iso(cell: str) -> str:
    """A day as Vietnamese write it (1/7/2026, 01-07-2026, 1.7.2026) as the records want it; anything else as it is."""
    found = _WRITTEN_DAY.fullmatch(cell.strip())
    return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}" if found else cell


def _excel_cell(name: str, value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, float) and name in _CODES:  # 1.001570, which Excel takes for the number 1.00157
        return f"{value:.6f}"
    return "" if value is None else str(value)


def _kind_of(header: Iterable[str], file: str, name: str) -> type[Record]:
    """The table that a header row is of; where a short header fits several, the file's or sheet's name tells."""
    names = {cell.strip() for cell in header}
    fitting = [kind for kind in RECORDS if names <= set(kind.__fields__) and _required(kind) <= names]
    exact = [kind for kind in fitting if names == set(kind.__fields__)]
    named = [kind for kind in fitting if kind.table in name]
    for found in (exact, named, fitting):
        if len(found) == 1:
            return found[0]
    if fitting:
        tables = " hay ".join(kind.table for kind in fitting)
        raise Unreadable(f"{file}: chưa rõ là bảng {tables}; hãy đặt tên bảng vào tên tệp hoặc tên trang")
    best = max(RECORDS, key=lambda kind: len(names & set(kind.__fields__)) - len(names - set(kind.__fields__)))
    missing, unknown = _required(best) - names, names - set(best.__fields__)
    parts = [f"thiếu cột {', '.join(sorted(missing))}"] if missing else []
    parts += [f"cột lạ {', '.join(sorted(unknown))}"] if unknown else []
    raise Unreadable(f"{file}: dòng tiêu đề không khớp mẫu '{best.table}' ({'; '.join(parts)})")


def _required(kind: type[Record]) -> set[str]:
    return {name for name, column in kind.__fields__.items() if column.required}


def _pointing_nowhere(connection: sa.engine.Connection, rows: Sequence[tuple[Line, Record]]) -> Iterator[Refusal]:
    """Rows that name a procedure, body, unit or decision that is neither in the catalogue nor in the file."""
    kinds = references.targets(type(record) for _, record in rows)
    known = {kind: {str(row.identity()[0]) for row in database.read_all(connection, kind)} for kind in kinds}
    for _, record in rows:
        if type(record) in known:
            known[type(record)].add(str(record.identity()[0]))
    for line, record in rows:
        for column, problem in references.broken(record, known):
            yield Refusal(line.number, column, problem, line.sheet)


def _check(connection: sa.engine.Connection, lines: Iterable[Line]) -> tuple[Report, list[tuple[Line, Record]]]:
    report, records = Report(), list[tuple[Line, Record]]()
    seen: dict[tuple[Any, ...], int] = {}
    agencies: portal.AgencyNames | None = None
    for line in lines:
        report.read += 1
        try:
            if line.kind is not None:
                made: list[Record] = [line.kind.parse_obj(line.values)]
            elif not portal.is_record(line.values):
                problem = line.values.get("", "không phải bản ghi của Cổng (cần code, name, source_repo)")
                report.refused.append(Refusal(line.number, "(cả dòng)", str(problem)))
                continue
            elif not portal.is_full(line.values):
                report.skipped += 1
                continue
            else:
                agencies = agencies or portal.AgencyNames.of(database.read_all(connection, Authority))
                made = portal.to_records(line.values, agencies)
        except ValidationError as error:
            report.refused.extend(refusals(line, error))
            continue
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            column = str(error.args[0]) if isinstance(error, KeyError) else "(cả dòng)"
            report.refused.append(
                Refusal(line.number, column, "thiếu" if isinstance(error, KeyError) else str(error), line.sheet)
            )
            continue
        for record in made:
            # Twice in one file is a mistake; a later file may say it anew (curated rows do).
            first = seen.setdefault((line.file, line.sheet, record.table, *record.identity()), line.number)
            if first != line.number:
                report.refused.append(Refusal(line.number, record.key[0], f"trùng với dòng {first}", line.sheet))
        records.extend((line, record) for record in made)
    return report, records


def refusals(line: Line, error: ValidationError) -> Iterator[Refusal]:
    """What is wrong with a row, cell by cell."""
    for problem in error.errors():
        column = str(problem["loc"][0]) if problem["loc"] else "(cả dòng)"
        message = _MESSAGES.get(problem["type"], problem["msg"])
        value = line.values.get(column)
        shown = f" ({str(value)[:60]!r})" if value not in (None, "") and message != "thiếu" else ""
        yield Refusal(line.number, column, message + shown, line.sheet)


def _without_curated(connection: sa.engine.Connection, records: list[tuple[Line, Record]]) -> list[tuple[Line, Record]]:
    """Records without the portal's word on who decides, where our own curated rows already say it."""
    competence = database.read_all(connection, BaseCompetence)
    curated = {row.procedure for row in competence if row.source != portal.SOURCE}

    def spoken_for(record: Record) -> bool:
        return isinstance(record, BaseCompetence) and record.source == portal.SOURCE and record.procedure in curated

    return [(line, record) for line, record in records if not spoken_for(record)]


def _last_of_each(records: Iterable[Record]) -> list[Record]:
    return list({(record.table, *record.identity()): record for record in records}.values())


def export(engine: sa.engine.Engine, folder: Path, keep: Callable[[Record], bool] = lambda record: True) -> list[Path]:
    """Write every table as a CSV file that `import_file` reads again."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with engine.connect() as connection:
        for kind in RECORDS:
            rows = [row for row in database.read_all(connection, kind) if keep(row)]
            path = folder / f"{kind.table}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, kind.columns(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(row.cells() for row in sorted(rows, key=lambda row: tuple(map(str, row.identity()))))
            written.append(path)
    return written
