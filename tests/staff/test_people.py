"""Accounts and the audit log over HTTP: for administrators only, nothing without a trace."""

from __future__ import annotations

import csv
import io
import re

import httpx
import pytest
from openpyxl import load_workbook

from bot.staff import audit
from bot.staff.accounts import Role
from tests.staff.conftest import PASSWORD, Console, Visitor


@pytest.fixture
def admin(console: Console) -> Visitor:
    return console.person("administrator", "quan.tri")


def number(console: Console, name: str) -> int:
    found = console.accounts.named(name)
    assert found is not None
    return found.id


def link_of(answer: httpx.Response) -> str:
    found = re.search(r'value="http://[^"/]+(/staff/link/[\w-]+)"', answer.text)
    assert found, answer.text
    return found[1]


def actions(console: Console) -> list[str]:
    return [entry.action for entry in audit.entries(console.app.state.engine)]


def test_only_administrators_see_and_do_any_of_it(console: Console) -> None:
    console.person("administrator")
    for role in ("editor", "publisher"):
        person = console.person(role)
        me = number(console, f"thu.{role}")
        assert "/staff/people" not in person.get("/staff").text
        for path in ("/people", f"/people/{me}", "/people/log", "/people/log.csv", "/people/log.xlsx"):
            assert person.get(f"/staff{path}").status_code == 403
        person.get("/staff")
        for path in ("add", f"{me}/save", f"{me}/lock", f"{me}/unlock", f"{me}/link", f"{me}/logout"):
            cells = {"role": "administrator", "name": "ke.gian", "full_name": "Kẻ gian"}
            assert person.post(f"/staff/people/{path}", cells).status_code == 403
    assert console.accounts.named("ke.gian") is None
    assert {each.role for each in console.accounts.all() if each.name == "thu.editor"} == {Role.EDITOR}


def test_a_new_person_sets_a_password_by_a_link_that_works_once(console: Console, admin: Visitor) -> None:
    admin.get("/staff/people")
    made = admin.post("/staff/people/add", {"name": "lan.nguyen", "full_name": "Nguyễn Thị Lan", "role": "publisher"})
    link, newcomer = link_of(made), console.visitor()
    assert newcomer.get(link).status_code == 200
    assert newcomer.post(link, {"new": "quá ngắn", "again": "quá ngắn"}).status_code == 422
    assert newcomer.post(link, {"new": "trời xanh mây trắng", "again": "trời xanh mây đen"}).status_code == 422
    entered = newcomer.post(link, {"new": "trời xanh mây trắng", "again": "trời xanh mây trắng"})
    assert entered.status_code == 303 and "Nguyễn Thị Lan" in newcomer.get("/staff").text
    other = console.visitor()
    assert other.get(link).status_code == 404
    assert other.post(link, {"new": "mật khẩu kẻ gian", "again": "mật khẩu kẻ gian"}).status_code in (403, 404)
    assert console.visitor().log_in("lan.nguyen", "trời xanh mây trắng").status_code == 303
    with console.app.state.engine.connect() as connection:
        kept = repr(connection.exec_driver_sql("SELECT * FROM staff_account").fetchall())
        kept += repr(connection.exec_driver_sql("SELECT * FROM staff_audit").fetchall())
    assert link.rsplit("/", 1)[1] not in kept and "trời xanh" not in kept


@pytest.mark.parametrize(
    "cells",
    [
        {"name": "Lan Nguyễn", "full_name": "Lan", "role": "editor"},
        {"name": "quan.tri", "full_name": "Trùng", "role": "editor"},
        {"name": "lan", "full_name": "", "role": "editor"},
        {"name": "lan", "full_name": "Lan", "role": "trum"},
    ],
)
def test_what_cannot_be_an_account_is_refused_and_what_was_typed_stays(admin: Visitor, cells: dict[str, str]) -> None:
    admin.get("/staff/people")
    answer = admin.post("/staff/people/add", cells)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert f'value="{cells["name"]}"' in answer.text


