from __future__ import annotations

import pytest

from bot.catalogue.search import Document, TopicIndex
from bot.text import Abbreviations

TOPICS = {
    "procedure:birth": ["làm giấy khai sinh cho con", "vợ vừa sinh em bé làm giấy tờ", "khai sinh cho bé mới đẻ"],
    "procedure:death": ["làm giấy khai tử cho bố", "báo tử cho ông mới mất", "làm giấy chứng tử"],
    "procedure:licence": ["mất bằng lái xe làm lại", "cấp lại giấy phép lái xe", "bị mất bằng lái"],
    "procedure:grave": ["xin xây mả tổ", "sửa mồ mả dòng họ", "di dời mả"],
    "procedure:code": ["cấp mã số", "xin mã số mới", "đăng ký mã"],
}
NONE = [
    "thời tiết hôm nay",
    "giá vàng bao nhiêu",
    "kết quả bóng đá",
    "nấu phở bò",
    "mua điện thoại nào",
    "đăng ký kênh youtube",
]


@pytest.fixture(scope="module")
def index() -> TopicIndex:
    found = [Document(topic, text) for topic, texts in TOPICS.items() for text in texts]
    found += [Document("none:out_of_scope", text) for text in NONE]
    return TopicIndex(found, Abbreviations({"gplx": "giấy phép lái xe"}, {}))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("em muốn khai sinh cho bé", "procedure:birth"),
        ("lam giay khai sinh", "procedure:birth"),
        ("ông nhà tôi mới mất cần báo tử", "procedure:death"),
        ("xin cap lai gplx", "procedure:licence"),
    ],
)
def test_people_are_understood(index: TopicIndex, text: str, topic: str) -> None:
    assert index.rank(text)[0].topic == topic


def test_accents_that_were_typed_count(index: TopicIndex) -> None:
    def best(text: str) -> str:
        return next(match.topic for match in index.rank(text) if match.topic.startswith("procedure"))

    assert best("mả") == "procedure:grave"
    assert best("mã") == "procedure:code"


def test_a_phrasing_that_staff_wrote_is_understood_word_for_word(index: TopicIndex) -> None:
    for topic, texts in TOPICS.items():
        for text in texts:
            best = index.rank(text)[0]
            assert best.topic == topic and best.probability >= 0.95


def test_where_nothing_is_left_of_a_message_all_of_it_counts() -> None:
    found = [Document(topic, text) for topic, texts in TOPICS.items() for text in texts]
    found += [Document("none:out_of_scope", text) for text in [*NONE, "😀"]]
    index = TopicIndex(found, Abbreviations({}, {}))
    assert index.rank("mất bằng lái xe", core="")[0].topic == "procedure:licence"
    assert index.rank("mất bằng", core="")[0].topic == "procedure:licence"


def test_what_is_about_nothing_is_kept_out(index: TopicIndex) -> None:
    for text in ("thời tiết ngày mai", "gia vang hom nay"):
        assert index.rank(text)[0].topic == "none:out_of_scope"


@pytest.mark.parametrize("text", ["", "???", "xyzzy qwerty", "a" * 3000])
def test_shares_add_up_whatever_is_asked(index: TopicIndex, text: str) -> None:
    matches = index.rank(text)
    assert sum(match.probability for match in matches) == pytest.approx(1, abs=0.02)
    assert [m.probability for m in matches] == sorted((m.probability for m in matches), reverse=True)
