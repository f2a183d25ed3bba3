from __future__ import annotations

import unicodedata

import pytest
from rasa.shared.nlu.training_data.message import Message

from bot.nlu import tokenizer
from bot.nlu.tokenizer import UndertheseaTokenizer


def tokens(text: str, **config: object) -> list[tuple[str, str, str]]:
    """(token, lemma, the citizen's own letters)."""
    component = UndertheseaTokenizer({**UndertheseaTokenizer.get_default_config(), **config})
    found = component.tokenize(Message.build(text), "text")
    return [(token.text, token.lemma, text[token.start : token.end]) for token in found]


def test_words_are_segmented_and_folded() -> None:
    assert tokens("Đăng ký thường trú")[:2] == [
        ("đăng ký", "dang ky", "Đăng ký"),
        ("thường trú", "thuong tru", "thường trú"),
    ]


def test_short_forms_are_written_out_at_the_place_of_the_short_form() -> None:
    assert ("căn cước công dân", "can cuoc cong dan", "CCCD") in tokens("mất CCCD")
    assert ("cccd", "cccd", "CCCD") in tokens("mất CCCD", abbreviations="")


def test_offsets_are_those_of_decomposed_text() -> None:
    text = unicodedata.normalize("NFD", "cấp sổ đỏ")
    found = tokens(text)
    assert [unicodedata.normalize("NFC", part) for _, _, part in found] == [token for token, _, _ in found]


def test_examples_taken_apart_in_advance_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "_known", {})
    before = tokens("mất CCCD ở Hà Nội")
    tokenizer.get_ready(["mất CCCD ở Hà Nội"])
    assert tokens("mất CCCD ở Hà Nội") == before
