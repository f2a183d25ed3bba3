from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot import phrasebook
from bot.editing.editor import EXAMPLES, KINDS, Change, Conflict, Editor, Item, Taken
from bot.editing.lines import CannotEdit, NotYaml

FAQ = KINDS["faq"]


def change(item: Item, file: str = "", **values: object) -> Change:
    return Change(item.kind, file or item.file, item.key, {**item.values, **values}, item.version)


def one(editor: Editor, key: str = "duong-day-nong") -> Item:
    found = editor.snapshot().named(FAQ, key)
    assert found
    return found


def test_every_entry_is_there_and_saving_them_all_changes_no_byte(folder: Path) -> None:
    editor, book = Editor(folder), phrasebook.load(folder)
    snapshot = editor.snapshot()
    told = {kind.name: len(snapshot.of(kind)) for kind in KINDS.values()}
    assert told == {
        "faq": len(book.faq),
        "procedure": len(book.entries),
        "vague": len(book.vague),
        "missing": len(book.missing),
    }
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.yml")}
    editor.save([change(item) for item in snapshot.items])
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.yml")} == before


def test_all_or_nothing(small: Path) -> None:
    editor = Editor(small)
    first, second = one(editor), one(editor, "vneid-la-gi")
    before = {path: path.read_bytes() for path in small.rglob("*.yml")}
    stale = Change(FAQ, second.file, second.key, second.values, "0" * 16)
    with pytest.raises(Conflict) as caught:
        editor.save([change(first, owner="Lan"), stale])
    assert caught.value.current == second
    assert {path: path.read_bytes() for path in small.rglob("*.yml")} == before


def test_moves_between_files_of_other_styles(small: Path) -> None:
    editor = Editor(small)
    vague = KINDS["vague"]
    before = len(phrasebook.load(small).vague)
    items = [item for item in editor.snapshot().of(vague) if item.stem == "ho-tich"][:3]
    moved = editor.save([change(item, "phrasings/dang-ky-xe.yml") for item in items])
    assert [item.file for item in moved] == ["phrasings/dang-ky-xe.yml"] * 3
    assert [item.values for item in moved] == [item.values for item in items]
    assert len(phrasebook.load(small).vague) == before


def test_two_keep_different_entries_of_one_file_at_the_same_time(small: Path) -> None:
    keys = ["duong-day-nong", "tong-dai-1022", "dia-chi-trung-tam", "dia-chi-phuong", "gio-lam-viec"]
    items = [one(Editor(small), key) for key in keys]

    def save(item: Item) -> None:
        Editor(small).save([change(item, owner=item.key)])

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(save, items))
    assert {key: phrasebook.load(small).faq[key].owner for key in keys} == {key: key for key in keys}
    assert not [path for path in small.rglob("*") if path.suffix == ".tmp"]


def test_two_at_the_same_entry_one_is_told(small: Path) -> None:
    item = one(Editor(small))

    def save(name: str) -> bool:
        try:
            Editor(small).save([change(item, owner=name)])
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(save, ["a", "b", "c", "d"])) == 1


def test_names_that_are_taken_and_files_that_do_not_fit(small: Path) -> None:
    editor = Editor(small)
    item = one(editor)
    with pytest.raises(Taken, match="lien-he-phan-anh"):
        editor.save([Change(FAQ, "faq/nop-ho-so.yml", item.key, item.values)])
    with pytest.raises(CannotEdit):
        editor.save([change(item, "phrasings/ho-tich.yml")])
    with pytest.raises(CannotEdit, match="sources"):
        editor.save([change(item, sources=[{"title": "x", "as_of": "hôm qua"}])])
    (small / "faq" / "nop-ho-so.yml").write_text("faq: [")
    with pytest.raises(NotYaml, match=r"nop-ho-so\.yml, dòng"):
        editor.save([change(item, "faq/nop-ho-so.yml")])
    assert any("nop-ho-so.yml" in problem for problem in editor.snapshot().problems)


def test_changes_beside_it_are_seen_at_once(small: Path) -> None:
    editor = Editor(small)
    first = editor.snapshot()
    assert editor.snapshot() is first
    path = small / "faq" / "ve-tro-ly.yml"
    path.write_text(path.read_text().replace("Trợ lý lưu gì về tôi?", "Bạn lưu gì?"))
    assert one(editor, "tro-ly-luu-gi").title == "Bạn lưu gì?"
    path.write_text(path.read_text() + "  duong-day-nong:\n    question: x\n    phrasings: [a]\n    answer: b\n"
                    "    sources: [{title: c, as_of: 2025-01-01}]\n")  # fmt: skip
    assert any("cả hai tệp" in problem for problem in editor.snapshot().problems)


def test_files_keep_their_rights_and_links(small: Path, tmp_path: Path) -> None:
    path = small / "faq" / "lien-he-phan-anh.yml"
    elsewhere = tmp_path / "that.yml"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    elsewhere.chmod(0o640)
    editor = Editor(small)
    editor.save([change(one(editor), owner="Lan")])
    assert path.is_symlink() and "owner: Lan" in elsewhere.read_text()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640


def test_examples_of_what_is_out_of_scope(small: Path) -> None:
    editor = Editor(small)
    before = (small / EXAMPLES).read_text()
    editor.add_examples(["mua trà sữa ở đâu ngon", "mua trà sữa ở đâu ngon", "thời tiết hôm nay"])
    assert (small / EXAMPLES).read_text() == before + "      - mua trà sữa ở đâu ngon\n"
    assert "mua trà sữa ở đâu ngon" in editor.snapshot().examples


def test_what_is_retired_is_kept_and_not_known(small: Path) -> None:
    editor, before = Editor(small), phrasebook.load(small)
    snapshot = editor.snapshot()
    some = [snapshot.of(kind)[0] for kind in KINDS.values()]
    editor.save([change(item, retired=True) for item in some])
    book = phrasebook.load(small)
    assert len(before.vague) - len(book.vague) == len(before.missing) - len(book.missing) == 1
    assert len(before.faq) - len(book.faq) == len(before.entries) - len(book.entries) == 1
    assert len([item for item in editor.snapshot().items if item.retired]) == 4
