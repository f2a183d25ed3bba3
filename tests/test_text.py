from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import NO_ABBREVIATIONS, Abbreviations, Phrases, clean, fits, fold, is_accented, normalise, spans, words

VIETNAMESE = "aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạắằẳẵặấầẩẫậéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ"
sentences = st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + " .,?!0123456789\u200b😀/@-", max_size=80)


@given(sentences)
def test_folding_is_idempotent_and_forgets_accents(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
    assert not is_accented(fold(text))


@given(sentences, st.sampled_from(["NFC", "NFD"]))
def test_spans_are_true_to_the_text_as_sent(text: str, form: str) -> None:
    sent = unicodedata.normalize(form, text)
    found = spans(sent)
    ends = [0]
    for span in found:
        assert 0 <= span.start < span.end <= len(sent)
        assert span.start >= ends[-1], "spans overlap"
        assert fold(span.text).replace(" ", "") == fold(clean(sent[span.start : span.end])).replace(" ", "")
        ends.append(span.end)
    covered = "".join(sent[span.start : span.end] for span in found)
    assert fold(clean(covered)).replace(" ", "") == fold(clean(sent)).replace(" ", ""), "a word was lost"


def test_offsets_survive_decomposed_text_and_compound_words() -> None:
    text = unicodedata.normalize("NFD", "Đăng ký thường trú ở phường Bạch Mai")
    found = {span.text: text[span.start : span.end] for span in spans(text)}
    assert unicodedata.normalize("NFC", found["thường trú"]) == "thường trú"


@pytest.mark.parametrize(
    ("typed", "standard"),
    [("hoà thuận", "hòa thuận"), ("uỷ quyền", "ủy quyền"), ("cưả hàng", "cửa hàng"), ("khoẻ", "khỏe")],
)
def test_tone_marks_get_their_standard_place(typed: str, standard: str) -> None:
    assert normalise(typed) == standard


@pytest.mark.parametrize(
    ("written", "right", "fit"),
    [("phường", "phường", True), ("phuong", "phường", True), ("phượng", "phường", False), ("ma", "mả", True)],
)
def test_a_syllable_fits_with_right_accents_or_none(written: str, right: str, fit: bool) -> None:
    assert fits(written, right) is fit


def test_abbreviations_are_written_out_and_the_rest_is_left() -> None:
    short = Abbreviations({"cccd": "căn cước công dân"}, {"ko": "không"})
    assert short.expand("Mất CCCD, có làm lại ko?") == "mất căn cước công dân có làm lại không"
    assert NO_ABBREVIATIONS.expand("Mất CCCD!") == "mất cccd"


def test_phrases_take_the_longest_at_each_place() -> None:
    phrases = Phrases.of(["bao nhiêu", "bao nhiêu ngày", "ở đâu"])
    assert [phrase for _, phrase in phrases.find(words("mat bao nhieu ngay va nop o dau"))] == [
        "bao nhiêu ngày",
        "ở đâu",
    ]
    assert list(phrases.find(words("bạo nhiêu"))) == []
