"""The bot's custom actions. No SQL, no prose: they carry slots to `bot.dialogue` and its answer back."""

from __future__ import annotations

from datetime import date
from typing import Any, Callable, Dict, List, Optional

from rasa_sdk import Action, Tracker
from rasa_sdk.events import AllSlotsReset, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.catalogue.places import NOWHERE, Found, Mention
from bot.dialogue import Guide, State, Turn
from bot.runtime import runtime
from bot.understanding import Understanding

Events = List[Dict[str, Any]]


class ActionAnswer(Action):  # type: ignore[misc]
    """Answers a question about a procedure, or asks back."""

    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]) -> Events:
        return _respond(
            dispatcher,
            tracker,
            lambda guide, state: guide.turn(_understood(tracker), _place(tracker), state, _day(tracker)),
        )


class ActionChoose(Action):  # type: ignore[misc]
    """Takes a choice, by tap (an entity in the payload) or by number."""

    def name(self) -> str:
        return "action_choose"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]) -> Events:
        tapped = _tapped(tracker, "procedure")

        def take(guide: Guide, state: State) -> Turn:
            return (
                guide.chosen(tapped, state)
                if tapped
                else guide.turn(_understood(tracker), _place(tracker), state, _day(tracker))
            )

        return _respond(dispatcher, tracker, take)


class ActionInformPlace(Action):  # type: ignore[misc]
    """Takes the place, by tap or by name."""

    def name(self) -> str:
        return "action_inform_place"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]) -> Events:
        tapped = _tapped(tracker, "unit")

        def take(guide: Guide, state: State) -> Turn:
            return (
                guide.placed(tapped, state)
                if tapped
                else guide.turn(_understood(tracker), _place(tracker), state, _day(tracker))
            )

        return _respond(dispatcher, tracker, take)


class ActionReply(Action):  # type: ignore[misc]
    """Replies to what is not about a procedure: greetings, thanks, what is out of scope."""

    def name(self) -> str:
        return "action_reply"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]) -> Events:
        return _respond(
            dispatcher,
            tracker,
            lambda guide, state: guide.turn(_understood(tracker), _place(tracker), state, _day(tracker)),
        )


class ActionStartOver(Action):  # type: ignore[misc]
    """Forgets the procedure, the place and what was offered."""

    def name(self) -> str:
        return "action_start_over"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Dict[str, Any]) -> Events:
        answer = _guide().reply("start_over", "general")
        dispatcher.utter_message(text=answer.text, json_message=answer.payload)
        return [AllSlotsReset()]


def _guide() -> Guide:
    current = runtime()
    return Guide(current.writer(), current.book, current.settings.today)


def _respond(dispatcher: CollectingDispatcher, tracker: Tracker, take: Callable[[Guide, State], Turn]) -> Events:
    before = _state(tracker)
    turn = take(_guide(), before)
    buttons = [{"title": button.title, "payload": button.payload} for button in turn.answer.buttons]
    dispatcher.utter_message(text=turn.answer.text, buttons=buttons, json_message=turn.answer.payload)
    return [SlotSet(slot, _plain(value)) for slot, value in vars(turn.state).items() if value != getattr(before, slot)]


def _state(tracker: Tracker) -> State:
    return State(
        procedure=tracker.get_slot("procedure"),
        unit=tracker.get_slot("unit"),
        facets=tuple(tracker.get_slot("facets") or ()),
        choices=tuple(tracker.get_slot("choices") or ()),
        said=tuple(tracker.get_slot("said") or ()),
        unit_choices=tuple(tracker.get_slot("unit_choices") or ()),
        day=tracker.get_slot("day"),
        history=tuple(tracker.get_slot("history") or ()),
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _understood(tracker: Tracker) -> Understanding:
    """What the topic linker made of the message; a typed `/intent` has only its intent."""
    found = tracker.latest_message.get("understanding")
    if found is None:
        intent = (tracker.latest_message.get("intent") or {}).get("name") or "out_of_scope"
        kind = "follow_up" if intent.startswith("ask_") else "smalltalk"
        return Understanding(intent, kind, facets=(intent.removeprefix("ask_"),) if kind == "follow_up" else ())
    lists = {key: tuple(found[key]) for key in ("choices", "facets", "content")}
    ranking = tuple((code, share) for code, share in found["ranking"])
    return Understanding(**{**found, **lists, "ranking": ranking})


def _place(tracker: Tracker) -> Mention:
    found = tracker.latest_message.get("place")
    if not found:
        return NOWHERE
    return Mention(
        **{**found, "found": Found(found["found"]), "units": tuple(found["units"]), "named": tuple(found["named"])}
    )


def _day(tracker: Tracker) -> Optional[date]:
    found = tracker.latest_message.get("day")
    return date.fromisoformat(found["day"]) if found else None


def _tapped(tracker: Tracker, entity: str) -> str:
    """The value that a button carried; empty for a message in words."""
    if tracker.latest_message.get("understanding"):
        return ""
    return str(next(tracker.get_latest_entity_values(entity), "") or "")
