"""What a message is about, decided from everything that the components found. Pure, no Rasa.

Three questions are kept apart: the facet (what is asked about a procedure), the topic (which procedure,
FAQ entry…), and the place. This module weighs them into one `Understanding`, and a Rasa intent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional

from bot.catalogue.search import Match
from bot.phrasebook import Phrasebook
from bot.text import Abbreviations, Phrases, fold, normalise, words

PROCEDURE, VAGUE, MISSING, FAQ, NONE = "procedure", "vague", "missing", "faq", "none"
"""Kinds of topic; a topic's id is `kind:name`, e.g. `procedure:1.004222`."""

OUT_OF_SCOPE = f"{NONE}:out_of_scope"
FOLLOW_UP = f"{NONE}:follow_up"
SMALL_TALK = f"{NONE}:small_talk"
NOT_UNDERSTOOD = f"{NONE}:not_understood"

LEAD = 0.56
"""A procedure is asserted when it has this share of what it and the next one have together."""
WEAK = 0.15
"""Below this probability nothing is asserted, whatever the lead."""
FAINT = 0.04
"""Topics below this probability are no candidates."""
ALIVE = 0.14
"""Below this probability of the best topic nothing is understood at all."""
CLEAR = 0.25
"""A FAQ entry or a missing procedure, of which only one is ever named, needs at least this much."""
VAGUE_LEAD = 1.4
"""How many times likelier than the best procedure a vague family must be for its choices to be offered."""
NEAR = 0.15
"""Share of the best candidate's probability from which another one is worth offering."""

_SENTENCE = re.compile(r"[.!?;\n]+")
_ORDINALS = {"mot": 1, "nhat": 1, "dau": 1, "hai": 2, "nhi": 2, "ba": 3, "bon": 4, "tu": 4, "cuoi": -1, "chot": -1}
_ORDINAL = re.compile(
    r"(?:(?:chon|lay|cai|so|thu|viec|muc|cau|y|lua chon|dap an)\s+)*"
    r"(\d|mot|nhat|dau tien|dau|hai|nhi|ba|bon|tu|cuoi cung|cuoi|chot)"
    r"(?:\s+(?:nhe|a|ay|di|nha|do|em|ban|cai))*"
)


def topic_id(kind: str, name: str) -> str:
    return f"{kind}:{name}"


def split_topic(topic: str) -> tuple[str, str]:
    kind, _, name = topic.partition(":")
    return kind, name


@dataclass(frozen=True)
class Understanding:
    """What one message says, before the conversation is taken into account."""

    intent: str
    """The Rasa intent that the rules go by."""
    kind: str
    """procedure, choices, missing, faq, follow_up, out_of_scope, not_understood, smalltalk, place, choose."""
    topic: Optional[str] = None
    """Code of the procedure, id of the FAQ entry or of the missing procedure."""
    choices: tuple[str, ...] = ()
    """Procedures to offer, best first; for a procedure its runners-up."""
    facets: tuple[str, ...] = ()
    ordinal: Optional[int] = None
    """1 for "the first"; -1 for "the last"."""
    confidence: float = 0.0
    ranking: tuple[tuple[str, float], ...] = ()
    """The best procedures with their probabilities, for a choice among those already offered."""

    def as_dict(self) -> dict[str, Any]:
        """JSON shape, as it travels in Rasa's parse data."""
        return asdict(self)


class Facets:
    """Finds by its cue words what is asked about a procedure."""

    def __init__(self, cues: Mapping[str, Iterable[str]], abbreviations: Abbreviations) -> None:
        self._facet = {" ".join(words(normalise(cue))): facet for facet, found in cues.items() for cue in found}
        self._phrases = Phrases.of(self._facet)
        self._abbreviations = abbreviations

    def find(self, text: str) -> tuple[str, ...]:
        """The facets that a text asks for, in the order it does, each once; the last sentence first of all."""
        sentences = [part for part in _SENTENCE.split(normalise(text)) if part.strip()]
        for part in [sentences[-1:], sentences]:
            found = [facet for sentence in part for facet in self._in(sentence)]
            if found:
                return tuple(dict.fromkeys(found))
        return ()

    def _in(self, sentence: str) -> Iterable[str]:
        expanded = words(self._abbreviations.expand(sentence))
        return [self._facet[phrase] for _, phrase in self._phrases.find(expanded)]