def test_role_and_name_change_at_once_and_are_noted(console: Console, admin: Visitor) -> None:
    editor = console.person("editor")
    path = f"/staff/people/{number(console, 'thu.editor')}"
    admin.get(path)
    answer = admin.post(f"{path}/save", {"full_name": "Tên mới", "role": "administrator"})
    assert answer.status_code == 303
    assert editor.get("/staff/people").status_code == 200 and "Tên mới" in editor.get("/staff").text
    assert actions(console)[:2] == ["people.role", "people.rename"]


def test_locking_logs_out_at_once_and_unlocking_lets_in_again(console: Console, admin: Visitor) -> None:
    editor = console.person("editor")
    path = f"/staff/people/{number(console, 'thu.editor')}"
    admin.get(path)
    assert admin.post(f"{path}/lock").status_code == 303
    assert editor.get("/staff").status_code == 303
    assert console.visitor().log_in("thu.editor").status_code == 422
    assert admin.post(f"{path}/link").status_code == 422
    admin.post(f"{path}/unlock")
    assert console.visitor().log_in("thu.editor").status_code == 303


def test_nobody_locks_themself_out_and_an_administrator_remains(console: Console, admin: Visitor) -> None:
    path = f"/staff/people/{number(console, 'quan.tri')}"
    admin.get(path)
    for action, cells in (("lock", {}), ("link", {}), ("save", {"full_name": "Q", "role": "editor"})):
        assert admin.post(f"{path}/{action}", cells).status_code == 422
    assert admin.get("/staff/people").status_code == 200


def test_a_new_link_ends_the_old_password_and_sessions(console: Console, admin: Visitor) -> None:
    editor = console.person("editor")
    path = f"/staff/people/{number(console, 'thu.editor')}"
    admin.get(path)
    assert link_of(admin.post(f"{path}/link"))
    assert editor.get("/staff").status_code == 303
    assert console.visitor().log_in("thu.editor").status_code == 422


def test_sessions_are_seen_and_ended_but_not_ones_own(console: Console, admin: Visitor) -> None:
    editor = console.person("editor")
    path = f"/staff/people/{number(console, 'thu.editor')}"
    assert "127.0.0.1" in admin.get(path).text
    assert admin.post(f"{path}/logout").status_code == 303
    assert editor.get("/staff").status_code == 303
    second = console.visitor()
    second.log_in("quan.tri", PASSWORD)
    mine = f"/staff/people/{number(console, 'quan.tri')}"
    admin.get(mine)
    admin.post(f"{mine}/logout")
    assert second.get("/staff").status_code == 303 and admin.get("/staff").status_code == 200


def test_the_log_is_filtered_paged_and_exported(console: Console, admin: Visitor) -> None:
    engine = console.app.state.engine
    for at in range(60):
        audit.note(engine, "lan", "10.0.0.1", "faq.edit", f"muc-{at}", "=1+1" if at == 59 else "100% đúng")
    audit.note(engine, "binh", "10.0.0.2", "catalogue.import", "phu_luc.xlsx", "thêm 2")
    first = admin.get("/staff/people/log?who=lan")
    assert first.text.count("<tr>") == 51 and "muc-59" in first.text and "binh</td>" not in first.text
    older = re.search(r'href="\?([^"]*before=\d+)"', first.text)
    assert older and admin.get("/staff/people/log?" + older[1].replace("&amp;", "&")).text.count("<tr>") == 11
    assert "phu_luc.xlsx" in admin.get("/staff/people/log?action=catalogue").text
    assert "phu_luc.xlsx" in admin.get("/staff/people/log", params={"words": "PHU_luc"}).text
    assert "muc-1" not in admin.get("/staff/people/log", params={"words": "_%"}).text
    assert "muc-1" not in admin.get("/staff/people/log?until=2020-01-01").text
    for bad in ("since=hôm-qua", "since=0001-01-01", "until=9999-12-31"):
        assert admin.get(f"/staff/people/log?{bad}").status_code == 422
    answer = admin.get("/staff/people/log.csv?who=lan")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 61 and rows[1][1] == "lan" and rows[1][5] == "'=1+1"
    book = load_workbook(io.BytesIO(admin.get("/staff/people/log.xlsx?who=lan").content))
    cell = book.worksheets[0]["F2"]
    assert book.worksheets[0].max_row == 61 and cell.value == "=1+1" and cell.data_type == "s"
    assert actions(console)[0] == "people.export"
