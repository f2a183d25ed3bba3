"""The chat as people meet it: by eye, by ear, by keyboard, by thumb, in the dark, enlarged, and on a ward's website."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.channels.browser.conftest import CHOICE_QUESTION, QUESTION, Chat, Site
from tests.channels.web_server import Server

IMAGES = Path(__file__).parents[3] / "docs" / "images"
"""Written with UPDATE_IMAGES=1; otherwise the pictures go to where pytest keeps what tests make."""
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
ZOOMED = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
VERY_ZOOMED = {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4}
DARK = {"color_scheme": "dark"}
CONTRAST = {"forced_colors": "active"}
HERE = {"geolocation": {"latitude": 21.0285, "longitude": 105.8542}, "permissions": ["geolocation"]}
TARGETS = """() => {
  const root = document.querySelector("mot-cua-chat").shadowRoot;
  return [...root.querySelectorAll("button, a, textarea, input")]
    .filter((element) => element.checkVisibility() && !element.closest(".notice p:not(.row), .text, .head p"))
    .map((element) => [element.textContent, element.getBoundingClientRect()])
    .filter(([_, { width, height }]) => width < 44 || height < 44)
    .map(([text, { width, height }]) => `${text}: ${width} × ${height}`);
}"""
WIDE = """() => {
  const root = document.querySelector("mot-cua-chat").shadowRoot;
  return [root.querySelector(".scroll"), root.querySelector(".panel"), document.documentElement]
    .filter((element) => element.scrollWidth > element.clientWidth + 1).map((element) => element.className || "page");
}"""


def everything(chat: Chat, path: str = "/") -> None:
    """A conversation in which all there is to see is seen."""
    chat.open(path)
    chat.ask(QUESTION)
    chat.ask(CHOICE_QUESTION).locator(".choices button").first.click()
    expect(chat.answers).to_have_count(3)
    chat.ask("gặp cán bộ")
    chat.answers.first.get_by_role("button", name="Chưa đúng").click()
    expect(chat.find(".why input")).to_be_visible()


# -- for everyone --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "context",
    [{}, DARK, PHONE, {**PHONE, **DARK}, ZOOMED, VERY_ZOOMED, CONTRAST],
    indirect=True,
    ids=["desktop", "dark", "phone", "dark phone", "200 %", "400 %", "forced colours"],
)
def test_axe_finds_nothing_and_nothing_is_cut_off(chat: Chat) -> None:
    chat.go()
    chat.check()
    chat.page.locator(".launcher").click()
    expect(chat.notice).to_contain_text("90")
    chat.check()
    chat.button("Thu gọn").click()
    everything(chat)
    chat.check()
    chat.button("Thêm").click()
    chat.check()
    assert chat.page.evaluate(WIDE) == []
    assert chat.page.evaluate(TARGETS) == []


def test_by_keyboard_alone(chat: Chat) -> None:
    chat.go()
    keys = chat.page.keyboard
    chat.find(".launcher").focus()
    keys.press("Enter")
    expect(chat.input).to_be_focused()
    keys.type(CHOICE_QUESTION)
    keys.press("Enter")
    expect(chat.answers).to_have_count(1)
    expect(chat.input).to_be_focused()
    for _ in range(20):
        keys.press("Shift+Tab")
        if "khai sinh" in chat.focused():
            break
    keys.press("Enter")
    expect(chat.answers).to_have_count(2)
    expect(chat.find("button.chosen")).to_be_focused()
    chat.button("Thêm").focus()
    keys.press("Enter")
    assert chat.focused() == "Chép cuộc trò chuyện"
    keys.press("Escape")
    assert chat.focused() == "Thêm"
    keys.press("Escape")
    expect(chat.find(".panel")).to_be_hidden()
    expect(chat.find(".launcher")).to_be_focused()
    keys.press("Enter")
    expect(chat.answers).to_have_count(2)


@pytest.mark.parametrize("context", [PHONE], indirect=True)
def test_on_a_phone_the_focus_stays_in_the_chat_that_covers_the_page(chat: Chat) -> None:
    chat.open()
    for _ in range(25):
        chat.page.keyboard.press("Tab")
        assert chat.page.evaluate("document.activeElement.localName") in ("mot-cua-chat", "body")
    chat.page.keyboard.press("Escape")
    expect(chat.find(".panel")).to_be_hidden()


def test_each_answer_is_read_out_once_in_one_place(chat: Chat) -> None:
    chat.open()
    chat.listen()
    first = chat.ask(QUESTION).locator(".title").inner_text()
    offered = chat.ask(CHOICE_QUESTION).locator(".choices button").count()
    heard = chat.heard()
    assert len([text for text in heard if first in text]) == 1
    assert len([text for text in heard if f"Có {offered} lựa chọn" in text]) == 1 and len(heard) == 2
    live = "[aria-live], [role=status], [role=alert], [role=log]"
    assert chat.find(live).count() == 1
    chat.page.reload()
    expect(chat.answers).to_have_count(2)
    chat.listen()
    assert chat.heard() == [], "what was heard before is not read out again"


@pytest.mark.parametrize("context", [PHONE], indirect=True)
def test_what_is_read_out_is_not_shut_out_by_the_window(chat: Chat) -> None:
    chat.open()
    assert chat.find(".panel [aria-live]").count() == 1, "outside of a modal dialog nothing is read out"
    chat.button("Thu gọn").click()
    assert chat.find(".root > [aria-live]").count() == 1


def test_an_answer_that_comes_while_the_chat_is_folded_away_is_noticed(chat: Chat, up: Server) -> None:
    chat.open()
    with up.slow():
        chat.type(QUESTION)
        chat.button("Thu gọn").click()
        chat.listen()
        expect(chat.find(".launcher .dot")).to_have_count(1)
    assert len(chat.heard()) == 1
    expect(chat.find(".launcher")).to_contain_text("có câu trả lời mới")


@pytest.mark.parametrize("context", [{"reduced_motion": "reduce"}, {"reduced_motion": "no-preference"}], indirect=True)
def test_nothing_moves_for_those_who_do_not_want_it(chat: Chat, up: Server) -> None:
    chat.open()
    with up.slow():
        chat.type(QUESTION)
        expect(chat.find(".busy")).to_be_visible()
        script = "document.querySelector('mot-cua-chat').shadowRoot.getAnimations().length"
        moving = chat.page.evaluate(script)
        wants_none = chat.page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
        assert moving == (0 if wants_none else 1)


def test_languages_are_marked(chat: Chat) -> None:
    chat.open()
    chat.menu("English")
    expect(chat.button("Send")).to_be_visible()
    assert chat.find(".root").get_attribute("lang") == "en"
    assert chat.ask(QUESTION).locator(".text").get_attribute("lang") == "vi"
    chat.check()
    chat.page.reload()
    expect(chat.button("Send")).to_be_visible()


# -- writing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["isComposing: true", "keyCode: 229"])
def test_enter_in_the_middle_of_a_composition_sends_nothing(chat: Chat, how: str) -> None:
    chat.open()
    chat.input.fill("Đăng ký khai sin")
    press = f"{{key: 'Enter', bubbles: true, composed: true, {how}}}"
    chat.input.evaluate(f"(input) => input.dispatchEvent(new KeyboardEvent('keydown', {press}))")
    chat.page.wait_for_timeout(300)
    assert chat.questions.count() == 0 and chat.input.input_value() == "Đăng ký khai sin"


def test_a_real_composition_ends_before_the_message_does(chat: Chat) -> None:
    chat.open()
    chat.input.focus()
    devtools = chat.page.context.new_cdp_session(chat.page)
    devtools.send("Input.imeSetComposition", {"text": "khai sinh ở đâu", "selectionStart": 15, "selectionEnd": 15})
    event = {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 229}
    devtools.send("Input.dispatchKeyEvent", event)
    assert chat.questions.count() == 0
    devtools.send("Input.insertText", {"text": "khai sinh ở đâu"})
    chat.page.keyboard.press("Enter")
    expect(chat.questions).to_contain_text("khai sinh ở đâu")


def test_shift_and_enter_make_a_line(chat: Chat) -> None:
    chat.open()
    chat.input.press("a")
    chat.input.press("Shift+Enter")
    chat.input.press("b")
    expect(chat.input).to_have_value("a\nb")


def test_a_thousand_characters_and_no_more(chat: Chat) -> None:
    chat.open()
    chat.input.fill("a\u0301" * 1000)  # a letter and its accent, as some keyboards write it
    expect(chat.find("#counter")).to_have_text("1000/1000 ký tự")
    chat.listen()
    chat.input.fill("á" * 1003)
    expect(chat.find("#counter")).to_contain_text("Dài quá 3 ký tự")
    expect(chat.input).to_have_attribute("aria-invalid", "true")
    assert any("Dài quá 3" in text for text in chat.heard())
    chat.input.press("Enter")
    chat.page.wait_for_timeout(300)
    assert chat.questions.count() == 0 and len(chat.input.input_value()) == 1003


def test_nothing_is_sent_of_nothing(chat: Chat) -> None:
    chat.open()
    chat.type("  \n ")
    chat.page.wait_for_timeout(300)
    assert chat.questions.count() == 0


# -- what people expect ------------------------------------------------------------------------------------------------


def test_the_notice_comes_before_the_first_message_and_asks(chat: Chat) -> None:
    chat.open()
    for words in ("máy, không phải cán bộ", "90 ngày", "Không cho thì máy vẫn trả lời và không lưu gì"):
        expect(chat.notice).to_contain_text(words)
    chat.ask(QUESTION)
    chat.button("Không lưu").click()
    expect(chat.notice).to_contain_text("không được lưu")
    chat.page.reload()
    expect(chat.notice).to_contain_text("không được lưu")
    chat.button("Đổi ý").click()
    chat.button("Đồng ý lưu").click()
    expect(chat.notice).to_contain_text("đã đồng ý lưu câu hỏi 90 ngày")
    chat.menu("Xóa dữ liệu của tôi")
    chat.find(".sure .send").click()
    expect(chat.answers).to_have_count(0)
    expect(chat.notice).to_contain_text("Trước khi bạn hỏi")
    chat.ask(QUESTION)


@pytest.mark.parametrize("context", [HERE], indirect=True)
def test_my_location(chat: Chat) -> None:
    chat.open()
    chat.ask("đăng ký khai sinh ở đâu")
    chat.find("form button.soft").click()
    expect(chat.questions.last).to_contain_text("Vị trí của tôi")
    expect(chat.answers.nth(1)).to_contain_text("Gần bạn nhất là")


def test_a_location_that_may_not_be_used(chat: Chat) -> None:
    chat.open()
    chat.find("form button.soft").click()
    expect(chat.find(".sure")).to_contain_text("nhắn tên phường")


def test_thumbs_with_a_reason(chat: Chat) -> None:
    chat.open().agree()
    answer = chat.ask(QUESTION)
    down = answer.get_by_role("button", name="Chưa đúng")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    reason = answer.get_by_label("Chưa đúng ở đâu?")
    expect(reason).to_be_focused()
    with chat.page.expect_request("**/feedback") as sent:
        reason.fill("Địa chỉ cũ")
        reason.press("Enter")
    assert sent.value.post_data_json["reason"] == "Địa chỉ cũ"
    expect(answer.locator(".why")).to_have_count(0)
    expect(down).to_be_focused()
    answer.get_by_role("button", name="Có ích").click()
    expect(down).to_have_attribute("aria-pressed", "false")
    chat.page.reload()
    expect(chat.answers.first.get_by_role("button", name="Có ích")).to_have_attribute("aria-pressed", "true")


def test_a_reason_is_not_asked_for_under_false_pretences(chat: Chat) -> None:
    chat.open()
    answer = chat.ask(QUESTION)
    answer.get_by_role("button", name="Chưa đúng").click()
    expect(answer.locator(".why")).to_contain_text("chưa đồng ý lưu")


def test_a_way_to_a_human_is_always_there(chat: Chat) -> None:
    chat.open()
    assert chat.find(".head a[href='tel:1022']").is_visible()
    chat.button("Gặp người").click()
    expect(chat.answers.first).to_contain_text("người thật")
    expect(chat.answers.first.locator(".card a[href^='tel:']").first).to_be_visible()


@pytest.mark.parametrize("context", [{"permissions": ["clipboard-read", "clipboard-write"]}], indirect=True)
def test_the_transcript_can_be_copied_downloaded_and_printed(chat: Chat) -> None:
    chat.open()
    title = chat.ask(QUESTION).locator(".title").inner_text()
    chat.menu("Chép cuộc trò chuyện")
    expect(chat.find(".sure")).to_contain_text("Đã chép")
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert QUESTION in copied and title in copied and "https://dichvucong.gov.vn/" in copied
    with chat.page.expect_download() as saved:
        chat.menu("Tải về máy")
    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert QUESTION in text and re.fullmatch(r"hoi-mot-cua-[\d-]+\.txt", saved.value.suggested_filename)
    chat.page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    chat.menu("In ra giấy")
    chat.page.wait_for_function("window.printed")
    chat.page.emulate_media(media="print")
    shown = chat.page.evaluate("document.body.innerText")
    assert QUESTION in shown and "Bạn cần làm giấy tờ gì" not in shown, "the conversation, and nothing of the page"
    chat.page.emulate_media(media="screen")
    chat.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert "Bạn cần làm giấy tờ gì" in chat.page.evaluate("document.body.innerText")


def test_without_a_clipboard_it_is_copied_all_the_same(chat: Chat) -> None:
    chat.open()
    chat.ask(QUESTION)
    chat.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    chat.menu("Chép cuộc trò chuyện")
    expect(chat.find(".sure")).to_contain_text("Đã chép")


def test_starting_over_asks_first(chat: Chat) -> None:
    chat.open()
    chat.ask(QUESTION)
    chat.menu("Bắt đầu lại")
    chat.button("Thôi").click()
    expect(chat.answers).to_have_count(1)
    chat.menu("Bắt đầu lại")
    chat.find(".sure .send").click()
    expect(chat.answers).to_have_count(0)
    expect(chat.find(".suggestions button")).to_have_count(4)
    chat.ask("thế lệ phí bao nhiêu")


def test_who_waits_long_is_told(chat: Chat) -> None:
    chat.open()
    chat.page.route("**/messages", lambda route: route.fulfill(status=202, json={"cursor": 0}))
    chat.type(QUESTION)
    expect(chat.find(".busy")).to_contain_text("Máy chủ đang chậm")
    expect(chat.questions).to_contain_text(QUESTION)


# -- on a ward's website -----------------------------------------------------------------------------------------------


def test_one_script_tag_under_the_strictest_policy(chat: Chat, up: Server, site: Site) -> None:
    site.policy = f"default-src 'self' {up.url}; base-uri 'none'; object-src 'none'; require-trusted-types-for 'script'"
    site.pages["/strict"] = f'<script type="module" src="{up.url}/widget/mot-cua-chat.js"></script>'
    chat.url = site.url
    everything(chat, "/strict")
    expect(chat.find("h2")).to_have_text("Phường Bạch Mai")
    accent = chat.find(".head").evaluate("(head) => getComputedStyle(head).backgroundColor")
    assert accent == "rgb(0, 75, 135)"
    chat.page.evaluate("() => { window.print = () => { window.printed = true; }; }")
    chat.menu("In ra giấy")
    chat.page.wait_for_function("window.printed")
    chat.check()
    # That nothing was reported, not by the policy either, the fixture checks.


def test_a_website_can_change_its_looks_and_place(chat: Chat, up: Server, site: Site) -> None:
    site.policy = f"default-src 'self' {up.url}; style-src 'self' 'unsafe-inline' {up.url}"
    site.pages["/looks"] = f"""
      <style>html {{ font-size: 62.5% }} * {{ color: lime !important }}
      mot-cua-chat {{ --mot-cua-accent: #1b5e20; --mot-cua-on-accent: #fff; --mot-cua-width: 22em; }}</style>
      <script type="module" src="{up.url}/widget/mot-cua-chat.js"></script>
      <mot-cua-chat inline lang="en" theme="dark"></mot-cua-chat>"""
    chat.url = site.url
    chat.go("/looks")
    expect(chat.button("Send")).to_be_visible()
    expect(chat.find(".launcher")).to_be_hidden()
    style = "(element) => [getComputedStyle(element).backgroundColor, getComputedStyle(element).fontSize]"
    color, size = chat.find(".head").evaluate(style)
    assert color == "rgb(27, 94, 32)" and float(size.removesuffix("px")) >= 16
    assert chat.find(".panel").evaluate(style)[0] == "rgb(27, 25, 24)"
    assert chat.page.locator("mot-cua-chat").count() == 1
    chat.ask(QUESTION)


def test_a_page_can_ask_for_its_visitor(chat: Chat) -> None:
    chat.go()
    chat.page.evaluate("(text) => document.querySelector('mot-cua-chat').ask(text)", QUESTION)
    expect(chat.answers).to_have_count(1)


# -- pictures, also those of docs/web-widget.md ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("context", "name"),
    [({}, "desktop"), (DARK, "desktop-dark"), (PHONE, "phone"), ({**PHONE, **DARK}, "phone-dark")],
    indirect=["context"],
)
def test_pictures(chat: Chat, name: str, context: BrowserContext, tmp_path: Path) -> None:
    folder = IMAGES if os.environ.get("UPDATE_IMAGES") else tmp_path
    chat.go()
    chat.page.screenshot(path=folder / f"web-{name}-page.png")
    chat.open()
    chat.page.screenshot(path=folder / f"web-{name}-notice.png")
    chat.button("Không lưu").click()
    chat.ask(CHOICE_QUESTION).locator(".choices button").first.click()
    expect(chat.answers).to_have_count(2)
    chat.ask("gặp cán bộ")
    chat.page.wait_for_timeout(300)
    chat.page.screenshot(path=folder / f"web-{name}-office.png")
    chat.find(".scroll").evaluate("(element) => { element.scrollTop = 0; }")
    chat.page.screenshot(path=folder / f"web-{name}-choices.png")
