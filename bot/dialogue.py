"""One turn of a conversation: what was understood, and where we stand, make an answer. Pure, no Rasa.

What is kept between turns is small: the procedure and the place that are talked about, what was asked about
them, and what was offered to choose from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Optional

from bot.catalogue.answers import Answer, Question, Writer, payload
from bot.catalogue.places import Found, Mention
from bot.phrasebook import Phrasebook
from bot.reference import Reference
from bot.understanding import SURE, Understanding

DEFAULT_FACETS = ("how", "office")
"""Answered where nothing in particular is asked about a procedure."""
ABOUT_THE_BOT = ("bot_challenge", "help", "delete_data")
"""Intents that ask something, which a ready reply answers."""
FEW_CHOICES = 4
HISTORY = 6
UNSURE = 0.5
"""Below this confidence in a procedure, a single word names none, but asks about the one that is talked about."""
GUESS = 0.5
"""Confidence in the first of the procedures that were offered, where nobody chose."""


@dataclass(frozen=True)
class State:
    """Where a conversation stands."""

    procedure: Optional[str] = None
    unit: Optional[str] = None
    facets: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Procedures that were offered and not yet chosen from."""
    said: tuple[str, ...] = ()
    """The words that they were offered for."""
    unit_choices: tuple[str, ...] = ()
    """Units that were offered and not yet chosen from."""
    day: Optional[str] = None
    """The day that is asked about (ISO), where that is not today; forgotten with the next procedure."""
    history: tuple[str, ...] = ()
    """Procedures that were talked about, the last one last, each once."""


@dataclass(frozen=True)
class Turn:
    answer: Answer
    state: State


