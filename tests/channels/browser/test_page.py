"""The demo page: a ward's website with the chat, and the same answers without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.channels.browser.conftest import CHOICE_QUESTION, QUESTION, Chat

PHONE = {"viewport": {"width": 320, "height": 640}}
NO_SCRIPTS = {"java_script_enabled": False}


@pytest.mark.parametrize("context", [{}, PHONE, {"color_scheme": "dark"}], indirect=True)
def test_the_page_is_for_everyone(chat: Chat) -> None:
    chat.go()
    chat.check()
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_its_forms_ask_through_the_chat(chat: Chat) -> None:
    chat.go()
    chat.page.get_by_label("Câu hỏi của bạn").first.fill(QUESTION)
    chat.page.get_by_role("button", name="Gửi câu hỏi").click()
    expect(chat.answers).to_have_count(1)
    chat.button("Thu gọn").click()
    chat.page.locator(".choices button").first.click()
    expect(chat.answers).to_have_count(2)
    assert chat.page.url == f"{chat.url}/"


@pytest.mark.parametrize("context", [NO_SCRIPTS, {**NO_SCRIPTS, **PHONE}], indirect=True)
def test_without_scripts_the_page_answers(chat: Chat, context: BrowserContext) -> None:
    page = chat.go().page
    page.get_by_label("Câu hỏi của bạn").fill(CHOICE_QUESTION)
    page.get_by_role("button", name="Gửi câu hỏi").click()
    expect(page.locator(".said.you")).to_contain_text(CHOICE_QUESTION)
    page.locator(".said.bot .choices button").first.click()
    expect(page.locator(".said.bot").first).to_contain_text("Nguồn:")
    page.get_by_label("Hỏi tiếp").fill("thế lệ phí bao nhiêu")
    page.get_by_role("button", name="Gửi câu hỏi").click()
    expect(page.locator(".said.bot").first).to_contain_text("phí")
    expect(page.locator("summary")).to_contain_text("Các câu trước (2)")
    page.get_by_label("Hỏi tiếp").fill("<script>alert(1)</script><img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Gửi câu hỏi").click()
    expect(page.locator(".said.you").first).to_contain_text("<script>alert(1)</script><img src=x onerror=alert(1)>")
    page.goto(f"{chat.url}/hoi")
    expect(page.locator("h1")).to_have_text("Bạn cần làm giấy tờ gì?")
