from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot import phrasebook
from bot.catalogue.store import Store
from bot.editing.links import Links
from bot.phrasebook import Phrasebook
from bot.runtime import Runtime
from bot.settings import settings
from bot.staff import audit
from bot.staff.workbench import warm
from tests.editing.test_links import site as site
from tests.staff.conftest import Console, Visitor

FAQ = "/staff/content/faq/lien-he-phan-anh/duong-day-nong"
NEW: dict[str, Any] = {
    "kind": "faq",
    "file": "faq/nop-ho-so.yml",
    "question": "Nộp hồ sơ hộ cho ông bà được không?",
    "phrasings": "con nộp thay bố mẹ già được không\n- nhờ cháu đi nộp giúp bà\nnộp giùm người ốm nằm viện",
    "answer": "Được nếu có giấy ủy quyền.\n\nBạn hỏi 1022 để chắc chắn.",
    "source_title": ["Nghị định 118/2025/NĐ-CP", ""],
    "source_url": ["", ""],
    "source_as_of": ["01/07/2025", ""],
    "owner": "Lan",
    "review": "2027-03-31",
}


@pytest.fixture
def staff_runtime(own_engine: sa.engine.Engine, book: Phrasebook, tmp_path: Path, own_data: Path) -> Runtime:
    return Runtime(replace(settings(), home=tmp_path, nlu_data=own_data), Store(own_engine), lambda: book)


def fields(html: str) -> dict[str, Any]:
    """What a browser would send of the entry's form, untouched."""
    form = re.search(r'<form method="post" class="stack entry-form".*?</form>', html, re.S)
    assert form
    told: dict[str, Any] = {}

    def put(name: str, value: str) -> None:
        told.setdefault(name, []).append(unescape(value))

    for tag in re.findall(r"<input[^>]*>", form[0]):
        found = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if found.get("type") not in ("checkbox", "radio") or " checked" in tag:
            put(found.get("name", ""), found.get("value", ""))
    for name, value in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', form[0], re.S):
        put(name, value)
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.S):
        picked = re.search(r'<option value="([^"]*)" selected', body) or re.search(r'<option value="([^"]*)"', body)
        put(name, picked[1] if picked else "")
    told.pop("csrf")
    return {name: values if len(values) > 1 else values[0] for name, values in told.items()}


def errors(html: str) -> str:
    return unescape(" ".join(re.findall(r'<p class="field-error"[^>]*>(.*?)</p>', html)))


def did(console: Console) -> list[tuple[str, str]]:
    entries = audit.entries(console.app.state.engine, most=200)
    return [(each.action, each.target) for each in entries if not each.action.startswith("session.")]


# Lists


def test_search_needs_no_accents_and_finds_answers_and_codes(console: Console) -> None:
    lan = console.person()
    page = lan.get("/staff/content", params={"q": "duong day NONG"}).text
    assert "Số điện thoại hỏi thủ tục hành chính" in page
    assert "VNeID là gì" not in page
    by_answer = lan.get("/staff/content", params={"q": "258 vo chi cong"}, headers={"HX-Request": "true"}).text
    assert "Trung tâm Phục vụ hành chính công Hà Nội ở đâu" in by_answer
    assert "<html" not in by_answer
    assert "1.001456" in lan.get("/staff/content", params={"kind": "procedure", "q": "1.001456"}).text
    assert "Không có mục nào" in lan.get("/staff/content", params={"q": "xyzzyqwerty"}).text


def test_every_kind_is_listed_and_opens(console: Console) -> None:
    lan = console.person()
    for kind in ("faq", "procedure", "vague", "missing"):
        page = lan.get("/staff/content", params={"kind": kind}).text
        first = re.search(r'class="entry-title" href="([^"]+)"', page)
        assert first
        assert fields(lan.get(unescape(first[1])).text)["phrasings"]
    assert lan.get("/staff/content/faq/nop-ho-so/khong-co").status_code == 404