@dataclass(frozen=True)
class Guide:
    """What a turn needs besides the message: the catalogue's words, the phrasebook, the date."""

    writer: Writer
    book: Phrasebook
    today: date

    def turn(self, found: Understanding, place: Mention, state: State, day: Optional[date] = None) -> Turn:
        """Answer one message; `day` is the one that it asks about."""
        turn = self._turn(found, place, state, day)
        if place.found is Found.ELSEWHERE and turn.answer.payload["kind"] == "procedure":
            return replace(turn, answer=self.writer.noting_elsewhere(turn.answer, place.name))
        return turn

    def _turn(self, found: Understanding, place: Mention, state: State, day: Optional[date]) -> Turn:
        if found.kind == "decision":
            answer = self.writer.decisions(found.topic or "", found.choices, day or self.today)
            return Turn(answer, replace(state, choices=(), unit_choices=()))
        if day is not None:
            state = replace(state, day=day.isoformat() if day != self.today else None)
        elif found.kind in ("procedure", "choices"):
            state = replace(state, day=None)
        state = self._placed(place, state)
        if place.found is Found.ELSEWHERE and _asks_where(found) and not place.aside:
            # "À nhầm, phường Hoàng Mai" may come next, and is about the same.
            if found.kind == "procedure" and found.topic:
                state = replace(state, procedure=found.topic, facets=found.facets or state.facets, choices=())
            return Turn(self.writer.elsewhere(place.name), state)
        refers = Reference(self.book, self.writer.label)
        recalled = refers.recalled(found, state.procedure, state.history)
        if recalled:
            facets = found.facets or DEFAULT_FACETS
            return self._ask(replace(state, procedure=recalled, facets=facets, choices=()), place)
        chosen = refers.chosen(found, state.choices, state.said)
        if chosen:
            return self.chosen(chosen, state, found.facets)
        if found.kind == "choose":
            return self._numbered(found.ordinal or 0, state)
        if found.kind == "place":
            return self._place_told(place, state)
        follows = found.kind == "follow_up" or ((state.procedure or state.choices) and _says_little(found))
        if state.procedure and (found.corrects or found.again or not follows):
            nearby = refers.nearby(found, state.procedure, state.history)
            if nearby in self.writer.catalogue.procedures:
                return self._answered(replace(found, topic=nearby, choices=()), place, state)
        if follows:
            return self._followed_up(found, place, state)
        if found.kind == "choices":
            return self._offered(found, place, state)
        if found.kind == "procedure" and found.topic:
            return self._answered(found, place, state)
        answer = self._about_no_procedure(found)
        # Thanks, or a word about the weather, takes back nothing; a new matter does, and "none of these".
        if found.kind == "missing":
            return Turn(answer, replace(state, procedure=None, choices=(), unit_choices=()))
        return Turn(answer, replace(state, choices=(), unit_choices=()) if found.intent == "deny" else state)

    def chosen(self, procedure: str, state: State, facets: Sequence[str] = ()) -> Turn:
        """A procedure was picked from those offered (by tap, number or words)."""
        if procedure not in self.writer.catalogue.procedures:
            return Turn(self.reply("choose_unknown", "general"), state)
        wanted = tuple(facets) or state.facets or DEFAULT_FACETS
        state = replace(state, procedure=procedure, choices=(), facets=wanted)
        return self._ask(state, Mention(Found.NOTHING))

    def placed(self, unit: str, state: State) -> Turn:
        """A unit was picked by tap."""
        if unit not in self.writer.catalogue.places.units:
            return Turn(self.reply("place_unknown", "general"), state)
        state = replace(state, unit=unit, unit_choices=())
        if state.procedure is None:
            return Turn(self.reply("place_noted", "general"), state)
        return self._ask(replace(state, facets=_with_office(state.facets)), Mention(Found.NOTHING))

    def reply(self, key: str, kind: str) -> Answer:
        """A ready reply of `nlu_data/replies.yml`."""
        return Answer(self.book.replies.get(key) or self.book.replies["default"], payload(kind))

    def _placed(self, place: Mention, state: State) -> State:
        if state.day and place.named:
            place = self._as_of(place, date.fromisoformat(state.day))
        if place.found is Found.UNIT:
            return replace(state, unit=place.units[0], unit_choices=())
        if place.found is Found.CHOICE:
            told = [unit for unit in place.units if unit in state.unit_choices]
            if len(told) == 1 or (told and place.is_district):
                return replace(state, unit=told[0], unit_choices=())
            return replace(state, unit=None, unit_choices=place.units)
        return state

    def _numbered(self, number: int, state: State) -> Turn:
        offered = state.choices or state.unit_choices
        if not offered or not (number == -1 or 1 <= number <= len(offered)):
            return Turn(self.reply("choose_unknown", "general"), state)
        picked = offered[number - 1 if number > 0 else -1]
        return self.chosen(picked, state) if state.choices else self.placed(picked, state)

    def _place_told(self, place: Mention, state: State) -> Turn:
        if state.choices and state.procedure not in state.choices:
            return Turn(self.writer.choices(state.choices, state.facets), state)
        if state.procedure is None:
            return Turn(self.reply("place_noted", "general"), state)
        return self._ask(replace(state, facets=_with_office(state.facets)), place, only_place=True)

    def _followed_up(self, found: Understanding, place: Mention, state: State) -> Turn:
        if state.choices and found.facets:
            return self._guessed(found, place, state)
        if state.procedure is None and found.topic:
            return self._answered(found, place, state)
        if state.procedure is None:
            return Turn(self.reply("which_procedure", "general"), replace(state, facets=found.facets))
        return self._ask(replace(state, facets=found.facets or state.facets or DEFAULT_FACETS, choices=()), place)

    def _guessed(self, found: Understanding, place: Mention, state: State) -> Turn:
        """Who asks on instead of choosing is answered about the first, the likeliest; the others stay offered."""
        first = state.procedure if state.procedure in state.choices else state.choices[0]
        state = replace(state, procedure=first, facets=found.facets or state.facets or DEFAULT_FACETS)
        return self._ask(state, place, replace(found, confidence=GUESS, choices=state.choices))

    def _offered(self, found: Understanding, place: Mention, state: State) -> Turn:
        if state.procedure in found.choices:
            return self._ask(replace(state, facets=found.facets or state.facets, choices=()), place, found)
        codes = tuple(code for code in found.choices if code in self.writer.catalogue.procedures)[:FEW_CHOICES]
        answer = self.writer.choices(codes, found.facets, found.confidence)
        return Turn(answer, replace(state, choices=codes, said=found.content, facets=found.facets))

    def _answered(self, found: Understanding, place: Mention, state: State) -> Turn:
        # "Còn chứng thực chữ ký thì sao" asks the same about something else; a correction asks the same anew.
        # Who asked before naming anything is waiting for that answer still.
        same = state.facets if state.procedure is None or found.corrects or found.again else ()
        facets = found.facets or same or DEFAULT_FACETS
        return self._ask(replace(state, procedure=found.topic, facets=facets, choices=()), place, found)

    def _ask(
        self, state: State, place: Mention, found: Optional[Understanding] = None, only_place: bool = False
    ) -> Turn:
        day = date.fromisoformat(state.day) if state.day else self.today
        unit, unit_choices, name = self._on_day(state, place, day)
        question = Question(
            procedure=str(state.procedure),
            facets=state.facets or DEFAULT_FACETS,
            unit=unit,
            unit_choices=unit_choices,
            place_name=name,
            only_place=only_place,
            day=day,
            today=self.today,
            confidence=found.confidence if found else 1.0,
            runners_up=tuple(code for code in found.choices if code != state.procedure)[:3] if found else (),
        )
        answer = self.writer.procedure(question)
        history = tuple(code for code in state.history if code != question.procedure)[-HISTORY + 1 :]
        state = replace(state, history=(*history, question.procedure))
        asks_place = answer.payload["kind"] == "place_needed" or bool(question.unit_choices)
        return Turn(answer, replace(state, unit_choices=question.unit_choices if asks_place else ()))

    def _as_of(self, place: Mention, day: date) -> Mention:
        """The place as it was on the day that is talked about."""
        places = self.writer.catalogue.places
        units = tuple(dict.fromkeys(code for named in place.named for code in places.on_day(named, day)))
        return replace(place, units=units, found=Found.UNIT if len(units) == 1 else Found.CHOICE)

    def _on_day(self, state: State, place: Mention, day: date) -> tuple[Optional[str], tuple[str, ...], str]:
        """The place as it was on a day: the unit, or the units to choose from, and the place's name."""
        places = self.writer.catalogue.places
        if state.unit is None:
            return None, state.unit_choices, place.name
        there = places.on_day(state.unit, day)
        name = str(places.units[state.unit].name)
        return (there[0], (), name) if len(there) == 1 else (None, there, name)

    def _about_no_procedure(self, found: Understanding) -> Answer:
        if found.kind == "faq" and found.topic in self.book.faq:
            entry = self.book.faq[found.topic]
            sources = [{"title": s.title, "url": s.url, "as_of": s.as_of.isoformat()} for s in entry.sources]
            return self.writer.faq(str(entry.answer), sources, found.confidence)
        if found.kind == "missing" and found.topic in self.book.missing:
            missing = self.book.missing[found.topic]
            return self.writer.no_record(str(missing.name), str(missing.keyword), found.confidence)
        if found.kind == "smalltalk":
            kind = "general" if found.intent in ABOUT_THE_BOT else "smalltalk"
            return self.writer.handoff() if found.intent == "handoff" else self.reply(found.intent, kind)
        return self.reply(found.kind if found.kind in self.book.replies else "out_of_scope", "out_of_scope")


def _says_little(found: Understanding) -> bool:
    """Whether a message asks something, hardly says about what, and fits no topic ("nộp ở chỗ cũ luôn hả")."""
    if not found.facets or found.kind in ("smalltalk", "missing", "place", "choose"):
        return False
    if found.kind in ("faq", "not_understood"):
        return found.confidence < SURE and len(found.content) <= 2
    return len(found.content) <= 1 and (found.kind == "out_of_scope" or found.confidence < UNSURE)


def _asks_where(found: Understanding) -> bool:
    """Whether the answer is another one in another province; papers, fees and times are the same all over."""
    return found.kind == "place" or (found.kind in ("procedure", "choices", "follow_up") and "office" in found.facets)


def _with_office(facets: tuple[str, ...]) -> tuple[str, ...]:
    """A place that is told later is told for the sake of the office."""
    return facets if {"office", "delegation", "how"} & set(facets) else ("office",)
