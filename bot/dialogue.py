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
from bot.understanding import Understanding

DEFAULT_FACETS = ("office",)
FEW_CHOICES = 4
CLEAR_LEAD = 2.0
"""How many times likelier than the next one an offered procedure must be to count as chosen by words."""


@dataclass(frozen=True)
class State:
    """Where a conversation stands."""

    procedure: Optional[str] = None
    unit: Optional[str] = None
    facets: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """Procedures that were offered and not yet chosen from."""
    unit_choices: tuple[str, ...] = ()
    """Units that were offered and not yet chosen from."""


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

    def turn(self, found: Understanding, place: Mention, state: State) -> Turn:
        """Answer one message."""
        state = self._placed(place, state)
        if place.found is Found.ELSEWHERE and found.kind in ("procedure", "choices", "follow_up", "place"):
            return Turn(self.writer.elsewhere(place.name), state)
        chosen = self._chosen_by_words(found, state)
        if chosen:
            return self.chosen(chosen, state, found.facets)
        if found.kind == "choose":
            return self._numbered(found.ordinal or 0, state)
        if found.kind == "place":
            return self._place_told(place, state)
        if found.kind == "follow_up":
            return self._followed_up(found, place, state)
        if found.kind == "choices":
            return self._offered(found, place, state)
        if found.kind == "procedure" and found.topic:
            return self._answered(found, place, state)
        return Turn(self._about_no_procedure(found), replace(state, choices=(), unit_choices=()))

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
        return self._ask(state, Mention(Found.NOTHING))

    def reply(self, key: str, kind: str) -> Answer:
        """A ready reply of `nlu_data/replies.yml`."""
        return Answer(self.book.replies.get(key) or self.book.replies["default"], payload(kind))

    def _placed(self, place: Mention, state: State) -> State:
        if place.found is Found.UNIT:
            return replace(state, unit=place.units[0], unit_choices=())
        if place.found is Found.CHOICE:
            told = [unit for unit in place.units if unit in state.unit_choices]
            if len(told) == 1 or (told and place.is_district):
                return replace(state, unit=told[0], unit_choices=())
            return replace(state, unit=None, unit_choices=place.units)
        return state

    def _chosen_by_words(self, found: Understanding, state: State) -> Optional[str]:
        """The offered procedure that the words of a message single out, if any."""
        if not state.choices or found.kind in ("choose", "place", "smalltalk", "faq"):
            return None
        if found.kind == "procedure" and found.topic in state.choices:
            return found.topic
        offered = [(code, share) for code, share in found.ranking if code in state.choices]
        if found.kind in ("procedure", "missing") or not offered:
            return None
        clear = len(offered) == 1 or offered[0][1] >= CLEAR_LEAD * offered[1][1]
        return offered[0][0] if clear and offered[0][1] >= 0.05 else None

    def _numbered(self, number: int, state: State) -> Turn:
        offered = state.choices or state.unit_choices
        if not offered or not (number == -1 or 1 <= number <= len(offered)):
            return Turn(self.reply("choose_unknown", "general"), state)
        picked = offered[number - 1 if number > 0 else -1]
        return self.chosen(picked, state) if state.choices else self.placed(picked, state)

    def _place_told(self, place: Mention, state: State) -> Turn:
        if state.procedure is None:
            return Turn(self.reply("place_noted", "general"), state)
        return self._ask(replace(state, facets=_with_office(state.facets)), place)

    def _followed_up(self, found: Understanding, place: Mention, state: State) -> Turn:
        if state.procedure is None and found.topic:
            return self._answered(found, place, state)
        if state.procedure is None:
            return Turn(self.reply("which_procedure", "general"), replace(state, facets=found.facets))
        return self._ask(replace(state, facets=found.facets or state.facets or DEFAULT_FACETS, choices=()), place)

    def _offered(self, found: Understanding, place: Mention, state: State) -> Turn:
        if state.procedure in found.choices:
            return self._ask(replace(state, facets=found.facets or state.facets, choices=()), place, found)
        codes = tuple(code for code in found.choices if code in self.writer.catalogue.procedures)[:FEW_CHOICES]
        answer = self.writer.choices(codes, found.facets, found.confidence)
        return Turn(answer, replace(state, choices=codes, facets=found.facets))

    def _answered(self, found: Understanding, place: Mention, state: State) -> Turn:
        facets = found.facets or DEFAULT_FACETS
        return self._ask(replace(state, procedure=found.topic, facets=facets, choices=()), place, found)

    def _ask(self, state: State, place: Mention, found: Optional[Understanding] = None) -> Turn:
        question = Question(
            procedure=str(state.procedure),
            facets=state.facets or DEFAULT_FACETS,
            unit=state.unit,
            unit_choices=() if state.unit else state.unit_choices,
            place_name=place.name,
            day=self.today,
            today=self.today,
            confidence=found.confidence if found else 1.0,
            runners_up=tuple(code for code in found.choices if code != state.procedure)[:3] if found else (),
        )
        answer = self.writer.procedure(question)
        asks_place = answer.payload["kind"] == "place_needed" or bool(question.unit_choices)
        return Turn(answer, replace(state, unit_choices=question.unit_choices if asks_place else ()))

    def _about_no_procedure(self, found: Understanding) -> Answer:
        if found.kind == "faq" and found.topic in self.book.faq:
            entry = self.book.faq[found.topic]
            sources = [{"title": s.title, "url": s.url, "as_of": s.as_of.isoformat()} for s in entry.sources]
            return self.writer.faq(str(entry.answer), sources, found.confidence)
        if found.kind == "missing" and found.topic in self.book.missing:
            missing = self.book.missing[found.topic]
            return self.writer.no_record(str(missing.name), str(missing.keyword), found.confidence)
        if found.kind == "smalltalk":
            return self.writer.handoff() if found.intent == "handoff" else self.reply(found.intent, "smalltalk")
        return self.reply(found.kind if found.kind in self.book.replies else "out_of_scope", "out_of_scope")


def _with_office(facets: tuple[str, ...]) -> tuple[str, ...]:
    """A place that is told later is told for the sake of the office."""
    return facets if "office" in facets or "delegation" in facets or "how" in facets else DEFAULT_FACETS
