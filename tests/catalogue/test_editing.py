"""Editing one row: checked, kept in the history, never over somebody else's change."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from bot.catalogue import database, editing, history, importer
from bot.catalogue.editing import Invalid, MovedOn, print_of
from bot.catalogue.records import Authority, Decision, Record, Unit

CELLS = {"number": "1/QĐ-UBND", "issuer": "UBND", "title": "Về việc A", "source": "Công báo", "as_of": "2026-11-23"}


@pytest.fixture
def made(empty: sa.engine.Engine) -> sa.engine.Engine:
    editing.save(empty, Decision, [], "", CELLS, "lan")
    return empty


def now(engine: sa.engine.Engine, number: str = "1/QĐ-UBND") -> Record:
    with engine.connect() as connection:
        found = editing.find(connection, Decision, [number])
    assert found is not None
    return found


def test_who_changed_what_is_kept_and_can_be_taken_back(made: sa.engine.Engine) -> None:
    run = editing.save(made, Decision, ["1/QĐ-UBND"], print_of(now(made)), {**CELLS, "title": "Về việc B"}, "binh")
    with made.connect() as connection:
        past = history.of_record(connection, Decision, ["1/QĐ-UBND"])
    assert [(one.who, item.before is None) for one, item in past] == [("lan", True), ("binh", False)]
    assert run is not None
    history.undo(made, run, "lan")
    assert now(made).cells()["title"] == "Về việc A"


def test_saying_the_same_is_no_change(made: sa.engine.Engine) -> None:
    assert editing.save(made, Decision, ["1/QĐ-UBND"], print_of(now(made)), CELLS, "lan") is None


def test_a_change_that_was_not_seen_is_not_overwritten(made: sa.engine.Engine) -> None:
    seen = print_of(now(made))
    editing.save(made, Decision, ["1/QĐ-UBND"], seen, {**CELLS, "title": "Của Bình"}, "binh")
    with pytest.raises(MovedOn) as caught:
        editing.save(made, Decision, ["1/QĐ-UBND"], seen, {**CELLS, "title": "Của Lan"}, "lan")
    assert caught.value.now == now(made)
    assert now(made).cells()["title"] == "Của Bình"


def test_of_two_at_the_same_moment_one_is_told(made: sa.engine.Engine) -> None:
    seen, told = print_of(now(made)), []

    def edit(title: str) -> None:
        try:
            editing.save(made, Decision, ["1/QĐ-UBND"], seen, {**CELLS, "title": title}, title)
        except MovedOn:
            told.append(title)

    threads = [Thread(target=edit, args=(f"bản {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 3


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"title": ""}, "title"),
        ({"as_of": "hôm nay"}, "as_of"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"valid_from": "2026-02-01", "valid_to": "2026-01-01"}, "valid_to"),
        ({"number": "1/QĐ-UBND"}, "number"),
        ({"lạ": "x"}, "lạ"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_column(made: sa.engine.Engine, changed: dict[str, str], column: str) -> None:
    with pytest.raises(Invalid) as caught:
        editing.save(made, Decision, [], "", {**CELLS, "number": "2/QĐ-UBND", **changed}, "lan")
    assert list(caught.value.problems) == [column]


def test_a_row_may_not_point_nowhere_nor_lose_what_points_at_it(made: sa.engine.Engine) -> None:
    unit = {"code": "x1", "name": "Phường A", "kind": "phuong", "source": "s", "as_of": "2026-11-23"}
    with pytest.raises(Invalid) as caught:
        editing.save(made, Unit, [], "", {**unit, "parent": "x0"}, "lan")
    assert "parent" in caught.value.problems
    editing.save(made, Unit, [], "", {**unit, "code": "x0"}, "lan")
    editing.save(made, Unit, [], "", {**unit, "parent": "x0"}, "lan")
    with made.connect() as connection:
        parent = editing.find(connection, Unit, ["x0"])
    with pytest.raises(Invalid):
        editing.remove(made, Unit, ["x0"], print_of(parent), "lan")


def test_a_removed_row_stays_in_the_history(made: sa.engine.Engine) -> None:
    run = editing.remove(made, Decision, ["1/QĐ-UBND"], print_of(now(made)), "lan")
    with made.connect() as connection:
        assert editing.find(connection, Decision, ["1/QĐ-UBND"]) is None
    history.undo(made, run)
    assert now(made).cells()["title"] == "Về việc A"


def test_a_code_that_others_rely_on_cannot_be_renamed(made: sa.engine.Engine) -> None:
    with pytest.raises(Invalid):
        editing.save(made, Decision, ["1/QĐ-UBND"], print_of(now(made)), {**CELLS, "number": "2/QĐ-UBND"}, "lan")


def test_a_new_release_leaves_alone_what_people_changed(tmp_path: Path) -> None:
    own = database.connect(f"sqlite:///{tmp_path / 'own.sqlite'}")
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    header = "code,name,level,kind,local_name,aliases\n"
    (shipped / "authorities.csv").write_text(header + "a,A,xa,ubnd,,\nb,B,xa,ubnd,,\n", encoding="utf-8")
    importer.load_shipped(own, shipped)
    cells = {"code": "a", "name": "A của chúng tôi", "level": "xa", "kind": "ubnd"}
    with own.connect() as connection:
        before = editing.find(connection, Authority, ["a"])
    editing.save(own, Authority, ["a"], print_of(before), cells, "lan")
    (shipped / "authorities.csv").write_text(header + "a,A mới,xa,ubnd,,\nb,B mới,xa,ubnd,,\n", encoding="utf-8")
    importer.load_shipped(own, shipped)
    with own.connect() as connection:
        names = {row.code: row.name for row in database.read_all(connection, Authority)}
    assert names == {"a": "A của chúng tôi", "b": "B mới"}


def test_an_import_is_not_written_when_the_catalogue_moved_on(made: sa.engine.Engine, tmp_path: Path) -> None:
    file = tmp_path / "decision.csv"
    file.write_text("number,issuer,title,source,as_of\n3/QĐ-UBND,U,T,S,2026-11-23\n", encoding="utf-8")
    with made.connect() as connection:
        version = database.version(connection)
    editing.save(made, Decision, [], "", {**CELLS, "number": "2/QĐ-UBND"}, "lan")
    with pytest.raises(importer.MovedOn):
        importer.import_file(made, file, version=version)
    assert importer.import_file(made, file, version=version + 1).added == 1