def test_lists_by_topic_and_state(console: Console, own_data: Path) -> None:
    path = own_data / "faq" / "nop-ho-so.yml"
    text = path.read_text()
    path.write_text(text.replace("  vneid-la-gi:\n", "  vneid-la-gi:\n    review: 2026-01-01\n    retired: false\n"))
    lan = console.person()
    due = lan.get("/staff/content", params={"state": "review"}).text
    assert "VNeID là gì?" in due and "1 mục" in due
    assert "1022" not in lan.get("/staff/content", params={"file": "faq/nop-ho-so.yml", "q": "tong dai"}).text
    assert "Không có mục nào" in lan.get("/staff/content", params={"state": "retired"}).text


def test_a_broken_file_is_named_and_the_rest_works(console: Console, own_data: Path) -> None:
    path = own_data / "faq" / "nop-ho-so.yml"
    path.write_text(path.read_text().replace("    question: VNeID", "  \tquestion: VNeID"))
    lan = console.person()
    page = lan.get("/staff/content")
    assert page.status_code == 200
    assert re.search(r"Tệp faq/nop-ho-so.yml: dòng \d+: ", page.text)
    lan.get(FAQ)
    answer = lan.post("/staff/content/new", NEW)
    assert answer.status_code == 422 and "nop-ho-so.yml" in answer.text
    assert "nhờ cháu đi nộp giúp bà" in answer.text
    path.write_bytes(b"faq: \xff\xfe")
    assert "UTF-8" in lan.get("/staff/content").text


# Writing


def test_what_is_opened_and_saved_untouched_changes_no_byte(console: Console, own_data: Path) -> None:
    before = {path: path.read_bytes() for path in own_data.rglob("*.yml")}
    lan = console.person()
    for path in (FAQ, "/staff/content/procedure/xuat-nhap-canh/1.001456", "/staff/content/vague/ho-tich/0"):
        page = lan.get(path)
        assert lan.post(path, fields(page.text)).status_code == 303
    assert {path: path.read_bytes() for path in own_data.rglob("*.yml")} == before
    assert did(console) == []


def test_add_edit_move_retire_and_use_again(console: Console, own_data: Path) -> None:
    lan = console.person()
    lan.get("/staff/content/new")
    added = lan.post("/staff/content/new", NEW)
    assert added.status_code == 303
    where = added.headers["location"]
    entry = phrasebook.load(own_data).faq["nop-ho-so-ho-cho-ong-ba-duoc-khong"]
    assert entry.phrasings[1] == "nhờ cháu đi nộp giúp bà"
    assert entry.answer == "Được nếu có giấy ủy quyền.\n\nBạn hỏi 1022 để chắc chắn."
    assert (entry.owner, entry.review, entry.sources[0].as_of) == ("Lan", date(2027, 3, 31), date(2025, 7, 1))
    assert entry.sources[0].url is None

    sent = fields(lan.get(where).text)
    sent |= {"phrasings": sent["phrasings"] + "\nđi nộp thay người khuyết tật", "file": "faq/ve-tro-ly.yml"}
    moved = lan.post(where, sent)
    assert moved.headers["location"].endswith("/faq/ve-tro-ly/nop-ho-so-ho-cho-ong-ba-duoc-khong")
    assert "nop-ho-so-ho" not in (own_data / "faq" / "nop-ho-so.yml").read_text()
    assert len(phrasebook.load(own_data).faq["nop-ho-so-ho-cho-ong-ba-duoc-khong"].phrasings) == 4

    where = moved.headers["location"]
    version = fields(lan.get(where).text)["version"]
    assert lan.post(f"{where}/retire", {"version": version}).status_code == 303
    assert "nop-ho-so-ho-cho-ong-ba-duoc-khong" not in phrasebook.load(own_data).faq
    page = lan.get(where).text
    assert "Dùng lại mục này" in page
    assert lan.post(f"{where}/restore", {"version": fields(page)["version"]}).status_code == 303
    assert "nop-ho-so-ho-cho-ong-ba-duoc-khong" in phrasebook.load(own_data).faq
    target = "faq/ve-tro-ly/nop-ho-so-ho-cho-ong-ba-duoc-khong"
    assert [action for action, at in did(console) if at == target] == [
        "faq.restore",
        "faq.retire",
        "faq.edit",
        "faq.move",
    ]


