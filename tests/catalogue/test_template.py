"""An annex filled into the template, as a clerk would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from bot.catalogue import database, history, importer, template
from bot.catalogue.records import Delegation

ANNEX = {
    "decision": {
        "number": "999/QĐ-THU",
        "issuer": "Thử",
        "title": "Thử phụ lục",
        "valid_from": "2026-12-01",
        "source": "thử",
        "as_of": "2026-11-23",
    },
    "internal_process": {"code": "QT-THU-1", "title": "Quy trình thử", "source": "thử", "as_of": "2026-11-23"},
    "delegation": {
        "procedure": "1.004222",
        "decision": "999/QĐ-THU",
        "kind": "uy_quyen",
        "from_authority": "ubnd-xa",
        "to_authority": "ct-ubnd-xa",
        "scope": "chi",
        "units": "00277; 00187",
        "stage": "da_quyet_dinh",
        "internal_process": "QT-THU-1",
        "valid_from": "2026-12-01",
        "source": "thử",
        "as_of": "2026-11-23",
    },
}


@pytest.fixture
def engine(tmp_path: Path) -> sa.engine.Engine:
    own = database.connect(f"sqlite:///{tmp_path / 'own.sqlite'}")
    importer.load_shipped(own)
    return own


def fill(engine: sa.engine.Engine, path: Path, annex: dict[str, dict[str, Any]]) -> Path:
    template.write(engine, path)
    book = load_workbook(path)
    for table, values in annex.items():
        header = [cell.value for cell in book[table][1]]
        book[table].append([values.get(name) for name in header])
    book.save(path)
    return path


def test_an_annex_is_previewed_loaded_and_taken_back(engine: sa.engine.Engine, tmp_path: Path) -> None:
    file = fill(engine, tmp_path / "phu-luc.xlsx", ANNEX)
    preview = importer.import_file(engine, file, preview=True)
    assert preview.refused == [] and (preview.added, preview.changed) == (3, 0)
    report = importer.import_file(engine, file, who="lan")
    with engine.connect() as connection:
        rows = [row for row in database.read_all(connection, Delegation) if row.decision == "999/QĐ-THU"]
    assert len(rows) == 1 and rows[0].units == ["00277", "00187"]
    assert report.run is not None
    history.undo(engine, report.run)
    with engine.connect() as connection:
        assert not [row for row in database.read_all(connection, Delegation) if row.decision == "999/QĐ-THU"]


def test_bad_rows_are_refused_with_sheet_row_and_reason(engine: sa.engine.Engine, tmp_path: Path) -> None:
    bad = {**ANNEX["delegation"], "to_authority": "khong-co", "units": "00000"}
    report = importer.import_file(engine, fill(engine, tmp_path / "sai.xlsx", {**ANNEX, "delegation": bad}))
    told = {(refusal.sheet, refusal.row, refusal.column) for refusal in report.refused}
    assert told == {("delegation", 2, "to_authority"), ("delegation", 2, "units")}
    with engine.connect() as connection:
        assert not [row for row in database.read_all(connection, Delegation) if row.decision == "999/QĐ-THU"]


def test_the_template_offers_what_can_be_chosen(engine: sa.engine.Engine, tmp_path: Path) -> None:
    template.write(engine, tmp_path / "mau.xlsx")
    sheet = load_workbook(tmp_path / "mau.xlsx")["delegation"]
    rules = {str(rule.sqref).split("2:")[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    letters = {cell.value: cell.column_letter for cell in sheet[1]}
    assert rules[letters["stage"]] == '"du_kien,da_quyet_dinh,da_ket_thuc"'
    assert template.LOOKUP in rules[letters["to_authority"]] and template.LOOKUP in rules[letters["procedure"]]
    assert letters["units"] not in rules
