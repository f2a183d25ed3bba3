"""A clerk's words find the procedure, with or without diacritics, by name, code or what citizens call it."""

from __future__ import annotations

import pytest

from bot.catalogue.store import Catalogue
from bot.phrasebook import Phrasebook
from bot.staff.catalogue_search import search


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Đăng ký khai sinh", "1.001193"),
        ("dang ky khai sinh", "1.001193"),
        ("1.001193", "1.001193"),
        ("ĐĂNG KÝ THƯỜNG TRÚ", "1.004222"),
    ],
)
def test_the_procedure_is_among_the_first(catalogue: Catalogue, book: Phrasebook, query: str, code: str) -> None:
    assert code in search(catalogue, book, query).codes[:3]


def test_what_only_citizens_call_it_finds_it_too(catalogue: Catalogue, book: Phrasebook) -> None:
    first = search(catalogue, book, "so do").codes[0]
    assert any("sổ đỏ" in phrase.lower() for phrase in book.entries[first].phrasings)


def test_no_words_give_all_and_misspelt_ones_what_is_like_them(catalogue: Catalogue, book: Phrasebook) -> None:
    assert len(search(catalogue, book, " ").codes) == len(catalogue.procedures)
    found = search(catalogue, book, "đăng ký thườngg trú")
    assert found.alike and "1.004222" in found.codes
    assert search(catalogue, book, "zzzz").codes == []