def test_an_edit_touches_its_own_lines_only(console: Console, own_data: Path) -> None:
    lan = console.person()
    path = own_data / "phrasings" / "xuat-nhap-canh.yml"
    before = path.read_text().split("\n")
    where = "/staff/content/procedure/xuat-nhap-canh/1.001456"
    sent = fields(lan.get(where).text)
    lan.post(where, {**sent, "phrasings": sent["phrasings"] + "\nlàm quyển hộ chiếu màu tím"})
    after = path.read_text().split("\n")
    assert [line for line in after if line not in before] == [next(x for x in after if "màu tím" in x)]
    assert [line for line in before if line not in after] == []


def test_a_new_vague_family_and_a_missing_procedure(console: Console, own_data: Path) -> None:
    lan = console.person()
    lan.get("/staff/content/new?kind=vague")
    family = {"kind": "vague", "file": "phrasings/giam-ngheo.yml", "choice_add": "1.001193, 1.004873"}
    answer = lan.post("/staff/content/new", {**family, "phrasings": "giấy tờ đầu đời\ngiấy tờ buổi giao thời"})
    assert answer.status_code == 303
    assert ["1.001193", "1.004873"] in [each.choices for each in phrasebook.load(own_data).vague]
    missing = {"kind": "missing", "file": "missing.yml", "name": "Đăng ký thả diều", "field": "Văn hóa"}
    wordings = "xin phép thả diều\nthả diều có phải xin không\ndiều sáo thả ở đâu"
    answer = lan.post("/staff/content/new", {**missing, "keyword": "thả diều", "phrasings": wordings})
    assert answer.status_code == 303
    assert phrasebook.load(own_data).missing["dang-ky-tha-dieu"].keyword == "thả diều"


# Checks


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"question": ""}, "Câu hỏi: chưa ghi"),
    ({"phrasings": "một câu thôi nhé"}, "ít nhất 3 cách hỏi"),
    ({"phrasings": "con nộp thay mẹ\ncon nop thay me\nnhờ cháu nộp"}, "Dòng 2 “con nop thay me” trùng dòng 1"),
    ({"phrasings": "Duong day nong HANH CHINH cong?\nb c d e\nc d e f"}, "(tệp faq/lien-he-phan-anh.yml)"),
    ({"phrasings": "mai có mưa không\nb c d e\nc d e f"}, "out_of_scope.yml"),
    ({"phrasings": "gọi 0912345678 giúp bà\nb c d e\nc d e f"}, "số điện thoại"),
    ({"answer": " "}, "Câu trả lời: chưa ghi"),
    ({"source_title": ["", ""], "source_as_of": ["", ""]}, "Chưa có nguồn"),
    ({"source_as_of": ["", ""]}, "Nguồn 1: chưa ghi ngày"),
    ({"source_as_of": ["2026-11-24", ""]}, "Nguồn 1: ngày 24/11/2026 ở tương lai"),
    ({"source_as_of": ["31/02/2026", ""]}, "“31/02/2026” không phải ngày"),
    ({"source_url": ["javascript:alert(1)", ""]}, "phải bắt đầu bằng https://"),
    ({"source_url": ["https://dichvucong.gov.vn/x?ma_thu_tuc=1", ""]}, "đã ngừng hoạt động"),
    ({"source_url": ["http://127.0.0.1:1/", ""]}, "mạng nội bộ"),
    ({"source_title": ["", ""], "source_url": ["https://127.0.0.1/", ""]}, "Tên nguồn 1: chưa ghi"),
    ({"review": "hôm nào rảnh"}, "“hôm nào rảnh” không phải ngày"),
    ({"file": "../../etc/passwd"}, "Chưa chọn chủ đề"),
]


