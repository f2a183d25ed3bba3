"""How answers look: whatever comes in is text, addresses lead only where they may, and cards say what is known."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Route, expect

from tests.channels.browser.conftest import CHOICE_QUESTION, QUESTION, Chat
from tests.channels.web_server import REPLY

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    '"><iframe srcdoc="<script>alert(1)</script>">',
    "<a href='javascript:alert(1)'>x</a>",
    "<style>*{display:none}</style>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} `${alert(1)}`",
    "&lt;img src=x onerror=alert(1)&gt; &#x3c;b&#x3e;",
    "javascript:alert(1) data:text/html,<script>alert(1)</script>",
    "\u202e<b>\u2066đảo\u2069",
    "]]><!--><slot></slot><template></template>",
]
UNSAFE = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://a.example/1",
    "//evil.example",
    "http://",
    "",
]
OFFICE = {
    "name": "Điểm phục vụ hành chính công phường Mẫu",
    "address": "Số 1 phố Mẫu",
    "phone": "024 1022 000",
    "hours": "Thứ hai đến thứ sáu, 8:00–17:00",
    "map_url": "https://www.openstreetmap.org/?mlat=21.0&mlon=105.8&zoom=17",
}


def reply(chat: Chat, text: str, **payload: Any) -> Any:
    """Have the bot answer just this (the server under test knows how)."""
    buttons = payload.pop("buttons", [])
    full = {"kind": "general", "links": [], "office": None, "procedure": None, "facets": [], **payload}
    return chat.ask(REPLY + json.dumps({"text": text, "buttons": buttons, "payload": full}, ensure_ascii=False))


def elements(chat: Chat) -> list[str]:
    """Names of all elements in the log."""
    script = """() => [...document.querySelector("mot-cua-chat").shadowRoot.querySelectorAll(".log *")]
      .map((element) => element.localName)"""
    return list(chat.page.evaluate(script))


def test_markup_is_text_wherever_it_comes_from(chat: Chat) -> None:
    chat.open()
    alerts: list[str] = []
    chat.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    for text in HOSTILE:
        office = {**OFFICE, "name": text, "address": text, "hours": text}
        answer = reply(chat, text, office=office, links=[{"title": text, "url": "https://a.example/"}])
        assert answer.locator(".text").text_content() == text
        expect(answer.locator(".card").first).to_contain_text(text)
        assert chat.questions.last.locator(".text").text_content().startswith(REPLY)
    expect(chat.find(".suggestions button")).to_have_count(0)
    answer = reply(chat, "Chọn:", buttons=[[text, "/help"] for text in HOSTILE[:3]])
    expect(answer.locator(".choices button").first).to_contain_text(HOSTILE[0])
    strange = {"img", "script", "iframe", "style", "math", "form", "slot", "template", "object", "link"}
    assert not strange & set(elements(chat))
    chat.page.reload()
    expect(chat.answers).to_have_count(len(HOSTILE) + 1)
    assert not strange & set(elements(chat)) and not alerts


def test_an_address_that_leads_elsewhere_than_a_page_is_no_link(chat: Chat) -> None:
    """Even if the server let it through."""
    chat.expects_trouble = True  # the streams that are refused here
    url = ""

    def spoil(route: Route) -> None:
        if "wait=" not in route.request.url:
            return route.fulfill(status=502)
        got = route.fetch()
        return route.fulfill(response=got, body=got.text().replace("https://spoiled.example/", json.dumps(url)[1:-1]))

    chat.page.route("**/events?*", spoil)
    chat.open()
    for url in UNSAFE:
        bad = "https://spoiled.example/"
        links = [{"title": "Hỏng", "url": bad}]
        answer = reply(chat, "Xem đây.", office={**OFFICE, "map_url": bad}, links=links)
        expect(answer).to_contain_text("Xem đây.")
        assert [link.get_attribute("href") for link in answer.locator("a").all()] == ["tel:0241022000"], url


def test_addresses_in_the_text_become_links_and_numbers_of_documents_do_not(chat: Chat) -> None:
    chat.open()
    text = (
        "• Nộp tại: https://dichvucong.gov.vn/thu-tuc?id=1&x=2.\n"
        "• Gọi 1022 hoặc 1900 1009, thư: hoi@hanoi.gov.vn.\n"
        "• Căn cứ: 1022/QĐ-UBND, 118/2025/NĐ-CP, javascript:alert(1)."
    )
    answer = reply(chat, text)
    hrefs = [link.get_attribute("href") for link in answer.locator(".text a").all()]
    assert hrefs == [
        "https://dichvucong.gov.vn/thu-tuc?id=1&x=2",
        "tel:1022",
        "tel:19001009",
        "mailto:hoi@hanoi.gov.vn",
    ]
    page = answer.locator(".text a").first
    assert page.get_attribute("target") == "_blank" and "noopener" in (page.get_attribute("rel") or "")
    expect(answer.locator(".text li")).to_have_count(3)


def test_an_office_has_a_card_with_what_is_known(chat: Chat) -> None:
    chat.open()
    card = reply(chat, "Nơi nộp.", office=OFFICE, kind="procedure").locator(".card")
    for value in (OFFICE["name"], OFFICE["address"], OFFICE["hours"]):
        expect(card).to_contain_text(value)
    assert card.locator("a[href='tel:0241022000']").count() == 1
    assert card.get_by_role("link", name="Xem bản đồ").get_attribute("href") == OFFICE["map_url"]
    little = reply(chat, "Nơi nộp.", office={**OFFICE, "hours": None, "map_url": None})
    expect(little.locator("dt")).to_have_count(2)
    nothing = reply(chat, "Nơi nộp.", office=dict.fromkeys(OFFICE) | {"name": "Công an phường Mẫu"})
    expect(nothing.locator(".card")).to_have_count(0)


def test_an_online_service_has_a_card(chat: Chat) -> None:
    chat.open()
    answer = chat.ask("nộp lý lịch tư pháp qua mạng thế nào")
    card = answer.locator(".card").last
    expect(card).to_contain_text("Cổng Dịch vụ công quốc gia")
    assert (card.locator("a").first.get_attribute("href") or "").startswith("https://dichvucong.gov.vn/")


def test_choices_are_not_said_twice(chat: Chat) -> None:
    chat.open()
    answer = chat.ask(CHOICE_QUESTION)
    title = answer.locator(".choices button").first.inner_text().split("\n")[-1]
    assert answer.inner_text().count(title) == 1


def test_a_turn_that_fails_says_so(chat: Chat) -> None:
    chat.open()
    answer = chat.ask("BROKEN khai sinh")
    expect(answer).to_contain_text("gọi 1022 và đọc mã")
    expect(answer.locator(".thumbs")).to_have_count(0)
    expect(chat.ask(QUESTION).locator(".thumbs")).to_have_count(1)
