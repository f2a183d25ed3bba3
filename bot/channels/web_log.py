"""What was said in each web session, numbered: whoever was away asks for all that came after a number.

Without consent a log lives here only, and goes some time after the last word; with consent it is on the shelf too.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Optional

import sqlalchemy as sa

from bot.channels.web_shelf import Event, Kept, Shelf
from bot.memory import Memory

logger = logging.getLogger(__name__)

MOST_EVENTS = 200
"""Of one session; the oldest go first."""
MOST_IDS = 500
MOST_LOGS = 5_000
"""In memory; the ones that were silent longest go first."""
SILENCE = 30 * 60
"""Seconds after which a log that nobody listens to leaves the memory."""

Entry = tuple[str, dict[str, Any]]
"""Type and body of an event to be."""


class Log:
    """One session's."""

    def __init__(self, person: str, shelf: Shelf, agreed: bool, start: int, kept: Optional[Kept] = None) -> None:
        """`start`: the cursor before the first event, if nothing was kept."""
        kept = kept or Kept()
        self.person = person
        self.consent: Optional[bool] = agreed or None
        """None: not asked yet."""
        self.conversation = ""
        """Rasa's name for it; empty until the first turn, and again after starting over."""
        self.slots, self.slots_at = kept.slots, kept.at
        self.unit: Optional[str] = None
        """The ward that the host site speaks for."""
        self.turn = asyncio.Lock()
        """Turns of one session are taken one after the other."""
        self.pending = 0
        self.listeners = 0
        self.touched = time.monotonic()
        self.changed = asyncio.Event()
        """Set, and replaced by a new one, at the next change."""
        self.events: list[Event] = kept.events
        self._shelf = shelf
        self._last = self.events[-1].cursor if self.events else start
        self._ids = OrderedDict.fromkeys(event.body["id"] for event in self.events if event.type == "user")

    @property
    def cursor(self) -> int:
        return self._last

    def after(self, cursor: int) -> list[Event]:
        """What is new to somebody who has seen everything up to a cursor; one from beyond has seen nothing."""
        return [event for event in self.events if event.cursor > cursor or cursor > self._last]

    def has_seen(self, id: str) -> bool:
        return id in self._ids

    def add(
        self,
        *entries: Entry,
        waiting: Optional[dict[str, Any]] = None,
        answers: Optional[Event] = None,
        slots: Optional[Mapping[str, Any]] = None,
    ) -> list[Event]:
        """Append events, all or none.

        Args:
            waiting: what the bot is to be asked for the (only) entry.
            answers: the question that they answer.
            slots: where the conversation stands now.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the shelf could not keep them; nothing was appended.
        """
        now = datetime.now(timezone.utc)
        new = [Event(self._last + n, now, type, body, waiting) for n, (type, body) in enumerate(entries, 1)]
        events = [*self.events, *new]
        oldest = events[-MOST_EVENTS].cursor if len(events) > MOST_EVENTS else None
        if self.consent:
            self._shelf.write(self.person, new, answers.cursor if answers else None, slots, oldest)
        self._append(new, answers, slots)
        return new

    def add_anyway(self, *entries: Entry, answers: Event, slots: Optional[Mapping[str, Any]]) -> None:
        """Like `add`, but an answer is shown even where it could not be kept."""
        try:
            self.add(*entries, answers=answers, slots=slots)
        except sa.exc.SQLAlchemyError:
            logger.exception("Không ghi được nhật ký web; câu trả lời chỉ còn trong bộ nhớ.")
            now = datetime.now(timezone.utc)
            self._append([Event(self._last + n, now, *entry) for n, entry in enumerate(entries, 1)], answers, slots)

    def _append(self, new: list[Event], answers: Optional[Event], slots: Optional[Mapping[str, Any]]) -> None:
        self.events = [*self.events, *new][-MOST_EVENTS:]
        self._last += len(new)
        for event in new:
            if event.type == "user":
                self._ids[event.body["id"]] = None
        while len(self._ids) > MOST_IDS:
            self._ids.popitem(last=False)
        if answers is not None:
            answers.waiting = None
        if slots is not None:
            self.slots, self.slots_at = dict(slots), datetime.now(timezone.utc)
        self.wake()

    def begin_again(self) -> None:
        """Forget what was said; a question that is being answered loses its answer."""
        new = Event(self._last + 1, datetime.now(timezone.utc), "restarted", {})
        if self.consent:
            self._shelf.write(self.person, [new], slots={}, oldest=new.cursor)
        self.events, self.conversation, self.slots = [], "", {}
        self._append([new], None, None)

    def agree(self) -> None:
        """From now on the log is kept, what is in it already too."""
        if not self.consent:
            self._shelf.erase(self.person)
            self._shelf.write(self.person, self.events, slots=self.slots)
            self.consent = True

    def withdraw(self) -> None:
        """From now on nothing is kept, and what was is deleted; what is on the screen stays there."""
        self._shelf.erase(self.person)
        self.consent = False

    def offered(self, payload: str) -> Optional[tuple[Event, str]]:
        """The last event that offered a button, and the button's title; None if none did."""
        for event in reversed(self.events):
            for button in event.body.get("buttons", ()):
                if button["payload"] == payload:
                    return event, str(button["title"])
        return None

    def mark(self, event: Event, payload: str) -> None:
        """Remember which button of an event was tapped; only a courtesy, so failing is no reason not to answer."""
        event.body["chosen"] = payload
        try:
            if self.consent:
                self._shelf.rewrite(self.person, event)
        except sa.exc.SQLAlchemyError:
            logger.exception("Không ghi được nút đã chọn.")

    def has_turn(self, number: int) -> bool:
        return any(event.type == "bot" and event.body["turn"] == number for event in self.events)

    def open_questions(self) -> Sequence[Event]:
        return [event for event in self.events if event.waiting]

    def wake(self) -> None:
        self.touched = time.monotonic()
        self.changed.set()
        self.changed = asyncio.Event()


