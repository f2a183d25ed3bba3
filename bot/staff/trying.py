"""What a version makes of a sentence, and why: for the page that shows two versions side by side."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Optional

from rasa.core.channels.channel import UserMessage

from bot.evaluation.fixed import FACETS, KINDS
from bot.live import LiveAgent, Processor
from bot.nlu.topic_linker import TopicLinker
from bot.releases.measure import lasting_name, topic_title
from bot.releases.serving import CannotServe
from bot.releases.store import Release

if TYPE_CHECKING:
    from bot.releases.serving import Serving

UNDERSTOOD = {
    "procedure": "một thủ tục",
    "choices": "hợp với nhiều thủ tục, cần hỏi lại",
    "missing": "thủ tục chưa có dữ liệu",
    "faq": "câu hỏi chung",
    "decision": "hỏi về một văn bản",
    "follow_up": "hỏi tiếp về thủ tục đang nói",
    "out_of_scope": "ngoài phạm vi",
    "not_understood": "không hiểu",
    "smalltalk": "xã giao",
    "place": "nói nơi ở",
    "choose": "chọn theo số",
}


@dataclass(frozen=True)
class Tried:
    """One sentence, as one version takes it."""

    said: str
    answer: str
    buttons: list[str]
    kind: str
    understood: str
    intent: str
    facets: str
    place: str
    day: str
    topics: list[tuple[str, float]] = field(default_factory=list)
    """Likeliest topics in words, with their probabilities."""
    intents: list[tuple[str, float]] = field(default_factory=list)
    nearest: list[tuple[str, str, float]] = field(default_factory=list)
    """Phrasing, its topic in words, likeness 0–1."""
    outcome: tuple[Any, ...] = ()
    """What tells whether two versions answer alike."""


@dataclass(frozen=True)
class Side:
    title: str
    release: Release
    turns: list[Tried]
    problem: str = ""


def ask(serving: Serving, release: Release, title: str, turns: list[str]) -> Side:
    """Talk to a version: the turns are one conversation. Called in a thread of its own."""
    try:
        agent = serving.trial(release.id)
    except CannotServe as error:
        return Side(title, release, [], str(error))
    return Side(title, release, asyncio.run(_talk(agent, turns)))


async def _talk(agent: LiveAgent, turns: list[str]) -> list[Tried]:
    conversation = uuid.uuid4().hex
    found = []
    for said in turns:
        assert agent.processor is not None
        # A typed "/intent" is text like any other, as in every channel.
        text = said.lstrip("/ ") or said
        parsed = await agent.processor.parse_message(UserMessage(text, sender_id=conversation))
        replies = await agent.handle_text(text, sender_id=conversation)
        found.append(_tried(agent.processor, said, parsed, list(replies or [])))
    return found


def _tried(processor: Processor, said: str, parsed: dict[str, Any], replies: list[dict[str, Any]]) -> Tried:
    understanding = parsed.get("understanding") or {}
    payload: dict[str, Any] = next((reply["custom"] for reply in replies if reply.get("custom")), {})
    catalogue = processor.mine.catalogue()
    official = {code: str(procedure.name) for code, procedure in catalogue.procedures.items()}

    def title(topic: str) -> str:
        return topic_title(lasting_name(topic, processor.mine.book), processor.mine.book, official)

    linker = _linker(processor)
    nearest = linker.index.nearest(said) if linker and linker.index else []
    text = "\n".join(str(reply["text"]) for reply in replies if reply.get("text"))
    named = payload.get("procedure") or payload.get("unit") or {}
    return Tried(
        said=said,
        answer=text,
        buttons=[str(button["title"]) for reply in replies for button in reply.get("buttons") or []],
        kind=KINDS.get(str(payload.get("kind")), str(payload.get("kind"))),
        understood=UNDERSTOOD.get(str(understanding.get("kind")), str(understanding.get("kind") or "")),
        intent=str((parsed.get("intent") or {}).get("name") or ""),
        facets=", ".join(FACETS.get(facet, facet) for facet in understanding.get("facets") or []),
        place=_place(parsed.get("place") or {}, catalogue.places.units),
        day=str((parsed.get("day") or {}).get("day") or ""),
        topics=[(title(topic), share) for topic, share in parsed.get("topics") or []],
        intents=[(str(one["name"]), float(one["confidence"])) for one in (parsed.get("intent_ranking") or [])[:3]],
        nearest=[(phrasing, title(topic), share) for topic, phrasing, share in nearest],
        outcome=(payload.get("kind"), named.get("code"), str(payload.get("choices")), text),
    )


def _place(place: dict[str, Any], units: Any) -> str:
    codes = place.get("units") or []
    names = ", ".join(str(units[code].name) for code in codes if code in units)
    found = {"nothing": "", "elsewhere": f"ngoài Hà Nội: {place.get('name')}", "choice": f"một trong: {names}"}
    return found.get(str(place.get("found")), names)


def _linker(processor: Processor) -> Optional[TopicLinker]:
    nodes = processor.graph_runner._instantiated_nodes.values()
    return next((node._component for node in nodes if isinstance(node._component, TopicLinker)), None)
