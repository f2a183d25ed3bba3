"""The fixed questions in the console: what is refused, what is written, two people, who did it."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.catalogue.store import Store
from bot.evaluation import fixed
from bot.phrasebook import Phrasebook
from bot.runtime import Runtime
from bot.settings import settings
from bot.staff import audit
from tests.staff.conftest import Console, Visitor
from tests.staff.test_content import errors, fields

LIST = "/staff/content/fixed"
NEW: dict[str, Any] = {"ask": "con tôi mới đẻ làm giấy tờ ở đâu", "procedure": "1.001193", "facet": "office"}


@pytest.fixture
def staff_runtime(own_engine: sa.engine.Engine, book: Phrasebook, tmp_path: Path, own_data: Path) -> Runtime:
    return Runtime(replace(settings(), home=tmp_path, nlu_data=own_data), Store(own_engine), lambda: book)


def where(person: Visitor, words: str, state: str = "") -> str:
    """The address of the first question that a search finds."""
    page = person.get(LIST, params={"q": words, "state": state}).text
    found = re.search(r'class="entry-title" href="([^"]+)"', page)
    assert found, words
    return unescape(found[1])


def did(console: Console) -> list[str]:
    entries = audit.entries(console.app.state.engine, most=200)
    return [each.action for each in entries if each.action.startswith("fixed.")]


def test_search_goes_by_question_code_and_name_without_accents(console: Console, own_data: Path) -> None:
    lan = console.person()
    every = lan.get(LIST).text
    assert f"{len(fixed.read(own_data))} câu." in every and 'aria-current="page">Câu hỏi cố định' in every
    for words in ("giay khai tu", "1.000656", "dang ky khai tu"):
        assert "bố tôi vừa mất cần làm giấy khai tử" in lan.get(LIST, params={"q": words}).text
    fragment = lan.get(LIST, params={"q": "khủng long"}, headers={"HX-Request": "true"}).text
    assert "Không có câu nào" in fragment and "<html" not in fragment
    assert "%0A" in lan.get(LIST, params={"q": "hong ha"}).text, "a conversation is tried line by line"


def test_a_question_is_added_edited_retired_and_used_again(console: Console, own_data: Path) -> None:
    path = own_data / fixed.FILE
    before = path.read_text(encoding="utf-8").splitlines()
    lan = console.person()
    lan.get(f"{LIST}/new")
    saved = lan.post(
        f"{LIST}/new", {**NEW, "ask": "Đăng ký tạm trú, phường Hồng Hà\nthế mất mấy ngày?", "unit": "hong ha"}
    )
    assert saved.status_code == 303
    after = path.read_text(encoding="utf-8").splitlines()
    assert after[: len(before)] == before, "comments, order and every other line stay"
    assert after[len(before) :] == [
        '  - {ask: ["Đăng ký tạm trú, phường Hồng Hà", "thế mất mấy ngày?"], '
        'expect: {procedure: "1.001193", facet: office, unit: Phường Hồng Hà}}'
    ]
    asked = fixed.read(own_data)[-1]
    assert len(asked.turns) == 2 and asked.expect.unit == "Phường Hồng Hà"

    here = saved.headers["location"]
    sent = fields(lan.get(here).text)
    saved = lan.post(here, {**sent, "facet": "time", "procedure": "1.004194", "ask": "đăng ký tạm trú mấy ngày"})
    assert saved.status_code == 303
    asked = fixed.read(own_data)[-1]
    assert (asked.ask, asked.expect.facet, asked.expect.procedure) == ("đăng ký tạm trú mấy ngày", "time", "1.004194")

    here = saved.headers["location"]
    lan.post(f"{here}/retire", {"version": fields(lan.get(here).text)["version"]})
    assert len(fixed.read(own_data)) == len(before) - 8 and "retired: true" in path.read_text(encoding="utf-8")
    assert here == where(lan, "dang ky tam tru may ngay", "retired")
    lan.post(f"{here}/restore", {"version": fields(lan.get(here).text)["version"]})
    assert fixed.read(own_data)[-1] == asked
    assert did(console) == ["fixed.restore", "fixed.retire", "fixed.edit", "fixed.add"]
    assert "Thêm câu hỏi cố định" in [each.title for each in audit.entries(console.app.state.engine)]


def test_an_edit_touches_its_own_line_and_keeps_the_remark_behind_it(console: Console, own_data: Path) -> None:
    path = own_data / fixed.FILE
    text = path.read_text(encoding="utf-8")
    line = next(each for each in text.splitlines() if "chứng thực di chúc" in each)
    path.write_text(text.replace(line, f"  # hay gặp\n{line}  # hỏi ngày 3/11"), encoding="utf-8")
    before = path.read_text(encoding="utf-8").splitlines()
    lan = console.person()
    here = where(lan, "chung thuc di chuc")
    sent = fields(lan.get(here).text)
    assert lan.post(here, sent).status_code == 303 and path.read_text(encoding="utf-8").splitlines() == before
    lan.post(here, {**sent, "facet": "fee"})
    changed = [new for old, new in zip(before, path.read_text(encoding="utf-8").splitlines()) if old != new]
    assert changed == ['  - {ask: chứng thực di chúc, expect: {procedure: "2.001019", facet: fee}}  # hỏi ngày 3/11']


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"ask": " \n "}, "Câu hỏi: chưa ghi"),
    ({"ask": "gọi 0912345678 giúp bà"}, "số điện thoại"),
    ({"ask": "\n".join("abcdefghi")}, "Tối đa 8 câu nối tiếp, đang có 9"),
    ({"ask": "Xin chào!"}, "Câu này đã có"),
    ({"procedure": "", "facet": ""}, "Chưa ghi điều phải đúng"),
    ({"procedure": "9.999999"}, "không có thủ tục mã 9.999999"),
    ({"choice_add": "1.001193 9.888888"}, "không có thủ tục mã 9.888888"),
    ({"unit": "Phường Atlantis"}, "không có phường, xã nào tên “Phường Atlantis”"),
    ({"kind": "lung-tung"}, "không có lựa chọn “lung-tung”"),
    ({"facet": "gi-do"}, "không có lựa chọn “gi-do”"),
    ({"office": "x" * 101}, "dài 101 ký tự"),
    ({"kind": "smalltalk"}, "Loại trả lời “xã giao” không nói tới thủ tục"),
]


@pytest.mark.parametrize(("change", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_is_wrong_is_refused_and_nothing_typed_is_lost(
    console: Console, own_data: Path, change: dict[str, Any], told: str
) -> None:
    before = (own_data / fixed.FILE).read_bytes()
    lan = console.person()
    lan.get(f"{LIST}/new")
    answer = lan.post(f"{LIST}/new", {**NEW, **change})
    assert answer.status_code == 422 and told in errors(answer.text)
    again = fields(answer.text)
    assert again["ask"].split() == {**NEW, **change}["ask"].split()
    if "choice_add" in change:
        assert "9.888888" in again["choices"]
    checked = lan.post(f"{LIST}/check", {**NEW, **change}, headers={"HX-Request": "true"}).text
    assert told in unescape(checked) and "<html" not in checked
    assert (own_data / fixed.FILE).read_bytes() == before and did(console) == []


def test_what_cannot_all_be_true_is_written_once_somebody_says_so(console: Console, own_data: Path) -> None:
    lan = console.person()
    lan.get(f"{LIST}/new")
    assert lan.post(f"{LIST}/new", {**NEW, "kind": "faq", "sure": "1"}).status_code == 303
    assert fixed.read(own_data)[-1].expect.kind == "faq"


def test_without_accents_is_a_question_of_its_own_and_said(console: Console) -> None:
    lan = console.person()
    lan.get(f"{LIST}/new")
    sent = {"ask": "chung thuc di chuc", "procedure": "2.001019"}
    assert "chỉ khác dấu" in unescape(lan.post(f"{LIST}/check", sent, headers={"HX-Request": "true"}).text)
    assert lan.post(f"{LIST}/new", sent).status_code == 303


@pytest.mark.parametrize("change", [{"facet": "time"}, {"ask": "nhà chồng cho nhập hộ khẩu thường trú"}])
def test_two_people_see_both_versions(console: Console, own_data: Path, change: dict[str, str]) -> None:
    lan, minh = console.person(name="lan"), console.person(name="minh")
    here = where(lan, "nhap ho khau")
    theirs, mine = fields(lan.get(here).text), fields(minh.get(here).text)
    lan.post(here, {**theirs, **change})
    answer = minh.post(here, {**mine, "facet": "fee"})
    assert answer.status_code == 409
    for told in ("Có hai bản khác nhau", "<strong>lan</strong>", "lệ phí"):
        assert told in answer.text
    again = fields(answer.text)
    assert (
        again["facet"] == "fee"
        and "facet: fee" not in (own_data / fixed.FILE).read_text(encoding="utf-8").split("nhập hộ khẩu")[1][:120]
    )
    action = re.search(r'class="stack entry-form"[^>]*action="([^"]+)"', answer.text)
    assert action and minh.post(action[1], again).status_code == 303
    kept = [each for each in fixed.read(own_data) if "hộ khẩu thường trú" in each.title]
    assert [(each.title, each.expect.facet) for each in kept] == [("nhập hộ khẩu thường trú vào nhà chồng", "fee")]


def test_who_removed_it_by_an_editor_is_noticed_and_what_was_typed_stays(console: Console, own_data: Path) -> None:
    lan = console.person()
    here = where(lan, "mua xe may cu")
    sent = fields(lan.get(here).text)
    path = own_data / fixed.FILE
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "mua xe máy cũ" not in line), encoding="utf-8")
    assert lan.get(here).status_code == 404
    answer = lan.post(here, {**sent, "facet": "fee"})
    assert answer.status_code == 409 and fields(answer.text)["facet"] == "fee"
    assert lan.post(f"{LIST}/new", fields(answer.text)).status_code == 303


def test_the_first_question_makes_the_file(console: Console, own_data: Path) -> None:
    (own_data / fixed.FILE).unlink()
    lan = console.person()
    assert "Không có câu nào" in lan.get(LIST).text
    lan.get(f"{LIST}/new")
    assert lan.post(f"{LIST}/new", {**NEW, "ask": "khai sinh ở đâu?"}).status_code == 303
    assert (own_data / fixed.FILE).read_text(encoding="utf-8").split("\n")[:2] == [
        "questions:",
        '  - {ask: "khai sinh ở đâu?", expect: {procedure: "1.001193", facet: office}}',
    ]


def test_a_broken_file_is_named(console: Console, own_data: Path) -> None:
    path = own_data / fixed.FILE
    path.write_text(path.read_text(encoding="utf-8").replace("kind: smalltalk", "kind: smaltalk"), encoding="utf-8")
    page = unescape(console.person().get(LIST).text)
    assert f"Tệp {fixed.FILE}" in page and "smaltalk không phải một loại trả lời" in page


def test_fixed_questions_are_no_phrasings_and_no_suggestions(console: Console) -> None:
    lan = console.person()
    sent = {"kind": "faq", "question": "xin phiếu lý lịch tư pháp số 2", "phrasings": "a b c"}
    lan.get("/staff/content/new")
    told = unescape(lan.post("/staff/content/check", sent, headers={"HX-Request": "true"}).text)
    assert fixed.FILE not in told


def test_who_is_not_logged_in_sees_nothing(console: Console) -> None:
    stranger = console.visitor()
    for path in (LIST, f"{LIST}/new"):
        assert stranger.client.get(path).status_code == 303
