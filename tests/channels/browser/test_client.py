"""The line of the chat: whatever happens to page, network or server, nothing is lost and nothing comes twice."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.channels.browser.conftest import CHOICE_QUESTION, QUESTION, Chat, Site
from tests.channels.web_server import Server

FOLLOW_UP = "thế lệ phí bao nhiêu"


def test_a_whole_conversation(chat: Chat) -> None:
    chat.open()
    chat.button("Đăng ký khai sinh cho con ở đâu?").click()
    expect(chat.answers).to_have_count(1)
    expect(chat.questions.first).to_contain_text("Đăng ký khai sinh cho con ở đâu?")
    expect(chat.find(".suggestions button")).to_have_count(0)
    offer = chat.ask(CHOICE_QUESTION)
    first = offer.locator(".choices button").first
    title = first.inner_text()
    first.click()
    expect(chat.answers).to_have_count(3)
    expect(chat.questions.last).to_contain_text(title)
    chosen = offer.locator("button.chosen")
    expect(chosen).to_contain_text(title)
    expect(chosen).to_be_enabled()
    answer = chat.ask(FOLLOW_UP)
    expect(answer).to_contain_text("phí")
    expect(chat.find(".busy")).to_be_hidden()


def test_nothing_is_asked_of_the_server_before_the_chat_is_opened(chat: Chat) -> None:
    asked: list[str] = []
    chat.page.on("request", lambda request: asked.append(request.url) if "/webhooks/" in request.url else None)
    chat.go()
    chat.page.wait_for_timeout(500)
    assert [url.rsplit("/", 1)[1] for url in asked] == ["site"]
    assert chat.page.context.cookies() == []


@pytest.mark.parametrize("consents", [True, False])
def test_a_reload_in_mid_answer_loses_nothing_and_repeats_nothing(chat: Chat, up: Server, consents: bool) -> None:
    chat.open()
    if consents:
        chat.agree()
    chat.ask(QUESTION)
    with up.slow():
        chat.type(FOLLOW_UP)
        chat.page.wait_for_timeout(300)
        chat.input.fill("đang viết dở")
        chat.page.reload()
        expect(chat.input).to_have_value("đang viết dở")
        expect(chat.answers).to_have_count(2)
    chat.page.wait_for_timeout(500)
    assert chat.questions.count() == 2 and chat.answers.count() == 2
    chat.page.reload()
    expect(chat.answers).to_have_count(2)
    expect(chat.questions).to_have_count(2)


def test_a_reload_before_the_question_was_taken_still_asks_it(chat: Chat) -> None:
    chat.expects_trouble = True
    chat.open()
    chat.page.route("**/messages", lambda route: route.abort())
    chat.type(QUESTION)
    expect(chat.questions).to_have_count(1)
    chat.page.unroute("**/messages")
    chat.page.reload()
    expect(chat.answers).to_have_count(1)
    expect(chat.questions).to_have_count(1)


@pytest.mark.parametrize("consents", [True, False])
def test_a_server_killed_in_mid_answer(chat: Chat, up: Server, consents: bool) -> None:
    chat.expects_trouble = True
    chat.open()
    if consents:
        chat.agree()
    chat.ask(QUESTION)
    with up.slow():
        chat.type("lệ phí đăng ký thường trú bao nhiêu")
        expect(chat.questions).to_have_count(2)
        chat.page.wait_for_timeout(500)
        up.kill()
        expect(chat.find(".banner")).to_contain_text("Chưa kết nối được máy chủ")
        expect(chat.find(".launcher")).to_have_count(1)
        chat.input.fill("vẫn viết được")
    up.start()
    expect(chat.answers).to_have_count(2)
    expect(chat.find(".banner")).to_be_hidden()
    expect(chat.input).to_have_value("vẫn viết được")
    chat.page.wait_for_timeout(500)
    assert chat.questions.count() == 2 and chat.answers.count() == 2
    expect(chat.answers.last).to_contain_text("Đăng ký thường trú")


def test_a_server_that_is_down_hides_nothing_and_is_asked_later(chat: Chat, up: Server) -> None:
    chat.expects_trouble = True
    chat.go()
    up.stop()
    chat.page.locator(".launcher").click()
    expect(chat.find(".banner")).to_contain_text("Chưa kết nối được máy chủ")
    expect(chat.find(".banner a[href='tel:1022']")).to_be_visible()
    chat.type(QUESTION)
    expect(chat.questions).to_contain_text("sẽ tự gửi lại")
    up.start()
    expect(chat.answers).to_have_count(1)
    expect(chat.questions).to_have_count(1)


def test_offline_and_back(chat: Chat) -> None:
    chat.expects_trouble = True
    chat.open()
    chat.ask(QUESTION)
    chat.page.context.set_offline(True)
    chat.type(FOLLOW_UP)
    expect(chat.find(".banner")).to_contain_text("Mất mạng")
    expect(chat.questions.last).to_contain_text("sẽ tự gửi lại")
    chat.type("cần giấy tờ gì")
    chat.page.context.set_offline(False)
    expect(chat.answers).to_have_count(3)
    expect(chat.find(".banner")).to_be_hidden()
    assert [text.split("\n")[-1] for text in chat.questions.all_inner_texts()] == [
        QUESTION,
        FOLLOW_UP,
        "cần giấy tờ gì",
    ]


def test_a_question_whose_receipt_is_lost_is_asked_once(chat: Chat) -> None:
    """The server has it, the browser does not know: sent again, it must not be answered again."""
    chat.expects_trouble = True
    chat.open()
    lost: list[str] = []

    def lose(route: object) -> None:
        if lost:
            route.continue_()  # type: ignore[attr-defined]
        else:
            lost.append(route.fetch().text())  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]

    chat.page.route("**/messages", lose)
    chat.type(QUESTION)
    expect(chat.answers).to_have_count(1)
    chat.page.wait_for_timeout(2500)
    assert lost and chat.answers.count() == 1 and chat.questions.count() == 1


def test_two_tabs_show_one_conversation(chat: Chat) -> None:
    chat.open()
    chat.ask(QUESTION)
    other = chat.another()
    expect(other.answers).to_have_count(1)
    other.ask(FOLLOW_UP)
    expect(chat.answers).to_have_count(2)
    expect(chat.questions).to_have_count(2)
    chat.answers.last.get_by_role("button", name="Có ích").click()
    expect(other.answers.last.get_by_role("button", name="Có ích")).to_have_attribute("aria-pressed", "true")
    other.menu("Bắt đầu lại")
    other.find(".sure .send").click()
    expect(chat.answers).to_have_count(0)
    expect(other.answers).to_have_count(0)
    expect(chat.find(".suggestions button")).to_have_count(4)


def test_tabs_that_open_at_once_share_a_session(chat: Chat, up: Server) -> None:
    other = Chat(chat.page.context.new_page(), up.url)
    chat.go()
    other.go()
    for tab in (chat, other):
        tab.page.evaluate("document.querySelector('mot-cua-chat').open()")
    chat.ask(QUESTION)
    expect(other.answers).to_have_count(1)


def test_a_proxy_that_holds_streams_back_is_got_around(chat: Chat, holding_proxy: str) -> None:
    chat.expects_trouble = True
    chat.url = holding_proxy
    chat.open()
    chat.ask(QUESTION)
    chat.ask(FOLLOW_UP)
    chat.page.wait_for_timeout(500)
    assert chat.answers.count() == 2


def test_no_script_can_read_the_session_on_the_bots_own_site(chat: Chat) -> None:
    chat.open()
    chat.ask(QUESTION)
    assert chat.page.evaluate("document.cookie") == ""
    assert "token" not in chat.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    [cookie] = chat.page.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"


def test_a_session_that_is_gone_is_replaced_and_what_is_on_the_screen_stays(chat: Chat) -> None:
    chat.expects_trouble = True  # the browser notes the 401
    chat.open()
    chat.ask(QUESTION)
    chat.page.context.clear_cookies()
    chat.ask("đăng ký kết hôn ở đâu")
    expect(chat.answers).to_have_count(2)
    chat.ask("đăng ký khai tử ở đâu")


def test_on_another_site_the_session_lives_with_that_site(chat: Chat, up: Server, site: Site) -> None:
    site.policy = f"default-src 'self' {up.url}"
    site.pages["/token"] = f'<script type="module" src="{up.url}/widget/mot-cua-chat.js"></script>'
    chat.url = site.url
    chat.open("/token")
    answer = chat.ask("Đăng ký thường trú nộp ở đâu?")
    expect(answer).to_contain_text("Bạch Mai")
    assert re.search(r'"token":"ey', chat.page.evaluate("Object.values(localStorage).join()"))
    chat.page.reload()
    expect(chat.answers).to_have_count(1)
    chat.ask(FOLLOW_UP)
    other = chat.another("/token")
    expect(other.answers).to_have_count(2)


def test_who_asks_too_fast_is_told_so_and_keeps_what_they_wrote(chat: Chat) -> None:
    chat.expects_trouble = True  # the browser notes the 429
    chat.open()
    for number in range(21):
        chat.type(f"xin chào {number}")
    refused = chat.find(".refused")
    expect(refused.last).to_contain_text(re.compile(r"Bạn chờ \d+ giây"))
    expect(refused.last).to_contain_text("xin chào 20")
    refused.last.get_by_role("button", name="Sửa lại").click()
    expect(chat.input).to_have_value("xin chào 20")
    expect(chat.input).to_be_focused()


def test_a_website_that_is_not_on_the_list_says_so_and_names_the_hotline(chat: Chat, up: Server, site: Site) -> None:
    chat.expects_trouble = True
    site.policy = f"default-src 'self' {up.url}"
    site.pages["/"] = f'<script type="module" src="{up.url}/widget/mot-cua-chat.js"></script>'
    chat.url = f"http://127.0.0.1:{site.port}"
    chat.go("/")
    chat.page.locator(".launcher").click()
    expect(chat.find(".banner")).to_contain_text("chưa kết nối", ignore_case=True)
    expect(chat.find(".banner")).to_contain_text("1022")
