from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot import evaluation
from bot.evaluation import Case, Result


def payload(kind: str, top: str | None = None, *others: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "facet": None,
        "facets": [],
        "procedure": {"code": top, "name": ""} if top else None,
        "choices": [{"code": code, "name": ""} for code in others],
        "confidence": 0.9,
        **more,
    }


@pytest.mark.parametrize(
    ("case", "reply", "right"),
    [
        (Case("1", "", "procedure", codes=("a", "b")), payload("procedure", "b"), True),
        (Case("1", "", "procedure", codes=("a",)), payload("procedure", "b", "a"), False),
        (Case("1", "", "clarify", codes=("a", "b")), payload("choices", None, "a", "b", "c"), True),
        (Case("1", "", "clarify", codes=("a", "b")), payload("choices", None, "a", "c"), False),
        (Case("1", "", "clarify", codes=("a", "b")), payload("procedure", "a", "b"), False),
        (Case("1", "", "oos"), payload("out_of_scope"), True),
        (Case("1", "", "oos"), payload("procedure", "a"), False),
        (Case("1", "", "general"), payload("faq"), True),
        (Case("1", "", "missing"), payload("no_record"), True),
        (Case("1", "", "missing"), payload("procedure", "a"), False),
        (Case("1", "", "abuse"), payload("choices", None, "a", "b"), False),
    ],
)
def test_right_behaviour(case: Case, reply: dict[str, Any], right: bool) -> None:
    assert Result(case, reply, 0).right is right


def test_wrong_and_confident_means_nothing_right_beside_it() -> None:
    case = Case("1", "", "procedure", codes=("a",), also_ok=("c",))
    assert Result(case, payload("procedure", "b"), 0).wrong_and_confident
    assert not Result(case, payload("procedure", "b", "a"), 0).wrong_and_confident
    assert not Result(case, payload("procedure", "c"), 0).wrong_and_confident
    assert not Result(case, payload("choices", None, "b", "x"), 0).wrong_and_confident


def test_figures_are_counted_by_hand() -> None:
    cases = [
        Case("1", "", "procedure", "fee", ("a",)),
        Case("2", "", "procedure", "fee", ("a",)),
        Case("3", "", "procedure", "time", ("a",)),
        Case("4", "", "oos"),
    ]
    replies = iter(
        [
            payload("procedure", "a", facet="fee", facets=["fee"]),
            payload("choices", None, "b", "a", facet="time", facets=["time", "fee"]),
            payload("out_of_scope"),
            payload("procedure", "z"),
        ]
    )

    async def ask(text: str) -> dict[str, Any]:
        return next(replies)

    score = asyncio.run(evaluation.evaluate(ask, cases))
    figures = score.figures()
    assert figures["hit@1"] == (1 / 3, 3)
    assert figures["hit@3"] == (2 / 3, 3)
    assert figures["facet"] == (2 / 3, 3)
    assert figures["facet (first)"] == (1 / 3, 3)
    assert figures["right: oos"] == (0.0, 1)
    assert figures["real questions refused"] == (1 / 3, 3)
    assert figures["wrong and confident"] == (1 / 4, 4)
    assert score.confusion()["procedure", "choices"] == 1
    assert score.reliability() == [("0.8–1.0", 2, 0.9, 0.5)]


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"text": "a", "kind": "oos"}\n{"text": "b"}\n', encoding="utf-8")
    with pytest.raises(evaluation.BadQuestion, match=r"q.jsonl, dòng 2"):
        evaluation.read_cases(file)


def test_unaccented_copies_change_only_the_text() -> None:
    case = Case("1", "Đăng ký", "procedure", "fee", ("a",))
    assert evaluation.unaccented([case]) == [Case("1", "dang ky", "procedure", "fee", ("a",))]