def test_what_is_wrong_is_refused_by_name_and_nothing_typed_is_lost(console: Console, own_data: Path) -> None:
    before = {path: path.read_bytes() for path in own_data.rglob("*.yml")}
    lan = console.person()
    lan.get("/staff/content/new")
    for change, told in WRONG:
        sent = {**NEW, **change}
        answer = lan.post("/staff/content/new", sent)
        assert answer.status_code == 422, told
        assert told in errors(answer.text)
        again = fields(answer.text)
        assert again["question"] == sent["question"] and again["owner"] == "Lan"
        assert again["phrasings"].split("\n")[0].strip() in sent["phrasings"]
        if sent["source_url"][0]:
            assert again["source_url"][0] == sent["source_url"][0]
        assert again["review"] in (sent["review"], "31/03/2027")
    assert {path: path.read_bytes() for path in own_data.rglob("*.yml")} == before
    assert did(console) == []


def test_unknown_codes_are_refused(console: Console) -> None:
    lan = console.person()
    lan.get("/staff/content/new")
    sent = {"kind": "procedure", "file": "phrasings/ho-tich.yml", "key": "9.999999", "name": "Không có"}
    assert "không có thủ tục mã 9.999999" in errors(lan.post("/staff/content/new", sent).text)
    sent = {"kind": "vague", "file": "phrasings/ho-tich.yml", "choice_add": "9.999999 1.001193", "phrasings": "x\nz"}
    assert "không có thủ tục mã 9.999999" in errors(lan.post("/staff/content/new", sent).text)
    sent["choice_add"] = "1.001193"
    assert "2 đến 4" in errors(lan.post("/staff/content/new", sent).text)
    sent = {"kind": "procedure", "file": "phrasings/ho-tich.yml", "key": "1.001456", "name": "Hai lần"}
    assert "đã có mục" in errors(lan.post("/staff/content/new", sent).text)


def test_what_is_nearly_the_same_is_asked_about(console: Console) -> None:
    lan = console.person()
    lan.get("/staff/content/new")
    near = {**NEW, "phrasings": NEW["phrasings"] + "\nđường dây nóng hành chính công ạ"}
    answer = lan.post("/staff/content/new", near)
    assert answer.status_code == 422
    assert "gần giống “đường dây nóng hành chính công”" in errors(answer.text)
    assert lan.post("/staff/content/new", {**near, "sure": "1"}).status_code == 303


def test_a_dead_link_is_asked_about_and_named(console: Console, site: str) -> None:
    console.app.state.links = Links(inside=True)
    lan = console.person()
    lan.get("/staff/content/new")
    dead = {**NEW, "source_url": [f"{site}/404", ""]}
    answer = lan.post("/staff/content/new", dead)
    assert answer.status_code == 422
    assert "Nguồn 1: liên kết trang báo không còn (lỗi 404)" in errors(answer.text)
    assert lan.post("/staff/content/new", {**NEW, "source_url": [f"{site}/200", ""]}).status_code == 303


def test_checks_while_typing(console: Console) -> None:
    lan = console.person()
    sent = fields(lan.get(FAQ).text)
    fine = lan.post("/staff/content/check", sent, headers={"HX-Request": "true"})
    assert "Chưa thấy chỗ nào cần sửa" in fine.text
    sent["phrasings"] += "\n1022 là tổng đài gì"
    told = lan.post("/staff/content/check", sent, headers={"HX-Request": "true"}).text
    assert "đã có ở “Tổng đài 1022" in told and "<html" not in told
    assert "/staff/content/faq/lien-he-phan-anh/tong-dai-1022" in told


def test_procedures_to_pick(console: Console) -> None:
    lan = console.person()
    assert 'value="1.001456"' in lan.get("/staff/content/picks", params={"pick": "ho chieu pho thong"}).text
    assert 'value="1.001456"' in lan.get("/staff/content/picks", params={"pick": "1.001456"}).text
    assert "Không thấy" in lan.get("/staff/content/picks", params={"pick": "xyzzyqwerty"}).text