def ordinal(text: str) -> Optional[int]:
    """The number that a message consists of ("2", "cái thứ hai", "cuối"); None if it says more."""
    match = _ORDINAL.fullmatch(fold(" ".join(words(normalise(text)))))
    if match is None:
        return None
    found = match[1].split()[0]
    return int(found) if found.isdigit() else _ORDINALS[found]


def decide(
    matches: Sequence[Match],
    intent: str,
    facets: Sequence[str],
    book: Phrasebook,
    number: Optional[int] = None,
    only_place: bool = False,
) -> Understanding:
    """Weigh topics, classified intent and facets into one understanding.

    Args:
        matches: topics with their probabilities, best first.
        intent: what the intent classifier says.
        facets: found by cue words.
        number: see `ordinal`.
        only_place: the message names a place and nothing else.
    """
    if number is not None:
        return Understanding("choose", "choose", ordinal=number, confidence=1.0)
    asked = _facets(intent, facets)
    matches = [match for match in matches if match.probability >= _least(match.topic)]
    ranking = tuple((split_topic(m.topic)[1], m.probability) for m in matches if m.topic.startswith(PROCEDURE))
    best = matches[0] if matches and matches[0].probability >= ALIVE else Match(NOT_UNDERSTOOD, 0.0)
    kind, name = split_topic(best.topic)
    found = Understanding("", "", facets=asked, confidence=best.probability, ranking=ranking[:20])
    if only_place:
        return _with(found, "inform_place", "place")
    if kind == NONE:
        return _no_topic(found, name, intent, ranking)
    if kind == FAQ:
        return _with(found, "ask_faq", "faq", topic=name)
    if kind == MISSING:
        return _with(found, "ask_missing", "missing", topic=name)
    ask = f"ask_{asked[0]}" if asked else "ask_how"
    if kind == VAGUE and (not ranking or best.probability >= VAGUE_LEAD * ranking[0][1]):
        return _with(found, ask, "choices", choices=tuple(book.vague[int(name)].choices))
    near, top = _near(ranking), ranking[0][0]
    found = _with(found, ask, "procedure", topic=top, confidence=ranking[0][1])
    if len(near) == 1 or _stands_out(ranking):
        return _with(found, ask, "procedure", choices=near[1:])
    return _with(found, ask, "choices", topic=None, choices=near)


def _least(topic: str) -> float:
    """The probability from which a topic is a candidate at all."""
    return CLEAR if split_topic(topic)[0] in (FAQ, MISSING) else FAINT


def _with(found: Understanding, intent: str, kind: str, **parts: Any) -> Understanding:
    return Understanding(**{**found.__dict__, "intent": intent, "kind": kind, **parts})


def _no_topic(found: Understanding, name: str, intent: str, ranking: Sequence[tuple[str, float]]) -> Understanding:
    if name == "follow_up":
        # Where nothing was talked about before, a bare "lệ phí đăng ký kết hôn?" is not a follow-up after all.
        hint = ranking[0][0] if _stands_out(ranking) else None
        return _with(found, f"ask_{found.facets[0]}" if found.facets else "ask_how", "follow_up", topic=hint)
    if name == "not_understood":
        return _with(found, "out_of_scope", "not_understood")
    if name == "out_of_scope" or intent.startswith("ask_") or not intent:
        return _with(found, "out_of_scope", "out_of_scope")
    return _with(found, intent, "smalltalk")


def _stands_out(ranking: Sequence[tuple[str, float]]) -> bool:
    """Whether the best procedure is likely enough, and far enough ahead of the next one, to be asserted."""
    first, second = (*(share for _, share in ranking[:2]), 0.0, 0.0)[:2]
    return first >= WEAK and first / (first + second) >= LEAD


def _near(ranking: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """The procedures worth offering: at most four, none far behind the best."""
    return tuple(code for code, probability in ranking[:4] if probability >= NEAR * ranking[0][1])


def _facets(intent: str, found: Sequence[str]) -> tuple[str, ...]:
    if found:
        return tuple(found)
    return (intent.removeprefix("ask_"),) if intent.startswith("ask_") else ()
