"""Where a web conversation stands, taken out of Rasa's tracker and put back into a new one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any

from rasa.core.agent import Agent
from rasa.shared.core.events import SlotSet

from bot.dialogue import State

_SLOTS = [field.name for field in fields(State)]


class Conversations:
    """Rasa's, by name. Trackers are in memory only (`bot.trackers`); what is to outlive the process is kept here."""

    def __init__(self, agent: Callable[[], Agent]) -> None:
        self._agent = agent

    @property
    def lasts(self) -> timedelta:
        """A silence after which Rasa begins anew."""
        return timedelta(minutes=self._agent().domain.session_config.session_expiration_time)

    async def slots(self, conversation: str) -> dict[str, Any]:
        """What `put` needs to go on from here."""
        tracker = await self._agent().tracker_store.retrieve(conversation)
        values = {} if tracker is None else tracker.current_slot_values()
        return {name: values[name] for name in _SLOTS if values.get(name)}

    async def put(self, conversation: str, slots: Mapping[str, Any]) -> None:
        """Begin a conversation where another one stood."""
        processor = self._agent().processor
        tracker = await processor.fetch_tracker_and_update_session(conversation)
        for name in _SLOTS:
            if name in slots:
                tracker.update(SlotSet(name, slots[name]), processor.domain)
        await processor.save_tracker(tracker)
