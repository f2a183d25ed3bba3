"""Judges whole conversations, turn by turn, by the payloads alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from bot.evaluation.files import DialogueCase, Expectation, TurnCase

Converse = Callable[[str, str], Awaitable[Optional[dict[str, Any]]]]
"""Sends one text in the conversation of that name; gives the payload of the reply."""


@dataclass(frozen=True)
class TurnResult:
    dialogue: str
    turn: TurnCase
    payload: dict[str, Any]
    wrong: tuple[str, ...]
    """What was not as it should be, in words; empty if the turn is right."""


async def evaluate(converse: Converse, dialogues: Iterable[DialogueCase]) -> list[TurnResult]:
    results = []
    for number, dialogue in enumerate(dialogues):
        before: dict[str, Any] = {}
        for turn in dialogue.turns:
            payload = await converse(turn.user, f"{dialogue.id}-{number}") or {"kind": "nothing"}
            results.append(TurnResult(dialogue.id, turn, payload, tuple(_wrong(turn.expect, payload, before))))
            before = payload
    return results


def share_right(results: Sequence[TurnResult]) -> float:
    return sum(not result.wrong for result in results) / max(1, len(results))


def _wrong(expect: Expectation, payload: dict[str, Any], before: dict[str, Any]) -> Iterable[str]:
    kind, top = payload.get("kind"), _code(payload.get("procedure"))
    offered = [_code(choice) for choice in payload.get("choices") or []]
    if expect.kind and kind not in expect.kind:
        yield f"kind {kind}"
    may_offer = "choices" in expect.kind and kind == "choices"
    if expect.procedure and top not in expect.procedure and not (may_offer and set(offered) & set(expect.procedure)):
        yield f"procedure {top}"
    if not set(expect.facets) <= set(payload.get("facets") or []):
        yield f"facets {payload.get('facets')}"
    if expect.unit and _code(payload.get("unit")) != expect.unit:
        yield f"unit {_code(payload.get('unit'))}"
    if expect.choices and len(set(offered) & set(expect.choices)) < 2:
        yield f"choices {offered}"
    if expect.not_procedure and (top or kind == "choices"):
        yield f"procedure {top}"
    if expect.pick and not _is_pick(expect.pick, payload, before):
        yield f"not number {expect.pick}"


def _is_pick(number: int, payload: dict[str, Any], before: dict[str, Any]) -> bool:
    offered = [_code(choice) for choice in before.get("choices") or []]
    chosen = (_code(payload.get("procedure")), _code(payload.get("unit")))
    return 0 < number <= len(offered) and offered[number - 1] in chosen


def _code(named: Optional[dict[str, Any]]) -> Optional[str]:
    return named["code"] if named else None
