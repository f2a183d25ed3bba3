"""The catalogue section over HTTP: look up, edit with history, concurrent edits, import with a preview, undo."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from bot.staff import audit
from tests.conftest import TODAY
from tests.staff.conftest import Console, Visitor

CODE = "1.004222"
DECISION = {
    "number": "99/QĐ-UBND",
    "issued_on": "2026-11-01",
    "issuer": "UBND thành phố Hà Nội",
    "title": "Về việc thử",
    "source": "Công báo",
    "as_of": "2026-11-23",
    "valid_from": "2026-11-10",
    "valid_to": "2026-12-31",
}
DELEGATION = {
    "procedure": CODE,
    "decision": "99/QĐ-UBND",
    "kind": "uy_quyen",
    "from_authority": "cong-an-xa",
    "to_authority": "ct-ubnd-xa",
    "scope": "chi",
    "units": ["00004"],
    "stage": "da_quyet_dinh",
    "valid_from": "2026-11-10",
    "source": "Công báo",
    "as_of": "2026-11-23",
}
EDIT = "/staff/catalogue/edit/decision?k=99%2FQ%C4%90-UBND"


def text(answer: httpx.Response) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def seen(answer: httpx.Response) -> str:
    found = re.search(r'name="seen" value="(\w*)"', answer.text)
    assert found
    return found[1]


def base_authority(console: Console) -> str:
    (row,) = console.app.state.runtime.catalogue().rules.base[CODE]
    return str(row.authority)


@pytest.fixture
def editor(console: Console) -> Visitor:
    return console.person("editor")


def save(person: Visitor, path: str, cells: dict[str, Any], **more: str) -> httpx.Response:
    page = person.get(path)
    return person.post(path, {"seen": seen(page), **cells, **more})


def workbook(**sheets: list[dict[str, Any]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(["; ".join(cell) if isinstance(cell, list) else cell for cell in row.values()])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def upload(person: Visitor, content: bytes, name: str = "phu-luc.xlsx") -> httpx.Response:
    person.get("/staff/catalogue/import")
    return person.post("/staff/catalogue/import/preview", files={"file": (name, content)})


def token(answer: httpx.Response) -> str:
    found = re.search(r'name="token" value="([\w-]+)"', answer.text)
    assert found, text(answer)
    return found[1]


@pytest.mark.parametrize(
    "query", ["dang ky thuong tru", "Đăng ký thường trú", "thuong tru", CODE, "đăng kí thuong tru"]
)
def test_a_procedure_is_found_with_and_without_diacritics_by_code_and_misspelt(editor: Visitor, query: str) -> None:
    answer = editor.get("/staff/catalogue", params={"q": query})
    assert f"/staff/catalogue/procedure/{CODE}" in answer.text


def test_nothing_found_is_said(editor: Visitor) -> None:
    assert "Không tìm thấy" in text(editor.get("/staff/catalogue", params={"q": "zzzz qqqq"}))


def test_competence_shows_who_and_why_and_changes_with_place_and_day(console: Console) -> None:
    editor = console.person("editor")
    base = base_authority(console)
    assert save(editor, "/staff/catalogue/edit/decision", DECISION).status_code == 303
    moved = {**DELEGATION, "from_authority": base}
    assert save(editor, "/staff/catalogue/edit/delegation", moved).status_code == 303
    path = f"/staff/catalogue/procedure/{CODE}"
    here = editor.get(path, params={"place": "phuong ba dinh", "day": "2026-11-23"})
    assert "Theo phân cấp, ủy quyền" in text(here) and "99/QĐ-UBND" in here.text
    assert "Chuỗi căn cứ" in text(here) and "tính đến" in text(here)
    elsewhere = editor.get(path, params={"place": "Phường Ngọc Hà", "day": "2026-11-23"})
    before = editor.get(path, params={"place": "Phường Ba Đình", "day": "2026-11-09"})
    for answer in (elsewhere, before):
        assert "Theo thẩm quyền gốc" in text(answer)
    # The running bot has it, too: it reads the same store.
    assert len(console.app.state.runtime.catalogue().competence(CODE, "00004", TODAY).chain) == 1


def test_a_former_ward_gives_a_choice_and_an_unknown_one_is_told(editor: Visitor) -> None:
    path = f"/staff/catalogue/procedure/{CODE}"
    assert editor.get(path, params={"place": "quận Hoàn Kiếm"}).text.count("?unit=") > 1
    answer = editor.get(path, params={"place": "phường Không Có"})
    assert answer.status_code == 422 and "phường Không Có" in text(answer)
    assert editor.get(path, params={"day": "mai"}).status_code == 422
    assert editor.get("/staff/catalogue/procedure/9.999999").status_code == 404


def test_an_edit_is_checked_kept_in_the_history_and_in_the_audit_log(console: Console) -> None:
    editor = console.person("editor")
    save(editor, "/staff/catalogue/edit/decision", DECISION)
    refused = save(editor, EDIT, {**DECISION, "url": "ftp://x", "valid_to": "2026-01-01", "title": ""})
    assert refused.status_code == 422
    assert refused.text.count('aria-invalid="true"') == 3 and "UBND thành phố Hà Nội" in refused.text
    assert save(editor, EDIT, {**DECISION, "title": "Về việc khác"}).status_code == 303
    past = editor.get("/staff/catalogue/history?table=decision&k=99%2FQ%C4%90-UBND")
    assert "Về việc thử" in past.text and "Về việc khác" in past.text and past.text.count("thu.editor") == 2
    noted = audit.entries(console.app.state.engine, action="catalogue.edit")
    assert len(noted) == 2 and "Về việc khác" in noted[0].detail and noted[0].who == "thu.editor"


def test_two_who_edit_the_same_are_warned_and_nothing_is_lost(console: Console) -> None:
    lan, binh = console.person("editor", "lan.nt"), console.person("editor", "binh.tv")
    save(lan, "/staff/catalogue/edit/decision", DECISION)
    before = seen(lan.get(EDIT))
    save(binh, EDIT, {**DECISION, "title": "Của Bình"})
    warned = lan.post(EDIT, {"seen": before, **DECISION, "title": "Của Lan"})
    assert warned.status_code == 409
    assert "binh.tv" in warned.text and "Của Bình" in warned.text and "Của Lan" in warned.text
    assert console.app.state.runtime.catalogue().decisions["99/QĐ-UBND"].title == "Của Bình"
    # Saved again, knowingly.
    assert lan.post(EDIT, {"seen": seen(warned), **DECISION, "title": "Của Lan"}).status_code == 303
    assert "Của Bình" in lan.get("/staff/catalogue/history?table=decision&k=99%2FQ%C4%90-UBND").text


def test_a_row_that_others_rely_on_is_not_removed_and_another_can_be_put_back(console: Console) -> None:
    person = console.person("publisher")
    save(person, "/staff/catalogue/edit/decision", DECISION)
    save(person, "/staff/catalogue/edit/delegation", {**DELEGATION, "from_authority": base_authority(console)})
    remove = "/staff/catalogue/remove/decision?k=99%2FQ%C4%90-UBND"
    page = person.get(EDIT)
    person.post(remove, {"seen": seen(page)})
    assert "dựa vào" in text(person.get(EDIT))
    run = re.search(r"/catalogue/run/(\d+)", person.get("/staff/catalogue/import").text)
    assert run
    person.get(f"/staff/catalogue/run/{run[1]}")
    assert person.post(f"/staff/catalogue/run/{run[1]}/undo").status_code == 303  # the delegation
    page = person.get(EDIT)
    assert person.post(remove, {"seen": seen(page)}).status_code == 303
    assert "99/QĐ-UBND" not in console.app.state.runtime.catalogue().decisions


def test_an_annex_is_previewed_loaded_and_taken_back(console: Console) -> None:
    person = console.person("publisher")
    base = base_authority(console)
    annex = workbook(decision=[DECISION], delegation=[{**DELEGATION, "from_authority": base}])
    preview = upload(person, annex)
    assert preview.status_code == 200 and "thêm 2" in text(preview) and "99/QĐ-UBND" in preview.text
    assert "99/QĐ-UBND" not in console.app.state.runtime.catalogue().decisions
    loaded = person.post("/staff/catalogue/import/confirm", {"token": token(preview)})
    assert loaded.status_code == 303
    assert "99/QĐ-UBND" in console.app.state.runtime.catalogue().decisions
    ended = upload(person, workbook(delegation=[{**DELEGATION, "from_authority": base, "valid_to": "2026-11-30"}]))
    assert "kết thúc 1" in text(ended)
    number = loaded.headers["location"].rsplit("/", 1)[1]
    person.get(loaded.headers["location"])
    assert person.post(f"/staff/catalogue/run/{number}/undo").status_code == 303
    assert "99/QĐ-UBND" not in console.app.state.runtime.catalogue().decisions
    actions = [entry.action for entry in audit.entries(console.app.state.engine)]
    assert actions[:2] == ["catalogue.undo", "catalogue.import"]


def test_refused_rows_are_told_one_by_one_and_nothing_is_loaded(console: Console) -> None:
    person = console.person("publisher")
    bad = workbook(
        decision=[DECISION],
        delegation=[
            {**DELEGATION, "from_authority": "khong-co"},
            {**DELEGATION, "from_authority": "ubnd-tp", "scope": "đâu đó"},
        ],
    )
    answer = upload(person, bad)
    assert answer.status_code == 422 and "import/confirm" not in answer.text
    assert "đâu đó" in text(answer) and "scope" in answer.text and "<td>3</td>" in answer.text
    nowhere = upload(person, workbook(delegation=[{**DELEGATION, "from_authority": "khong-co"}]))
    assert "khong-co" in text(nowhere) and "99/QĐ-UBND" in text(nowhere)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xls", b"x"),
        ("a.xlsx", b"not a zip"),
        ("a.xlsx", b""),
        ("a.csv", b"no,such,header\n1,2,3\n"),
        ("a.csv", "tên".encode("utf-16")),
        ("../../etc/passwd.exe", b"x"),
    ],
)
def test_files_that_cannot_be_read_are_refused(console: Console, name: str, content: bytes) -> None:
    answer = upload(console.person("publisher"), content, name)
    assert answer.status_code == 422 and 'role="alert"' in answer.text


def test_an_import_that_somebody_got_ahead_of_is_previewed_again(console: Console) -> None:
    person = console.person("publisher")
    preview = upload(person, workbook(decision=[DECISION]))
    save(console.person("editor"), "/staff/catalogue/edit/decision", {**DECISION, "title": "Nhanh tay"})
    again = person.post("/staff/catalogue/import/confirm", {"token": token(preview)})
    assert again.status_code == 409 and "Nhanh tay" in again.text
    assert console.app.state.runtime.catalogue().decisions["99/QĐ-UBND"].title == "Nhanh tay"
    assert person.post("/staff/catalogue/import/confirm", {"token": token(again)}).status_code == 303


def test_editors_preview_but_only_publishers_load_and_undo_and_nobody_loads_anothers_file(console: Console) -> None:
    editor, publisher = console.person("editor"), console.person("publisher")
    preview = upload(editor, workbook(decision=[DECISION]))
    assert preview.status_code == 200 and "import/confirm" not in preview.text
    assert editor.post("/staff/catalogue/import/confirm", {"token": token(preview)}).status_code == 403
    publisher.post("/staff/catalogue/import/confirm", {"token": token(preview)})
    assert "99/QĐ-UBND" not in console.app.state.runtime.catalogue().decisions
    assert editor.post("/staff/catalogue/run/1/undo").status_code == 403
    publisher.post("/staff/catalogue/run/1/undo")
    assert "Chưa hoàn tác được" in text(publisher.get("/staff/catalogue/run/1"))


def test_what_expires_and_what_rests_on_the_expired(console: Console) -> None:
    editor = console.person("editor")
    base = base_authority(console)
    save(editor, "/staff/catalogue/edit/decision", DECISION)
    save(editor, "/staff/catalogue/edit/delegation", {**DELEGATION, "from_authority": base})
    assert "99/QĐ-UBND" in editor.get("/staff/catalogue/review?days=60").text
    assert "99/QĐ-UBND" not in editor.get("/staff/catalogue/review?days=10").text
    save(editor, EDIT, {**DECISION, "valid_to": "2026-11-20"})
    assert "dựa trên văn bản đã hết hiệu lực" in text(editor.get("/staff/catalogue/review?days=10"))
    assert editor.get("/staff/catalogue/review?days=nhiều").status_code == 422


def test_the_register_tells_where_each_decision_stands(console: Console) -> None:
    editor = console.person("editor")
    answer = editor.get("/staff/catalogue/decisions?q=uy quyen")
    assert "4610/QĐ-UBND" in answer.text and "Hết hiệu lực" in answer.text
    page = editor.get("/staff/catalogue/decision", params={"number": "120/2025/NĐ-CP"})
    assert "Thủ tục dựa vào văn bản này" in page.text and "/catalogue/procedure/1.000893" in page.text
    assert editor.get("/staff/catalogue/decision?number=không").status_code == 404


def test_every_table_can_be_browsed_and_every_sort_of_row_opens_in_a_form(console: Console) -> None:
    editor = console.person("editor")
    page = editor.get("/staff/catalogue/table/authority")
    tables = set(re.findall(r"/catalogue/table/(\w+)", page.text))
    assert len(tables) == 10
    for table in sorted(tables):
        rows = editor.get(f"/staff/catalogue/table/{table}")
        assert rows.status_code == 200
        link = re.search(rf'href="(/staff/catalogue/edit/{table}\?[^"]+)"', rows.text)
        if link:
            form = editor.get(unescape(link[1]))
            assert form.status_code == 200
            assert editor.post(unescape(link[1]), _same(form)).status_code == 303, table
    assert editor.get("/staff/catalogue/table/staff_account").status_code == 404
    assert editor.get("/staff/catalogue/edit/decision?k=x").status_code == 404
    # Every form was sent as it was: nothing changed.
    assert not audit.entries(console.app.state.engine, action="catalogue.edit")


def _same(page: httpx.Response) -> dict[str, Any]:
    """What a browser sends when a form is saved untouched."""
    form = page.text.split("data-guard>")[1].split("</form>")[0]
    cells: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]+>", form):
        name, value = (re.search(rf'{part}="([^"]*)"', tag) for part in (" name", " value"))
        if name and ("checkbox" not in tag or " checked" in tag):
            cells.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name, value in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', form):
        cells[name] = unescape(value)
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        cells[name] = unescape(chosen[1]) if chosen else ""
    return cells


def test_the_template_has_the_lists_of_today(editor: Visitor) -> None:
    answer = editor.get("/staff/catalogue/import/template.xlsx")
    assert "delegation" in load_workbook(io.BytesIO(answer.content), read_only=True).sheetnames