class Logs:
    """All sessions', by person."""

    def __init__(self, shelf: Shelf, memory: Memory) -> None:
        self._shelf = shelf
        self._memory = memory
        self._logs: OrderedDict[str, Log] = OrderedDict()

    def begin(self, person: str) -> Log:
        """The log of a session that was issued just now."""
        return self._place(Log(person, self._shelf, agreed=False, start=0))

    def of(self, person: str) -> Log:
        """A session's log, from memory, or from the shelf, or empty.

        An empty one may follow one that was lost with the process, whose readers have seen high cursors: it starts
        higher than any of them.
        """
        log = self._logs.get(person)
        if log is not None:
            self._logs.move_to_end(person)
            log.touched = time.monotonic()
            return log
        agreed = self._memory.has_agreed(person)
        kept = self._shelf.read(person) if agreed else None
        return self._place(Log(person, self._shelf, agreed, int(time.time() * 1000), kept))

    def kept_waiting(self) -> Iterator[Log]:
        """Logs with a question that was not answered before the bot stopped."""
        for person in self._shelf.waiting():
            if self._memory.has_agreed(person):
                yield self.of(person)

    def all(self) -> Sequence[Log]:
        return list(self._logs.values())

    def sweep(self) -> None:
        """Let go of logs that are silent and not listened to."""
        now = time.monotonic()
        for person, log in list(self._logs.items()):
            if log.listeners or log.pending:
                continue
            if now - log.touched > SILENCE or len(self._logs) > MOST_LOGS:
                del self._logs[person]

    def _place(self, log: Log) -> Log:
        self._logs[log.person] = log
        if len(self._logs) > MOST_LOGS:
            self.sweep()
        return log


def new_conversation() -> str:
    return secrets.token_hex(16)
