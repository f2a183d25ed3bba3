from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.evaluation import questions
from bot.evaluation.files import Case
from bot.evaluation.questions import Result


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
        (Case(id="1", text="", kind="procedure", codes=("a", "b")), payload("procedure", "b"), True),
        (Case(id="1", text="", kind="procedure", codes=("a",)), payload("procedure", "b", "a"), False),
        (Case(id="1", text="", kind="clarify", codes=("a", "b")), payload("choices", None, "a", "b", "c"), True),
        (Case(id="1", text="", kind="clarify", codes=("a", "b")), payload("choices", None, "a", "c"), False),
        (Case(id="1", text="", kind="clarify", codes=("a", "b")), payload("procedure", "a", "b"), False),
        (Case(id="1", text="", kind="oos"), payload("out_of_scope"), True),
        (Case(id="1", text="", kind="oos"), payload("procedure", "a"), False),
        (Case(id="1", text="", kind="general"), payload("faq"), True),
        (Case(id="1", text="", kind="missing"), payload("no_record"), True),
        (Case(id="1", text="", kind="missing"), payload("procedure", "a"), False),
        (Case(id="1", text="", kind="abuse"), payload("choices", None, "a", "b"), False),
    ],
)
def test_right_behaviour(case: Case, reply: dict[str, Any], right: bool) -> None:
    assert Result(case, reply, 0).right is right


def test_wrong_and_confident_means_nothing_right_beside_it() -> None:
    case = Case(id="1", text="", kind="procedure", codes=("a",), also_ok=("c",))
    assert Result(case, payload("procedure", "b"), 0).wrong_and_confident
    assert not Result(case, payload("procedure", "b", "a"), 0).wrong_and_confident
    assert not Result(case, payload("procedure", "c"), 0).wrong_and_confident
    assert not Result(case, payload("choices", None, "b", "x"), 0).wrong_and_confident


def test_figures_are_counted_by_hand() -> None:
    cases = [
        Case(id="1", text="", kind="procedure", facet="fee", codes=("a",)),
        Case(id="2", text="", kind="procedure", facet="fee", codes=("a",)),
        Case(id="3", text="", kind="procedure", facet="time", codes=("a",)),
        Case(id="4", text="", kind="oos"),
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

    score = asyncio.run(questions.evaluate(ask, cases))
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


def test_unaccented_copies_change_only_the_text() -> None:
    case = Case(id="1", text="Đăng ký", kind="procedure", facet="fee", codes=("a",))
    assert questions.unaccented([case]) == [Case(id="1", text="dang ky", kind="procedure", facet="fee", codes=("a",))]
