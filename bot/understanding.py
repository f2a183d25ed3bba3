"""What a message is about, decided from everything that the components found. Pure, no Rasa.

Three questions are kept apart: the facet (what is asked about a procedure), the topic (which procedure,
FAQ entry…), and the place. This module weighs them into one `Understanding`, and a Rasa intent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional

from bot.catalogue.search import Match
from bot.phrasebook import Cues, Phrasebook
from bot.text import CLAUSE_END, Abbreviations, Phrases, fits, fold, normalise, words

PROCEDURE, VAGUE, MISSING, FAQ, NONE = "procedure", "vague", "missing", "faq", "none"
"""Kinds of topic; a topic's id is `kind:name`, e.g. `procedure:1.004222`."""

OUT_OF_SCOPE = f"{NONE}:out_of_scope"
FOLLOW_UP = f"{NONE}:follow_up"
SMALL_TALK = f"{NONE}:small_talk"
NOT_UNDERSTOOD = f"{NONE}:not_understood"

LEAD = 0.51
"""A procedure is asserted when it has this share of what it and the next one have together."""
WEAK, WEAK_ASKED = 0.4, 0.2
"""Below this probability nothing is asserted, whatever the lead; see `_asks_something`."""
VAGUE_WEIGHS, VAGUE_WEIGHS_ASKED = 2.5, 0.4
"""What the probability that a message is vague weighs beside the best procedure's; see `_asks_something`."""
FAINT = 0.04
"""Topics below this probability are no candidates."""
ALIVE = 0.14
"""Below this probability of the best topic nothing is understood at all."""
CLEAR = 0.25
"""A FAQ entry or a missing procedure, of which only one is ever named, needs at least this much."""
REFUSED = 0.5
"""A message that asks something about a matter is out of scope only from this probability on."""
SURE = 0.7
"""From this probability a topic is believed even where the words alone would say otherwise."""
FEWEST = 3
"""Procedures that are offered where none but the best is likely, and that one not likely enough."""
RANKED = 40
"""Procedures that are remembered with their probabilities."""
NEAR = 0.1
"""Share of the best candidate's probability from which another one is worth offering."""

FACETS = ("office", "documents", "fee", "time", "online", "legal", "delegation", "status", "how")
LIKELY_FACET, CERTAIN_FACET = 0.6, 0.9
"""Confidence from which the intent classifier is heard: where there is no cue word, and beside one."""

SHORT = 5
"""Words of a message that may ask by naming a thing alone ("hồ sơ ạ?")."""
FEW = 3
"""Words of a part between commas that may ask so, too ("giấy tờ gì ạ")."""
OPENING = 1
"""Words ("à", "em") before which the first word of a correction still opens a message."""
STORY = 20
"""Words from which on a message tells a story: that somebody in it "came back" refers to nothing said before."""
LONG_NUMBER = 6
"""Digits of a number that is somebody's telephone, paper or file."""

