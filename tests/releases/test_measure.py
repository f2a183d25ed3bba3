from __future__ import annotations

from typing import Optional

import pytest

from bot.phrasebook import Phrasebook, load
from bot.releases.measure import compare, failed, figures, fixed_pairs, lasting_name, refusal, told, topic_title

BIRTH, DEATH, LICENCE = "procedure:1", "procedure:2", "procedure:3"


def test_sentences_that_got_better_and_worse() -> None:
    before = [
        (BIRTH, "a", BIRTH, 0.9),
        (BIRTH, "b", DEATH, 0.1),
        (DEATH, "c", DEATH, 0.8),
        (LICENCE, "d", LICENCE, 0.9),
    ]
    after = [(BIRTH, "a", DEATH, 0.2), (BIRTH, "b", BIRTH, 0.7), (DEATH, "c", DEATH, 0.5), (LICENCE, "d", BIRTH, 0.1)]
    found = compare(before, after)
    assert [(one.text, one.before, one.after, one.drop) for one in found.worse] == [
        ("d", LICENCE, BIRTH, 0.8),
        ("a", BIRTH, DEATH, 0.7),
    ]
    assert [one.text for one in found.better] == ["b"] and not found.new and not found.gone


def test_a_sentence_on_the_edge_is_only_counted() -> None:
    found = compare([(BIRTH, "a", BIRTH, 0.41)], [(BIRTH, "a", DEATH, 0.39)])
    assert not found.worse and found.wavering == 1


def test_what_has_to_do_with_the_edit_comes_first() -> None:
    before = [(BIRTH, "a", BIRTH, 0.9), (DEATH, "c", DEATH, 0.7)]
    after = [(BIRTH, "a", LICENCE, 0.1), (DEATH, "c", DEATH, 0.7), (DEATH, "mới", BIRTH, 0.2)]
    found = compare(before, after)
    assert [(one.text, one.related) for one in found.worse] == [("a", False)]
    assert [(one.text, one.after) for one in found.new] == [("mới", BIRTH)]
    after = [(BIRTH, "a", DEATH, 0.1), (DEATH, "mới", DEATH, 0.9)]
    assert [one.related for one in compare(before, after).worse] == [True] and compare(before, after).gone == 1


def test_fixed_questions_failures_first_and_what_changed() -> None:
    measured = {
        "fixed": [["một", "A", []], ["hai", "B", ["cần thủ tục 1"]], ["ba", "C", []]],
        "fixed_before": [["một", "A", []], ["hai", "A", []], ["ba", "D", ["cần C"]]],
        "held_out": [[BIRTH, "a", BIRTH, 0.9], [BIRTH, "b", DEATH, 0.1]],
    }
    assert [(one.title, one.change) for one in fixed_pairs(measured)] == [
        ("hai", "worse"),
        ("ba", "better"),
        ("một", ""),
    ]
    assert failed(measured) == ["hai"]
    assert figures(measured) == {"fixed": [2, 3], "held_out": [1, 2]}


def test_a_family_of_vague_questions_has_a_name_that_lasts() -> None:
    book: Phrasebook = load()
    name = lasting_name("vague:0", book)
    assert name == "vague:" + "+".join(book.vague[0].choices)
    assert topic_title(name, book, {}).startswith("hỏi lại: ")
    assert lasting_name("procedure:1.001193", book) == "procedure:1.001193"
    assert topic_title("procedure:1.001193", book, {}) == "Đăng ký khai sinh (1.001193)"


@pytest.mark.parametrize(
    ("figure", "words"),
    [(None, "chưa đo"), ([0, 0], "chưa đo"), ([41, 42], "41/42"), ([32019, 47651], "32.019/47.651 (67%)")],
)
def test_figures_in_words(figure: Optional[list[int]], words: str) -> None:
    assert told(figure) == words


def test_what_passes_and_what_does_not() -> None:
    assert refusal({"fixed": [["a", "b", []]]}) == ""
    assert "1 câu hỏi cố định" in refusal({"fixed": [["a", "b", []], ["c", "d", ["cần xã giao"]]]})
    assert "chưa được hỏi" in refusal({"fixed": []}) and "chưa được hỏi" in refusal({})
