from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.evaluation import dialogues
from bot.evaluation.files import DialogueCase

OFFER = {"kind": "choices", "choices": [{"code": "a"}, {"code": "b"}], "facets": ["fee"]}
ANSWER = {"kind": "procedure", "procedure": {"code": "b"}, "facets": ["fee", "time"], "unit": {"code": "u"}}


@pytest.mark.parametrize(
    ("expect", "reply", "right"),
    [
        ({"kind": ["procedure"], "procedure": ["b"], "facets": ["fee"], "unit": "u"}, ANSWER, True),
        ({"procedure": ["a"]}, ANSWER, False),
        ({"kind": ["choices"]}, ANSWER, False),
        ({"facets": ["fee", "office"]}, ANSWER, False),
        ({"unit": "v"}, ANSWER, False),
        ({"not_procedure": True}, ANSWER, False),
        ({"not_procedure": True}, OFFER, False),
        ({"choices": ["a", "b", "c"]}, OFFER, True),
        ({"choices": ["a", "c"]}, OFFER, False),
        ({"procedure": ["b"]}, OFFER, False),
        ({"kind": ["procedure", "choices"], "procedure": ["b"]}, OFFER, True),
        ({"pick": 2}, ANSWER, True),
        ({"pick": 1}, ANSWER, False),
        ({"pick": 3}, ANSWER, False),
    ],
)
def test_a_turn_is_judged_by_its_payload(expect: dict[str, Any], reply: dict[str, Any], right: bool) -> None:
    case = DialogueCase.parse_obj({"id": "d", "turns": [{"user": "1", "expect": {}}, {"user": "2", "expect": expect}]})
    said: list[tuple[str, str]] = []

    async def converse(text: str, conversation: str) -> dict[str, Any]:
        said.append((text, conversation))
        return OFFER if text == "1" else reply

    results = asyncio.run(dialogues.evaluate(converse, [case]))
    assert [text for text, _ in said] == ["1", "2"] and len({name for _, name in said}) == 1
    assert (not results[1].wrong) is right
    assert dialogues.share_right(results) == (1.0 if right else 0.5)