_OPENING, _NOT = r"^\W*(?:(?:à|ờ|ừ|ủa|thôi|dạ|vâng)\W+)*", r"(?:không|khong|ko|k|hông|hong)"
_DENIED = re.compile(
    rf"{_OPENING}{_NOT}(?: phải| phai)?,|"
    rf"{_OPENING}{_NOT} (?:phải|phai) [^,.;]+?(?:[,.;]|\bmà\b|\bma\b)|"
    rf"\b(?:chứ|chu) {_NOT} (?:phải|phai) .+$|(?<!động )\bcơ(?: ạ| mà| nhé)?\W*$",
    re.IGNORECASE,
)
"""What somebody says they do not mean: "không phải công ty, …", "… chứ không phải hết hạn", "không, …"; "… cơ"."""
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
    """procedure, choices, missing, faq, decision, follow_up, out_of_scope, not_understood, smalltalk, place,
    choose."""
    topic: Optional[str] = None
    """Code of the procedure, id of the FAQ entry or of the missing procedure, a document as it was named."""
    choices: tuple[str, ...] = ()
    """Procedures to offer, best first; for a procedure its runners-up; the documents of a decision."""
    facets: tuple[str, ...] = ()
    ordinal: Optional[int] = None
    """1 for "the first"; -1 for "the last"."""
    confidence: float = 0.0
    ranking: tuple[tuple[str, float], ...] = ()
    """The best procedures with their probabilities, for a choice among those already offered."""
    content: tuple[str, ...] = ()
    """The words that say more than what is asked about, for a choice by words."""
    back: bool = False
    """Something that was talked about before is meant."""
    corrects: bool = False
    """The message before was a slip, or was misunderstood."""
    again: bool = False
    """The same is asked as before, about something else."""
    is_vague: bool = False
    """The choices are those that staff wrote for such a question, and not only the likeliest procedures."""

    def as_dict(self) -> dict[str, Any]:
        """JSON shape, as it travels in Rasa's parse data."""
        return asdict(self)


class Facets:
    """Finds by its cue words what is asked about a procedure, and what a message says besides."""

    def __init__(self, cues: Cues, abbreviations: Abbreviations) -> None:
        self._cues, self._alone, self._first = map(_CueWords, (cues.cues, cues.alone, cues.first))
        self._abbreviations = abbreviations

    def find(self, text: str) -> tuple[str, ...]:
        """The facets that a text asks for, in the order it does, each once; the last sentence first of all."""
        sentences = [part for part in _SENTENCE.split(normalise(text)) if part.strip()]
        # Wrong accents ("cân gì") count only where nothing else does: "vào đầu" is seldom meant as "vào đâu".
        for spelling in (str, fold):
            for part in [sentences[-1:], sentences]:
                found = _each_once(facets for sentence in part for facets in self._in(spelling(sentence)))
                if found:
                    return found
        return ()

    def named(self, text: str) -> tuple[str, ...]:
        """The facets that a text asks for by naming a thing: first ("phí đổi thẻ") or by itself ("…, giấy tờ?")."""
        clauses = [said for said in map(self._words, CLAUSE_END.split(normalise(text))) if said]
        first = [facets for said in clauses[:1] for at, facets in self._first.find(said) if at == 0]
        alone = [facets for said in clauses if len(said) <= FEW for _, facets in self._alone.find(said)]
        return _each_once([*first, *alone])

    def content(self, text: str, *fillers: Phrases) -> list[str]:
        """The words of a text that are neither cues of a facet nor fillers."""
        left = self.rest(text)
        for words_that_say_nothing in fillers:
            left = _without(left, words_that_say_nothing)
        # A telephone or identity number says nothing about the matter.
        return [word for word in left if not (word.isdigit() and len(word) >= LONG_NUMBER)]

    def gist(self, text: str) -> str:
        """A text without the cues of facets; empty if it has none, or little else."""
        left = self.rest(text)
        return " ".join(left) if 1 < len(left) < len(self._words(text)) else ""

    def rest(self, text: str) -> list[str]:
        """The words of a text without the cues of facets."""
        return _without(self._words(text), self._cues.phrases)

    def _in(self, sentence: str) -> Iterable[tuple[str, ...]]:
        return [facets for _, facets in self._cues.find(self._words(sentence))]

    def _words(self, text: str) -> list[str]:
        return words(self._abbreviations.expand(normalise(text)))


