from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import Workbook, load_workbook

from bot.catalogue import database, importer, template
from bot.catalogue.records import Delegation, Procedure, ServicePoint
from tests.catalogue.test_portal import record


def count(engine: sa.engine.Engine, kind: type) -> int:
    with engine.connect() as connection:
        return len(database.read_all(connection, kind))


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_same_file_twice_changes_nothing(empty: sa.engine.Engine, tmp_path: Path) -> None:
    file = jsonl(
        tmp_path / "p.jsonl", record(), record(code="1.000002"), {**record(code="1.000003"), "detail": "name_only"}
    )
    first = importer.import_file(empty, file)
    assert (first.read, first.added, first.changed, first.skipped) == (3, 4, 0, 1)
    with empty.connect() as connection:
        version = database.version(connection)
    second = importer.import_file(empty, file)
    assert (second.added, second.changed) == (0, 0)
    with empty.connect() as connection:
        assert database.version(connection) == version


def test_a_changed_row_is_updated_in_place(empty: sa.engine.Engine, tmp_path: Path) -> None:
    importer.import_file(empty, jsonl(tmp_path / "p.jsonl", record()))
    report = importer.import_file(empty, jsonl(tmp_path / "p.jsonl", record(time_limit="5 Ngày làm việc")))
    assert (report.added, report.changed) == (0, 1)
    with empty.connect() as connection:
        assert [str(row.time_value) for row in database.read_all(connection, Procedure)] == ["5.0"]


def test_one_bad_row_means_nothing_is_written_and_every_bad_row_is_told(
    empty: sa.engine.Engine, tmp_path: Path
) -> None:
    file = jsonl(tmp_path / "p.jsonl", record(), record(code="sai"), {"code": "1.2"}, record(code="1.000004", level=[]))
    with file.open("a", encoding="utf-8") as out:
        out.write("{hỏng\n[1]\n")
    report = importer.import_file(empty, file)
    assert [(refusal.row, refusal.column) for refusal in report.refused] == [
        (2, "code"),
        (3, "(cả dòng)"),
        (4, "levels"),
        (5, "(cả dòng)"),
        (6, "(cả dòng)"),
    ]
    assert not report.loaded and count(empty, Procedure) == 0


def test_our_csv_template_is_read_and_its_errors_name_row_and_column(empty: sa.engine.Engine, tmp_path: Path) -> None:
    file = tmp_path / "service_point.csv"
    row = {"code": "d1", "name": "Điểm thử", "kind": "diem_xa", "source": "thử", "as_of": "2026-01-01"}
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        writer.writeheader()
        writer.writerow(row)
    assert importer.import_file(empty, file).added == 1
    with file.open("a", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        writer.writerow({**row, "code": "d2", "name": "", "as_of": "hôm qua"})
        writer.writerow({**row, "code": "d1"})
    report = importer.import_file(empty, file)
    assert {(refusal.row, refusal.column) for refusal in report.refused} == {(3, "name"), (3, "as_of"), (4, "code")}
    assert count(empty, ServicePoint) == 1


def test_excel_is_read_sheet_by_sheet(empty: sa.engine.Engine, tmp_path: Path) -> None:
    file = tmp_path / "mau.xlsx"
    template.write(empty, file)
    book: Workbook = load_workbook(file)
    sheet = book["service_point"]
    header = [cell.value for cell in sheet[1]]
    values = {"code": "d1", "name": "Điểm thử", "kind": "diem_xa", "lat": 21.0, "source": "thử", "as_of": "2026-01-01"}
    sheet.append([values.get(name) for name in header])
    book.save(file)
    assert importer.import_file(empty, file).added == 1
    sheet.append([{**values, "code": "d2", "lat": "bắc"}.get(name) for name in header])
    book.save(file)
    report = importer.import_file(empty, file)
    assert [(r.sheet, r.row, r.column) for r in report.refused] == [("service_point", 3, "lat")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("la.csv", b"mot,hai\n1,2\n"),
        ("khac.pdf", b"%PDF"),
        ("latin.csv", "code,name\nx,Điểm\n".encode("utf-16")),
        ("hong.xlsx", b"not a zip"),
        ("rong.csv", b""),
        ("haibang.csv", b"code,name,kind,source,as_of\n"),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(
    empty: sa.engine.Engine, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(importer.Unreadable, match=name.split(".")[0]):
        importer.import_file(empty, tmp_path / name)


def test_a_missing_file_is_named(empty: sa.engine.Engine, tmp_path: Path) -> None:
    with pytest.raises(importer.Unreadable, match="khong-co"):
        importer.import_file(empty, tmp_path / "khong-co.csv")


def test_the_portal_does_not_overwrite_what_we_curated(engine: sa.engine.Engine, tmp_path: Path) -> None:
    own = database.connect(f"sqlite:///{tmp_path / 'own.sqlite'}")
    importer.load_shipped(own)
    with own.connect() as connection:
        before = database.version(connection)
    row = record(code="1.013225", agency="Công an cấp Xã")
    importer.import_file(own, jsonl(tmp_path / "p.jsonl", row))
    from bot.catalogue.store import load
    from tests.conftest import TODAY

    assert load(own).competence("1.013225", None, TODAY).authority == "ubnd-xa"
    with own.connect() as connection:
        assert database.version(connection) == before + 1


def test_export_can_be_imported_again(engine: sa.engine.Engine, empty: sa.engine.Engine, tmp_path: Path) -> None:
    files = importer.export(engine, tmp_path / "out")
    other = database.connect(f"sqlite:///{tmp_path / 'other.sqlite'}")
    for file in files:
        report = importer.import_file(other, file)
        assert report.loaded, report.refused[:3]
    for file in files:
        assert importer.import_file(other, file).changed == 0


def test_shipped_facts_are_loaded_once(tmp_path: Path) -> None:
    own = database.connect(f"sqlite:///{tmp_path / 'own.sqlite'}")
    assert importer.load_shipped(own).added > 4000
    assert importer.load_shipped(own) == importer.Report()


def test_an_annex_typed_by_hand_is_read(engine: sa.engine.Engine, tmp_path: Path) -> None:
    """Days as Vietnamese write them, codes that Excel took for numbers."""
    own = database.connect(f"sqlite:///{tmp_path / 'own.sqlite'}")
    importer.load_shipped(own)
    book = Workbook()
    sheet = book.active
    sheet.title = "delegation"
    row = {
        "procedure": 1.00157,
        "decision": "105/QĐ-UBND",
        "kind": "uy_quyen",
        "from_authority": "ubnd-tp",
        "to_authority": "so-tu-phap",
        "stage": "du_kien",
        "valid_from": "1/12/2026",
        "valid_to": "31.12.2027",
        "source": "thử",
        "as_of": "23-11-2026",
    }
    sheet.append(list(row))
    sheet.append(list(row.values()))
    book.save(tmp_path / "phu-luc.xlsx")
    report = importer.import_file(own, tmp_path / "phu-luc.xlsx", preview=True)
    assert report.loaded, report.refused
    made = report.changes[0].after
    assert isinstance(made, Delegation) and made.procedure == "1.001570"
    assert (str(made.valid_from), str(made.valid_to), str(made.as_of)) == ("2026-12-01", "2027-12-31", "2026-11-23")
    sheet["G2"] = "31/2/2026"
    book.save(tmp_path / "phu-luc.xlsx")
    refused = importer.import_file(own, tmp_path / "phu-luc.xlsx").refused
    assert [(r.row, r.column) for r in refused] == [(2, "valid_from")]
