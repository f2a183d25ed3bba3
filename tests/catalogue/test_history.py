from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.catalogue import database, history, importer
from bot.catalogue.records import Delegation, Procedure, Stage

PROCEDURE = {"code": "9.000001", "name": "Thử", "field": "Thử", "levels": "xa", "source": "thử", "as_of": "2026-01-01"}
AUTHORITY = {"code": "a", "name": "Sở A", "level": "thanh_pho", "kind": "so"}
DECISION = {"number": "1/QĐ-THU", "issuer": "Thử", "title": "Thử", "source": "thử", "as_of": "2026-01-01"}
DELEGATION = {
    "procedure": "9.000001",
    "decision": "1/QĐ-THU",
    "kind": "uy_quyen",
    "from_authority": "a",
    "to_authority": "b",
    "stage": "da_quyet_dinh",
    "valid_from": "2026-01-01",
    "source": "thử",
    "as_of": "2026-01-01",
}


def table(folder: Path, name: str, *rows: dict[str, Any]) -> Path:
    path = folder / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def engine(either: sa.engine.Engine, tmp_path: Path) -> sa.engine.Engine:
    """A small catalogue with one delegation, loaded by "lan"."""
    for path in (
        table(tmp_path, "authority", AUTHORITY, {**AUTHORITY, "code": "b", "name": "UBND B"}),
        table(tmp_path, "decision", DECISION),
        table(tmp_path, "procedure", PROCEDURE),
        table(tmp_path, "delegation", DELEGATION),
    ):
        report = importer.import_file(either, path, who="lan")
        assert report.loaded and report.run, report.refused
    return either


def rows(engine: sa.engine.Engine, kind: Any) -> list[Any]:
    with engine.connect() as connection:
        return database.read_all(connection, kind)


def test_a_preview_tells_the_difference_and_writes_nothing(engine: sa.engine.Engine, tmp_path: Path) -> None:
    ended = {**DELEGATION, "stage": "da_ket_thuc", "valid_to": "2026-06-30"}
    new = {**DELEGATION, "valid_from": "2026-07-01"}
    report = importer.import_file(engine, table(tmp_path, "delegation", ended, new), preview=True)
    assert (report.added, report.changed, report.run) == (1, 1, None)
    lines = list(history.describe(report.changes))
    assert lines[0].startswith("kết thúc delegation 9.000001") and "∅ → 2026-06-30" in lines[0]
    assert lines[1].startswith("thêm delegation 9.000001")
    assert len(rows(engine, Delegation)) == 1


def test_a_load_is_undone_and_the_undoing_too(engine: sa.engine.Engine, tmp_path: Path) -> None:
    before = rows(engine, Delegation)
    ended = {**DELEGATION, "stage": "da_ket_thuc", "valid_to": "2026-06-30"}
    report = importer.import_file(
        engine, table(tmp_path, "delegation", ended, {**DELEGATION, "valid_from": "2026-07-01"}), who="lan"
    )
    after = rows(engine, Delegation)
    assert {row.stage for row in after} == {Stage.ENDED, Stage.DECIDED}
    assert report.run is not None
    undone = history.undo(engine, report.run, who="minh")
    assert rows(engine, Delegation) == before
    history.undo(engine, undone, who="lan")
    assert sorted(rows(engine, Delegation), key=str) == sorted(after, key=str)


def test_history_says_who_changed_what(engine: sa.engine.Engine, tmp_path: Path) -> None:
    importer.import_file(engine, table(tmp_path, "procedure", {**PROCEDURE, "name": "Thử lại"}), who="minh")
    with engine.connect() as connection:
        assert [run.who for run in history.runs(connection)] == ["minh", "lan", "lan", "lan", "lan"]
        story = history.of_record(connection, Procedure, ["9.000001"])
    names = [(run.who, change.after.name) for run, change in story if isinstance(change.after, Procedure)]
    assert names == [("lan", "Thử"), ("minh", "Thử lại")]


def test_what_was_changed_again_is_not_undone_over(engine: sa.engine.Engine, tmp_path: Path) -> None:
    first = importer.import_file(engine, table(tmp_path, "procedure", {**PROCEDURE, "name": "Hai"}))
    importer.import_file(engine, table(tmp_path, "procedure", {**PROCEDURE, "name": "Ba"}))
    assert first.run is not None
    with pytest.raises(history.CannotUndo, match=r"9\.000001 đã được sửa sau"):
        history.undo(engine, first.run)
    assert [row.name for row in rows(engine, Procedure)] == ["Ba"]
    with pytest.raises(history.CannotUndo, match="không có lần nạp"):
        history.undo(engine, 999)


def test_a_load_is_undone_once(engine: sa.engine.Engine, tmp_path: Path) -> None:
    report = importer.import_file(engine, table(tmp_path, "procedure", {**PROCEDURE, "name": "Hai"}))
    assert report.run is not None
    history.undo(engine, report.run)
    with pytest.raises(history.CannotUndo, match="đã được hoàn tác"):
        history.undo(engine, report.run)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("procedure", "9.000009", "thủ tục không có"),
        ("decision", "2/QĐ-THU", "quyết định không có"),
        ("to_authority", "c", "cơ quan không có"),
        ("internal_process", "qt", "quy trình nội bộ không có"),
    ],
)
def test_a_row_that_points_nowhere_is_refused(
    engine: sa.engine.Engine, tmp_path: Path, column: str, value: str, problem: str
) -> None:
    report = importer.import_file(engine, table(tmp_path, "delegation", {**DELEGATION, column: value}))
    assert [(refusal.row, refusal.column) for refusal in report.refused] == [(2, column)]
    assert problem in report.refused[0].problem
    assert len(rows(engine, Delegation)) == 1