# Two people


def test_two_people_see_both_versions(console: Console, own_data: Path) -> None:
    lan, minh = console.person(name="lan"), console.person(name="minh")
    theirs, mine = fields(lan.get(FAQ).text), fields(minh.get(FAQ).text)
    lan.post(FAQ, {**theirs, "owner": "Nguyễn Thị Lan", "phrasings": theirs["phrasings"] + "\nsố của một cửa là gì"})
    mine["phrasings"] += "\ncho xin số máy một cửa"
    answer = minh.post(FAQ, mine)
    assert answer.status_code == 409
    for told in ("số của một cửa là gì", "cho xin số máy một cửa", "Nguyễn Thị Lan", "<strong>lan</strong>"):
        assert told in answer.text
    assert "số máy một cửa" not in (own_data / "faq" / "lien-he-phan-anh.yml").read_text()
    again = fields(answer.text)
    assert again["phrasings"].strip().endswith("cho xin số máy một cửa")
    assert minh.post(FAQ, again).status_code == 303
    assert "số máy một cửa" in (own_data / "faq" / "lien-he-phan-anh.yml").read_text()


def test_somebody_with_an_editor_is_somebody_else(console: Console, own_data: Path) -> None:
    lan = console.person()
    sent = fields(lan.get(FAQ).text)
    path = own_data / "faq" / "lien-he-phan-anh.yml"
    path.write_text(path.read_text().replace("Số được công bố tháng 7/2025.", "Số được công bố năm 2025."))
    answer = lan.post(FAQ, {**sent, "owner": "Lan"})
    assert answer.status_code == 409 and "năm 2025" in answer.text
    path.write_text(path.read_text().replace("  duong-day-nong:", "  so-nong:"))
    gone = lan.post(FAQ, {**sent, "owner": "Lan"})
    assert gone.status_code == 409 and fields(gone.text)["owner"] == "Lan"


def test_other_entries_of_the_file_do_not_matter(console: Console, own_data: Path) -> None:
    lan = console.person()
    sent = fields(lan.get(FAQ).text)
    path = own_data / "faq" / "lien-he-phan-anh.yml"
    path.write_text(path.read_text().replace("1022 là tổng đài gì", "1022 là số gì"))
    assert lan.post(FAQ, {**sent, "owner": "Lan"}).status_code == 303
    assert "1022 là số gì" in path.read_text()


def test_a_vague_family_is_known_by_what_it_says(console: Console, own_data: Path) -> None:
    lan = console.person()
    where = "/staff/content/vague/ho-tich/1"
    sent = fields(lan.get(where).text)
    path = own_data / "phrasings" / "ho-tich.yml"
    text = path.read_text()
    first = re.search(r"- choices:\n(?:  .*\n)+?(?=- choices)", text)
    assert first
    path.write_text(text.replace(first[0], ""))
    assert lan.post(where, {**sent, "phrasings": sent["phrasings"] + "\nlàm lại khai sinh"}).status_code == 303
    book = phrasebook.load(own_data)
    family = next(each for each in book.vague if "làm lại khai sinh" in each.phrasings)
    assert "mất khai sinh" in family.phrasings


def test_the_files_are_read_before_anybody_comes(console: Console, own_data: Path) -> None:
    warm(console.app).join(60)
    held = console.app.state.workbench
    assert held.editor.snapshot() is held.sayings()._built


def test_whole_words_come_before_parts_of_words(console: Console) -> None:
    page = console.person().get("/staff/content/picks", params={"pick": "ho chieu pho thong"}).text
    first = re.search(r'value="([^"]+)"', page)
    assert first and first[1] == "1.001456"


def test_who_is_not_logged_in_sees_nothing(console: Console) -> None:
    stranger = console.visitor()
    for path in ("/staff/content", FAQ, "/staff/content/export", "/staff/content/import"):
        assert stranger.client.get(path).status_code == 303
    lan: Visitor = console.person()
    lan.token = "wrong"
    assert lan.post(FAQ, {}).status_code == 403
