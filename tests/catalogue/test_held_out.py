from __future__ import annotations

import numpy as np
import pytest

from bot.catalogue.held_out import HeldOut, held_out
from bot.catalogue.search import PARTS, Document, Lessons
from bot.text import NO_ABBREVIATIONS

ABOUT = {
    "procedure:birth": "khai sinh em bé mới sinh giấy trẻ con",
    "procedure:death": "khai tử ông bà mới mất chứng báo tử",
    "procedure:licence": "bằng lái xe máy ô tô giấy phép thi",
    "none:out_of_scope": "thời tiết bóng đá giá vàng nấu phở",
}


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    rng = np.random.default_rng(5)
    return [
        Document(topic, " ".join(rng.choice(words.split(), 4, replace=False)))
        for topic, words in ABOUT.items()
        for _ in range(15)
    ]


@pytest.fixture(scope="module")
def found(documents: list[Document]) -> list[HeldOut]:
    return held_out(Lessons(documents, NO_ABBREVIATIONS))


def test_every_document_is_asked_once_and_what_is_like_the_others_is_found(
    documents: list[Document], found: list[HeldOut]
) -> None:
    assert sorted((one.topic, one.text) for one in found) == sorted((one.topic, one.text) for one in documents)
    assert sum(one.right for one in found) / len(found) > 0.9
    assert all(0 <= one.probability <= 1 for one in found)


def test_a_document_does_not_answer_for_itself(documents: list[Document]) -> None:
    """What only it says is not known without it; what stands under a wrong topic is found under the right one."""
    odd = Document("procedure:birth", "qwerty uiop asdfg")
    misplaced = Document("procedure:death", "bằng lái xe máy thi giấy phép ô tô")
    told: list[float] = []
    every = held_out(Lessons([*documents, odd, misplaced], NO_ABBREVIATIONS), told.append)
    seen = {one.text: one for one in every}
    assert seen[odd.text].probability < 0.6
    assert seen[misplaced.text].found == "procedure:licence" and not seen[misplaced.text].right
    assert told == sorted(told) and told[-1] == 1


def test_one_more_document_leaves_the_others_in_their_parts(documents: list[Document]) -> None:
    few, more = Lessons(documents, NO_ABBREVIATIONS), Lessons([*documents, Document("a:b", "x y z")], NO_ABBREVIATIONS)
    before = {one.text: part for one, part in zip(few.documents, few.parts)}
    after = {one.text: part for one, part in zip(more.documents, more.parts)}
    assert before.items() <= after.items() and len(set(before.values())) == PARTS
