from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.channels.replies import Reply
from bot.channels.telegram_render import LONGEST_TEXT, LONGEST_TITLE, marked, render, split
from tests.channels.bot_api import parse_html


def plain(payload: str) -> str:
    return payload


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(st.text(alphabet="ab \n.,ậ😀", max_size=400), st.integers(5, 60))
def test_nothing_is_lost_and_every_piece_fits(text: str, longest: int) -> None:
    pieces = list(split(text, longest))
    assert all(0 < units(piece) <= longest for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_long_answer_is_split_between_lines() -> None:
    text = "\n".join(f"• dòng {number} " + "x" * 80 for number in range(200))
    pieces = list(split(text))
    assert len(pieces) > 1 and all(piece.startswith("• dòng") for piece in pieces)
    assert all(units(piece) <= LONGEST_TEXT for piece in pieces)


def test_markup_from_anywhere_is_text() -> None:
    [(html, _)] = render(Reply("<b>x</b> & <script>", payload={"procedure": {"code": "1"}}), plain)
    assert html == "<b>&lt;b&gt;x&lt;/b&gt; &amp; &lt;script&gt;</b>"


def test_a_procedure_has_a_bold_heading_and_labels_and_a_faint_source() -> None:
    text = "Tên\n• Nơi giải quyết: UBND phường.\n1. Chuẩn bị giấy tờ: đơn.\n• một\nNguồn: Cổng."
    [(html, _)] = render(Reply(text, payload={"procedure": {"code": "1"}}), plain)
    assert html.split("\n") == [
        "<b>Tên</b>",
        "• <b>Nơi giải quyết:</b> UBND phường.",
        "1. <b>Chuẩn bị giấy tờ:</b> đơn.",
        "• một",
        "<i>Nguồn: Cổng.</i>",
    ]
    [(html, _)] = render(Reply("Chào\nbạn: ơi"), plain)
    assert html == "Chào\nbạn: ơi"


def test_an_address_is_a_link_that_shows_its_site() -> None:
    [(html, _)] = render(Reply("• Xem tại: https://www.a.vn/x?a=1&b='2, hoặc (https://b.vn/y)."), plain)
    assert html == (
        '• <b>Xem tại:</b> <a href="https://www.a.vn/x?a=1&amp;b=">a.vn</a>\'2, hoặc (<a href="https://b.vn/y">b.vn</a>).'
    )
    [(html, _)] = render(Reply("hỏng: http://[x và https://"), plain)
    assert "<a" not in html


@given(st.text(alphabet="ab<>&\"'\n: •1.,;()[]/hpst“”ậ😀", max_size=300), st.booleans())
@example("• x: http://a&<b>\"'", True)
@example("Nguồn: https://a.vn/?q=<b>&x", False)
def test_whatever_the_text_telegram_can_read_it(text: str, is_procedure: bool) -> None:
    payload = {"procedure": {"code": "1"}} if is_procedure else {}
    for html, _ in render(Reply(text, payload=payload), plain):
        shown, entities = parse_html(html)
        assert 0 < units(shown) <= LONGEST_TEXT
        assert {entity["type"] for entity in entities} <= {"bold", "italic", "text_link"}


@pytest.mark.parametrize("at", range(3900, 4100, 7))
def test_no_tag_and_no_character_is_cut_in_two(at: int) -> None:
    text = "Tên\n" + "x" * at + " • &amp; <b> https://a.vn/" + "y" * 300 + "\n• Nhãn: " + "😀ậ&" * 2000
    pieces = render(Reply(text, payload={"procedure": {"code": "1"}}), plain)
    shown = [parse_html(html)[0] for html, _ in pieces]
    assert all(units(part) <= 4096 for part in shown)
    assert "".join("".join(shown).split()) == "".join(text.split()).replace("https://a.vn/" + "y" * 300, "a.vn")


def test_the_office_is_told_with_telephone_hours_and_map() -> None:
    office = {"name": "Điểm", "phone": "024 1", "hours": "8–17 giờ", "map_url": "https://osm.org/?a=1"}
    reply = Reply("Tên\n• Nơi nộp: Điểm, 024 1\nNguồn: Cổng.", payload={"office": office})
    [(html, keyboard)] = render(reply, plain)
    assert html.split("\n")[2:] == ["• <b>Giờ làm việc:</b> 8–17 giờ", "<i>Nguồn: Cổng.</i>"]
    assert keyboard is not None and keyboard.inline_keyboard[0][0].url == "https://osm.org/?a=1"


def test_choices_carry_the_numbers_of_the_text_and_short_ones_stand_side_by_side() -> None:
    def titles(reply: Reply) -> list[list[str]]:
        keyboard = render(reply, plain)[0][1]
        assert keyboard is not None
        return [[button.text for button in row] for row in keyboard.inline_keyboard]

    long = "Đăng ký xe mới, bấm biển số tại công an phường, xã nơi đã được phân cấp đăng ký"
    numbered = titles(Reply("1. …", ((long, "/a"), ("Hai", "/b")), {"kind": "choices"}))
    assert len(numbered) == 2 and numbered[1] == ["2. Hai"]
    assert numbered[0][0].startswith("1. Đăng ký xe") and len(numbered[0][0]) <= LONGEST_TITLE
    assert long.startswith(numbered[0][0][3:-1]) and long[len(numbered[0][0]) - 4] == " ", "cut between words"
    wards = (("Phường Ba Đình", "/a"), ("Phường Ngọc Hà", "/b"), ("Phường Láng", "/c"))
    assert titles(Reply("Ở đâu?", wards)) == [["Phường Ba Đình", "Phường Ngọc Hà"], ["Phường Láng"]]


def test_who_cannot_be_helped_is_one_tap_from_a_human() -> None:
    keyboard = render(Reply("Không có.", payload={"kind": "no_record"}), plain)[0][1]
    assert keyboard is not None and keyboard.inline_keyboard[-1][0].callback_data == "/handoff"


def test_buttons_and_links_hang_on_the_last_part() -> None:
    links = [{"title": "Cổng", "url": "https://dichvucong.gov.vn/a"}, {"title": "Xấu", "url": "javascript:alert(1)"}]
    reply = Reply("a\n" * 3000, (("Một " * 40, "/choose"),), {"links": links})
    parts = render(reply, lambda payload: "#1")
    assert [keyboard is None for _, keyboard in parts] == [True] * (len(parts) - 1) + [False]
    keyboard = parts[-1][1]
    assert keyboard is not None
    (first,), (second,) = keyboard.inline_keyboard
    assert first.callback_data == "#1" and len(first.text) <= LONGEST_TITLE
    assert second.url == "https://dichvucong.gov.vn/a"


def test_the_chosen_button_is_marked_and_all_stay() -> None:
    reply = Reply("Chọn", (("Một", "/a"), ("Hai", "/b")), {"links": [{"title": "Cổng", "url": "https://a.vn"}]})
    keyboard = render(reply, plain)[0][1]
    assert keyboard is not None
    once = marked(keyboard, "/b")
    assert [button.text for row in once.inline_keyboard for button in row] == ["Một", "✓ Hai", "Cổng"]
    assert [button.text for row in marked(once, "/a").inline_keyboard for button in row] == ["✓ Một", "Hai", "Cổng"]
