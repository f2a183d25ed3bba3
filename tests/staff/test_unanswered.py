from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html import unescape
from pathlib import Path
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from bot import phrasebook
from bot.catalogue.store import Store
from bot.journal import Journal
from bot.memory import Memory, message
from bot.memory import mask as masked
from bot.phrasebook import Phrasebook
from bot.runtime import Runtime
from bot.settings import settings
from bot.staff import audit
from tests.staff.conftest import Console, Visitor

UNKNOWN: dict[str, Any] = {"kind": "out_of_scope"}
PASSPORT: dict[str, Any] = {"kind": "procedure", "procedure": {"code": "1.001456", "name": "Hộ chiếu"}}
CHOICES: dict[str, Any] = {
    "kind": "choices",
    "choices": [{"code": "1.001456", "name": "A"}, {"code": "1.001445", "name": "B"}],
}


class Street:
    """People who ask the bot, as the channels note it."""

    def __init__(self, engine: sa.engine.Engine) -> None:
        self.engine = engine
        self.memory = Memory(engine, b"k" * 16)
        self.journal = Journal(engine)

    def asks(self, who: str, text: str, answer: dict[str, Any], agreed: bool = True) -> int:
        if agreed:
            self.memory.agree("web", who)
        number = self.journal.turn("web", who, True, answer, 0.1)
        self.memory.note("web", who, number, text, answer)
        return number

    def taps(self, who: str, answer: dict[str, Any]) -> int:
        return self.journal.turn("web", who, False, answer, 0.1)

    def later(self, hours: float) -> None:
        """Everything so far happened that long ago."""
        with self.engine.begin() as connection:
            for table in ("message", "turn"):
                rows = connection.execute(sa.text(f"SELECT id, at FROM {table}")).all()
                for row in rows:
                    at = datetime.fromisoformat(str(row.at)) - timedelta(hours=hours)
                    connection.execute(
                        sa.text(f"UPDATE {table} SET at = :at WHERE id = :id"), {"at": str(at), "id": row.id}
                    )


@pytest.fixture
def staff_runtime(own_engine: sa.engine.Engine, book: Phrasebook, tmp_path: Path, own_data: Path) -> Runtime:
    return Runtime(replace(settings(), home=tmp_path, nlu_data=own_data), Store(own_engine), lambda: book)


@pytest.fixture
def street(own_engine: sa.engine.Engine) -> Street:
    return Street(own_engine)


def listed(visitor: Visitor, query: str = "") -> list[str]:
    page = visitor.get(f"/staff/unanswered{query}").text
    return [unescape(text) for text in re.findall(r'<p class="entry-title">“(.*?)”', page)]


def opened(visitor: Visitor, text: str) -> tuple[str, str]:
    """The panel of a group, and its address."""
    page = visitor.get("/staff/unanswered").text
    for entry in re.findall(r'<li class="entry".*?Xử lý</a>', page, re.S):
        if text in unescape(entry):
            where = re.search(r'href="(/staff/unanswered/\w+)"', entry)
            assert where
            return visitor.get(where[1], headers={"HX-Request": "true"}).text, where[1]
    raise AssertionError(f"{text} is not listed")


def filled(panel: str) -> dict[str, str]:
    texts = re.search(r'name="texts"[^>]*>(.*?)</textarea>', panel, re.S)
    target = re.search(r'name="target" value="([^"]+)" checked', panel)
    return {"texts": unescape(texts[1]) if texts else "", "target": target[1] if target else ""}


def did(console: Console) -> Optional[audit.Entry]:
    return next((e for e in audit.entries(console.app.state.engine) if e.action.startswith("unanswered.")), None)


def test_what_is_listed_and_what_is_not(console: Console, street: Street) -> None:
    street.asks("a", "bán vé số ở đâu", UNKNOWN)
    street.asks("a", "làm hộ chiếu", PASSPORT)
    liked, disliked = street.asks("b", "hộ chiếu lần đầu", PASSPORT), street.asks("b", "gia hạn hộ chiếu", PASSPORT)
    street.journal.rate(liked, True)
    street.journal.rate(disliked, False, "sai rồi, số tôi 0912345678")
    street.asks("không đồng ý", "câu không được lưu", UNKNOWN, agreed=False)
    lan = console.person()
    assert set(listed(lan)) == {"bán vé số ở đâu", "gia hạn hộ chiếu"}
    page = lan.get("/staff/unanswered").text
    assert "sai rồi, số tôi [số điện thoại]" in page and "0912345678" not in page
    assert listed(lan, "?reason=thumbed_down") == ["gia hạn hộ chiếu"]
    assert listed(lan, "?reason=fell_back") == ["bán vé số ở đâu"]


