from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bot import phrasebook
from bot.catalogue.store import Store
from bot.phrasebook import Phrasebook
from bot.runtime import Runtime
from bot.settings import settings
from tests.staff.browser.conftest import Desk
from tests.staff.browser.test_content import tab_to
from tests.staff.shots import shot
from tests.staff.test_unanswered import CHOICES, PASSPORT, UNKNOWN, Street


@pytest.fixture
def staff_runtime(own_engine: sa.engine.Engine, book: Phrasebook, tmp_path: Path, own_data: Path) -> Runtime:
    return Runtime(replace(settings(), home=tmp_path, nlu_data=own_data), Store(own_engine), lambda: book)


@pytest.fixture
def street(own_engine: sa.engine.Engine) -> Street:
    found = Street(own_engine)
    for who, text in enumerate(("muốn làm quyển hộ chiếu đi du lịch", "muon lam quyen ho chieu di du lich ạ")):
        found.asks(str(who), text, UNKNOWN)
    found.journal.rate(found.asks("x", "hộ chiếu mất bao lâu", PASSPORT), False, "trả lời không đúng ý")
    found.asks("y", "cần cái giấy đi nước ngoài", CHOICES)
    found.asks("y", "mở tiệm bán cá cảnh", UNKNOWN)
    return found


def test_two_keys_make_a_phrasing(desk: Desk, street: Street, own_data: Path) -> None:
    page = desk.log_in(path="/unanswered")
    desk.check()
    shot(page, "unanswered")
    expect(page.locator(".entry")).to_have_count(4)
    tab_to(page, ".entry a.button")
    page.keyboard.press("Enter")
    expect(page.locator("form.panel")).to_be_visible()
    expect(page.locator("form.panel button[value=phrasing]")).to_be_focused()
    desk.check()
    shot(page, "unanswered-panel")
    target = page.locator("form.panel input[name=target]:checked").get_attribute("value") or ""
    assert target.startswith("procedure/")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Đã thêm")).to_be_focused()
    desk.check()
    code = target.split("/")[-1]
    assert "muốn làm quyển hộ chiếu đi du lịch" in phrasebook.load(own_data).entries[code].phrasings
    desk.open("/unanswered")
    expect(page.locator(".entry")).to_have_count(3)


def test_search_refuse_out_of_scope_new_faq_and_done(desk: Desk, street: Street) -> None:
    page = desk.log_in(path="/unanswered")
    entry = page.locator(".entry", has_text="mở tiệm bán cá cảnh")
    entry.get_by_role("link", name="Xử lý").click()
    page.get_by_label("Tìm mục khác").fill("tong dai 1022")
    expect(page.locator("form.panel input[name=target]").first).to_have_value("faq/lien-he-phan-anh/tong-dai-1022")
    page.get_by_label("Câu sẽ ghi").fill("đường dây nóng hành chính công")
    page.get_by_role("button", name="Ghi là cách hỏi").click()
    expect(page.get_by_role("alert")).to_contain_text("đã có ở")
    expect(page.get_by_label("Câu sẽ ghi")).to_have_value("đường dây nóng hành chính công")
    desk.check()
    page.get_by_label("Câu sẽ ghi").fill("mở tiệm bán cá cảnh")
    page.get_by_role("button", name="Ngoài phạm vi").click()
    expect(page.get_by_text("Đã ghi là ngoài phạm vi")).to_be_visible()
    page.locator(".entry", has_text="cần cái giấy đi nước ngoài").get_by_role("link", name="Xử lý").click()
    page.get_by_role("button", name="Tạo câu hỏi thường gặp mới").click()
    page.wait_for_url("**/content/new?**")
    expect(page.get_by_label("Câu hỏi", exact=True)).to_have_value("Cần cái giấy đi nước ngoài?")
    desk.open("/unanswered/done")
    expect(page.locator(".entry")).to_have_count(1)
    desk.check()
    page.get_by_role("button", name="Đưa lại").click()
    expect(page.locator(".entry")).to_have_count(4)