class _CueWords:
    """Cues and the facets of each: "phường hay sở" asks where to go, and who has the power."""

    def __init__(self, cues: Mapping[str, Iterable[str]]) -> None:
        self._facets: dict[str, tuple[str, ...]] = {}
        for facet, found in cues.items():
            for cue in found:
                said = " ".join(words(normalise(cue)))
                self._facets[said] = (*self._facets.get(said, ()), facet)
        self.phrases = Phrases.of(self._facets)

    def find(self, said: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Position and facets of every cue among some words."""
        return ((at, self._facets[phrase]) for at, phrase in self.phrases.find(said))


def _each_once(found: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(facet for facets in found for facet in facets))


def _without(said: Sequence[str], phrases: Phrases) -> list[str]:
    gone = {at + i for at, phrase in phrases.find(said) for i in range(len(phrase.split()))}
    return [word for position, word in enumerate(said) if position not in gone]


class Listener:
    """Hears what a message says besides its topic."""

    def __init__(self, book: Phrasebook) -> None:
        around = book.around
        self.facets = Facets(book.cues, book.abbreviations)
        self._back, self._slip, self._again = (
            Phrases.of(said) for said in (around.back, around.corrections, around.same_question)
        )
        self._starts, self._ends = words(normalise(around.starts)), words(normalise(around.ends))
        self._nothing, self._place, self._day, self._office, self._document, self._people = (
            Phrases.of(words(normalise(fillers)))
            for fillers in (
                around.fillers,
                around.place_fillers,
                around.day_fillers,
                around.office_fillers,
                around.decisions,
                around.people,
            )
        )

    def hear(self, text: str, rest: str, place: bool, day: bool, intents: Sequence[tuple[str, float]]) -> Says:
        """What a message says.

        Args:
            text: all of it.
            rest: without the place and the day.
            place, day: whether it named one.
            intents: as classified, with their confidences, best first.
        """
        cues = self.facets.find(rest)
        fillers = [self._slip, self._again, self._nothing]
        fillers += [self._place] if place else []
        fillers += [self._day] if day else []
        # "Vì sao lại là công an?" asks about the office that was named, and is about no other procedure.
        fillers += [self._office] if "delegation" in cues else []
        said = words(normalise(text))
        again = any(self._again.find(said))
        fillers += [self._people] if again else []
        content = tuple(self.facets.content(rest, *fillers))
        if not cues and (content or len(said) <= SHORT):
            cues = self.facets.named(rest)
        meant = meant_facets(cues, intents)
        # "Thì sao" sounds like "thế nào" to the classifier, and asks whatever was asked before.
        meant = tuple(facet for facet in meant if facet in cues or facet != "how") if again else meant
        return Says(
            facets=cues,
            meant=meant,
            number=ordinal(text),
            place=place,
            only_place=place and not cues and not content,
            only_day=day and not content,
            content=content,
            back=any(at <= OPENING or len(said) < STORY for at, _ in self._back.find(said)),
            corrects=any(at <= OPENING for at, _ in self._slip.find(said)) or self.meant(text) != text,
            again=again,
        )

    def core(self, rest: str) -> str:
        """What is left of a message without the cues of facets and the words around it ("em muốn … thì ạ")."""
        said = self.facets.rest(rest)
        while said and any(fits(said[0], word) for word in self._starts):
            said = said[1:]
        while said and any(fits(said[-1], word) for word in self._ends):
            said = said[:-1]
        return " ".join(said)

    def meant(self, text: str) -> str:
        """A text without what it says is not meant; all of it where little else would be left."""
        left = _DENIED.sub(" ", text).strip()
        return left if any(self.facets.content(left, self._slip, self._nothing)) else text

    def is_document_alone(self, rest: str, most: int) -> bool:
        """Whether a message that names a document says little besides (`rest`: without it, at most so many words)."""
        return len(self.facets.content(rest, self._nothing, self._document)) <= most


def meant_facets(cues: tuple[str, ...], ranking: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """What is asked about a procedure, by cue words and by the classifier.

    The classifier is heard where there is no cue ("lấy ngay không"), and where it is certain of something else.

    Args:
        ranking: intents with their confidences, best first.
    """
    intent, confidence = next(iter(ranking), ("", 0.0))
    facet = intent.removeprefix("ask_")
    if facet not in FACETS or confidence < (CERTAIN_FACET if cues else LIKELY_FACET):
        return cues
    return (*cues, *(() if facet in cues else (facet,)))


def ordinal(text: str) -> Optional[int]:
    """The number that a message consists of ("2", "cái thứ hai", "cuối"); None if it says more."""
    match = _ORDINAL.fullmatch(fold(" ".join(words(normalise(text)))))
    if match is None:
        return None
    found = match[1].split()[0]
    return int(found) if found.isdigit() else _ORDINALS[found]


@dataclass(frozen=True)
class Says:
    """What a message says besides its topic."""

    facets: tuple[str, ...] = ()
    """What its cue words say that it asks for."""
    meant: tuple[str, ...] = ()
    """What it asks for all in all; see `meant_facets`."""
    number: Optional[int] = None
    """See `ordinal`."""
    place: bool = False
    only_place: bool = False
    """Nothing but where."""
    only_day: bool = False
    """Nothing but when, and what is asked about it."""
    content: tuple[str, ...] = ()
    back: bool = False
    corrects: bool = False
    again: bool = False
    """See `Understanding`."""


def decide(matches: Sequence[Match], intent: str, says: Says, book: Phrasebook) -> Understanding:
    """Weigh topics, classified intent and facets into one understanding.

    Args:
        matches: topics with their probabilities, best first.
        intent: what the intent classifier says.
    """
    if says.number is not None:
        return Understanding("choose", "choose", ordinal=says.number, confidence=1.0)
    asked, spoken_for = says.meant, _spoken_for(matches, book)
    matches = _gathered(matches)
    every = [(split_topic(m.topic)[1], m.probability) for m in matches if m.topic.startswith(PROCEDURE)]
    matches = [match for match in matches if match.probability >= _least(match.topic, asked)]
    ranking = tuple((split_topic(m.topic)[1], m.probability) for m in matches if m.topic.startswith(PROCEDURE))
    best = matches[0] if matches and matches[0].probability >= ALIVE else Match(NOT_UNDERSTOOD, 0.0)
    kind, name = split_topic(best.topic)
    found = Understanding(
        "",
        "",
        facets=asked,
        confidence=best.probability,
        ranking=tuple(every[:RANKED]),
        content=says.content,
        back=says.back,
        corrects=says.corrects,
        again=says.again,
    )
    if says.only_place:
        return _with(found, "inform_place", "place")
    if says.only_day:
        return _with(found, f"ask_{asked[0]}" if asked else "ask_how", "follow_up")
    is_sure = kind in (PROCEDURE, VAGUE) and best.probability >= SURE
    if says.facets and not says.content and (says.place or not is_sure):
        return _with(found, f"ask_{asked[0]}", "follow_up")
    # "Quay lại từ đầu" goes back to nothing in particular.
    if says.back and not (best.topic == SMALL_TALK and best.probability >= SURE and intent == "start_over"):
        return _with(found, f"ask_{asked[0]}" if asked else "ask_how", "follow_up", topic=_hint(ranking, asked))
    if says.again and not says.content:
        return _with(found, f"ask_{asked[0]}" if asked else "ask_how", "follow_up", topic=_hint(ranking, asked))
    # A place and hardly anything besides: "giờ là phường Từ Liêm á" is no question about the reform.
    if says.place and best.probability < SURE and (kind == NONE or (kind == FAQ and len(says.content) <= 1)):
        return _with(found, "inform_place", "place") if not asked else _with(found, f"ask_{asked[0]}", "follow_up")
    if kind == NONE:
        return _no_topic(found, name, intent, ranking)
    if kind == FAQ:
        return _with(found, "ask_faq", "faq", topic=name)
    if kind == MISSING:
        return _with(found, "ask_missing", "missing", topic=name)
    ask = f"ask_{asked[0]}" if asked else "ask_how"
    vague = sum(match.probability for match in matches if match.topic.startswith(VAGUE))
    weight = VAGUE_WEIGHS_ASKED if _asks_something(asked) else VAGUE_WEIGHS
    if not ranking or vague * weight > ranking[0][1]:
        return _with(found, ask, "choices", choices=_near(spoken_for), is_vague=True)
    near, top = _near(ranking), ranking[0][0]
    found = _with(found, ask, "procedure", topic=top, confidence=ranking[0][1])
    if _stands_out(ranking, asked):
        return _with(found, ask, "procedure", choices=near[1:])
    offered = near if len(near) > 1 else tuple(code for code, _ in every[:FEWEST])
    return _with(found, ask, "choices", topic=None, choices=offered)


def _gathered(matches: Sequence[Match]) -> list[Match]:
    """The likeliest vague family stands for all: they overlap, and what several could mean is vague all the more."""
    vague = [match for match in matches if split_topic(match.topic)[0] == VAGUE]
    others = [match for match in matches if split_topic(match.topic)[0] != VAGUE]
    together = [Match(vague[0].topic, sum(match.probability for match in vague))] if vague else []
    return sorted([*together, *others], key=lambda match: -match.probability)


def _spoken_for(matches: Sequence[Match], book: Phrasebook) -> list[tuple[str, float]]:
    """Procedures and how much speaks for each: its own probability, and those of the vague families it belongs to.

    Families overlap; several of them know better what to offer than the likeliest alone. By the roots of their
    probabilities the less likely ones are heard, too.
    """
    total: dict[str, float] = {}
    for match in matches:
        kind, name = split_topic(match.topic)
        for code in book.vague[int(name)].choices if kind == VAGUE else (name,) if kind == PROCEDURE else ():
            total[code] = total.get(code, 0.0) + match.probability**0.5
    return sorted(total.items(), key=lambda each: -each[1])


def _least(topic: str, asked: Sequence[str]) -> float:
    """The probability from which a topic is a candidate at all."""
    if topic == OUT_OF_SCOPE and asked:
        return REFUSED
    return CLEAR if split_topic(topic)[0] in (FAQ, MISSING) else FAINT


def _with(found: Understanding, intent: str, kind: str, **parts: Any) -> Understanding:
    return Understanding(**{**found.__dict__, "intent": intent, "kind": kind, **parts})


def _no_topic(found: Understanding, name: str, intent: str, ranking: Sequence[tuple[str, float]]) -> Understanding:
    if name == "follow_up":
        ask = f"ask_{found.facets[0]}" if found.facets else "ask_how"
        return _with(found, ask, "follow_up", topic=_hint(ranking, found.facets))
    if name == "not_understood":
        return _with(found, "out_of_scope", "not_understood")
    if name == "out_of_scope" or intent.startswith("ask_") or not intent:
        return _with(found, "out_of_scope", "out_of_scope")
    return _with(found, intent, "smalltalk")


def _hint(ranking: Sequence[tuple[str, float]], asked: Sequence[str]) -> Optional[str]:
    """Where nothing was talked about before, a bare "lệ phí đăng ký kết hôn?" is not a follow-up after all."""
    return ranking[0][0] if _stands_out(ranking, asked) else None


def _asks_something(asked: Sequence[str]) -> bool:
    """Whether something in particular is asked, and not only how to go about it, or nothing at all.

    Who asks what it costs has one matter in mind; who but names a matter often could mean several.
    """
    return bool(set(asked) - {"how"})


def _stands_out(ranking: Sequence[tuple[str, float]], asked: Sequence[str]) -> bool:
    """Whether the best procedure is likely enough, and far enough ahead of the next one, to be asserted."""
    first, second = (*(share for _, share in ranking[:2]), 0.0, 0.0)[:2]
    if _asks_something(asked):
        return first >= WEAK_ASKED
    return first >= WEAK and first / (first + second) >= LEAD


def _near(ranking: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """The procedures worth offering: at most four, none far behind the best."""
    return tuple(code for code, probability in ranking[:4] if probability >= NEAR * ranking[0][1])
