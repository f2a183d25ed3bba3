from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest

from bot.catalogue.store import Catalogue
from bot.evaluation import fixed
from bot.evaluation.fixed import Expect, Question, ask, read, wrong
from bot.phrasebook import NLU_DATA, BadPhrasebook

PAYLOAD: dict[str, Any] = {
    "kind": "procedure",
    "procedure": {"code": "1", "name": "Khai sinh"},
    "facets": ["fee", "office"],
    "unit": {"code": "00277", "name": "Phường Bạch Mai"},
    "office": {"name": "Công an phường Bạch Mai"},
    "choices": [{"code": "2", "name": "Khai tử"}],
}


@pytest.mark.parametrize(
    ("expect", "right"),
    [
        ({"procedure": "1", "facet": "fee", "unit": "Phường Bạch Mai", "office": "công an"}, True),
        ({"unit": "00277", "offers": ["2"], "kind": "procedure"}, True),
        ({"procedure": "2"}, False),
        ({"facet": "time"}, False),
        ({"unit": "Phường Hồng Hà"}, False),
        ({"office": "Trung tâm"}, False),
        ({"offers": ["2", "3"]}, False),
        ({"kind": "choices"}, False),
    ],
)
def test_an_answer_is_judged_by_what_is_expected_of_it(expect: dict[str, Any], right: bool) -> None:
    assert (not list(wrong(Expect(**expect), PAYLOAD))) is right


async def test_of_a_conversation_the_last_answer_counts() -> None:
    said: list[tuple[str, str]] = []

    async def converse(text: str, conversation: str) -> Optional[dict[str, Any]]:
        said.append((text, conversation))
        return PAYLOAD if text == "hai" else None

    questions = [
        Question(ask=("một", "hai"), expect=Expect(procedure="1")),
        Question(ask="ba", expect=Expect(kind="faq")),
    ]
    outcomes = await ask(converse, questions)
    assert [bool(one.wrong) for one in outcomes] == [False, True]
    assert said[0][1] == said[1][1] != said[2][1], "each in a conversation of its own"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("questions: [", "dòng"),
        ("questions: [{ask: a, expect: {kinds: faq}}]", "1 → expect → kinds"),
        ("questions: [{ask: a, expect: {kind: gi}}]", "gi"),
        ("questions: [{ask: '', expect: {}}]", "1 → ask"),
        ("cau_hoi: []", "cau_hoi"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / fixed.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(BadPhrasebook, match=named):
        read(tmp_path)


def test_no_file_no_questions(tmp_path: Path) -> None:
    assert read(tmp_path) == ()


def test_the_shipped_questions_speak_of_procedures_that_exist(catalogue: Catalogue) -> None:
    questions = read(NLU_DATA)
    assert len(questions) >= 40
    for question in questions:
        for code in filter(None, (question.expect.procedure, *question.expect.offers)):
            assert code in catalogue.procedures, question.title