def test_choices_that_were_not_what_was_meant(console: Console, street: Street) -> None:
    # Taken: fine.
    street.asks("a", "chọn rồi", CHOICES)
    street.taps("a", PASSPORT)
    # Something else was asked; the same was asked again; the other one was taken afterwards.
    street.asks("b", "hỏi sang việc khác", CHOICES)
    street.asks("b", "nuôi lợn", {"kind": "procedure", "procedure": {"code": "1.000001"}})
    street.asks("c", "cần cái giấy đi nước ngoài", CHOICES)
    street.taps("c", PASSPORT)
    street.asks("c", "em cần cái giấy đi nước ngoài cơ", {"kind": "faq"})
    street.asks("d", "đổi ý sau khi chọn", CHOICES)
    street.taps("d", PASSPORT)
    street.taps("d", {"kind": "procedure", "procedure": {"code": "1.001445"}})
    # A choice that was thumbed down is held against the question, not the tap.
    street.asks("e", "câu có lựa chọn bị chê", CHOICES)
    street.journal.rate(street.taps("e", PASSPORT), False)
    # None taken: only known when the person has gone.
    street.asks("f", "bỏ đi không chọn", CHOICES)
    lan = console.person()
    expected = {
        "hỏi sang việc khác",
        "cần cái giấy đi nước ngoài",
        "đổi ý sau khi chọn",
        "câu có lựa chọn bị chê",
    }
    assert set(listed(lan)) == expected
    street.later(hours=1)
    assert set(listed(lan)) == expected | {"bỏ đi không chọn"}
    street.later(hours=24 * 10)
    assert listed(lan, "?days=7") == []
    assert len(listed(lan, "?days=30")) == 5


def test_like_questions_are_one_group_with_its_count(console: Console, street: Street) -> None:
    for who, text in enumerate(
        ["xin phép thả đèn trời", "xin phep tha den troi", "Xin phép thả đèn trời ạ?", "xin phép thả đèn trời"]
    ):
        street.asks(str(who), text, UNKNOWN)
    street.asks("x", "mở quán karaoke trên thuyền", UNKNOWN)
    lan = console.person()
    assert listed(lan) == ["xin phép thả đèn trời", "mở quán karaoke trên thuyền"]
    page = lan.get("/staff/unanswered").text
    assert "<strong>4</strong> lượt hỏi" in page and "2 nhóm, 5 lượt hỏi" in page


