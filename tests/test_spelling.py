from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.spelling import Spelling
from bot.text import fold

SAID = [
    "đăng ký kết hôn thì nộp ở đâu",
    "cấp giấy phép hết hạn bao nhiêu tiền",
    "làm online được không mang những gì",
    "giải thể công ty",
] * 20


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling.of(SAID, ["bhyt", "ntn"])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ddaang kys keets hoon", "dang ky ket hon"),
        ("giaays pheps hêts hanj", "giay phep het han"),
        ("giấyy phépp", "giay phep"),
        ("onlne duowcj ko", "online duoc ko"),
        ("mag nhữg gì", "mang nhung gì"),
        ("giải thêr", "giải the"),
    ],
)
def test_slips_are_mended(spelling: Spelling, written: str, meant: str) -> None:
    assert spelling.mend(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("nàm onnine", "làm online"), ("giấy phép hết hạn bao lhiêu", "giấy phép hết hạn bao nhiêu"),
     ("giải thễ công ty", "giải thể công ty"), ("mang nhửng gì", "mang những gì"), ("nộp ở đâu", "nộp ở đâu")],
)  # fmt: skip
def test_words_spelt_by_ear_are_mended(written: str, meant: str) -> None:
    assert Spelling.of([text for text in SAID for _ in range(3)]).mend(written) == meant


@given(st.sampled_from(sorted({word for text in SAID for word in text.split()})))
def test_a_word_that_people_write_is_never_taken_for_another(word: str) -> None:
    assert Spelling.of(SAID).mend(word) == word


@pytest.mark.parametrize("word", ["Nhổn", "Ngọc", "ngực", "bhyt", "ntn", "3.000346", "Sapa", "netflix", "ko", "xe"])
def test_names_short_forms_and_strange_words_stay(spelling: Spelling, word: str) -> None:
    assert spelling.mend(word) == word


@given(st.text(max_size=60))
def test_only_words_change_and_known_ones_never_do(text: str) -> None:
    spelling = Spelling.of(SAID)
    mended = spelling.mend(text)
    assert [c for c in mended if not c.isalpha()] == [c for c in text if not c.isalpha()]
    assert spelling.mend(" ".join(SAID[:2])) == " ".join(SAID[:2])


@given(st.sampled_from(sorted({word for text in SAID for word in text.split() if len(word) > 4})), st.data())
def test_a_letter_held_down_too_long_is_no_other_word(word: str, data: st.DataObject) -> None:
    spelling = Spelling.of(SAID)
    at = data.draw(st.integers(1, len(word) - 1))
    assert fold(spelling.mend(word[:at] + word[at] + word[at:])) == fold(word)