def test_two_clicks_make_a_phrasing_of_the_best_guess(console: Console, street: Street, own_data: Path) -> None:
    street.asks("a", "muốn làm quyển hộ chiếu đi du lịch, gọi 0912345678", UNKNOWN)
    lan = console.person()
    panel, where = opened(lan, "muốn làm quyển hộ chiếu đi du lịch")
    sent = filled(panel)
    assert "[" not in sent["texts"] and "0912" not in panel
    assert sent["target"].startswith("procedure/xuat-nhap-canh/")
    answer = lan.post(where, {**sent, "action": "phrasing"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "Đã thêm 1 cách hỏi" in answer.text
    code = sent["target"].split("/")[-1]
    assert sent["texts"] in phrasebook.load(own_data).entries[code].phrasings
    assert listed(lan) == []
    entry = did(console)
    assert entry and (entry.action, entry.target) == ("unanswered.phrasing", sent["target"])
    # The same words never come back; not in other spelling either.
    street.asks("b", "Muon lam quyen HO CHIEU di du lich, gọi 0912345678", UNKNOWN)
    assert listed(lan) == []


def test_the_running_bot_is_asked_for_its_guess(console: Console, street: Street) -> None:
    class Agent:
        async def parse_message(self, text: str) -> dict[str, Any]:
            return {"understanding": {"ranking": [("1.010384", 0.7 if "quyển" in text else 0.0), ("1.001456", 0.2)]}}

    street.asks("a", "muốn làm quyển hộ chiếu đi du lịch", UNKNOWN)
    lan = console.person()
    panel, _ = opened(lan, "muốn làm quyển")
    assert filled(panel)["target"].endswith("/1.001456")
    console.app.state.bot.ctx.agent = Agent()
    panel, _ = opened(lan, "muốn làm quyển")
    assert filled(panel)["target"].endswith("/1.010384")


def test_another_entry_by_search(console: Console, street: Street, own_data: Path) -> None:
    street.asks("a", "chó nhà hàng xóm sủa đêm", UNKNOWN)
    lan = console.person()
    _, where = opened(lan, "chó nhà hàng xóm")
    found = lan.get("/staff/unanswered/suggest", params={"find": "duong day nong"}).text
    assert 'value="faq/lien-he-phan-anh/duong-day-nong" checked' in found
    sent = {"texts": "chó sủa đêm phản ánh ở đâu", "target": "faq/lien-he-phan-anh/duong-day-nong"}
    assert lan.post(where, {**sent, "action": "phrasing"}).status_code == 303
    assert "chó sủa đêm phản ánh ở đâu" in phrasebook.load(own_data).faq["duong-day-nong"].phrasings


def test_a_clash_is_refused_and_what_was_typed_stays(console: Console, street: Street, own_data: Path) -> None:
    street.asks("a", "câu lạ hoắc", UNKNOWN)
    lan = console.person()
    _, where = opened(lan, "câu lạ hoắc")
    sent = {"texts": "1022 là tổng đài gì", "target": "faq/lien-he-phan-anh/duong-day-nong", "action": "phrasing"}
    answer = lan.post(where, sent, headers={"HX-Request": "true"})
    assert answer.status_code == 422 and "đã có ở “Tổng đài 1022" in answer.text
    assert filled(answer.text) == {"texts": sent["texts"], "target": sent["target"]}
    assert lan.post(where, {"texts": "", "action": "phrasing"}).status_code == 422
    assert lan.post(where, {"texts": "a b", "target": "faq/khong/co", "action": "phrasing"}).status_code == 422
    twisted = {"texts": "1022 là tổng đài gì", "action": "out_of_scope"}
    assert "đang là cách hỏi" in lan.post(where, twisted).text
    assert listed(lan) == ["câu lạ hoắc"]


def test_out_of_scope(console: Console, street: Street, own_data: Path) -> None:
    street.asks("a", "giải giúp bài toán lớp năm", UNKNOWN)
    lan = console.person()
    panel, where = opened(lan, "giải giúp bài toán")
    path = own_data / "intents" / "out_of_scope.yml"
    before = path.read_text()
    assert lan.post(where, {**filled(panel), "action": "out_of_scope"}).status_code == 303
    assert path.read_text() == before.rstrip("\n") + "\n      - giải giúp bài toán lớp năm\n"
    assert listed(lan) == []
    entry = did(console)
    assert entry and (entry.action, entry.detail) == ("unanswered.out_of_scope", "giải giúp bài toán lớp năm")


def test_a_new_faq_is_prefilled_and_takes_the_group_off_the_list(
    console: Console, street: Street, own_data: Path
) -> None:
    street.asks("a", "đi xe buýt miễn phí cho người già", UNKNOWN)
    street.asks("b", "người già đi xe buýt miễn phí", UNKNOWN)
    lan = console.person()
    panel, where = opened(lan, "xe buýt")
    assert "<strong>2</strong> lượt hỏi" in lan.get("/staff/unanswered").text
    answer = lan.post(where, {**filled(panel), "action": "faq"})
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    form = lan.get(answer.headers["location"]).text
    assert 'value="Đi xe buýt miễn phí cho người già?"' in unescape(form)
    assert listed(lan) != []
    sent = {
        "kind": "faq",
        "file": "faq/nop-ho-so.yml",
        "question": "Người già đi xe buýt có miễn phí không?",
        "phrasings": query["phrasings"][0] + "\nthẻ xe buýt người cao tuổi",
        "answer": "Bạn hỏi 1022.",
        "source_title": "1022",
        "source_url": "",
        "source_as_of": "2026-11-01",
        "handles": query["handles"],
    }
    assert lan.post("/staff/content/new", sent).status_code == 303
    assert listed(lan) == []
    assert "nguoi-gia-di-xe-buyt-co-mien-phi-khong" in phrasebook.load(own_data).faq


def test_waved_aside_and_had_again(console: Console, street: Street) -> None:
    street.asks("a", "asdf qwer zxcv", UNKNOWN)
    lan = console.person()
    _, where = opened(lan, "asdf")
    assert lan.post(where, {"texts": "x", "action": "dismiss"}).status_code == 303
    street.asks("b", "asdf qwer zxcv nhé", UNKNOWN)
    assert listed(lan) == []
    page = lan.get("/staff/unanswered/done").text
    assert "asdf qwer zxcv" in page and "bỏ qua" in page
    entry = did(console)
    assert entry and entry.action == "unanswered.dismiss" and "asdf" not in entry.detail
    assert lan.post(f"{where}/restore").status_code == 303
    assert listed(lan) == ["asdf qwer zxcv"]


def test_who_wants_to_be_forgotten_is(console: Console, street: Street) -> None:
    street.asks("a", "câu của tôi", UNKNOWN)
    lan = console.person()
    _, where = opened(lan, "câu của tôi")
    street.memory.forget("a")
    assert listed(lan) == []
    assert lan.post(where, {"texts": "câu của tôi", "action": "dismiss"}).status_code == 404
    assert "câu của tôi" not in lan.get("/staff/unanswered/done").text


def test_old_rows_are_masked_once_more(console: Console, street: Street, own_engine: sa.engine.Engine) -> None:
    street.asks("a", "x", UNKNOWN)
    with own_engine.begin() as connection:
        connection.execute(sa.update(message).values(text="số của tôi 0912345678", at=datetime.now(timezone.utc)))
    assert listed(console.person()) == [masked("số của tôi 0912345678")]
